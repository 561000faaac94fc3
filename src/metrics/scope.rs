//! What is shown, as far as the configuration decides.

use std::sync::Arc;

use crate::{
    config::{UserLabel, UserSeries},
    domain::Objectives,
};

/// What the configuration says of the listing of the whole tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantListing {
    /// There is no API to ask.
    NoApi,
    /// It is switched off, so what a listing once said gets older and older.
    Off,
    /// It runs by its schedule.
    On,
}

/// What is shown, as far as the configuration decides. It can change while running.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Whether there is an OTLP delivery for which events can wait.
    pub backlog: bool,
    /// What the operator calls the tenant.
    pub tenant_name: Option<String>,
    /// Whether the tenant is listed.
    pub listing: TenantListing,
    /// Whom series of their own are shown for.
    pub user_series: UserSeries,
    /// By what users are named there.
    pub user_label: UserLabel,
    /// Of how many users snapshots are taken at most.
    pub max_users: usize,
    /// How many checks have series at most.
    pub max_checks: usize,
    /// How long failures may last.
    pub objectives: Arc<Objectives>,
}

impl Scope {
    /// Whether users and addresses are asked about. Where they are not, what polls once told
    /// gets older and older, and is not shown.
    #[must_use]
    pub fn has_polls(&self) -> bool {
        self.listing != TenantListing::NoApi
    }
}
