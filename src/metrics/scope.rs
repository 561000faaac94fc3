//! The settings that decide which metrics are shown.

use std::sync::Arc;

use crate::{
    config::{UserLabel, UserSeries},
    domain::Objectives,
};

/// Whether the configuration has the tenant listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantListing {
    /// There is no `[api]`.
    NoApi,
    /// The listing is switched off, so earlier listings are no longer updated.
    Off,
    /// The listing runs by its schedule.
    On,
}

/// The settings that decide which metrics are shown; replaced by a reload.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Whether `[otlp]` is on, so that events can wait for the collector.
    pub backlog: bool,
    /// The configured name of the tenant.
    pub tenant_name: Option<String>,
    /// Whether the tenant is listed.
    pub listing: TenantListing,
    /// Which users have series of their own.
    pub user_series: UserSeries,
    /// What identifies a user in the label `login`.
    pub user_label: UserLabel,
    /// Most users of whom snapshots are taken (`watch.max_users`).
    pub max_users: usize,
    /// Most checks that have series (`metrics.max_checks`).
    pub max_checks: usize,
    /// How long failures may last (`[slo]`).
    pub objectives: Arc<Objectives>,
}

impl Scope {
    /// Whether users and addresses are polled. Otherwise earlier answers are no longer updated, and
    /// are not shown.
    #[must_use]
    pub fn has_polls(&self) -> bool {
        self.listing != TenantListing::NoApi
    }
}
