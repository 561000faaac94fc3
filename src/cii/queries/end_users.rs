//! `listEndUsers`: the whole tenant, page by page.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    cii::{
        ApiError, Client,
        batch::Field,
        lenient::{read_lowercase, read_moment, read_text, read_texts},
        meters::Operation,
        rows::{Row, Rows},
    },
    domain::{ListAnswer, Login, TenantUser, tenant::TenantDevice},
};

pub(super) const ROWS: Rows = Rows {
    operation: Operation::ListEndUsers,
    declared: "($input: ListEndUsersInput!, $pageSize: Int, $pageToken: String)",
    passed: "(input: $input, pageSize: $pageSize, pageToken: $pageToken)",
    is_paged: true,
    fields: &[
        Field::leaf("login"),
        Field::leaf("status"),
        Field::leaf("userTypeClassification"),
        Field::leaf("providers"),
        Field::leaf("mfaEnabled"),
        Field::leaf("lastActive"),
        Field::nested("lastSignIn", "{ timestamp }"),
        Field::leaf("firstCreatedDate"),
        Field::leaf("failingChecks"),
        Field::nested("devices", "{ deviceId displayName deviceType }"),
        Field::nested("endUserTrustScore", "{ levelOfTrust }"),
    ],
    needed: "login",
};

/// A page of the tenant's users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndUsersPage {
    /// Its users.
    pub users: Vec<EndUser>,
    /// Number of rows that are null or lack a readable login.
    pub skipped: usize,
    /// The token of the next page; `None` on the last.
    pub next: Option<String>,
}

/// A user of the listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndUser {
    /// The login.
    pub login: Login,
    /// The properties that the tenant's figures count.
    pub facts: TenantUser,
    /// The checks the user fails, as ids or titles.
    pub failing: ListAnswer<BTreeSet<String>>,
}

impl Client {
    /// Fetches a page of the tenant's users: the first, or that of a token.
    ///
    /// # Errors
    /// When there is no answer, none that can be understood, or one with an error
    /// about the whole page.
    pub async fn fetch_end_users(
        &self,
        page_size: u32,
        page_token: Option<&str>,
    ) -> Result<EndUsersPage, ApiError> {
        // Ordered by login, so that users who are added or removed meanwhile shift the pages as
        // little as possible.
        let input = json!({ "orderBy": [{ "name": "login", "order": "asc" }] });
        let variables = json!({ "input": input, "pageSize": page_size, "pageToken": page_token });
        let page = self.query_rows(&ROWS, variables, read_user).await?;
        Ok(EndUsersPage {
            users: page.items,
            skipped: page.skipped,
            next: page.next.filter(|token| !token.is_empty()),
        })
    }
}

/// Reads a row; `None` without a login. An unreadable leaf is unknown.
pub(super) fn read_user(row: &Row<'_>) -> Option<EndUser> {
    let login = Login::new(&read_text(row.leaf("login"))?).ok()?;
    let moments = [
        row.leaf("lastActive"),
        &row.leaf("lastSignIn")["timestamp"],
        row.leaf("firstCreatedDate"),
    ];
    let providers = row.leaf("providers").as_array();
    let devices = row.leaf("devices").as_array();
    let facts = TenantUser {
        status: read_lowercase(row.leaf("status")),
        user_type: read_lowercase(row.leaf("userTypeClassification")),
        providers: providers.into_iter().flatten().filter_map(read_lowercase).collect(),
        mfa: row.leaf("mfaEnabled").as_bool(),
        level_of_trust: read_lowercase(&row.leaf("endUserTrustScore")["levelOfTrust"]),
        last_active: moments.into_iter().find_map(read_moment),
        devices: devices.into_iter().flatten().filter_map(read_device).collect(),
    };
    Some(EndUser { login, facts, failing: read_failing(row) })
}

fn read_device(device: &Value) -> Option<TenantDevice> {
    let id = read_text(&device["deviceId"])?;
    Some(TenantDevice {
        id,
        name: read_lowercase(&device["displayName"]),
        kind: read_lowercase(&device["deviceType"]),
    })
}

/// Reads the failing checks. An incomplete list is discarded: checks that are missing in it would
/// count as resolved.
fn read_failing(row: &Row<'_>) -> ListAnswer<BTreeSet<String>> {
    let value = row.leaf("failingChecks");
    if row.is_untold("failingChecks") {
        return ListAnswer::Missing;
    }
    match (read_texts(value), value) {
        (_, Value::Null) => ListAnswer::Null,
        (Some((checks, true)), _) => ListAnswer::Given(checks),
        _ => ListAnswer::Missing,
    }
}

#[cfg(test)]
mod tests;
