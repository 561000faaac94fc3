//! The closed vocabularies of the service: each enumeration of its schema.

use async_graphql::Enum;

/// What became of the last run of an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[expect(missing_docs, reason = "the service publishes names without explanations")]
pub enum ActivityResultType {
    Success,
    PartialSuccess,
    Failure,
    Timeout,
    Info,
    Started,
    Blocked,
    None,
}

/// What a device is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[expect(missing_docs, reason = "the service publishes names without explanations")]
pub enum DeviceType {
    Access,
    Authentication,
}

/// The state of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[expect(missing_docs, reason = "the service publishes names without explanations")]
pub enum EndUserStatus {
    Active,
    Inactive,
    Deprovisioned,
    LockedOut,
    PasswordExpired,
    Provisioned,
    Recovery,
    Staged,
    Suspended,
    Inconsistent,
    Deleted,
    Disabled,
    Blocked,
    Transient,
    Unknown,
    Enabled,
    Deactivated,
}

/// How far a user is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[expect(missing_docs, reason = "the service publishes names without explanations")]
pub enum LevelOfTrust {
    Trusted,
    Favorable,
    Neutral,
    Questionable,
    Untrusted,
    Unknown,
}

/// A direction to sort in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(rename_items = "lowercase")]
#[expect(missing_docs, reason = "the service publishes names without explanations")]
pub enum Order {
    Asc,
    Desc,
}

/// The operating system of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[expect(missing_docs, reason = "the service publishes names without explanations")]
pub enum OsType {
    Windows,
    WindowsMobile,
    #[graphql(name = "MACOS")]
    MacOs,
    #[graphql(name = "IOS")]
    Ios,
    Android,
    Linux,
    ChromeOs,
    Unknown,
}

/// A system that users are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[expect(missing_docs, reason = "the service publishes names without explanations")]
pub enum Provider {
    #[graphql(name = "AUTH0")]
    Auth0,
    Aws,
    AzureAd,
    Okta,
    Hris,
    Slack,
    Duo,
    GSuite,
    Workday,
    Salesforce,
    GitHub,
    Ise,
    WebexCi,
}

/// A group of the features that a trust level is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[expect(missing_docs, reason = "the service publishes names without explanations")]
pub enum TrustScoreGroupId {
    AccountLoginBehavior,
    ActionsInSession,
    Application,
    Device,
    ExternalThreat,
    FirstFactor,
    SecondFactor,
    Network,
    Permission,
    Session,
    AccountValidity,
}

/// How much a group weighs on a trust level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[expect(missing_docs, reason = "the service publishes names without explanations")]
pub enum TrustScoreWeight {
    NoRisk,
    LowRisk,
    MediumRisk,
    HighRisk,
}

/// What kind of account a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[expect(missing_docs, reason = "the service publishes names without explanations")]
pub enum UserTypeClassification {
    Internal,
    External,
    Missing,
    Unclassified,
    Inconsistent,
    ServiceAccount,
    SharedMailbox,
    LinkedUserAccount,
    ConferenceRoom,
    EquipmentMailbox,
    OtherMailbox,
}
