//! The metrics that describe the tenant: names, types, labels and help texts.

/// How Prometheus treats a metric's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up.
    Counter,
    /// Counts observations by size.
    Histogram,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric that is computed from the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// People who fail a check now, each once.
    FailingUsers,
    /// Users who fail a check now.
    CheckFailingUsers,
    /// A check's title and severity.
    CheckInfo,
    /// Failures that opened.
    CheckFailures,
    /// Failures that ended.
    CheckResolutions,
    /// When something about a check last changed.
    CheckLastEvent,
    /// Applications that a watched user has and does not use.
    UserUnusedApplications,
    /// Applications that a watched user uses.
    UserUsedApplications,
    /// Addresses of a watched user.
    UserIpAddresses,
    /// Checks that a watched user fails.
    UserFailingChecks,
    /// New addresses of a watched user.
    UserNewIps,
    /// When a watched user's last new address was found.
    UserLastNewIp,
    /// A watched user's status and type.
    UserInfo,
    /// Watched users who do not use an application.
    ApplicationUnusedUsers,
    /// Watched users who use an application.
    ApplicationUsedUsers,
    /// Users of a watched address.
    IpUsers,
    /// New users of a watched address.
    IpNewUsers,
    /// When a watched address's last new user was found.
    IpLastNewUser,
    /// Whether the last poll of a watched user was answered.
    UserPollUp,
    /// Whether the last poll of a watched address was answered.
    IpPollUp,
    /// Whether the tenant was listed to its end.
    TenantListingComplete,
    /// Accounts of the tenant, by status.
    TenantUsers,
    /// Accounts of the tenant, by type.
    TenantUsersByType,
    /// Accounts of the tenant, by provider.
    TenantUsersByProvider,
    /// Accounts of the tenant, by second factor.
    TenantUsersByMfa,
    /// Accounts of the tenant, by level of trust.
    TenantUsersByTrust,
    /// Accounts of the tenant that nobody used.
    TenantInactiveUsers,
    /// Devices of the tenant.
    TenantDevices,
    /// Devices of the tenant that only authenticate.
    TenantUnlinkedDevices,
    /// Failing checks on the newest day.
    TenantDailyFailures,
    /// Whether an integration works.
    IntegrationUp,
    /// When an integration was last active.
    IntegrationLastStatus,
    /// Administrators of the service.
    Admins,
    /// Administrators who did not sign in lately.
    AdminsInactive,
    /// Days since administrators signed in.
    AdminDaysSinceSignIn,
    /// Subjects on the watch list.
    Watched,
    /// When the last webhook delivery was recorded.
    WebhookLastDelivery,
    /// Events that wait for the OTLP delivery.
    OtlpPending,
    /// When the oldest of them was observed.
    OtlpOldestPending,
    /// Events that the collector refuses for ever.
    OtlpParked,
}

impl Family {
    /// Every family, in the order of the exposition.
    pub const ALL: [Self; 40] = [
        Self::FailingUsers,
        Self::CheckFailingUsers,
        Self::CheckInfo,
        Self::CheckFailures,
        Self::CheckResolutions,
        Self::CheckLastEvent,
        Self::UserUnusedApplications,
        Self::UserUsedApplications,
        Self::UserIpAddresses,
        Self::UserFailingChecks,
        Self::UserNewIps,
        Self::UserLastNewIp,
        Self::UserInfo,
        Self::ApplicationUnusedUsers,
        Self::ApplicationUsedUsers,
        Self::IpUsers,
        Self::IpNewUsers,
        Self::IpLastNewUser,
        Self::UserPollUp,
        Self::IpPollUp,
        Self::TenantListingComplete,
        Self::TenantUsers,
        Self::TenantUsersByType,
        Self::TenantUsersByProvider,
        Self::TenantUsersByMfa,
        Self::TenantUsersByTrust,
        Self::TenantInactiveUsers,
        Self::TenantDevices,
        Self::TenantUnlinkedDevices,
        Self::TenantDailyFailures,
        Self::IntegrationUp,
        Self::IntegrationLastStatus,
        Self::Admins,
        Self::AdminsInactive,
        Self::AdminDaysSinceSignIn,
        Self::Watched,
        Self::WebhookLastDelivery,
        Self::OtlpPending,
        Self::OtlpOldestPending,
        Self::OtlpParked,
    ];

    /// The metric's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FailingUsers => "cii_failing_users",
            Self::CheckFailingUsers => "cii_check_failing_users",
            Self::CheckInfo => "cii_check_info",
            Self::CheckFailures => "cii_check_failures_total",
            Self::CheckResolutions => "cii_check_resolutions_total",
            Self::CheckLastEvent => "cii_check_last_event_timestamp_seconds",
            Self::UserUnusedApplications => "cii_user_unused_applications",
            Self::UserUsedApplications => "cii_user_used_applications",
            Self::UserIpAddresses => "cii_user_ip_addresses",
            Self::UserFailingChecks => "cii_user_failing_checks",
            Self::UserNewIps => "cii_user_new_ips_total",
            Self::UserLastNewIp => "cii_user_last_new_ip_timestamp_seconds",
            Self::UserInfo => "cii_user_info",
            Self::ApplicationUnusedUsers => "cii_application_unused_users",
            Self::ApplicationUsedUsers => "cii_application_used_users",
            Self::IpUsers => "cii_ip_users",
            Self::IpNewUsers => "cii_ip_new_users_total",
            Self::IpLastNewUser => "cii_ip_last_new_user_timestamp_seconds",
            Self::UserPollUp => "cii_user_poll_up",
            Self::IpPollUp => "cii_ip_poll_up",
            Self::TenantListingComplete => "cii_tenant_listing_complete",
            Self::TenantUsers => "cii_tenant_users",
            Self::TenantUsersByType => "cii_tenant_users_by_type",
            Self::TenantUsersByProvider => "cii_tenant_users_by_provider",
            Self::TenantUsersByMfa => "cii_tenant_users_by_mfa",
            Self::TenantUsersByTrust => "cii_tenant_users_by_trust",
            Self::TenantInactiveUsers => "cii_tenant_inactive_users",
            Self::TenantDevices => "cii_tenant_devices",
            Self::TenantUnlinkedDevices => "cii_tenant_unlinked_devices",
            Self::TenantDailyFailures => "cii_tenant_daily_check_failures",
            Self::IntegrationUp => "cii_integration_up",
            Self::IntegrationLastStatus => "cii_integration_last_status_timestamp_seconds",
            Self::Admins => "cii_admins",
            Self::AdminsInactive => "cii_admins_inactive",
            Self::AdminDaysSinceSignIn => "cii_admin_days_since_last_sign_in",
            Self::Watched => "cii_watched",
            Self::WebhookLastDelivery => "cii_webhook_last_delivery_timestamp_seconds",
            Self::OtlpPending => "cii_otlp_pending_events",
            Self::OtlpOldestPending => "cii_otlp_oldest_pending_timestamp_seconds",
            Self::OtlpParked => "cii_otlp_parked_events",
        }
    }

    /// The help text, one sentence.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::FailingUsers => {
                "Users known to fail a check now, each once, at the worst severity of their checks: critical, high, medium, unknown and other words, low, info. A severity that nobody has is 0 once the tenant was listed to its end, and absent before."
            }
            Self::CheckFailingUsers => "Users known to fail the check now.",
            Self::CheckInfo => "Always 1; the check's title and severity as labels.",
            Self::CheckFailures => "Users found to newly fail the check.",
            Self::CheckResolutions => {
                "Failures of the check that ended: no longer failing, for whatever reason."
            }
            Self::CheckLastEvent => "When something about the check last changed.",
            Self::UserUnusedApplications => {
                "Applications that the watched user has and did not access in the past 30 days."
            }
            Self::UserUsedApplications => {
                "Applications that the watched user accessed in the past 30 days."
            }
            Self::UserIpAddresses => "IP addresses that the watched user is seen at.",
            Self::UserFailingChecks => "Checks that the watched user is known to fail now.",
            Self::UserNewIps => {
                "IP addresses that are new for the watched user since the first snapshot."
            }
            Self::UserLastNewIp => "When the watched user's last new IP address was found.",
            Self::UserInfo => "Always 1; the watched user's status and type as labels.",
            Self::ApplicationUnusedUsers => {
                "Watched users who have the application and did not access it in the past 30 days."
            }
            Self::ApplicationUsedUsers => {
                "Watched users who accessed the application in the past 30 days."
            }
            Self::IpUsers => "Users who are seen at the watched IP address.",
            Self::IpNewUsers => {
                "Users who are new at the watched IP address since the first snapshot."
            }
            Self::IpLastNewUser => "When the watched IP address's last new user was found.",
            Self::UserPollUp => {
                "1 when the last poll of the watched user was answered, 0 when the service answered with an error or did not tell the failing checks."
            }
            Self::IpPollUp => {
                "1 when the last poll of the watched IP address was answered, 0 when the service answered with an error."
            }
            Self::TenantListingComplete => {
                "1 once a listing of the whole tenant came to its end and told who fails what; 0 before, and while the listing is off: who is not known to fail a check may fail it. Absent without [api]."
            }
            Self::TenantUsers => {
                "Accounts of the tenant, by status; from the last complete listing, like all of cii_tenant_*."
            }
            Self::TenantUsersByType => "Accounts of the tenant, by type.",
            Self::TenantUsersByProvider => {
                "Accounts of the tenant, by the system that knows them; one account can count in several."
            }
            Self::TenantUsersByMfa => {
                "Accounts of the tenant, by whether multi-factor authentication is enabled."
            }
            Self::TenantUsersByTrust => "Accounts of the tenant, by level of trust.",
            Self::TenantInactiveUsers => {
                "Accounts that are neither deleted nor deprovisioned and were not used for so many days."
            }
            Self::TenantDevices => "Devices of the accounts of the tenant, by type.",
            Self::TenantUnlinkedDevices => {
                "Devices that authenticate, and that are not known as devices for access by their id or name."
            }
            Self::TenantDailyFailures => {
                "Failing checks on the newest day that the service counted (experimental there)."
            }
            Self::IntegrationUp => {
                "1 when the last activity of the integration went well, at least in part, 0 when it failed; absent when its status does not tell."
            }
            Self::IntegrationLastStatus => "When the last activity of the integration ended.",
            Self::Admins => "Administrators of the service.",
            Self::AdminsInactive => {
                "Administrators who did not sign in for so many days, or never."
            }
            Self::AdminDaysSinceSignIn => {
                "Whole days since administrators last signed in, when that was last looked at: the least, the median and the most."
            }
            Self::Watched => "Users and IP addresses on the watch list.",
            Self::WebhookLastDelivery => {
                "When the last webhook delivery was recorded; messages of the command webhook test do not count."
            }
            Self::OtlpPending => "Events that wait to be taken by the OTLP collector.",
            Self::OtlpOldestPending => {
                "When the oldest event that waits for the OTLP collector was observed; those sent on purpose do not count."
            }
            Self::OtlpParked => {
                "Events that the OTLP collector refuses while it takes others; otlp retry sends them again."
            }
        }
    }

    /// The names of the labels that each of the metric's samples has.
    #[must_use]
    pub const fn labels(self) -> &'static [&'static str] {
        match self {
            Self::CheckFailingUsers | Self::CheckFailures | Self::CheckResolutions => {
                &["check_id", "severity"]
            }
            Self::FailingUsers => &["severity"],
            Self::CheckInfo => &["check_id", "severity", "title"],
            Self::CheckLastEvent => &["check_id"],
            Self::UserUnusedApplications
            | Self::UserUsedApplications
            | Self::UserIpAddresses
            | Self::UserFailingChecks
            | Self::UserNewIps
            | Self::UserLastNewIp
            | Self::UserPollUp => &["login"],
            Self::UserInfo => &["login", "status", "user_type"],
            Self::ApplicationUnusedUsers | Self::ApplicationUsedUsers => &["application"],
            Self::IpUsers | Self::IpNewUsers | Self::IpLastNewUser | Self::IpPollUp => &["ip"],
            Self::TenantUsers => &["status"],
            Self::TenantUsersByType => &["user_type"],
            Self::TenantUsersByProvider => &["provider"],
            Self::TenantUsersByMfa => &["mfa"],
            Self::TenantUsersByTrust => &["level_of_trust"],
            Self::TenantInactiveUsers | Self::AdminsInactive => &["days"],
            Self::TenantDevices => &["device_type"],
            Self::IntegrationUp | Self::IntegrationLastStatus => {
                &["integration_id", "integration", "status"]
            }
            Self::AdminDaysSinceSignIn => &["quantile"],
            Self::Watched => &["kind"],
            Self::TenantListingComplete
            | Self::TenantUnlinkedDevices
            | Self::TenantDailyFailures
            | Self::Admins
            | Self::WebhookLastDelivery
            | Self::OtlpPending
            | Self::OtlpOldestPending
            | Self::OtlpParked => &[],
        }
    }

    /// The metric's type.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::CheckFailures | Self::CheckResolutions | Self::UserNewIps | Self::IpNewUsers => {
                Kind::Counter
            }
            _ => Kind::Gauge,
        }
    }
}
