//! The types of answers about users.

use async_graphql::{ID, SimpleObject};

use super::types::{
    AwsDateTime, FeatureExplainabilityItem, GroupExplainabilityItem, KeyValuePair, LabelCount,
    PublicRiskyActivityCounts, PublicScoreExplainabilitySummary,
};
use crate::{
    tenant::{self, User},
    vocabulary::{
        DeviceType, EndUserStatus, LevelOfTrust, OsType, Provider, TrustScoreGroupId,
        TrustScoreWeight, UserTypeClassification,
    },
};

#[derive(SimpleObject)]
pub(super) struct EndUserRef {
    id: ID,
    display_name: String,
    login: String,
    reference_url: Option<String>,
}

#[derive(SimpleObject)]
pub(super) struct EndUserState {
    id: ID,
    display_name: String,
    login: String,
    employee_id: Option<Vec<String>>,
    status: String,
    user_type_classification: Option<UserTypeClassification>,
    manager_login: Option<String>,
    ip_addresses: Option<Vec<IpAddressInfo>>,
    #[graphql(deprecation = "use workingLocationDetails")]
    last_sign_in_location: Option<GeoLocation>,
    phone_number: Option<String>,
    unused_applications: Option<Vec<String>>,
    used_applications: Option<Vec<String>>,
    used_factors: Option<Vec<String>>,
    reference_url: Option<String>,
    registered_location_details: Option<GeoLocation>,
    working_location_details: Option<Vec<LocationWithPrevalence>>,
}

#[derive(SimpleObject)]
pub(super) struct GeoLocation {
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
}

#[derive(SimpleObject)]
pub(super) struct GetEndUserOutput {
    end_user_details: PublicEndUserDetails,
    provider_end_user_details: Vec<PublicProviderEndUserDetails>,
}

#[derive(SimpleObject)]
pub(super) struct IpAddressInfo {
    ip_address: String,
    location: Option<GeoLocation>,
}

#[derive(SimpleObject)]
pub(super) struct LocationWithPrevalence {
    location: GeoLocation,
    user_location_prevalence: f64,
}

#[derive(SimpleObject)]
pub(super) struct PublicEndUser {
    id: ID,
    display_name: Option<String>,
    login: String,
    emails: Option<Vec<String>>,
    status: Option<EndUserStatus>,
    company: Option<String>,
    department: Option<String>,
    title: Option<String>,
    user_type_classification: Option<UserTypeClassification>,
    employee_ids: Option<Vec<String>>,
    linked_end_user_logins: Option<Vec<String>>,
    group_names: Option<Vec<String>>,
    has_more_groups: bool,
    phone_numbers: Option<Vec<String>>,
    manager_login: Option<String>,
    devices: Option<Vec<PublicUserDevice>>,
    mfa_enabled: Option<bool>,
    last_sign_in: Option<PublicUserSignInInfo>,
    last_active: Option<AwsDateTime>,
    failing_checks: Option<Vec<String>>,
    first_created_date: Option<AwsDateTime>,
    providers: Vec<Provider>,
    reference_url: String,
    end_user_trust_score: Option<PublicEndUserTrustScore>,
}

#[derive(SimpleObject)]
pub(super) struct PublicEndUserDetails {
    id: ID,
    display_name: String,
    login: String,
    status: EndUserStatus,
    user_ids: Option<Vec<String>>,
    emails: Option<Vec<String>>,
    company: Option<String>,
    department: Option<String>,
    title: Option<String>,
    user_type_classification: Option<UserTypeClassification>,
    employee_ids: Option<Vec<String>>,
    linked_end_user_logins: Option<Vec<String>>,
    group_names: Option<Vec<String>>,
    phone_numbers: Option<Vec<String>>,
    manager_login: Option<String>,
    devices: Option<Vec<PublicUserDevice>>,
    mfa_enabled: Option<bool>,
    last_sign_in: Option<PublicUserSignInInfo>,
    last_active: Option<AwsDateTime>,
    first_created_date: Option<AwsDateTime>,
    failing_checks: Option<Vec<String>>,
    reference_url: String,
}

#[derive(SimpleObject)]
pub(super) struct PublicEndUserTrustScore {
    level_of_trust: LevelOfTrust,
    score_explainability_summary: Option<PublicScoreExplainabilitySummary>,
}

#[derive(SimpleObject)]
pub(super) struct PublicProviderEndUserDetails {
    user_id: String,
    provider: Provider,
    first_name: Option<String>,
    last_name: Option<String>,
    display_name: Option<String>,
    login: String,
    email: Option<String>,
    status: EndUserStatus,
    company: Option<String>,
    department: Option<String>,
    title: Option<String>,
    user_type_classification: Option<UserTypeClassification>,
    employee_id: Option<String>,
    manager_login: Option<String>,
    mfa_enabled: Option<bool>,
    last_sign_in: Option<PublicUserSignInInfo>,
    creation_date: Option<AwsDateTime>,
    last_updated: Option<AwsDateTime>,
}

#[derive(SimpleObject)]
pub(super) struct PublicUserDevice {
    device_id: String,
    display_name: Option<String>,
    os: Option<OsType>,
    last_seen: Option<AwsDateTime>,
    device_type: Option<DeviceType>,
    provider: Provider,
}

#[derive(SimpleObject)]
pub(super) struct PublicUserSignInInfo {
    timestamp: AwsDateTime,
    result: Option<String>,
    reason: Option<String>,
    ip_address: Option<String>,
    location: Option<GeoLocation>,
}

impl From<&User> for EndUserRef {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.as_str().into(),
            display_name: user.display_name.clone(),
            login: user.login.clone(),
            reference_url: Some(user.reference_url()),
        }
    }
}

impl From<&User> for EndUserState {
    fn from(user: &User) -> Self {
        let status = async_graphql::resolver_utils::enum_value(user.status);
        let status = status.to_string();
        Self {
            id: user.id.as_str().into(),
            display_name: user.display_name.clone(),
            login: user.login.clone(),
            employee_id: Some(user.employee_ids.clone()),
            status: user.status_text.clone().unwrap_or(status),
            user_type_classification: user.user_type,
            manager_login: user.manager_login.clone(),
            ip_addresses: Some(user.ip_addresses.iter().map(IpAddressInfo::from).collect()),
            last_sign_in_location: user
                .last_sign_in
                .as_ref()
                .and_then(|sign_in| sign_in.location.as_ref().map(GeoLocation::from)),
            phone_number: user.phone_number.clone(),
            unused_applications: Some(user.unused_applications.clone()),
            used_applications: Some(user.used_applications.clone()),
            used_factors: Some(user.used_factors.clone()),
            reference_url: Some(user.reference_url()),
            registered_location_details: user.registered_location.as_ref().map(GeoLocation::from),
            working_location_details: Some(
                user.working_locations.iter().map(LocationWithPrevalence::from).collect(),
            ),
        }
    }
}

impl From<&tenant::Location> for GeoLocation {
    fn from(location: &tenant::Location) -> Self {
        let tenant::Location { city, state, country } = location.clone();
        Self { city, state, country }
    }
}

impl From<&tenant::IpAddress> for IpAddressInfo {
    fn from(address: &tenant::IpAddress) -> Self {
        Self {
            ip_address: address.ip_address.clone(),
            location: address.location.as_ref().map(GeoLocation::from),
        }
    }
}

impl From<&tenant::WorkingLocation> for LocationWithPrevalence {
    fn from(working: &tenant::WorkingLocation) -> Self {
        Self {
            location: GeoLocation::from(&working.location),
            user_location_prevalence: working.prevalence,
        }
    }
}

impl From<&tenant::Device> for PublicUserDevice {
    fn from(device: &tenant::Device) -> Self {
        Self {
            device_id: device.id.clone(),
            display_name: device.display_name.clone(),
            os: device.os,
            last_seen: device.last_seen.map(AwsDateTime),
            device_type: device.device_type,
            provider: device.provider,
        }
    }
}

impl From<&tenant::SignIn> for PublicUserSignInInfo {
    fn from(sign_in: &tenant::SignIn) -> Self {
        Self {
            timestamp: AwsDateTime(sign_in.timestamp),
            result: sign_in.result.clone(),
            reason: sign_in.reason.clone(),
            ip_address: sign_in.ip_address.clone(),
            location: sign_in.location.as_ref().map(GeoLocation::from),
        }
    }
}

fn last_sign_in(user: &User) -> Option<PublicUserSignInInfo> {
    user.last_sign_in.as_ref().map(PublicUserSignInInfo::from)
}

fn last_active(user: &User) -> Option<AwsDateTime> {
    user.last_sign_in.as_ref().map(|sign_in| AwsDateTime(sign_in.timestamp))
}

fn devices(user: &User) -> Vec<PublicUserDevice> {
    user.devices.iter().map(PublicUserDevice::from).collect()
}

impl PublicEndUser {
    /// `failing` is how the tenant names the checks that the user fails.
    pub(super) fn new(user: &User, failing: Vec<String>) -> Self {
        Self {
            id: user.id.as_str().into(),
            display_name: Some(user.display_name.clone()),
            login: user.login.clone(),
            emails: Some(user.emails()),
            status: Some(user.status),
            company: user.company.clone(),
            department: user.department.clone(),
            title: user.title.clone(),
            user_type_classification: user.user_type,
            employee_ids: Some(user.employee_ids.clone()),
            linked_end_user_logins: Some(Vec::new()),
            group_names: Some(user.groups.iter().take(10).cloned().collect()),
            has_more_groups: user.groups.len() > 10,
            phone_numbers: Some(user.phone_number.iter().cloned().collect()),
            manager_login: user.manager_login.clone(),
            devices: Some(devices(user)),
            mfa_enabled: Some(user.mfa_enabled()),
            last_sign_in: last_sign_in(user),
            last_active: last_active(user),
            failing_checks: Some(failing),
            first_created_date: Some(AwsDateTime(user.created)),
            providers: user.providers.clone(),
            reference_url: user.reference_url(),
            end_user_trust_score: Some(PublicEndUserTrustScore::from(user)),
        }
    }
}

impl From<&User> for PublicEndUserTrustScore {
    fn from(user: &User) -> Self {
        let risky =
            i32::from(matches!(user.trust, LevelOfTrust::Questionable | LevelOfTrust::Untrusted));
        let detail = KeyValuePair { key: "provider".to_owned(), value: "OKTA".to_owned() };
        let feature = FeatureExplainabilityItem {
            feature_id: "sign-in-velocity".to_owned(),
            details: Some(vec![detail]),
        };
        let group = GroupExplainabilityItem {
            group_id: TrustScoreGroupId::Network,
            severity: Some(risky),
            weight: Some(if risky == 1 {
                TrustScoreWeight::HighRisk
            } else {
                TrustScoreWeight::NoRisk
            }),
            details: Some(vec![feature]),
        };
        let counts = LabelCount { value: "HIGH_RISK".to_owned(), count: risky };
        Self {
            level_of_trust: user.trust,
            score_explainability_summary: Some(PublicScoreExplainabilitySummary {
                risky_activity_counts: PublicRiskyActivityCounts {
                    total: risky,
                    level_of_trust: Some(vec![counts]),
                },
                combined_score_explainability: Some(vec![group]),
            }),
        }
    }
}

impl GetEndUserOutput {
    /// `failing` is how the tenant names the checks that the user fails.
    pub(super) fn new(user: &User, failing: Vec<String>) -> Self {
        let details = PublicEndUserDetails {
            id: user.id.as_str().into(),
            display_name: user.display_name.clone(),
            login: user.login.clone(),
            status: user.status,
            user_ids: Some(vec![user.id.clone()]),
            emails: Some(user.emails()),
            company: user.company.clone(),
            department: user.department.clone(),
            title: user.title.clone(),
            user_type_classification: user.user_type,
            employee_ids: Some(user.employee_ids.clone()),
            linked_end_user_logins: Some(Vec::new()),
            group_names: Some(user.groups.clone()),
            phone_numbers: Some(user.phone_number.iter().cloned().collect()),
            manager_login: user.manager_login.clone(),
            devices: Some(devices(user)),
            mfa_enabled: Some(user.mfa_enabled()),
            last_sign_in: last_sign_in(user),
            last_active: last_active(user),
            first_created_date: Some(AwsDateTime(user.created)),
            failing_checks: Some(failing),
            reference_url: user.reference_url(),
        };
        let of_provider = |provider: &Provider| PublicProviderEndUserDetails {
            user_id: user.id.clone(),
            provider: *provider,
            first_name: user.display_name.split(' ').next().map(str::to_owned),
            last_name: user.display_name.rsplit(' ').next().map(str::to_owned),
            display_name: Some(user.display_name.clone()),
            login: user.login.clone(),
            email: user.emails().into_iter().next(),
            status: user.status,
            company: user.company.clone(),
            department: user.department.clone(),
            title: user.title.clone(),
            user_type_classification: user.user_type,
            employee_id: user.employee_ids.first().cloned(),
            manager_login: user.manager_login.clone(),
            mfa_enabled: Some(user.mfa_enabled()),
            last_sign_in: last_sign_in(user),
            creation_date: Some(AwsDateTime(user.created)),
            last_updated: last_active(user),
        };
        Self {
            end_user_details: details,
            provider_end_user_details: user.providers.iter().map(of_provider).collect(),
        }
    }
}
