//! The whole tenant, page by page: `listEndUsers`.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde::Deserialize;
use serde_json::json;

use crate::{
    cii::{ApiError, Client, graphql::Answer, meters::Operation},
    domain::{Login, TenantUser, Timestamp, Told, tenant::TenantDevice},
};

pub(super) const QUERY: &str = "\
query ($input: ListEndUsersInput!, $pageSize: Int, $pageToken: String) {
  listEndUsers(input: $input, pageSize: $pageSize, pageToken: $pageToken) {
    items {
      login
      status
      userTypeClassification
      providers
      mfaEnabled
      lastActive
      lastSignIn { timestamp }
      firstCreatedDate
      failingChecks
      devices { deviceId displayName deviceType }
      endUserTrustScore { levelOfTrust }
    }
    pageToken
  }
}";

const ROOT: &str = "listEndUsers";

/// A page of the tenant's users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndUsersPage {
    /// Its users.
    pub users: Vec<EndUser>,
    /// Rows that are null, or whose login cannot be read.
    pub skipped: usize,
    /// The token of the next page; none on the last.
    pub next: Option<String>,
}

/// A user as the listing has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndUser {
    /// Who.
    pub login: Login,
    /// What is counted.
    pub facts: TenantUser,
    /// The checks the user fails, as ids or titles.
    pub failing: Told<BTreeSet<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    items: Vec<Item>,
    page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    login: String,
    status: Option<String>,
    user_type_classification: Option<String>,
    providers: Vec<String>,
    mfa_enabled: Option<bool>,
    last_active: Option<String>,
    last_sign_in: Option<SignIn>,
    first_created_date: Option<String>,
    failing_checks: Option<BTreeSet<String>>,
    devices: Option<Vec<Device>>,
    end_user_trust_score: Option<TrustScore>,
}

#[derive(Debug, Deserialize)]
struct SignIn {
    timestamp: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Device {
    #[serde(rename = "deviceId")]
    id: String,
    #[serde(rename = "displayName")]
    name: Option<String>,
    #[serde(rename = "deviceType")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrustScore {
    level_of_trust: String,
}

impl Client {
    /// A page of the tenant's users: the first, or the one of a token.
    ///
    /// # Errors
    /// When there is no whole answer, or none that can be understood: a page
    /// that lacks somebody must not count.
    pub async fn end_users(
        &self,
        page_size: u32,
        page_token: Option<&str>,
    ) -> Result<EndUsersPage, ApiError> {
        // In the order of logins, so that who comes and goes meanwhile moves the
        // pages as little as possible.
        let input = json!({ "orderBy": [{ "name": "login", "order": "asc" }] });
        let variables = json!({ "input": input, "pageSize": page_size, "pageToken": page_token });
        self.execute(Operation::ListEndUsers, QUERY, variables, understand).await
    }
}

fn understand(mut answer: Answer) -> Result<EndUsersPage, ApiError> {
    if !answer.errors.is_empty() {
        return Err(ApiError::Graphql(answer.errors.into()));
    }
    let Ok(list) = serde_json::from_value::<Connection>(answer.root(ROOT)?) else {
        return Err(malformed("it is not as the schema says"));
    };
    Ok(EndUsersPage {
        skipped: 0,
        users: list.items.into_iter().map(user).collect::<Result<_, _>>()?,
        next: list.page_token.filter(|token| !token.is_empty()),
    })
}

fn user(item: Item) -> Result<EndUser, ApiError> {
    let login =
        Login::new(&item.login).map_err(|_| malformed("it names a user without a usable login"))?;
    let last_sign_in = item.last_sign_in.and_then(|sign_in| sign_in.timestamp);
    let moments = [item.last_active, last_sign_in, item.first_created_date];
    let devices = item.devices.into_iter().flatten().map(|device| TenantDevice {
        id: device.id,
        name: lower(device.name),
        kind: lower(device.kind),
    });
    let facts = TenantUser {
        status: lower(item.status),
        user_type: lower(item.user_type_classification),
        providers: item.providers.iter().map(|provider| provider.to_lowercase()).collect(),
        mfa: item.mfa_enabled,
        level_of_trust: item.end_user_trust_score.map(|score| score.level_of_trust.to_lowercase()),
        last_active: moments.iter().flatten().find_map(|text| moment(text)),
        devices: devices.collect(),
    };
    let failing = item.failing_checks.map_or(Told::Null, Told::Told);
    Ok(EndUser { login, facts, failing })
}

/// An `AWSDateTime`; a text that is none says nothing.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.to_utc())
}

fn lower(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty())
}

fn malformed(what: &str) -> ApiError {
    ApiError::Malformed(format!("{ROOT}: {what}"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn understood(items: &Value) -> Result<EndUsersPage, ApiError> {
        let body = json!({ "data": { ROOT: { "items": items, "pageToken": "" } } }).to_string();
        understand(Answer::parse(body.as_bytes(), "token").unwrap())
    }

    #[test]
    fn a_user_is_counted_by_what_is_known() {
        let page = understood(&json!([{
            "login": "a@example.com",
            "status": "LOCKED_OUT",
            "userTypeClassification": null,
            "providers": ["OKTA", "DUO"],
            "mfaEnabled": false,
            "lastActive": null,
            "lastSignIn": { "timestamp": "2026-01-02T03:04:05.123+01:00" },
            "firstCreatedDate": "2020-01-01T00:00:00Z",
            "failingChecks": ["No MFA"],
            "devices": [{ "deviceId": "1", "displayName": "Phone", "deviceType": "AUTHENTICATION" }],
            "endUserTrustScore": { "levelOfTrust": "NEUTRAL" },
        }]))
        .unwrap();
        let EndUser { facts, failing, .. } = &page.users[0];
        assert_eq!(page.next, None);
        assert_eq!(facts.status.as_deref(), Some("locked_out"));
        assert_eq!(facts.last_active, Some("2026-01-02T02:04:05.123Z".parse().unwrap()));
        assert_eq!(facts.devices[0].kind.as_deref(), Some("authentication"));
        assert_eq!(*failing, Told::Told(["No MFA".to_owned()].into()));
    }

    #[test]
    fn a_page_that_is_not_whole_is_none() {
        let item = json!({ "login": " ", "providers": [] });
        assert!(matches!(understood(&json!([item])), Err(ApiError::Malformed(_))));
        let body = r#"{"data":{"listEndUsers":{"items":[]}},"errors":[{"message":"x"}]}"#;
        let answer = Answer::parse(body.as_bytes(), "token").unwrap();
        assert!(matches!(understand(answer), Err(ApiError::Graphql(_))));
    }
}
