//! Reads the state of a user, field by field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    cii::{
        GraphqlError,
        lenient::{read_text, read_texts},
        queries::untold::Untold,
    },
    domain::{IpAddress, Login, Place, UserField, UserObservation, UserState},
};

/// A user's object, and the findings about the answer so far.
struct Reader<'a> {
    user: &'a Value,
    errors: Untold<'a>,
    untold: BTreeSet<UserField>,
    null_lists: BTreeSet<UserField>,
}

/// Reads `user`. A field of another type than the published one is missing, unless its meaning is
/// unambiguous.
pub(super) fn read(user: &Value, errors: &[GraphqlError], root: &str) -> UserObservation {
    let (untold, null_lists) = (BTreeSet::new(), BTreeSet::new());
    let mut reader = Reader { user, errors: Untold::new(errors, root), untold, null_lists };
    let working = reader.read_list(
        UserField::WorkingLocations,
        "workingLocationDetails",
        read_working_locations,
    );
    let state = UserState {
        id: reader.read_required_text(UserField::Id, "id"),
        display_name: reader.read_required_text(UserField::DisplayName, "displayName"),
        status: reader.read_required_text(UserField::Status, "status"),
        employee_ids: Some(reader.read_employee_ids()),
        user_type: reader.read_text(UserField::UserType, "userTypeClassification"),
        manager_login: reader.read_text(UserField::ManagerLogin, "managerLogin"),
        phone_number: reader.read_text(UserField::PhoneNumber, "phoneNumber"),
        reference_url: reader.read_text(UserField::ReferenceUrl, "referenceUrl"),
        ip_addresses: Some(reader.read_list(UserField::IpAddresses, "ipAddresses", read_addresses)),
        unused_applications: Some(reader.read_list(
            UserField::UnusedApplications,
            "unusedApplications",
            read_texts,
        )),
        used_applications: Some(reader.read_list(
            UserField::UsedApplications,
            "usedApplications",
            read_texts,
        )),
        used_factors: Some(reader.read_list(UserField::UsedFactors, "usedFactors", read_texts)),
        registered_location: Some(reader.read_registered_location()),
        prevalence: working
            .iter()
            .filter_map(|(place, share)| Some((place.clone(), (*share)?)))
            .collect(),
        working_locations: Some(working.into_keys().collect()),
    };
    let login = user.get("login").and_then(read_text).and_then(|login| Login::new(&login).ok());
    UserObservation { login, state, untold: reader.untold, null_lists: reader.null_lists }
}

impl Reader<'_> {
    /// Reads a field; `None` when it is missing or an error is about it.
    fn read_field(&mut self, field: UserField, name: &str) -> Option<&Value> {
        let value = self.user.get(name).filter(|value| !self.errors.is_in_doubt(name, value));
        if value.is_none() {
            self.untold.insert(field);
        }
        value
    }

    /// Reads a text that may be null.
    fn read_text(&mut self, field: UserField, name: &str) -> Option<String> {
        let value = self.read_field(field, name)?;
        let (read, is_plain) = (read_text(value), value.is_null() || value.is_string());
        if read.is_none() && !is_plain {
            self.untold.insert(field);
        }
        read
    }

    /// Reads a text that the schema declares non-null; a null counts as missing.
    fn read_required_text(&mut self, field: UserField, name: &str) -> String {
        let Some(value) = self.read_field(field, name) else { return String::new() };
        match value {
            Value::String(text) if text.trim().is_empty() => text.clone(),
            value => read_text(value).unwrap_or_else(|| {
                self.untold.insert(field);
                String::new()
            }),
        }
    }

    /// Reads a list by `read`. A null without an error is recorded: whether it means empty is
    /// decided elsewhere. A list with an unreadable element counts as missing: that element could
    /// be any of the known ones, so none of them may count as removed.
    fn read_list<T: Default>(
        &mut self,
        field: UserField,
        name: &str,
        read: impl Fn(&Value) -> Option<(T, bool)>,
    ) -> T {
        let Some(value) = self.read_field(field, name) else { return T::default() };
        if value.is_null() {
            self.null_lists.insert(field);
            return T::default();
        }
        let Some((list, is_whole)) = read(value) else {
            self.untold.insert(field);
            return T::default();
        };
        if !is_whole {
            self.untold.insert(field);
        }
        list
    }

    /// Reads `employeeId`, a list; the documentation of the Okta Workflows connector has
    /// `employeeID`, a single text.
    fn read_employee_ids(&mut self) -> BTreeSet<String> {
        let is_second =
            self.user.get("employeeId").is_none() && self.user.get("employeeID").is_some();
        let name = if is_second { "employeeID" } else { "employeeId" };
        self.read_list(UserField::EmployeeIds, name, |value| match value {
            Value::String(_) | Value::Number(_) => {
                Some((read_text(value).into_iter().collect(), true))
            }
            value => read_texts(value),
        })
    }

    fn read_registered_location(&mut self) -> BTreeSet<Place> {
        let field = UserField::RegisteredLocation;
        match self.read_field(field, "registeredLocationDetails") {
            None | Some(Value::Null) => BTreeSet::new(),
            Some(value @ Value::Object(_)) => read_nonempty_place(value).into_iter().collect(),
            Some(_) => {
                self.untold.insert(field);
                BTreeSet::new()
            }
        }
    }
}

/// Reads the addresses in their canonical spelling; a text that is no address is kept as it is.
/// When an address has two spellings, the non-empty place is kept.
fn read_addresses(list: &Value) -> Option<(BTreeMap<String, Place>, bool)> {
    let mut addresses = BTreeMap::<String, Place>::new();
    let mut is_whole = true;
    for info in list.as_array()? {
        let Some(address) = info["ipAddress"].as_str() else {
            is_whole = false;
            continue;
        };
        if address.trim().is_empty() {
            continue;
        }
        let address =
            address.parse::<IpAddress>().map_or_else(|_| address.to_owned(), |ip| ip.to_string());
        let known = addresses.entry(address).or_default();
        if known.is_empty() {
            *known = read_place(&info["location"]);
        }
    }
    Some((addresses, is_whole))
}

/// Reads places, each with its share of the user's activity in hundredths of a per cent.
fn read_working_locations(list: &Value) -> Option<(BTreeMap<Place, Option<u32>>, bool)> {
    let mut places = BTreeMap::new();
    let mut is_whole = true;
    for details in list.as_array()? {
        if !details["location"].is_object() {
            is_whole = false;
        } else if let Some(place) = read_nonempty_place(&details["location"]) {
            places.insert(place, read_prevalence(&details["userLocationPrevalence"]));
        }
    }
    Some((places, is_whole))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is between 0 and 10,000"
)]
fn read_prevalence(value: &Value) -> Option<u32> {
    let per_cent = match value {
        Value::String(text) => text.trim().parse().ok()?,
        value => value.as_f64()?,
    };
    (0.0..=100.0).contains(&per_cent).then(|| (per_cent * 100.0).round() as u32)
}

fn read_nonempty_place(location: &Value) -> Option<Place> {
    Some(read_place(location)).filter(|place| !place.is_empty())
}

fn read_place(location: &Value) -> Place {
    let part = |name: &str| read_text(&location[name]);
    // Country codes are normalized, so that another case is not a new country.
    let country = part("country").map(|code| match code.len() {
        2 => code.to_ascii_uppercase(),
        _ => code,
    });
    Place { city: part("city"), state: part("state"), country }
}
