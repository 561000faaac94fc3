//! What is known of a user: `getEndUserState`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::untold::Untold;
use crate::{
    cii::{Answered, ApiError, Client, batch::Root, graphql::Answer, meters::Operation},
    domain::{IpAddress, Login, Place, UserObservation, UserState},
};

pub(super) const QUESTION: Root = Root {
    operation: Operation::GetEndUserState,
    argument: "login",
    shared: None,
    type_name: "EndUserState",
    selection: "\
  id
  displayName
  status
  userTypeClassification
  managerLogin
  referenceUrl
  ipAddresses { ipAddress location { city state country } }
  unusedApplications
  usedApplications
  usedFactors
  registeredLocationDetails { city state country }
  workingLocationDetails { location { city state country } }",
};

pub(super) const ROOT: &str = "getEndUserState";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EndUserState {
    id: Option<String>,
    display_name: Option<String>,
    status: Option<String>,
    user_type_classification: Option<String>,
    manager_login: Option<String>,
    reference_url: Option<String>,
    ip_addresses: Option<Vec<Option<IpAddressInfo>>>,
    unused_applications: Option<Vec<Option<String>>>,
    used_applications: Option<Vec<Option<String>>>,
    used_factors: Option<Vec<Option<String>>>,
    registered_location_details: Option<GeoLocation>,
    working_location_details: Option<Vec<Option<LocationWithPrevalence>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IpAddressInfo {
    ip_address: Option<String>,
    location: Option<GeoLocation>,
}

#[derive(Debug, Deserialize)]
struct LocationWithPrevalence {
    location: Option<GeoLocation>,
}

#[derive(Debug, Deserialize)]
struct GeoLocation {
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
}

impl Client {
    /// What the service knows of each user, in the order of the logins. A field
    /// that it failed to tell is named in [`UserObservation::untold`]; one that
    /// it left empty is known to be empty.
    ///
    /// # Errors
    /// Of each user, when there is no answer, or none that can be understood.
    pub async fn user_states(
        &self,
        logins: &[Login],
    ) -> Vec<Result<Answered<UserObservation>, ApiError>> {
        let subjects: Vec<_> = logins.iter().map(Login::as_str).collect();
        self.ask_each(&QUESTION, &subjects, None, understand).await
    }
}

fn understand(mut answer: Answer) -> Result<Answered<UserObservation>, ApiError> {
    let value = answer.root(ROOT)?;
    let untold = Untold::new(&answer.errors, ROOT).fields(&value);
    let not_as_promised = || {
        if answer.errors.is_empty() {
            ApiError::Malformed(format!("{ROOT} is not as the schema says"))
        } else {
            ApiError::Graphql(answer.errors.clone().into())
        }
    };
    let user: EndUserState = serde_json::from_value(value).map_err(|_| not_as_promised())?;
    let state = UserState {
        id: user.id.ok_or_else(not_as_promised)?,
        display_name: user.display_name.ok_or_else(not_as_promised)?,
        status: user.status.ok_or_else(not_as_promised)?,
        user_type: filled(user.user_type_classification),
        manager_login: filled(user.manager_login),
        reference_url: filled(user.reference_url),
        ip_addresses: Some(addresses(user.ip_addresses)),
        unused_applications: Some(texts(user.unused_applications)),
        used_applications: Some(texts(user.used_applications)),
        used_factors: Some(texts(user.used_factors)),
        registered_location: Some(places([user.registered_location_details])),
        working_locations: Some(places(
            user.working_location_details
                .into_iter()
                .flatten()
                .map(|working| working.and_then(|working| working.location)),
        )),
    };
    let value = UserObservation { state, untold, null_lists: BTreeSet::new() };
    Ok(Answered { value, errors: answer.errors.into() })
}

/// The addresses in their one spelling; a text that is no address stays as it
/// is. Of two spellings of one address the place that says something holds.
fn addresses(list: Option<Vec<Option<IpAddressInfo>>>) -> BTreeMap<String, Place> {
    let mut addresses = BTreeMap::<String, Place>::new();
    for info in list.into_iter().flatten().flatten() {
        let Some(text) = filled(info.ip_address) else { continue };
        let address = text.parse::<IpAddress>().map_or(text, String::from);
        let place = info.location.map(Place::from).unwrap_or_default();
        let known = addresses.entry(address).or_default();
        if known.is_empty() {
            *known = place;
        }
    }
    addresses
}

fn texts(list: Option<Vec<Option<String>>>) -> BTreeSet<String> {
    list.into_iter().flatten().filter_map(filled).collect()
}

fn places(list: impl IntoIterator<Item = Option<GeoLocation>>) -> BTreeSet<Place> {
    list.into_iter().flatten().map(Place::from).filter(|place| !place.is_empty()).collect()
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

impl From<GeoLocation> for Place {
    fn from(location: GeoLocation) -> Self {
        let GeoLocation { city, state, country } = location;
        Self { city: filled(city), state: filled(state), country: filled(country) }
    }
}

#[cfg(test)]
mod tests;
