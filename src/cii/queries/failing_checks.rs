//! Which checks a user fails: `getEndUser`.

use serde_json::Value;

use crate::{
    cii::{Answered, ApiError, Client, batch::Root, graphql::Answer, meters::Operation},
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
    pub async fn failing_checks(
        &self,
        logins: &[Login],
    ) -> Vec<Result<Answered<Told<Verdict>>, ApiError>> {
        let subjects: Vec<_> = logins.iter().map(Login::as_str).collect();
        let answers = self.ask_each(&QUESTION, &subjects, None, understand).await;
        answers.into_iter().map(unknown_is_an_answer).collect()
    }
}

fn unknown_is_an_answer(
    ended: Result<Answered<Told<Verdict>>, ApiError>,
) -> Result<Answered<Told<Verdict>>, ApiError> {
    match ended {
        Err(error) if error.says_not_found(ROOT) => Ok(Answered {
            value: Told::Told(Verdict::Unknown),
            errors: error.errors().to_vec().into(),
        }),
        ended => ended,
    }
}

/// A list with an error in it, or an element that is no text, might not be
/// whole, so it tells nothing: what is not on it would count as resolved.
fn understand(mut answer: Answer) -> Result<Answered<Told<Verdict>>, ApiError> {
    let user = answer.root(ROOT)?;
    let value = match user.pointer("/endUserDetails/failingChecks") {
        _ if !answer.errors.is_empty() => Told::Untold,
        Some(Value::Null) => Told::Null,
        Some(Value::Array(checks)) => {
            let texts = checks.iter().map(|check| check.as_str().map(str::to_owned));
            let whole: Option<_> = texts.collect();
            whole.map_or(Told::Untold, |checks| Told::Told(Verdict::Fails(checks)))
        }
        _ => Told::Untold,
    };
    Ok(Answered { value, errors: answer.errors.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(body: &str) -> Result<Told<Verdict>, ApiError> {
        understand(Answer::parse(body.as_bytes(), "token").unwrap()).map(|answer| answer.value)
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
        let empty = r#"{"data":{"getEndUser":{"endUserDetails":{"failingChecks":[]}}}}"#;
        assert_eq!(understood(empty), Ok(Told::Told(Verdict::Fails([].into()))));
        for odd in [r#"["a",1]"#, r#"["a",null]"#, r#""a""#, "7", "{}"] {
            let body = format!(
                r#"{{"data":{{"getEndUser":{{"endUserDetails":{{"failingChecks":{odd}}}}}}}}}"#
            );
            assert_eq!(understood(&body), Ok(Told::Untold), "{odd}");
        }
        assert_eq!(
            understood(r#"{"data":{"getEndUser":{"endUserDetails":{}}}}"#),
            Ok(Told::Untold)
        );
    }
}
