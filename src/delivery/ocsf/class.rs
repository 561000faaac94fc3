//! The class and activity of an event in the schema.

use super::Texts;
use crate::domain::{Attributes, EventName, event::key};

/// The classes that events are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    ComplianceFinding,
    IamAnalysisFinding,
    AccountChange,
    EntityManagement,
    UserAccess,
    ApplicationLifecycle,
}

impl Class {
    /// `class_uid` and `class_name`.
    pub(super) const fn uid_and_name(self) -> (u64, &'static str) {
        match self {
            Self::ComplianceFinding => (2003, "Compliance Finding"),
            Self::IamAnalysisFinding => (2008, "IAM Analysis Finding"),
            Self::AccountChange => (3001, "Account Change"),
            Self::EntityManagement => (3004, "Entity Management"),
            Self::UserAccess => (3005, "User Access Management"),
            Self::ApplicationLifecycle => (6002, "Application Lifecycle"),
        }
    }

    /// `category_uid` and `category_name`.
    pub(super) const fn category(self) -> (u64, &'static str) {
        match self {
            Self::ComplianceFinding | Self::IamAnalysisFinding => (2, "Findings"),
            Self::AccountChange | Self::EntityManagement | Self::UserAccess => {
                (3, "Identity & Access Management")
            }
            Self::ApplicationLifecycle => (6, "Application Activity"),
        }
    }
}

/// The activity of an event within its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Activity {
    pub(super) class: Class,
    /// `activity_id`
    pub(super) id: u64,
    /// `activity_name`; our own where the schema has none.
    pub(super) name: &'static str,
}

/// The `activity_id` of activities that the schema does not have.
const OTHER: u64 = 99;

/// The activity of an event; none for an event that is not sent.
pub(super) fn activity(event: EventName, attributes: &Attributes) -> Option<Activity> {
    use Class::{
        AccountChange, ApplicationLifecycle, ComplianceFinding, EntityManagement,
        IamAnalysisFinding, UserAccess,
    };
    let (class, id, name) = match event {
        EventName::CheckFailed => (ComplianceFinding, 1, "Create"),
        EventName::CheckDelivery | EventName::CheckIdentified => (ComplianceFinding, 2, "Update"),
        EventName::CheckResolved => (ComplianceFinding, 3, "Close"),
        EventName::UserApplicationUnused => (IamAnalysisFinding, 1, "Create"),
        EventName::UserApplicationUsed => (IamAnalysisFinding, 3, "Close"),
        EventName::UserStatusChanged => {
            let (id, name) =
                status_activity(Texts(attributes).text(key::STATUS).unwrap_or_default());
            (AccountChange, id, name)
        }
        EventName::UserFactorsChanged => {
            let (id, name) = factors_activity(&Texts(attributes));
            (AccountChange, id, name)
        }
        EventName::UserIpNew
        | EventName::UserCountryNew
        | EventName::UserIpGone
        | EventName::UserLocationChanged
        | EventName::IpUserNew
        | EventName::IpUserGone => (EntityManagement, 3, "Update"),
        EventName::AdminAdded => (UserAccess, 1, "Assign Privileges"),
        EventName::AdminRemoved => (UserAccess, 2, "Revoke Privileges"),
        EventName::WebhookTest => (ApplicationLifecycle, OTHER, "Test Webhook"),
        EventName::IntegrationStatusChanged => {
            (ApplicationLifecycle, OTHER, "Change Integration Status")
        }
        EventName::PollOutcomeChanged => (ApplicationLifecycle, OTHER, "Change Poll Outcome"),
        EventName::SyncOutcomeChanged => (ApplicationLifecycle, OTHER, "Change Job Outcome"),
        _ => return None,
    };
    Some(Activity { class, id, name })
}

/// The activity for a status of the service; `OTHER` where the schema has none.
fn status_activity(status: &str) -> (u64, &'static str) {
    match status.to_lowercase().as_str() {
        "active" | "enabled" => (2, "Enable"),
        "disabled" | "deactivated" | "deprovisioned" | "inactive" | "suspended" => (5, "Disable"),
        "deleted" => (6, "Delete"),
        "locked" | "locked_out" => (9, "Lock"),
        _ => (OTHER, "Change Status"),
    }
}

fn factors_activity(attributes: &Texts<'_>) -> (u64, &'static str) {
    let has = |name| !attributes.texts(name).is_empty();
    match (has(key::FACTORS_ADDED), has(key::FACTORS_REMOVED)) {
        (true, false) => (10, "MFA Factor Enable"),
        (false, true) => (11, "MFA Factor Disable"),
        _ => (OTHER, "Change MFA Factors"),
    }
}
