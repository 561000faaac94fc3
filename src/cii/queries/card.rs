//! The raw answers of the Okta Workflows connector's two action cards.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::ip_users::NEXT_PAGE;
use crate::{
    cii::{ApiError, Client, PageTokens, meters::Operation},
    domain::{IpAddress, Login},
};

pub(super) const USER: &str = "\
query ($login: String!) {
  getEndUserState(login: $login) {
    id
    displayName
    login
    employeeId
    status
    userTypeClassification
    managerLogin
    ipAddresses { ipAddress location { city state country } }
    phoneNumber
    unusedApplications
    usedApplications
    usedFactors
    referenceUrl
    registeredLocationDetails { city state country }
    workingLocationDetails { location { city state country } userLocationPrevalence }
  }
}";

/// Most pages of an address. Even with the smallest pages, that is far more users than an address
/// can have.
const MAX_PAGES: usize = 10_000;

/// The answer of an action card.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// The HTTP status of the last answer.
    pub status_code: u16,
    /// The object or the list; null without one.
    pub data: Value,
    /// The errors, in the service's form: path, errorType, message, errorInfo,
    /// data.
    pub errors: Vec<Value>,
}

impl Card {
    /// Whether the service answered without any error.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status_code) && self.errors.is_empty() && !self.data.is_null()
    }
}

impl Client {
    /// Fetches the card "Get End User State": the current state of a user.
    ///
    /// # Errors
    /// When no answer comes at all.
    pub async fn fetch_user_card(&self, login: &Login) -> Result<Card, ApiError> {
        let body = json!({ "query": USER, "variables": { "login": login.spelling() } });
        self.fetch_card(Operation::GetEndUserState, &body).await
    }

    /// Fetches the checks that a user fails, in the form of a card: a list, or null when the
    /// service does not return it.
    ///
    /// # Errors
    /// When no answer comes at all.
    pub async fn fetch_failing_checks_card(&self, login: &Login) -> Result<Card, ApiError> {
        let query = super::failing_checks::QUESTION.query(1, &BTreeSet::new());
        let body = json!({ "query": query, "variables": { "login": login.spelling() } });
        let mut card = self.fetch_card(Operation::GetEndUser, &body).await?;
        let checks = card.data.pointer_mut("/endUserDetails/failingChecks");
        card.data = checks.map(Value::take).unwrap_or_default();
        Ok(card)
    }

    /// Fetches the card "Get End Users By IP": the users of an address, with all pages in one list.
    ///
    /// # Errors
    /// When there is no answer, or the pages do not end.
    pub async fn fetch_ip_card(&self, ip: IpAddress, page_size: u32) -> Result<Card, ApiError> {
        let operation = Operation::GetEndUsersByIp;
        let query = NEXT_PAGE.query(&BTreeSet::new());
        let mut items = Vec::new();
        let mut page_token = None;
        let mut tokens = PageTokens::new();
        for _ in 0..MAX_PAGES {
            let ip = ip.to_string();
            let variables =
                json!({ "ipAddress": ip, "pageSize": page_size, "pageToken": page_token });
            let body = json!({ "query": query, "variables": variables });
            let mut page = self.fetch_card(operation, &body).await?;
            let next = page.data["pageToken"].as_str().map(str::to_owned);
            let listed = take_field(&mut page.data, "items");
            let is_list = listed.is_array();
            if let Value::Array(listed) = listed {
                items.extend(listed);
            }
            self.check_item_count("the users of the address", items.len())?;
            page_token = tokens.follow(next, operation.into_str())?;
            if page_token.is_none() || !page.is_success() {
                let data = if items.is_empty() && !is_list { Value::Null } else { items.into() };
                return Ok(Card { data, ..page });
            }
        }
        Err(ApiError::Malformed("getEndUsersByIp: its pages do not end".to_owned()))
    }

    async fn fetch_card(&self, operation: Operation, body: &Value) -> Result<Card, ApiError> {
        let (status_code, mut answer) = self.send_raw(operation, body).await?;
        let errors = match take_field(&mut answer, "errors") {
            Value::Array(errors) => errors,
            _ => Vec::new(),
        };
        let data = take_field(&mut take_field(&mut answer, "data"), operation.into_str());
        Ok(Card { status_code, data, errors })
    }
}

/// Takes a field; null when it is missing, or the value is no object.
fn take_field(value: &mut Value, field: &str) -> Value {
    value.get_mut(field).map(Value::take).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cii::fake::{Fake, Reply};

    #[tokio::test]
    async fn a_card_shows_what_the_service_says_whatever_it_is() {
        let error = json!({
            "path": ["getEndUserState"], "errorType": "NotFound", "message": "no token-1",
            "errorInfo": { "a": 1 }, "data": null,
        });
        let fake = Fake::api(vec![
            Reply::json(200, &json!({ "data": null, "errors": [error] })),
            Reply::Http(502, vec![], "<html>".into()),
        ])
        .await;
        let (client, alice) = (fake.client(), Login::new("alice").unwrap());
        let card = client.fetch_user_card(&alice).await.unwrap();
        assert_eq!((card.status_code, &card.data, card.errors.len()), (200, &Value::Null, 1));
        assert_eq!(card.errors[0]["errorInfo"]["a"], 1);
        assert_eq!(card.errors[0]["message"], "no [token]");
        let card = client.fetch_user_card(&alice).await.unwrap();
        assert_eq!((card.status_code, card.errors.len(), card.is_success()), (502, 0, false));
    }

    #[tokio::test]
    async fn the_pages_of_an_address_are_one_list() {
        let page = |login: &str, next: Value| {
            let items = json!([{ "login": login }]);
            Reply::data(&json!({ "getEndUsersByIp": { "items": items, "pageToken": next } }))
        };
        let fake = Fake::api(vec![page("a", json!("p2")), page("b", Value::Null)]).await;
        let card = fake.client().fetch_ip_card("203.0.113.7".parse().unwrap(), 10).await.unwrap();
        assert_eq!(card.data, json!([{ "login": "a" }, { "login": "b" }]));
    }

    #[tokio::test]
    async fn an_answer_that_is_no_card_is_no_success_and_no_panic() {
        for body in ["[]", "7", "\"x\"", "<html>", r#"{"data":[]}"#, r#"{"data":{},"errors":{}}"#] {
            let fake = Fake::api(vec![Reply::Http(200, vec![], body.to_owned())]).await;
            let (client, alice) = (fake.client(), Login::new("alice").unwrap());
            let cards = [
                client.fetch_user_card(&alice).await.unwrap(),
                client.fetch_failing_checks_card(&alice).await.unwrap(),
                client.fetch_ip_card("203.0.113.7".parse().unwrap(), 10).await.unwrap(),
            ];
            for card in cards {
                assert_eq!((card.is_success(), &card.data), (false, &Value::Null), "{body}");
            }
        }
    }

    #[tokio::test]
    async fn pages_in_a_circle_end() {
        let pages = ["p", "q", "p"].map(|token| {
            Reply::data(&json!({ "getEndUsersByIp": { "items": [], "pageToken": token } }))
        });
        let fake = Fake::api(pages.into()).await;
        let card = fake.client().fetch_ip_card("203.0.113.7".parse().unwrap(), 10).await;
        assert!(matches!(card, Err(ApiError::Malformed(_))));
    }
}
