//! The closed list of happenings.

use strum::{EnumString, IntoStaticStr, VariantArray};

/// The name of an event.
///
/// Those that begin with `cii.` are a contract with whoever receives them; the
/// `internal.` ones stay in the log, where they tell a projection what to read
/// again.
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
    /// A user fails a check no longer.
    #[strum(serialize = "cii.check.resolved")]
    CheckResolved,
    /// A check that was known by a text of answers alone turned out to be another one.
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
    /// A watched user lost an address.
    #[strum(serialize = "cii.user.ip.gone")]
    UserIpGone,
    /// An application of a watched user counts as unused now.
    #[strum(serialize = "cii.user.application.unused")]
    UserApplicationUnused,
    /// An application of a watched user counts as used now.
    #[strum(serialize = "cii.user.application.used")]
    UserApplicationUsed,
    /// A watched user's status is another.
    #[strum(serialize = "cii.user.status.changed")]
    UserStatusChanged,
    /// A watched user's factors are others.
    #[strum(serialize = "cii.user.factors.changed")]
    UserFactorsChanged,
    /// A watched user's registered or working locations are others.
    #[strum(serialize = "cii.user.location.changed")]
    UserLocationChanged,
    /// A watched address has a new user.
    #[strum(serialize = "cii.ip.user.new")]
    IpUserNew,
    /// A watched address lost a user.
    #[strum(serialize = "cii.ip.user.gone")]
    IpUserGone,
    /// The console's test message came in.
    #[strum(serialize = "cii.webhook.test")]
    WebhookTest,
    /// An integration's status is another.
    #[strum(serialize = "cii.integration.status.changed")]
    IntegrationStatusChanged,
    /// Somebody became an administrator of the service.
    #[strum(serialize = "cii.admin.added")]
    AdminAdded,
    /// Somebody is an administrator of the service no longer.
    #[strum(serialize = "cii.admin.removed")]
    AdminRemoved,
    /// Asking about a watched user or address ended otherwise than before.
    #[strum(serialize = "cii.poll.outcome.changed")]
    PollOutcomeChanged,
    /// A job began or ceased to fail.
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
    /// A user has an application no longer.
    #[strum(serialize = "internal.user.application.gone")]
    UserApplicationGone,
    /// A user has an address again, which is not new.
    #[strum(serialize = "internal.user.ip.back")]
    UserIpBack,
    /// An address has a user again, who is not new.
    #[strum(serialize = "internal.ip.user.back")]
    IpUserBack,
    /// The first snapshot of an address.
    #[strum(serialize = "internal.ip.baseline")]
    IpBaseline,
    /// A user was found to fail a check by the first look at the user.
    #[strum(serialize = "internal.check.baseline")]
    CheckBaseline,
    /// A user or an address is watched from now on.
    #[strum(serialize = "internal.watch.added")]
    WatchAdded,
    /// A user or an address is watched no longer.
    #[strum(serialize = "internal.watch.removed")]
    WatchRemoved,
    /// The first question about a user or an address was answered.
    #[strum(serialize = "internal.poll.baseline")]
    PollBaseline,
    /// A person was forgotten.
    #[strum(serialize = "internal.user.forgotten")]
    UserForgotten,
    /// The whole tenant was counted anew.
    #[strum(serialize = "internal.tenant.counted")]
    TenantCounted,
    /// Integrations, administrators and daily counts were looked at.
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

    /// Whether the event goes out to receivers.
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
