//! The state of the service itself, as it was last answered.

use super::Reader;
use crate::{
    domain::{Admin, Integration, Timestamp},
    store::{
        StoreError,
        shared::{admins, integrations, service_seen},
    },
};

/// The state of the service, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    /// Its integrations.
    pub integrations: Vec<Integration>,
    /// Its administrators, with the moment of the answer; none before the first answer.
    pub admins: Option<(Timestamp, Vec<Admin>)>,
    /// The count of failing checks of the newest day.
    pub daily_failures: Option<u64>,
}

impl Reader {
    /// The state of the service, as it is shown.
    ///
    /// # Errors
    /// When the database fails.
    pub fn service(&self) -> Result<ServiceView, StoreError> {
        let admins = match (service_seen(self.sql(), "admins")?, admins(self.sql())?) {
            (Some((at, _)), Some(admins)) => Some((at, admins)),
            _ => None,
        };
        Ok(ServiceView {
            integrations: integrations(self.sql())?,
            admins,
            daily_failures: service_seen(self.sql(), "daily_failures")?.and_then(|(_, n)| n),
        })
    }
}
