//! `getIntegrationsStatus`, `listAdminLogins`, `getTotalCheckFailingCounts`: the service itself.

use serde_json::{Value, json};

use crate::{
    cii::{
        ApiError, Client, Listed, PageTokens,
        batch::Field,
        lenient::{read_lowercase, read_moment, read_text},
        meters::Operation,
        rows::{Row, Rows},
    },
    domain::{Admin, Integration, Login},
};

pub(super) const INTEGRATIONS: Rows = Rows {
    operation: Operation::GetIntegrationsStatus,
    declared: "",
    passed: "",
    is_paged: false,
    fields: &[
        Field::leaf("integrationId"),
        Field::leaf("integrationName"),
        Field::leaf("status"),
        Field::leaf("date"),
        Field::leaf("error"),
    ],
    needed: "integrationId",
};

pub(super) const ADMINS: Rows = Rows {
    operation: Operation::ListAdminLogins,
    declared: "($pageSize: Int, $pageToken: String)",
    passed: "(pageSize: $pageSize, pageToken: $pageToken)",
    is_paged: true,
    fields: &[
        Field::leaf("login"),
        Field::leaf("displayName"),
        Field::nested("lastSignIn", "{ timestamp }"),
    ],
    needed: "login",
};

pub(super) const DAILY_FAILURES: Rows = Rows {
    operation: Operation::GetTotalCheckFailingCounts,
    declared: "",
    passed: "",
    is_paged: false,
    fields: &[Field::leaf("day"), Field::leaf("total")],
    needed: "day",
};

/// The longest id of an integration, which is a label of metrics.
const MAX_ID_BYTES: usize = 512;

/// Administrators per page; a tenant has few.
const PAGE_SIZE: u32 = 100;

impl Client {
    /// Fetches the tenant's integrations.
    ///
    /// # Errors
    /// When there is no answer, none that can be understood, or one with an error
    /// about the whole list.
    pub async fn fetch_integrations(&self) -> Result<Listed<Vec<Integration>>, ApiError> {
        let list = self.query_rows(&INTEGRATIONS, json!({}), read_integration).await?;
        Ok(Listed { items: list.items, skipped: list.skipped })
    }

    /// Fetches the service's administrators.
    ///
    /// # Errors
    /// When any page fails: an administrator who is missing in the list would seem to have left.
    /// Unreadable rows are counted as skipped.
    pub async fn fetch_admins(&self) -> Result<Listed<Vec<Admin>>, ApiError> {
        let (mut items, mut skipped) = (Vec::new(), 0);
        let mut tokens = PageTokens::new();
        let mut page_token: Option<String> = None;
        loop {
            let variables = json!({ "pageSize": PAGE_SIZE, "pageToken": page_token });
            let page = self.query_rows(&ADMINS, variables, read_admin).await?;
            items.extend(page.items);
            skipped += page.skipped;
            self.check_item_count("the administrators", items.len().saturating_add(skipped))?;
            page_token = tokens.follow(page.next, ADMINS.field())?;
            if page_token.is_none() {
                return Ok(Listed { items, skipped });
            }
        }
    }

    /// Fetches the number of failing checks on the newest day that the service counted; `None`
    /// without days. The schema marks it as experimental.
    ///
    /// # Errors
    /// When there is no answer, none that can be understood, or one with an error
    /// about the whole list.
    pub async fn fetch_daily_failures(&self) -> Result<Option<u64>, ApiError> {
        let days = self.query_rows(&DAILY_FAILURES, json!({}), read_day).await?.items;
        // Days are written so that their texts sort by date.
        Ok(days.into_iter().max_by(|(a, _), (b, _)| a.cmp(b)).and_then(|(_, total)| total))
    }
}

/// Reads a row; `None` without an id.
pub(super) fn read_integration(row: &Row<'_>) -> Option<Integration> {
    let id = read_text(row.leaf("integrationId")).filter(|id| id.len() <= MAX_ID_BYTES)?;
    Some(Integration {
        name: read_text(row.leaf("integrationName")).unwrap_or_else(|| id.clone()),
        id,
        status: read_lowercase(row.leaf("status"))
            .unwrap_or_else(|| Integration::UNKNOWN.to_owned()),
        date: read_moment(row.leaf("date")),
        error: read_text(row.leaf("error")),
    })
}

pub(super) fn read_admin(row: &Row<'_>) -> Option<Admin> {
    Some(Admin {
        login: Login::new(&read_text(row.leaf("login"))?).ok()?,
        display_name: read_text(row.leaf("displayName")),
        last_sign_in: read_moment(&row.leaf("lastSignIn")["timestamp"]),
    })
}

/// Reads a day and its count; an unreadable count is unknown, and a text that is no day is no row: it
/// could be any day, and would sort behind all of them.
pub(super) fn read_day(row: &Row<'_>) -> Option<(String, Option<u64>)> {
    let total = match row.leaf("total") {
        Value::String(digits) => digits.trim().parse().ok(),
        // A whole number may have a fraction of zero, such as `7.0`.
        total => total.as_u64().or_else(|| total.to_string().strip_suffix(".0")?.parse().ok()),
    };
    let day = read_text(row.leaf("day"))?;
    day.get(..10)?.parse::<chrono::NaiveDate>().ok()?;
    Some((day, total))
}

#[cfg(test)]
mod tests;
