//! The metrics that describe the tenant.

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A count that only goes up.
    Counter,
    /// Counts of observations in buckets.
    Histogram,
}

impl Kind {
    /// The type's name in the text formats.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// Name, type, labels and help text of a metric, for a scrape and for `docs/metrics.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The metric's name.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The names of the labels that each sample has, in their order.
    pub labels: &'static [&'static str],
    /// The help text, in Markdown.
    pub help: &'static str,
}

/// Declares the metrics, one row each: a doc comment, which is also the help text;
/// then the variant, the type, the name and the labels.
macro_rules! families {
    ($(
        $(#[doc = $help:literal])+
        $family:ident: $kind:ident $name:literal [$($label:literal),*],
    )+) => {
        /// A metric that is computed from the store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Family {
            $($(#[doc = $help])+ $family,)+
        }

        impl Family {
            /// Every family, in the order of a scrape.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$family),+];

            /// The family's row.
            #[must_use]
            pub const fn definition(self) -> Definition {
                match self {
                    $(Self::$family => Definition {
                        name: $name,
                        kind: Kind::$kind,
                        labels: &[$($label),*],
                        // Each line of a doc comment begins with a blank.
                        help: concat!($($help),+).trim_ascii_start(),
                    },)+
                }
            }
        }
    };
}

families! {
    /// Users known to fail a check now, each counted once, at the worst severity of their checks:
    /// critical, high, medium, unknown and other words, low, info. A severity that nobody has is
    /// 0 once the tenant was listed to its end, and absent before.
    FailingUsers: Gauge "cii_failing_users" ["severity"],
    /// Users known to fail the check now.
    CheckFailingUsers: Gauge "cii_check_failing_users" ["check_id", "severity"],
    /// Always 1; the check's title and severity as labels.
    CheckInfo: Gauge "cii_check_info" ["check_id", "severity", "title"],
    /// Users found to newly fail the check.
    CheckFailures: Counter "cii_check_failures_total" ["check_id"],
    /// Failures of the check that ended: no longer failing, for whatever reason.
    CheckResolutions: Counter "cii_check_resolutions_total" ["check_id"],
    /// How long failures of the check lasted, in seconds, from the publication of the delivery that
    /// told of the failure to the request whose answer did not list it any more. Failures whose
    /// beginning no delivery told (first seen by a poll or a listing), and those that ended
    /// because the user is unknown, do not count.
    CheckFailureDuration: Histogram "cii_check_failure_duration_seconds" ["check_id"],
    /// When the failure of the check began that is open for the longest; the beginning of a failure
    /// that was first seen by a poll or a listing is when it was first seen. Absent where nobody
    /// fails it.
    CheckOldestFailure: Gauge "cii_check_oldest_failure_timestamp_seconds" ["check_id"],
    /// Users who fail the check for longer than `[slo]` allows for its severity. A lower bound: a
    /// failure that was first seen by a poll or a listing counts from when it was first seen, and
    /// began before. Absent where there is no objective.
    CheckOverdue: Gauge "cii_check_overdue_users" ["check_id"],
    /// When the service last said of a user that the check is failed, of the user of whom it said
    /// so longest ago: no failure shown is older news than this. Absent where nobody fails it.
    CheckOldestConfirmation: Gauge "cii_check_oldest_confirmation_timestamp_seconds" ["check_id"],
    /// When the exporter last recorded that a user newly fails the check. It only rises; absent
    /// before the first.
    CheckLastFailure: Gauge "cii_check_last_failure_timestamp_seconds" ["check_id"],
    /// When something about the check last changed.
    CheckLastEvent: Gauge "cii_check_last_event_timestamp_seconds" ["check_id"],
    /// Applications that the user has and did not access in the past 30 days.
    UserUnusedApplications: Gauge "cii_user_unused_applications" ["login"],
    /// Applications that the user accessed in the past 30 days.
    UserUsedApplications: Gauge "cii_user_used_applications" ["login"],
    /// IP addresses that the user is seen at.
    UserIpAddresses: Gauge "cii_user_ip_addresses" ["login"],
    /// Checks that the user is known to fail now.
    UserFailingChecks: Gauge "cii_user_failing_checks" ["login"],
    /// IP addresses that are new for the user since the first snapshot.
    UserNewIps: Counter "cii_user_new_ips_total" ["login"],
    /// When the user's last new IP address was found.
    UserLastNewIp: Gauge "cii_user_last_new_ip_timestamp_seconds" ["login"],
    /// When the user was last found in a country that was new for the user.
    UserLastNewCountry: Gauge "cii_user_last_new_country_timestamp_seconds" ["login"],
    /// When the service last answered about the user's state: how old the user's numbers are.
    UserObserved: Gauge "cii_user_observed_timestamp_seconds" ["login"],
    /// Always 1; the user's status and type as labels.
    UserInfo: Gauge "cii_user_info" ["login", "status", "user_type"],
    /// Users with a current snapshot, listed or followed, who have the application and did not
    /// access it in the past 30 days.
    ApplicationUnusedUsers: Gauge "cii_application_unused_users" ["application"],
    /// Users with a current snapshot, listed or followed, who accessed the application in the past
    /// 30 days.
    ApplicationUsedUsers: Gauge "cii_application_used_users" ["application"],
    /// Users who are seen at the watched IP address.
    IpUsers: Gauge "cii_ip_users" ["ip"],
    /// Users who are new at the watched IP address since the first snapshot.
    IpNewUsers: Counter "cii_ip_new_users_total" ["ip"],
    /// When the watched IP address's last new user was found.
    IpLastNewUser: Gauge "cii_ip_last_new_user_timestamp_seconds" ["ip"],
    /// When the service last answered about the watched IP address: how old its numbers are.
    IpObserved: Gauge "cii_ip_observed_timestamp_seconds" ["ip"],
    /// 1 when the last poll of the watched user was answered, 0 when the service answered with an
    /// error or without the failing checks. An outage of the whole service shows on the job alone.
    UserPollUp: Gauge "cii_user_poll_up" ["login"],
    /// 1 when the last poll of the watched IP address was answered, 0 when the service answered
    /// with an error. An outage of the whole service shows on the job alone.
    IpPollUp: Gauge "cii_ip_poll_up" ["ip"],
    /// Always 1; the tenant's name (`tenant.name`, else its id, else `unnamed`) and its id as
    /// labels, which is empty until a delivery tells it.
    TenantInfo: Gauge "cii_tenant_info" ["tenant", "id"],
    /// 1 once a listing of the whole tenant came to its end and had the failing checks; 0 before,
    /// and while the listing is off: a user who is not known to fail a check may fail it. Absent
    /// without `[api]`.
    TenantListingComplete: Gauge "cii_tenant_listing_complete" [],
    /// Accounts of the tenant, by status; from the last complete listing, like all of
    /// `cii_tenant_*`.
    TenantUsers: Gauge "cii_tenant_users" ["status"],
    /// Accounts of the tenant, by type.
    TenantUsersByType: Gauge "cii_tenant_users_by_type" ["user_type"],
    /// Accounts of the tenant, by the system that knows them; one account can count in several.
    TenantUsersByProvider: Gauge "cii_tenant_users_by_provider" ["provider"],
    /// Accounts of the tenant, by whether multi-factor authentication is enabled.
    TenantUsersByMfa: Gauge "cii_tenant_users_by_mfa" ["mfa"],
    /// Accounts of the tenant, by level of trust.
    TenantUsersByTrust: Gauge "cii_tenant_users_by_trust" ["level_of_trust"],
    /// Accounts that are neither deleted nor deprovisioned and were not used for so many days.
    TenantInactiveUsers: Gauge "cii_tenant_inactive_users" ["days"],
    /// Devices of the accounts of the tenant, by type.
    TenantDevices: Gauge "cii_tenant_devices" ["device_type"],
    /// Devices that authenticate, and that are not known as devices for access by their id or
    /// name.
    TenantUnlinkedDevices: Gauge "cii_tenant_unlinked_devices" [],
    /// Failing checks on the newest day that the service counted (experimental there).
    TenantDailyFailures: Gauge "cii_tenant_daily_check_failures" [],
    /// 1 when the last activity of the integration went well, at least in part, 0 when it failed;
    /// absent when its status does not say.
    IntegrationUp: Gauge "cii_integration_up" ["integration_id", "integration", "status"],
    /// When the last activity of the integration ended.
    IntegrationLastStatus: Gauge "cii_integration_last_status_timestamp_seconds" ["integration_id", "integration", "status"],
    /// Administrators of the service.
    Admins: Gauge "cii_admins" [],
    /// Administrators who did not sign in for so many days, or never.
    AdminsInactive: Gauge "cii_admins_inactive" ["days"],
    /// When administrators last signed in: the latest of them, the median and the earliest. Those
    /// who never did count in `cii_admins_inactive` alone.
    AdminLastSignIn: Gauge "cii_admin_last_sign_in_timestamp_seconds" ["rank"],
    /// Checks beyond `metrics.max_checks`, which have no series: those that came last.
    ChecksDropped: Gauge "cii_checks_dropped" [],
    /// Users and IP addresses that the configuration, a command or the API listed.
    Watched: Gauge "cii_watched" ["kind"],
    /// Users who are followed because a delivery named them, and are not listed; up to 24 hours
    /// after their last failure ended.
    FollowedUsers: Gauge "cii_followed_users" [],
    /// 1 while more users are listed and followed than `watch.max_users`: of those beyond it no
    /// snapshots are taken, while their failures are followed.
    WatchLimitReached: Gauge "cii_watch_limit_reached" [],
    /// IP addresses that were new for a listed or followed user since the user's first snapshot;
    /// over all of them, and naming nobody.
    NewIps: Counter "cii_new_ips_total" [],
    /// Countries that were new for a listed or followed user, likewise.
    NewCountries: Counter "cii_new_countries_total" [],
    /// When the last webhook delivery was recorded; messages of the command `webhook test` do not
    /// count.
    WebhookLastDelivery: Gauge "cii_webhook_last_delivery_timestamp_seconds" [],
    /// Events that wait to be accepted by the OTLP collector.
    OtlpPending: Gauge "cii_otlp_pending_events" [],
    /// When the oldest event that waits for the OTLP collector was observed; events of `otlp
    /// backfill` and `otlp retry` do not count.
    OtlpOldestPending: Gauge "cii_otlp_oldest_pending_timestamp_seconds" [],
    /// Events that the OTLP collector refuses while it accepts others; `otlp retry` sends them
    /// again.
    OtlpParked: Gauge "cii_otlp_parked_events" [],
    /// How old the tenant's metrics of this scrape are, when they lag behind what was
    /// committed before it; 0 when they are current.
    MetricsLag: Gauge "cii_metrics_lag_seconds" [],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doc_comment_is_the_help_text() {
        let Definition { name, kind, labels, help } = Family::CheckInfo.definition();
        assert_eq!((name, kind), ("cii_check_info", Kind::Gauge));
        assert_eq!(labels, ["check_id", "severity", "title"]);
        assert_eq!(help, "Always 1; the check's title and severity as labels.");
        for Definition { name, kind, help, .. } in Family::ALL.map(Family::definition) {
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
            assert!(help.ends_with('.') && !help.contains("  "), "{name}: {help}");
        }
    }
}
