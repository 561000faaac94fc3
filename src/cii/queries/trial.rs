//! Tries each request once, to see whether the service answers it and which fields it refuses.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use super::{end_users, failing_checks, ip_users, service, user_state};
use crate::{
    cii::{
        ApiError, Client, ErrorKind, GraphqlError, PathSegment,
        graphql::Answer,
        graphql_error::Subject,
        meters::Operation,
        rows::{Row, Rows},
    },
    domain::{IpAddress, Login},
};

/// A request of the jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A page of the tenant listing with one user.
    EndUsers,
    /// The state of a user.
    UserState(Login),
    /// The checks that a user fails.
    FailingChecks(Login),
    /// The users of an address.
    IpUsers(IpAddress),
    /// The tenant's integrations.
    Integrations,
    /// The service's administrators.
    Admins,
    /// The daily numbers of failing checks.
    DailyFailures,
}

/// The result of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trial {
    /// Fields to which the API client lacks the right, without the root field.
    pub refused: BTreeSet<String>,
    /// A login in the answer, for further requests.
    pub login: Option<Login>,
}

impl Question {
    /// The root field, which is the name of the right in the console.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.operation().into_str()
    }

    const fn operation(&self) -> Operation {
        match self {
            Self::EndUsers => Operation::ListEndUsers,
            Self::UserState(_) => Operation::GetEndUserState,
            Self::FailingChecks(_) => Operation::GetEndUser,
            Self::IpUsers(_) => Operation::GetEndUsersByIp,
            Self::Integrations => Operation::GetIntegrationsStatus,
            Self::Admins => Operation::ListAdminLogins,
            Self::DailyFailures => Operation::GetTotalCheckFailingCounts,
        }
    }

    fn body(&self) -> Value {
        let all = BTreeSet::new();
        let rows =
            |rows: Rows, variables| json!({ "query": rows.query(&all), "variables": variables });
        match self {
            Self::EndUsers => rows(end_users::ROWS, json!({ "input": {}, "pageSize": 1 })),
            Self::UserState(login) => json!({
                "query": user_state::QUESTION.query(1, &all),
                "variables": { "login": login.spelling() },
            }),
            Self::FailingChecks(login) => json!({
                "query": failing_checks::QUESTION.query(1, &all),
                "variables": { "login": login.spelling() },
            }),
            Self::IpUsers(ip) => {
                let variables = json!({ "ipAddress": ip.to_string(), "pageSize": 1 });
                rows(ip_users::NEXT_PAGE, variables)
            }
            Self::Integrations => rows(service::INTEGRATIONS, json!({})),
            Self::Admins => rows(service::ADMINS, json!({ "pageSize": 1 })),
            Self::DailyFailures => rows(service::DAILY_FAILURES, json!({})),
        }
    }

    fn read_answer(&self, answer: &Answer) -> Result<Trial, ApiError> {
        let field = self.field();
        let subject = match self {
            Self::UserState(login) | Self::FailingChecks(login) => Subject::User(login.spelling()),
            Self::IpUsers(_) => Subject::Either,
            _ => Subject::List,
        };
        let root = answer.data.get(field).unwrap_or(&Value::Null);
        let mut trial = Trial { login: first_login(root), ..Trial::default() };
        for error in &answer.errors {
            match error.kind(field, subject) {
                ErrorKind::NoRight => match field_below_root(error) {
                    Some(name) => {
                        trial.refused.insert(name);
                    }
                    None => return Err(ApiError::NoRight { field }),
                },
                // The user or address may not exist: not-found also shows that the right is
                // granted.
                ErrorKind::NotFound => return Ok(trial),
                _ => return Err(ApiError::Graphql(answer.root_errors(field))),
            }
        }
        if root.is_null() && trial.refused.is_empty() {
            return Err(ApiError::Malformed(format!("it lacks {field}")));
        }
        Ok(trial)
    }
}

/// The field of an error, without the root field, list indices and wrapping objects; `None` when
/// the error is about the whole answer.
fn field_below_root(error: &GraphqlError) -> Option<String> {
    const AROUND: [&str; 2] = ["items", "endUserDetails"];
    let names = error.path.iter().skip(1).filter_map(|step| match step {
        PathSegment::Field(name) if !AROUND.contains(&name.as_str()) => Some(name.as_str()),
        _ => None,
    });
    let path = names.collect::<Vec<_>>().join(".");
    (!path.is_empty()).then_some(path)
}

/// The login of the first row of a page.
fn first_login(root: &Value) -> Option<Login> {
    let row = root.pointer("/items/0")?;
    let user = end_users::read_user(&Row::new_whole(row, &HashSet::new()))?;
    Some(user.login)
}

impl Client {
    /// Requests an access token.
    ///
    /// # Errors
    /// When none is granted.
    pub async fn try_token(&self) -> Result<(), ApiError> {
        self.ensure_token().await
    }

    /// Sends a request once, regardless of the circuit and of the known rights.
    ///
    /// # Errors
    /// When there is no answer, none that can be understood, or no right to any of it.
    pub async fn try_question(&self, question: &Question) -> Result<Trial, ApiError> {
        let understand = |answer: Answer| question.read_answer(&answer);
        self.send(question.operation(), &question.body(), &understand).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cii::fake::{Fake, Reply};

    fn alice() -> Login {
        Login::new("alice@example.com").unwrap()
    }

    async fn tried(question: &Question, body: &Value) -> Result<Trial, ApiError> {
        Fake::api(vec![Reply::json(200, body)]).await.client().try_question(question).await
    }

    #[tokio::test]
    async fn fields_that_are_refused_are_named_and_the_rest_is_an_answer() {
        let message = "Not Authorized to access x on type Y";
        let error =
            |path: Value| json!({ "path": path, "errorType": "Unauthorized", "message": message });
        let items = json!([{ "login": "alice@example.com" }]);
        let errors = [
            error(json!(["listEndUsers", "items", 0, "mfaEnabled"])),
            error(json!(["listEndUsers", "items", 0, "lastSignIn", "timestamp"])),
        ];
        let body = json!({ "data": { "listEndUsers": { "items": items } }, "errors": errors });
        let trial = tried(&Question::EndUsers, &body).await.unwrap();
        let refused: Vec<_> = trial.refused.iter().map(String::as_str).collect();
        assert_eq!(refused, ["lastSignIn.timestamp", "mfaEnabled"]);
        assert_eq!(trial.login, Some(alice()));
        // A field that must not be null takes the whole answer with it.
        let body = json!({ "data": null, "errors": [error(json!(["getEndUserState", "status"]))] });
        let trial = tried(&Question::UserState(alice()), &body).await.unwrap();
        assert!(trial.refused.contains("status"));
    }

    #[tokio::test]
    async fn a_question_that_is_refused_as_a_whole_is_no_answer_and_an_unknown_user_is_one() {
        for path in [json!(["getEndUser"]), json!(["getEndUser", "endUserDetails"]), json!([])] {
            let error = json!({ "path": path, "errorType": "Unauthorized", "message": "" });
            let body = json!({ "data": null, "errors": [error] });
            let ended = tried(&Question::FailingChecks(alice()), &body).await;
            assert_eq!(ended, Err(ApiError::NoRight { field: "getEndUser" }), "{path}");
        }
        let error = json!({ "path": ["getEndUser"], "errorType": "NotFound", "message": "" });
        let body = json!({ "data": null, "errors": [error] });
        let ended = tried(&Question::FailingChecks(alice()), &body).await;
        assert_eq!(ended, Ok(Trial::default()));
        let ended = tried(&Question::Integrations, &json!({ "data": {} })).await;
        assert!(matches!(ended, Err(ApiError::Malformed(_))), "{ended:?}");
    }
}
