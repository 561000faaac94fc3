//! Attributes of an event, named by OpenTelemetry's semantic conventions where one exists, and
//! otherwise with the prefix `cii.`.

use crate::domain::SmallMap;

/// Attributes by name.
pub type Attributes = SmallMap<String, AttributeValue>;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Texts in an order that means nothing, unless the attribute says so.
    List(Vec<String>),
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for AttributeValue {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for AttributeValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<usize> for AttributeValue {
    fn from(number: usize) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<i64> for AttributeValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<Vec<String>> for AttributeValue {
    fn from(texts: Vec<String>) -> Self {
        Self::List(texts)
    }
}

/// The names of attributes. Those without `cii.` are OpenTelemetry's.
pub mod key {
    /// The event's name. OTLP has a field for it, which is repeated as an attribute because Loki
    /// drops the field.
    pub const EVENT_NAME: &str = "event.name";
    /// Unique id of the event, the same on every repeat.
    pub const LOG_RECORD_UID: &str = "log.record.uid";
    /// The user's login.
    pub const USER_NAME: &str = "user.name";
    /// The user's login, when it is an e-mail address.
    pub const USER_EMAIL: &str = "user.email";
    /// The service's own id of the user.
    pub const USER_ID: &str = "user.id";
    /// A keyed hash of the user's login; it replaces every attribute that names the user.
    pub const USER_HASH: &str = "user.hash";
    /// The user's name for people.
    pub const USER_FULL_NAME: &str = "user.full_name";
    /// An IP address.
    pub const CLIENT_ADDRESS: &str = "client.address";
    /// A city.
    pub const GEO_LOCALITY: &str = "geo.locality.name";
    /// ISO 3166-1 alpha-2.
    pub const GEO_COUNTRY: &str = "geo.country.iso_code";
    /// A state or region as free text, for which there is no convention.
    pub const GEO_STATE: &str = "cii.geo.state";
    /// The page in the service's console.
    pub const URL_FULL: &str = "url.full";
    /// The sender's AWS region.
    pub const CLOUD_REGION: &str = "cloud.region";
    /// The sender's AWS account.
    pub const CLOUD_ACCOUNT: &str = "cloud.account.id";
    /// A check's id.
    pub const CHECK_ID: &str = "cii.check.id";
    /// A check's title.
    pub const CHECK_TITLE: &str = "cii.check.title";
    /// A check's severity as the service wrote it.
    pub const CHECK_SEVERITY: &str = "cii.check.severity";
    /// A check's title by OpenTelemetry's name, on what is sent.
    pub const SECURITY_RULE_NAME: &str = "security_rule.name";
    /// A check's id by OpenTelemetry's name, on what is sent.
    pub const SECURITY_RULE_UUID: &str = "security_rule.uuid";
    /// What a check looks for by OpenTelemetry's name, as one text, on what is sent.
    pub const SECURITY_RULE_DESCRIPTION: &str = "security_rule.description";
    /// What a check looks for, a sentence an item, in order.
    pub const CHECK_DESCRIPTION: &str = "cii.check.description";
    /// The actions that the service recommends, in order.
    pub const CHECK_RECOMMENDED_ACTIONS: &str = "cii.check.recommended_actions";
    /// The frameworks that the check belongs to: texts, or one text of JSON.
    pub const CHECK_FRAMEWORKS: &str = "cii.check.frameworks";
    /// Why the user fails. It is stored as JSON and sent as a list of texts.
    pub const CHECK_EXPLANATION: &str = "cii.check.explanation";
    /// Why a failure counts as ended: `no_longer_failing`, or `user_unknown`.
    pub const CHECK_RESOLUTION: &str = "cii.check.resolution";
    /// Whether the failure had been announced as new.
    pub const CHECK_ANNOUNCED: &str = "cii.check.announced";
    /// The text that a check was known by before it was identified.
    pub const CHECK_FORMER_ID: &str = "cii.check.former_id";
    /// How long the user was known to fail, in seconds.
    pub const CHECK_FAILED_FOR: &str = "cii.check.failed_for_seconds";
    /// The envelope's id.
    pub const DELIVERY_ID: &str = "cii.delivery.id";
    /// The envelope's `detail-type`.
    pub const DELIVERY_TYPE: &str = "cii.delivery.detail_type";
    /// The id inside the delivery's detail.
    pub const DELIVERY_DETAIL_ID: &str = "cii.delivery.detail_id";
    /// The envelope's `source`.
    pub const DELIVERY_SOURCE: &str = "cii.delivery.source";
    /// The envelope's `time`, as RFC 3339.
    pub const DELIVERY_SENT_AT: &str = "cii.delivery.sent_at";
    /// Notes about values of the delivery in an unusual form, and how they were read.
    pub const DELIVERY_NOTES: &str = "cii.delivery.notes";
    /// The operator's name for the tenant, on the resource.
    pub const TENANT_NAME: &str = "cii.tenant.name";
    /// The tenant's id, a UUID: the envelope's `source` up to the two underscores. Also on the
    /// resource.
    pub const TENANT_ID: &str = "cii.tenant.id";
    /// How many users the delivery names as failing.
    pub const DELIVERY_USERS: &str = "cii.delivery.users_failing";
    /// How many of them were not known to fail before.
    pub const DELIVERY_NEW_USERS: &str = "cii.delivery.users_newly_failing";
    /// How many of them were known to fail already.
    pub const DELIVERY_KNOWN_USERS: &str = "cii.delivery.users_known";
    /// How many of them a more recent API answer cleared.
    pub const DELIVERY_CLEARED_USERS: &str = "cii.delivery.users_cleared";
    /// How many logins in the delivery cannot be used.
    pub const DELIVERY_SKIPPED_LOGINS: &str = "cii.delivery.logins_skipped";
    /// An application's name.
    pub const APPLICATION: &str = "cii.application.name";
    /// Whether it was among the used ones before.
    pub const APPLICATION_WAS_USED: &str = "cii.application.was_used";
    /// Whether it was among the unused ones before.
    pub const APPLICATION_WAS_UNUSED: &str = "cii.application.was_unused";
    /// The user's status now.
    pub const STATUS: &str = "cii.user.status";
    /// The user's status before.
    pub const STATUS_PREVIOUS: &str = "cii.user.previous_status";
    /// Factors that were added.
    pub const FACTORS_ADDED: &str = "cii.user.factors.added";
    /// Factors that were removed.
    pub const FACTORS_REMOVED: &str = "cii.user.factors.removed";
    /// `registered` or `working`.
    pub const LOCATION_KIND: &str = "cii.user.location.kind";
    /// Places that were added.
    pub const LOCATIONS_ADDED: &str = "cii.user.location.added";
    /// The share of the user's work that is done from each added place.
    pub const LOCATIONS_PREVALENCE: &str = "cii.user.location.prevalence";
    /// Places that were removed.
    pub const LOCATIONS_REMOVED: &str = "cii.user.location.removed";
    /// The service's id of an integration.
    pub const INTEGRATION_ID: &str = "cii.integration.id";
    /// An integration's name.
    pub const INTEGRATION_NAME: &str = "cii.integration.name";
    /// How an integration's last activity ended.
    pub const INTEGRATION_STATUS: &str = "cii.integration.status";
    /// How the previous activity ended.
    pub const INTEGRATION_STATUS_PREVIOUS: &str = "cii.integration.previous_status";
    /// The error message of the service.
    pub const ERROR_MESSAGE: &str = "cii.error.message";
    /// How the poll of a user or an address ended.
    pub const POLL_OUTCOME: &str = "cii.poll.outcome";
    /// How the previous poll ended.
    pub const POLL_OUTCOME_PREVIOUS: &str = "cii.poll.previous_outcome";
    /// The service's errors of the poll, one an item.
    pub const POLL_ERRORS: &str = "cii.poll.errors";
    /// The name of a job.
    pub const SYNC_JOB: &str = "cii.sync.job";
    /// How a job's run ended.
    pub const SYNC_OUTCOME: &str = "cii.sync.outcome";
    /// How the previous run ended.
    pub const SYNC_OUTCOME_PREVIOUS: &str = "cii.sync.previous_outcome";
}
