//! Who used an address: `getEndUsersByIp`.

use serde::Deserialize;
use serde_json::json;

use crate::{
    cii::{ApiError, Client, Listed, PageTokens, batch::Root, graphql::Answer, meters::Operation},
    domain::{IpAddress, IpUser, IpUsers, Login},
};

/// The first page, of several addresses at once.
pub(super) const FIRST_PAGE: Root = Root {
    operation: Operation::GetEndUsersByIp,
    argument: "ipAddress",
    shared: Some(("pageSize", "Int")),
    type_name: "GetEndUsersByIpConnection",
    selection: "  items { id displayName login referenceUrl }\n  pageToken",
};

/// A page after the first.
pub(super) const NEXT_PAGE: &str = "\
query ($ipAddress: String!, $pageSize: Int, $pageToken: String) {
  getEndUsersByIp(ipAddress: $ipAddress, pageSize: $pageSize, pageToken: $pageToken) {
    items { id displayName login referenceUrl }
    pageToken
  }
}";

const ROOT: &str = "getEndUsersByIp";

/// With the smallest pages that is still far more than one address can have.
const MAX_PAGES: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    items: Vec<Item>,
    page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    display_name: String,
    login: String,
    reference_url: Option<String>,
}

#[derive(Debug)]
struct Page {
    users: IpUsers,
    next: Option<String>,
}

impl Client {
    /// Everybody whom the service knows to use each address, `page_size` users
    /// a page, in the order of the addresses.
    ///
    /// # Errors
    /// Of each address, when any page fails, or holds anything that cannot be
    /// understood: a list that lacks somebody would look as if that user had
    /// left.
    pub async fn ip_users(
        &self,
        ips: &[IpAddress],
        page_size: u32,
    ) -> Vec<Result<Listed<IpUsers>, ApiError>> {
        let texts: Vec<_> = ips.iter().map(ToString::to_string).collect();
        let subjects: Vec<_> = texts.iter().map(String::as_str).collect();
        let shared = Some(page_size.into());
        let first = self.ask_each(&FIRST_PAGE, &subjects, shared, understand).await;
        let mut lists = Vec::with_capacity(ips.len());
        for (ip, first) in subjects.into_iter().zip(first) {
            lists.push(match first {
                Ok(page) => self.all_pages(ip, page_size, page).await,
                Err(error) => Err(error),
            });
        }
        lists
    }

    /// The pages from the first on.
    async fn all_pages(
        &self,
        ip: &str,
        page_size: u32,
        first: Page,
    ) -> Result<Listed<IpUsers>, ApiError> {
        let Page { mut users, mut next } = first;
        let mut tokens = PageTokens::new();
        let mut pages = 1;
        while let Some(token) = tokens.follow(next, ROOT)? {
            if pages > MAX_PAGES {
                return malformed("its pages do not end");
            }
            pages += 1;
            let variables = json!({ "ipAddress": ip, "pageSize": page_size, "pageToken": token });
            let page =
                self.execute(Operation::GetEndUsersByIp, NEXT_PAGE, variables, understand).await?;
            users.extend(page.users);
            next = page.next;
        }
        Ok(Listed { items: users, skipped: 0 })
    }
}

fn understand(mut answer: Answer) -> Result<Page, ApiError> {
    if !answer.errors.is_empty() {
        return Err(ApiError::Graphql(answer.errors.into()));
    }
    let Ok(list) = serde_json::from_value::<Connection>(answer.root(ROOT)?) else {
        return malformed("it is not as the schema says");
    };
    Ok(Page {
        users: list.items.into_iter().map(user).collect::<Result<_, _>>()?,
        next: list.page_token.filter(|token| !token.is_empty()),
    })
}

fn user(item: Item) -> Result<(Login, IpUser), ApiError> {
    let Ok(login) = Login::new(&item.login) else {
        return malformed("it names a user without a usable login");
    };
    let reference_url = item.reference_url.filter(|url| !url.trim().is_empty());
    Ok((login, IpUser { id: item.id, display_name: item.display_name, reference_url }))
}

fn malformed<T>(what: &str) -> Result<T, ApiError> {
    Err(ApiError::Malformed(format!("{ROOT}: {what}")))
}

#[cfg(test)]
mod tests;
