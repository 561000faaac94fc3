//! The state of a user, as a JSON object; form 1.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Unreadable, from_json, to_json};
use crate::domain::{self, UserState};

/// Fields that were added later have defaults, so that older rows stay readable.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    id: String,
    display_name: String,
    status: String,
    user_type: Option<String>,
    manager_login: Option<String>,
    reference_url: Option<String>,
    ip_addresses: Option<BTreeMap<String, Place>>,
    unused_applications: Option<BTreeSet<String>>,
    used_applications: Option<BTreeSet<String>>,
    used_factors: Option<BTreeSet<String>>,
    registered_location: Option<BTreeSet<Place>>,
    working_locations: Option<BTreeSet<Place>>,
    #[serde(default)]
    prevalence: BTreeSet<(Place, u32)>,
    #[serde(default)]
    employee_ids: Option<BTreeSet<String>>,
    #[serde(default)]
    phone_number: Option<String>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
}

impl From<&domain::Place> for Place {
    fn from(place: &domain::Place) -> Self {
        let domain::Place { city, state, country } = place.clone();
        Self { city, state, country }
    }
}

impl From<Place> for domain::Place {
    fn from(Place { city, state, country }: Place) -> Self {
        Self { city, state, country }
    }
}

impl From<&UserState> for Row {
    fn from(state: &UserState) -> Self {
        let places = |places: &Option<BTreeSet<domain::Place>>| {
            places.as_ref().map(|places| places.iter().map(Place::from).collect())
        };
        let addresses = state.ip_addresses.as_ref();
        Self {
            id: state.id.clone(),
            display_name: state.display_name.clone(),
            status: state.status.clone(),
            user_type: state.user_type.clone(),
            manager_login: state.manager_login.clone(),
            reference_url: state.reference_url.clone(),
            ip_addresses: addresses
                .map(|all| all.iter().map(|(ip, place)| (ip.clone(), place.into())).collect()),
            unused_applications: state.unused_applications.clone(),
            used_applications: state.used_applications.clone(),
            used_factors: state.used_factors.clone(),
            registered_location: places(&state.registered_location),
            working_locations: places(&state.working_locations),
            prevalence: state
                .prevalence
                .iter()
                .map(|(place, share)| (place.into(), *share))
                .collect(),
            employee_ids: state.employee_ids.clone(),
            phone_number: state.phone_number.clone(),
        }
    }
}

impl From<Row> for UserState {
    fn from(row: Row) -> Self {
        let places = |places: Option<BTreeSet<Place>>| {
            places.map(|places| places.into_iter().map(domain::Place::from).collect())
        };
        Self {
            id: row.id,
            display_name: row.display_name,
            status: row.status,
            user_type: row.user_type,
            manager_login: row.manager_login,
            reference_url: row.reference_url,
            ip_addresses: row
                .ip_addresses
                .map(|all| all.into_iter().map(|(ip, place)| (ip, place.into())).collect()),
            unused_applications: row.unused_applications,
            used_applications: row.used_applications,
            used_factors: row.used_factors,
            registered_location: places(row.registered_location),
            working_locations: places(row.working_locations),
            prevalence: row
                .prevalence
                .into_iter()
                .map(|(place, share)| (place.into(), share))
                .collect(),
            employee_ids: row.employee_ids,
            phone_number: row.phone_number,
        }
    }
}

/// The number of the form, which is stored beside it. A row with another form cannot be decoded.
pub(in crate::store) const FORM: i64 = 1;

/// SQL for the user's name; NULL for a row with another form.
pub(in crate::store) const NAME: &str = "CASE WHEN form = 1 THEN state ->> 'display_name' END";

/// SQL for the user's status; NULL for a row with another form.
pub(in crate::store) const STATUS: &str = "CASE WHEN form = 1 THEN state ->> 'status' END";

/// Encodes a state.
pub(in crate::store) fn encode(state: &UserState) -> String {
    to_json(&Row::from(state))
}

/// Decodes a state.
pub(in crate::store) fn decode(form: i64, json: &str) -> Result<UserState, Unreadable> {
    if form != FORM {
        return Err(Unreadable::Form(form));
    }
    Ok(from_json::<Row>(json)?.into())
}
