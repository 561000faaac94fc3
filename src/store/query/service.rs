//! The service itself, as it was last seen.

use super::Reader;
use crate::{
    domain::{Admin, Integration, Timestamp},
    store::{
        StoreError,
        shared::{admins, integrations, service_seen},
    },
};

/// All that is shown of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    /// Its integrations.
    pub integrations: Vec<Integration>,
    /// Its administrators, with the moment they were looked at; nothing before
    /// that.
    pub admins: Option<(Timestamp, Vec<Admin>)>,
    /// The newest day's count of failing checks.
    pub daily_failures: Option<u64>,
}

impl Reader {
    /// All that is shown of the service.
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
