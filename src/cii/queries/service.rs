//! The service itself: `getIntegrationsStatus`, `listAdminLogins`,
//! `getTotalCheckFailingCounts`.

use serde::Deserialize;
use serde_json::json;

use super::end_users::moment;
use crate::{
    cii::{ApiError, Client, Listed, PageTokens, graphql::Answer, meters::Operation},
    domain::{Admin, Integration, Login},
};

pub(super) const INTEGRATIONS: &str = "\
query {
  getIntegrationsStatus { integrationId integrationName status date error }
}";

pub(super) const ADMINS: &str = "\
query ($pageSize: Int, $pageToken: String) {
  listAdminLogins(pageSize: $pageSize, pageToken: $pageToken) {
    items { login displayName lastSignIn { timestamp } }
    pageToken
  }
}";

pub(super) const DAILY_FAILURES: &str = "\
query {
  getTotalCheckFailingCounts { day total }
}";

/// Administrators a page; no tenant has many.
const PAGE_SIZE: u32 = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublicIntegrationStatus {
    integration_id: String,
    integration_name: String,
    status: String,
    date: String,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdminLogins {
    items: Vec<AdminLogin>,
    page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AdminLogin {
    login: String,
    display_name: Option<String>,
    last_sign_in: Option<SignIn>,
}

#[derive(Debug, Deserialize)]
struct SignIn {
    timestamp: Option<String>,
}

#[derive(Debug, Deserialize)]
struct DailyCheckCount {
    day: String,
    total: u64,
}

impl Client {
    /// The tenant's integrations.
    ///
    /// # Errors
    /// When there is no whole answer, or none that can be understood.
    pub async fn integrations(&self) -> Result<Listed<Vec<Integration>>, ApiError> {
        let operation = Operation::GetIntegrationsStatus;
        self.execute(operation, INTEGRATIONS, json!({}), |answer| {
            let list: Vec<PublicIntegrationStatus> = whole(answer, operation)?;
            let items = list.into_iter().map(integration).collect::<Result<_, _>>()?;
            Ok(Listed { items, skipped: 0 })
        })
        .await
    }

    /// The service's administrators.
    ///
    /// # Errors
    /// When any page fails, or holds anything that cannot be understood: a list
    /// that lacks somebody would look as if that administrator had left.
    pub async fn admins(&self) -> Result<Listed<Vec<Admin>>, ApiError> {
        let operation = Operation::ListAdminLogins;
        let mut admins = Vec::new();
        let mut tokens = PageTokens::new();
        let mut page_token: Option<String> = None;
        loop {
            let variables = json!({ "pageSize": PAGE_SIZE, "pageToken": page_token });
            let understand = |answer| whole::<AdminLogins>(answer, operation);
            let page = self.execute(operation, ADMINS, variables, understand).await?;
            for item in page.items {
                admins.push(admin(item)?);
            }
            page_token = tokens.follow(page.page_token, operation.as_str())?;
            if page_token.is_none() {
                return Ok(Listed { items: admins, skipped: 0 });
            }
        }
    }

    /// How many checks fail on the newest day that the service counted; nothing
    /// when it has no days. The schema calls this experimental.
    ///
    /// # Errors
    /// When there is no whole answer, or none that can be understood.
    pub async fn daily_failures(&self) -> Result<Option<u64>, ApiError> {
        let operation = Operation::GetTotalCheckFailingCounts;
        self.execute(operation, DAILY_FAILURES, json!({}), |answer| {
            let days: Vec<DailyCheckCount> = whole(answer, operation)?;
            // Days are written so that their order is that of their texts.
            Ok(days.into_iter().max_by(|a, b| a.day.cmp(&b.day)).map(|newest| newest.total))
        })
        .await
    }
}

/// The root field, from an answer without errors.
fn whole<T: serde::de::DeserializeOwned>(
    mut answer: Answer,
    operation: Operation,
) -> Result<T, ApiError> {
    if !answer.errors.is_empty() {
        return Err(ApiError::Graphql(answer.errors.into()));
    }
    serde_json::from_value(answer.root(operation.as_str())?)
        .map_err(|_| malformed(operation, "it is not as the schema says"))
}

fn integration(status: PublicIntegrationStatus) -> Result<Integration, ApiError> {
    let date = moment(&status.date)
        .ok_or_else(|| malformed(Operation::GetIntegrationsStatus, "it has a date that is none"))?;
    Ok(Integration {
        id: status.integration_id,
        name: status.integration_name,
        status: status.status.to_lowercase(),
        date,
        error: status.error.filter(|error| !error.trim().is_empty()),
    })
}

fn admin(item: AdminLogin) -> Result<Admin, ApiError> {
    let login = Login::new(&item.login).map_err(|_| {
        malformed(Operation::ListAdminLogins, "it names somebody without a usable login")
    })?;
    let last_sign_in = item.last_sign_in.and_then(|sign_in| moment(&sign_in.timestamp?));
    Ok(Admin { login, display_name: item.display_name, last_sign_in })
}

fn malformed(operation: Operation, what: &str) -> ApiError {
    ApiError::Malformed(format!("{}: {what}", operation.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cii::fake::{Fake, Reply};

    #[tokio::test]
    async fn the_newest_day_counts_whatever_the_order() {
        let days = json!([{ "day": "2026-01-09", "total": 7 }, { "day": "2026-01-10", "total": 9 },
            { "day": "2025-12-31", "total": 1 }]);
        let fake = Fake::api(vec![
            Reply::data(&json!({ "getTotalCheckFailingCounts": days })),
            Reply::data(&json!({ "getTotalCheckFailingCounts": [] })),
        ])
        .await;
        assert_eq!(fake.client().daily_failures().await, Ok(Some(9)));
        assert_eq!(fake.client().daily_failures().await, Ok(None));
    }

    #[tokio::test]
    async fn administrators_come_from_all_pages() {
        let page = |login: &str, next: Option<&str>| {
            let items = json!([{ "login": login, "displayName": null, "lastSignIn": null }]);
            Reply::data(&json!({ "listAdminLogins": { "items": items, "pageToken": next } }))
        };
        let fake = Fake::api(vec![page("a", Some("p2")), page("b", None)]).await;
        let admins = fake.client().admins().await.unwrap().items;
        assert_eq!(admins.iter().map(|a| a.login.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let fake = Fake::api(vec![page("a", Some("p")), page("a", Some("p"))]).await;
        assert!(matches!(fake.client().admins().await, Err(ApiError::Malformed(_))));
    }
}
