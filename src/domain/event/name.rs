//! The closed list of event names.

use strum::{EnumString, IntoStaticStr, VariantArray};

/// The name of an event.
///
/// Names that begin with `cii.` are a contract with receivers. Those with `internal.` stay in the
/// log, where they tell a projection what to read again.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
pub enum EventName {
    /// A user newly fails a check.
    #[strum(serialize = "cii.check.failed")]
    CheckFailed,
    /// A user no longer fails a check.
    #[strum(serialize = "cii.check.resolved")]
    CheckResolved,
    /// A check that was known by a text of answers alone was identified as another one.
    #[strum(serialize = "cii.check.identified")]
    CheckIdentified,
    /// A webhook delivery was received.
    #[strum(serialize = "cii.check.delivery")]
    CheckDelivery,
    /// A watched user has a new address.
    #[strum(serialize = "cii.user.ip.new")]
    UserIpNew,
    /// A watched user has an address in a new country.
    #[strum(serialize = "cii.user.country.new")]
    UserCountryNew,
    /// A watched user no longer has an address.
    #[strum(serialize = "cii.user.ip.gone")]
    UserIpGone,
    /// An application of a watched user became unused.
    #[strum(serialize = "cii.user.application.unused")]
    UserApplicationUnused,
    /// An application of a watched user became used.
    #[strum(serialize = "cii.user.application.used")]
    UserApplicationUsed,
    /// A watched user's status changed.
    #[strum(serialize = "cii.user.status.changed")]
    UserStatusChanged,
    /// A watched user's factors changed.
    #[strum(serialize = "cii.user.factors.changed")]
    UserFactorsChanged,
    /// A watched user's registered or working locations changed.
    #[strum(serialize = "cii.user.location.changed")]
    UserLocationChanged,
    /// A watched address has a new user.
    #[strum(serialize = "cii.ip.user.new")]
    IpUserNew,
    /// A watched address no longer has a user.
    #[strum(serialize = "cii.ip.user.gone")]
    IpUserGone,
    /// The console's test message was received.
    #[strum(serialize = "cii.webhook.test")]
    WebhookTest,
    /// An integration's status changed.
    #[strum(serialize = "cii.integration.status.changed")]
    IntegrationStatusChanged,
    /// A user became an administrator of the service.
    #[strum(serialize = "cii.admin.added")]
    AdminAdded,
    /// A user is no longer an administrator of the service.
    #[strum(serialize = "cii.admin.removed")]
    AdminRemoved,
    /// The poll of a watched user or address ended otherwise than the previous one.
    #[strum(serialize = "cii.poll.outcome.changed")]
    PollOutcomeChanged,
    /// A job began or stopped failing.
    #[strum(serialize = "cii.sync.outcome.changed")]
    SyncOutcomeChanged,
    /// A delivery about a check that the operator filters out.
    #[strum(serialize = "internal.delivery.filtered")]
    DeliveryFiltered,
    /// The first snapshot of a user.
    #[strum(serialize = "internal.user.baseline")]
    UserBaseline,
    /// Something that describes a user changed.
    #[strum(serialize = "internal.user.described")]
    UserDescribed,
    /// A user no longer has an application.
    #[strum(serialize = "internal.user.application.gone")]
    UserApplicationGone,
    /// A user has an address again, after having had it before.
    #[strum(serialize = "internal.user.ip.back")]
    UserIpBack,
    /// An address has a user again, after having had the user before.
    #[strum(serialize = "internal.ip.user.back")]
    IpUserBack,
    /// The first snapshot of an address.
    #[strum(serialize = "internal.ip.baseline")]
    IpBaseline,
    /// The first look at a user found that the user fails a check.
    #[strum(serialize = "internal.check.baseline")]
    CheckBaseline,
    /// A user or an address was added to the watch list.
    #[strum(serialize = "internal.watch.added")]
    WatchAdded,
    /// A user or an address was removed from the watch list.
    #[strum(serialize = "internal.watch.removed")]
    WatchRemoved,
    /// The first poll of a user or an address was answered.
    #[strum(serialize = "internal.poll.baseline")]
    PollBaseline,
    /// A person was removed.
    #[strum(serialize = "internal.user.forgotten")]
    UserForgotten,
    /// The whole tenant was counted.
    #[strum(serialize = "internal.tenant.counted")]
    TenantCounted,
    /// Integrations, administrators and daily counts were requested.
    #[strum(serialize = "internal.service.observed")]
    ServiceObserved,
}

impl EventName {
    /// The name's text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The name with this text, when there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// Whether the event is sent to receivers.
    #[must_use]
    pub fn is_public(self) -> bool {
        self.as_str().starts_with("cii.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_of_two_prefixes_and_is_read_back() {
        for &name in EventName::VARIANTS {
            assert_eq!(EventName::parse(name.as_str()), Some(name));
            assert!(name.is_public() || name.as_str().starts_with("internal."), "{name:?}");
        }
        assert_eq!(EventName::parse("CheckFailed"), None);
    }
}
