//! The metrics that describe the tenant: names, types and help texts.

/// How Prometheus treats a metric's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up.
    Counter,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
        }
    }
}

/// A metric that is made from the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Users who fail a check now.
    CheckFailingUsers,
    /// A check's title and severity.
    CheckInfo,
    /// Failures that opened.
    CheckFailures,
    /// Failures that ended.
    CheckResolutions,
    /// When something was last learnt of a check.
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
    /// Subjects on the watch list.
    Watched,
    /// When the last webhook delivery was recorded.
    WebhookLastDelivery,
    /// Events that wait for the OTLP delivery.
    OtlpPending,
    /// When the oldest of them was observed.
    OtlpOldestPending,
}

impl Family {
    /// Every family, in the order in which they are shown.
    pub const ALL: [Self; 21] = [
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
        Self::Watched,
        Self::WebhookLastDelivery,
        Self::OtlpPending,
        Self::OtlpOldestPending,
    ];

    /// The metric's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
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
            Self::Watched => "cii_watched",
            Self::WebhookLastDelivery => "cii_webhook_last_delivery_timestamp_seconds",
            Self::OtlpPending => "cii_otlp_pending_events",
            Self::OtlpOldestPending => "cii_otlp_oldest_pending_timestamp_seconds",
        }
    }

    /// What the metric tells, in a sentence.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::CheckFailingUsers => "Users known to fail the check now.",
            Self::CheckInfo => "Always 1; the check's title and severity as labels.",
            Self::CheckFailures => "Users found to newly fail the check.",
            Self::CheckResolutions => "Users found to fail the check no longer.",
            Self::CheckLastEvent => "When the exporter last learnt something about the check.",
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
            Self::Watched => "Users and IP addresses on the watch list.",
            Self::WebhookLastDelivery => "When the last webhook delivery was recorded.",
            Self::OtlpPending => "Events that wait to be taken by the OTLP collector.",
            Self::OtlpOldestPending => {
                "When the oldest event that waits for the OTLP collector was observed."
            }
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
