//! Who used an address: `getEndUsersByIp`.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::json;

use crate::{
    cii::{ApiError, Client, graphql::Answer, meters::Operation},
    domain::{IpAddress, IpUser, IpUsers, Login},
};

pub(super) const QUERY: &str = "\
query GetEndUsersByIp($ipAddress: String!, $pageSize: Int, $pageToken: String) {
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
    /// Everybody whom the service knows to use an address, `page_size` users a
    /// request.
    ///
    /// # Errors
    /// When any page fails, or holds anything that cannot be understood: a list
    /// that lacks somebody would look as if that user had left.
    pub async fn ip_users(&self, ip: IpAddress, page_size: u32) -> Result<IpUsers, ApiError> {
        let mut users = IpUsers::new();
        let mut followed = HashSet::new();
        let mut page_token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let page = self.page(ip, page_size, page_token.as_deref()).await?;
            users.extend(page.users);
            let Some(next) = page.next else { return Ok(users) };
            if !followed.insert(next.clone()) {
                return malformed("its page tokens go round in a circle");
            }
            page_token = Some(next);
        }
        malformed("its pages do not end")
    }

    async fn page(
        &self,
        ip: IpAddress,
        page_size: u32,
        page_token: Option<&str>,
    ) -> Result<Page, ApiError> {
        let variables = json!({
            "ipAddress": ip.to_string(),
            "pageSize": page_size,
            "pageToken": page_token,
        });
        self.execute(Operation::GetEndUsersByIp, QUERY, variables, understand).await
    }
}

fn understand(mut answer: Answer) -> Result<Page, ApiError> {
    if !answer.errors.is_empty() {
        return Err(ApiError::Graphql(answer.errors));
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
