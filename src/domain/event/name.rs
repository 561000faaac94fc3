//! The closed list of happenings.

/// The name of an event.
///
/// Those that begin with `cii.` are a contract with whoever receives them; the
/// `internal.` ones stay in the log, where they tell a projection what to read
/// again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventName {
    /// A user newly fails a check.
    CheckFailed,
    /// A user fails a check no longer.
    CheckResolved,
    /// A webhook delivery was received.
    CheckDelivery,
    /// A watched user has a new address.
    UserIpNew,
    /// A watched user lost an address.
    UserIpGone,
    /// An application of a watched user counts as unused now.
    UserApplicationUnused,
    /// An application of a watched user counts as used now.
    UserApplicationUsed,
    /// A watched user's status is another.
    UserStatusChanged,
    /// A watched user's factors are others.
    UserFactorsChanged,
    /// A watched user's registered or working locations are others.
    UserLocationChanged,
    /// A watched address has a new user.
    IpUserNew,
    /// A watched address lost a user.
    IpUserGone,
    /// The console's test message came in.
    WebhookTest,
    /// An integration's status is another.
    IntegrationStatusChanged,
    /// Somebody became an administrator of the service.
    AdminAdded,
    /// Somebody is an administrator of the service no longer.
    AdminRemoved,
    /// Asking about a watched user or address ended otherwise than before.
    PollOutcomeChanged,
    /// A job began or ceased to fail.
    SyncOutcomeChanged,
    /// A delivery about a check that the operator does not want to hear of.
    DeliveryFiltered,
    /// The first snapshot of a user.
    UserBaseline,
    /// Something that describes a user changed.
    UserDescribed,
    /// A user has an application no longer.
    UserApplicationGone,
    /// The first snapshot of an address.
    IpBaseline,
    /// A user was found to fail a check by the first answer about the user.
    CheckBaseline,
    /// A user or an address is watched from now on.
    WatchAdded,
    /// A user or an address is watched no longer.
    WatchRemoved,
    /// The first question about a user or an address was answered.
    PollBaseline,
    /// The whole tenant was counted anew.
    TenantCounted,
    /// Integrations, administrators and daily counts were looked at.
    ServiceObserved,
}

impl EventName {
    /// Every name.
    pub const ALL: [Self; 29] = [
        Self::CheckFailed,
        Self::CheckResolved,
        Self::CheckDelivery,
        Self::UserIpNew,
        Self::UserIpGone,
        Self::UserApplicationUnused,
        Self::UserApplicationUsed,
        Self::UserStatusChanged,
        Self::UserFactorsChanged,
        Self::UserLocationChanged,
        Self::IpUserNew,
        Self::IpUserGone,
        Self::WebhookTest,
        Self::IntegrationStatusChanged,
        Self::AdminAdded,
        Self::AdminRemoved,
        Self::PollOutcomeChanged,
        Self::SyncOutcomeChanged,
        Self::DeliveryFiltered,
        Self::UserBaseline,
        Self::UserDescribed,
        Self::UserApplicationGone,
        Self::IpBaseline,
        Self::CheckBaseline,
        Self::WatchAdded,
        Self::WatchRemoved,
        Self::PollBaseline,
        Self::TenantCounted,
        Self::ServiceObserved,
    ];

    /// The name's text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CheckFailed => "cii.check.failed",
            Self::CheckResolved => "cii.check.resolved",
            Self::CheckDelivery => "cii.check.delivery",
            Self::UserIpNew => "cii.user.ip.new",
            Self::UserIpGone => "cii.user.ip.gone",
            Self::UserApplicationUnused => "cii.user.application.unused",
            Self::UserApplicationUsed => "cii.user.application.used",
            Self::UserStatusChanged => "cii.user.status.changed",
            Self::UserFactorsChanged => "cii.user.factors.changed",
            Self::UserLocationChanged => "cii.user.location.changed",
            Self::IpUserNew => "cii.ip.user.new",
            Self::IpUserGone => "cii.ip.user.gone",
            Self::WebhookTest => "cii.webhook.test",
            Self::IntegrationStatusChanged => "cii.integration.status.changed",
            Self::AdminAdded => "cii.admin.added",
            Self::AdminRemoved => "cii.admin.removed",
            Self::PollOutcomeChanged => "cii.poll.outcome.changed",
            Self::SyncOutcomeChanged => "cii.sync.outcome.changed",
            Self::DeliveryFiltered => "internal.delivery.filtered",
            Self::UserBaseline => "internal.user.baseline",
            Self::UserDescribed => "internal.user.described",
            Self::UserApplicationGone => "internal.user.application.gone",
            Self::IpBaseline => "internal.ip.baseline",
            Self::CheckBaseline => "internal.check.baseline",
            Self::WatchAdded => "internal.watch.added",
            Self::WatchRemoved => "internal.watch.removed",
            Self::PollBaseline => "internal.poll.baseline",
            Self::TenantCounted => "internal.tenant.counted",
            Self::ServiceObserved => "internal.service.observed",
        }
    }

    /// The name with this text, when there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }

    /// Whether the event goes out to receivers.
    #[must_use]
    pub fn is_public(self) -> bool {
        self.as_str().starts_with("cii.")
    }
}
