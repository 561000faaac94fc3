//! Which checks a user fails: `getEndUser`.

use serde_json::Value;

use crate::{
    cii::{ApiError, Client, batch::Root, graphql::Answer, meters::Operation},
    domain::{Login, Told, failure::Verdict},
};

pub(super) const QUESTION: Root = Root {
    operation: Operation::GetEndUser,
    argument: "login",
    shared: None,
    type_name: "GetEndUserOutput",
    selection: "  endUserDetails { failingChecks }",
};

const ROOT: &str = "getEndUser";

impl Client {
    /// Which checks each user fails, in the order of the logins.
    ///
    /// # Errors
    /// Of each user, when there is no answer, or none that can be understood. A
    /// user whom the service does not know is an answer.
    pub async fn failing_checks(&self, logins: &[Login]) -> Vec<Result<Told<Verdict>, ApiError>> {
        let subjects: Vec<_> = logins.iter().map(Login::as_str).collect();
        let answers = self.ask_each(&QUESTION, &subjects, None, understand).await;
        answers.into_iter().map(unknown_is_an_answer).collect()
    }
}

fn unknown_is_an_answer(ended: Result<Told<Verdict>, ApiError>) -> Result<Told<Verdict>, ApiError> {
    match ended {
        Err(error) if error.says_not_found(ROOT) => Ok(Told::Told(Verdict::Unknown)),
        ended => ended,
    }
}

/// A list with an error in it might not be whole, so it tells nothing: what is
/// not on it would count as resolved.
fn understand(mut answer: Answer) -> Result<Told<Verdict>, ApiError> {
    let user = answer.root(ROOT)?;
    let not_as_promised =
        || ApiError::Malformed(format!("{ROOT} has failing checks that are no list of texts"));
    match user.pointer("/endUserDetails/failingChecks") {
        _ if !answer.errors.is_empty() => Ok(Told::Untold),
        None => Ok(Told::Untold),
        Some(Value::Null) => Ok(Told::Null),
        Some(Value::Array(checks)) => checks
            .iter()
            .map(|check| check.as_str().map(str::to_owned).ok_or_else(not_as_promised))
            .collect::<Result<_, _>>()
            .map(|checks| Told::Told(Verdict::Fails(checks))),
        Some(_) => Err(not_as_promised()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(body: &str) -> Result<Told<Verdict>, ApiError> {
        understand(Answer::parse(body.as_bytes(), "token").unwrap())
    }

    #[test]
    fn a_list_is_a_verdict_and_no_list_tells_nothing() {
        let list = r#"{"data":{"getEndUser":{"endUserDetails":{"failingChecks":["no-mfa","A"]}}}}"#;
        let expected = ["no-mfa", "A"].map(str::to_owned).into();
        assert_eq!(understood(list), Ok(Told::Told(Verdict::Fails(expected))));
        let none = r#"{"data":{"getEndUser":{"endUserDetails":{"failingChecks":null}}}}"#;
        assert_eq!(understood(none), Ok(Told::Null));
        let partial = r#"{"data":{"getEndUser":{"endUserDetails":{"failingChecks":["a"]}}},
            "errors":[{"path":["getEndUser","endUserDetails"],"message":"x"}]}"#;
        assert_eq!(understood(partial), Ok(Told::Untold));
        let odd = r#"{"data":{"getEndUser":{"endUserDetails":{"failingChecks":[1]}}}}"#;
        assert!(matches!(understood(odd), Err(ApiError::Malformed(_))));
    }
}
