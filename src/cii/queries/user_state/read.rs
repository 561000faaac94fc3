//! Reads a user of an answer, field by field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    cii::{
        GraphqlError,
        lenient::{text, texts},
        queries::untold::Untold,
    },
    domain::{IpAddress, Login, Place, UserField, UserObservation, UserState},
};

/// A user, and what is found out about the answer on the way.
struct Reader<'a> {
    user: &'a Value,
    errors: Untold<'a>,
    untold: BTreeSet<UserField>,
    null_lists: BTreeSet<UserField>,
}

/// Reads `user`. A field of another type than the published one is untold,
/// except where its reading is plain.
pub(super) fn read(user: &Value, errors: &[GraphqlError], root: &str) -> UserObservation {
    let (untold, null_lists) = (BTreeSet::new(), BTreeSet::new());
    let mut reader = Reader { user, errors: Untold::new(errors, root), untold, null_lists };
    let working = reader.list(UserField::WorkingLocations, "workingLocationDetails", working);
    let state = UserState {
        id: reader.needed(UserField::Id, "id"),
        display_name: reader.needed(UserField::DisplayName, "displayName"),
        status: reader.needed(UserField::Status, "status"),
        employee_ids: Some(reader.employee_ids()),
        user_type: reader.text(UserField::UserType, "userTypeClassification"),
        manager_login: reader.text(UserField::ManagerLogin, "managerLogin"),
        phone_number: reader.text(UserField::PhoneNumber, "phoneNumber"),
        reference_url: reader.text(UserField::ReferenceUrl, "referenceUrl"),
        ip_addresses: Some(reader.list(UserField::IpAddresses, "ipAddresses", addresses)),
        unused_applications: Some(reader.list(
            UserField::UnusedApplications,
            "unusedApplications",
            texts,
        )),
        used_applications: Some(reader.list(
            UserField::UsedApplications,
            "usedApplications",
            texts,
        )),
        used_factors: Some(reader.list(UserField::UsedFactors, "usedFactors", texts)),
        registered_location: Some(reader.registered_location()),
        prevalence: working
            .iter()
            .filter_map(|(place, share)| Some((place.clone(), (*share)?)))
            .collect(),
        working_locations: Some(working.into_keys().collect()),
    };
    let login = user.get("login").and_then(text).and_then(|login| Login::new(&login).ok());
    UserObservation { login, state, untold: reader.untold, null_lists: reader.null_lists }
}

impl Reader<'_> {
    /// A field; none when it is missing, or an error stands on it.
    fn told(&mut self, field: UserField, name: &str) -> Option<&Value> {
        let value = self.user.get(name).filter(|value| !self.errors.doubts(name, value));
        if value.is_none() {
            self.untold.insert(field);
        }
        value
    }

    /// A text that may be null.
    fn text(&mut self, field: UserField, name: &str) -> Option<String> {
        let value = self.told(field, name)?;
        let (read, is_plain) = (text(value), value.is_null() || value.is_string());
        if read.is_none() && !is_plain {
            self.untold.insert(field);
        }
        read
    }

    /// A text that the schema promises; untold when it is null all the same.
    fn needed(&mut self, field: UserField, name: &str) -> String {
        let Some(value) = self.told(field, name) else { return String::new() };
        match value {
            Value::String(text) if text.trim().is_empty() => text.clone(),
            value => text(value).unwrap_or_else(|| {
                self.untold.insert(field);
                String::new()
            }),
        }
    }

    /// A list as `read` takes it. Null without an error is noted: whether it
    /// means none is not this answer's to say. A list with an element that
    /// cannot be read is untold: that element could be any, so nothing that was
    /// known before may count as gone.
    fn list<T: Default>(
        &mut self,
        field: UserField,
        name: &str,
        read: impl Fn(&Value) -> Option<(T, bool)>,
    ) -> T {
        let Some(value) = self.told(field, name) else { return T::default() };
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

    /// `employeeId`, a list; the text of the Okta Workflows connector writes
    /// `employeeID`, one text.
    fn employee_ids(&mut self) -> BTreeSet<String> {
        let is_second =
            self.user.get("employeeId").is_none() && self.user.get("employeeID").is_some();
        let name = if is_second { "employeeID" } else { "employeeId" };
        self.list(UserField::EmployeeIds, name, |value| match value {
            Value::String(_) | Value::Number(_) => Some((text(value).into_iter().collect(), true)),
            value => texts(value),
        })
    }

    fn registered_location(&mut self) -> BTreeSet<Place> {
        let field = UserField::RegisteredLocation;
        match self.told(field, "registeredLocationDetails") {
            None | Some(Value::Null) => BTreeSet::new(),
            Some(value @ Value::Object(_)) => filled(value).into_iter().collect(),
            Some(_) => {
                self.untold.insert(field);
                BTreeSet::new()
            }
        }
    }
}

/// The addresses in their one spelling; a text that is no address stays as it
/// is. Of two spellings of one address the place that says something holds.
fn addresses(list: &Value) -> Option<(BTreeMap<String, Place>, bool)> {
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
            *known = place(&info["location"]);
        }
    }
    Some((addresses, is_whole))
}

/// Places, each with its share of the user's work in hundredths of a per cent.
fn working(list: &Value) -> Option<(BTreeMap<Place, Option<u32>>, bool)> {
    let mut places = BTreeMap::new();
    let mut is_whole = true;
    for details in list.as_array()? {
        if !details["location"].is_object() {
            is_whole = false;
        } else if let Some(place) = filled(&details["location"]) {
            places.insert(place, prevalence(&details["userLocationPrevalence"]));
        }
    }
    Some((places, is_whole))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is between 0 and 10,000"
)]
fn prevalence(value: &Value) -> Option<u32> {
    let per_cent = match value {
        Value::String(text) => text.trim().parse().ok()?,
        value => value.as_f64()?,
    };
    (0.0..=100.0).contains(&per_cent).then(|| (per_cent * 100.0).round() as u32)
}

fn filled(location: &Value) -> Option<Place> {
    Some(place(location)).filter(|place| !place.is_empty())
}

fn place(location: &Value) -> Place {
    let part = |name: &str| text(&location[name]);
    // The same country in another case is no new one.
    let country = part("country").map(|code| match code.len() {
        2 => code.to_ascii_uppercase(),
        _ => code,
    });
    Place { city: part("city"), state: part("state"), country }
}
