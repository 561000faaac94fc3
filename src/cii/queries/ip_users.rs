//! `getEndUsersByIp`: the users of an address.

use serde_json::json;

use crate::{
    cii::{
        ApiError, Client, Listed, PageTokens,
        batch::{Field, Root},
        lenient::read_text,
        meters::Operation,
        rows::{Page, Row, Rows},
    },
    domain::{IpAddress, IpUser, IpUsers, Login},
};

const FIELDS: &[Field] = &[
    Field::leaf("id"),
    Field::leaf("displayName"),
    Field::leaf("login"),
    Field::leaf("referenceUrl"),
];

/// The first page, for several addresses at once.
pub(super) const FIRST_PAGE: Root = Root {
    operation: Operation::GetEndUsersByIp,
    argument: "ipAddress",
    shared: Some(("pageSize", "Int")),
    type_name: "GetEndUsersByIpConnection",
    around: (" items {", "} pageToken "),
    depth: 3,
    fields: FIELDS,
    needed: &["login"],
};

/// A page after the first.
pub(super) const NEXT_PAGE: Rows = Rows {
    operation: Operation::GetEndUsersByIp,
    declared: "($ipAddress: String!, $pageSize: Int, $pageToken: String)",
    passed: "(ipAddress: $ipAddress, pageSize: $pageSize, pageToken: $pageToken)",
    is_paged: true,
    fields: FIELDS,
    needed: "login",
};

const ROOT: &str = "getEndUsersByIp";

/// Most pages of an address. Even with the smallest pages, that is far more users than an address
/// can have.
const MAX_PAGES: usize = 10_000;

type Users = Page<(Login, IpUser)>;

impl Client {
    /// Fetches all users of each address, with `page_size` users per page, in the order of the
    /// addresses.
    ///
    /// # Errors
    /// For each address, when any page fails: a user who is missing in the list would seem to have
    /// left. Unreadable rows are counted as skipped.
    pub async fn fetch_ip_users(
        &self,
        ips: &[IpAddress],
        page_size: u32,
    ) -> Vec<Result<Listed<IpUsers>, ApiError>> {
        let texts: Vec<_> = ips.iter().map(ToString::to_string).collect();
        let subjects: Vec<_> = texts.iter().map(String::as_str).collect();
        let shared = Some(page_size.into());
        let understand = |answer| NEXT_PAGE.read(answer, read_user);
        let first = self.query_each(&FIRST_PAGE, &subjects, shared, understand).await;
        let mut lists = Vec::with_capacity(ips.len());
        for (ip, first) in subjects.into_iter().zip(first) {
            let first = match first {
                // Requested alone, its pages can be made smaller, down to the row at fault.
                Err(error) if NEXT_PAGE.bad_row(&error).is_some() => {
                    let variables = json!({ "ipAddress": ip, "pageSize": page_size });
                    self.query_rows(&NEXT_PAGE, variables, read_user).await
                }
                first => first,
            };
            lists.push(match first {
                Ok(page) => self.fetch_all_pages(ip, page_size, page).await,
                Err(error) => Err(error),
            });
        }
        lists
    }

    /// Fetches all pages from the first on.
    async fn fetch_all_pages(
        &self,
        ip: &str,
        page_size: u32,
        first: Users,
    ) -> Result<Listed<IpUsers>, ApiError> {
        let Page { items, mut skipped, mut next } = first;
        let mut users: IpUsers = items.into_iter().collect();
        let mut tokens = PageTokens::new();
        let mut pages = 1;
        while let Some(token) = tokens.follow(next, ROOT)? {
            if pages > MAX_PAGES {
                return Err(NEXT_PAGE.malformed("its pages do not end"));
            }
            pages += 1;
            let variables = json!({ "ipAddress": ip, "pageSize": page_size, "pageToken": token });
            let page = self.query_rows(&NEXT_PAGE, variables, read_user).await?;
            users.extend(page.items);
            skipped += page.skipped;
            self.check_item_count("the users of the address", users.len().saturating_add(skipped))?;
            next = page.next;
        }
        Ok(Listed { items: users, skipped })
    }
}

/// Reads a row; `None` without a login. Only the login is required: a user without id or name still
/// uses the address.
pub(super) fn read_user(row: &Row<'_>) -> Option<(Login, IpUser)> {
    let login = Login::new(&read_text(row.leaf("login"))?).ok()?;
    // The documentation of the Okta Workflows connector has the second spelling.
    let reference_url =
        read_text(row.leaf("referenceUrl")).or_else(|| read_text(row.leaf("referenceURL")));
    let user = IpUser {
        id: read_text(row.leaf("id")).unwrap_or_default(),
        display_name: read_text(row.leaf("displayName")).unwrap_or_else(|| login.to_string()),
        reference_url,
        since: None,
    };
    Some((login, user))
}

#[cfg(test)]
mod tests;
