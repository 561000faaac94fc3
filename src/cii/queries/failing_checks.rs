//! `getEndUser`: the checks that a user fails.

use serde_json::Value;

use crate::{
    cii::{
        Answered, ApiError, Client,
        batch::{Field, Root},
        graphql::Answer,
        lenient::MAX_TEXT_BYTES,
        meters::Operation,
    },
    domain::{ListAnswer, Login, cut_text, failure::Verdict},
};

pub(super) const QUESTION: Root = Root {
    operation: Operation::GetEndUser,
    argument: "login",
    shared: None,
    type_name: "GetEndUserOutput",
    around: (" endUserDetails {", "} "),
    depth: 2,
    fields: &[Field::leaf("failingChecks")],
    needed: &[],
};

const ROOT: &str = "getEndUser";

impl Client {
    /// Fetches the checks that each user fails, in the order of the logins.
    ///
    /// # Errors
    /// Of each user, when there is no answer, or none that can be understood. A
    /// user whom the service does not know is an answer.
    pub async fn fetch_failing_checks(
        &self,
        logins: &[Login],
    ) -> Vec<Result<Answered<ListAnswer<Verdict>>, ApiError>> {
        let subjects: Vec<_> = logins.iter().map(Login::spelling).collect();
        let answers = self.query_each(&QUESTION, &subjects, None, read_answer).await;
        answers.into_iter().map(accept_unknown_user).collect()
    }
}

fn accept_unknown_user(
    ended: Result<Answered<ListAnswer<Verdict>>, ApiError>,
) -> Result<Answered<ListAnswer<Verdict>>, ApiError> {
    match ended {
        Err(error) if error.is_not_found() => Ok(Answered {
            value: ListAnswer::Given(Verdict::Unknown),
            errors: error.errors().to_vec().into(),
        }),
        ended => ended,
    }
}

/// Reads an answer. A list with an error, or with an element that is no text, may be incomplete and
/// is discarded: checks that are missing in it would count as resolved.
pub(super) fn read_answer(mut answer: Answer) -> Result<Answered<ListAnswer<Verdict>>, ApiError> {
    let user = answer.take_root(ROOT)?;
    let value = match user.pointer("/endUserDetails/failingChecks") {
        _ if !answer.errors.is_empty() => ListAnswer::Missing,
        Some(Value::Null) => ListAnswer::Null,
        Some(Value::Array(checks)) => {
            // Cut at the length of a title, so that a cut text still equals a cut title.
            let bound = |text: &str| cut_text(text, MAX_TEXT_BYTES).into_owned();
            let texts = checks.iter().map(|check| check.as_str().map(bound));
            let whole: Option<_> = texts.collect();
            whole.map_or(ListAnswer::Missing, |checks| ListAnswer::Given(Verdict::Fails(checks)))
        }
        _ => ListAnswer::Missing,
    };
    Ok(Answered { value, errors: answer.errors.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(body: &str) -> Result<ListAnswer<Verdict>, ApiError> {
        read_answer(Answer::parse(body.as_bytes(), false, "token", 100).unwrap())
            .map(|answer| answer.value)
    }

    #[test]
    fn a_list_is_a_verdict_and_no_list_tells_nothing() {
        let list = r#"{"data":{"getEndUser":{"endUserDetails":{"failingChecks":["no-mfa","A"]}}}}"#;
        let expected = ["no-mfa", "A"].map(str::to_owned).into();
        assert_eq!(understood(list), Ok(ListAnswer::Given(Verdict::Fails(expected))));
        let none = r#"{"data":{"getEndUser":{"endUserDetails":{"failingChecks":null}}}}"#;
        assert_eq!(understood(none), Ok(ListAnswer::Null));
        let partial = r#"{"data":{"getEndUser":{"endUserDetails":{"failingChecks":["a"]}}},
            "errors":[{"path":["getEndUser","endUserDetails"],"message":"x"}]}"#;
        assert_eq!(understood(partial), Ok(ListAnswer::Missing));
        let empty = r#"{"data":{"getEndUser":{"endUserDetails":{"failingChecks":[]}}}}"#;
        assert_eq!(understood(empty), Ok(ListAnswer::Given(Verdict::Fails([].into()))));
        for odd in [r#"["a",1]"#, r#"["a",null]"#, r#""a""#, "7", "{}"] {
            let body = format!(
                r#"{{"data":{{"getEndUser":{{"endUserDetails":{{"failingChecks":{odd}}}}}}}}}"#
            );
            assert_eq!(understood(&body), Ok(ListAnswer::Missing), "{odd}");
        }
        assert_eq!(
            understood(r#"{"data":{"getEndUser":{"endUserDetails":{}}}}"#),
            Ok(ListAnswer::Missing)
        );
    }

    #[tokio::test]
    async fn checks_that_are_refused_are_untold_with_their_reason() {
        use serde_json::json;

        use crate::cii::fake::{Fake, Reply};

        let message = "Not Authorized to access failingChecks on type PublicEndUserDetails";
        let error = json!({ "path": [ROOT, "endUserDetails", "failingChecks"],
            "errorType": "Unauthorized", "message": message });
        let user = json!({ "endUserDetails": { "failingChecks": null } });
        let partial = json!({ "data": { ROOT: user }, "errors": [error] });
        let nulled = json!({ "data": null, "errors": [error] });
        let without = json!({ "data": { ROOT: { "endUserDetails": {} } } });
        for replies in [vec![partial], vec![nulled, without]] {
            let replies = replies.iter().map(|body| Reply::json(200, body)).collect();
            let fake = Fake::api(replies).await;
            let alice = Login::new("alice").unwrap();
            let answered = fake.client().fetch_failing_checks(&[alice]).await.remove(0).unwrap();
            assert_eq!(answered.value, ListAnswer::Missing);
            assert!(answered.errors.to_string().contains(message), "{}", answered.errors);
        }
    }

    #[tokio::test]
    async fn only_a_user_who_does_not_exist_is_unknown() {
        use serde_json::json;

        use crate::cii::fake::{Fake, Reply};

        for (error_type, message, is_unknown) in [
            ("NotFound", "", true),
            ("Lambda:Unhandled", "User a@example.com not found", true),
            ("Lambda:Unhandled", "getaddrinfo ENOTFOUND dynamodb.eu-west-1", false),
            ("DynamoDB:ResourceNotFoundException", "Requested resource not found", false),
            ("Custom", "user table not found", false),
        ] {
            let error = json!({ "path": [ROOT], "errorType": error_type, "message": message });
            let body = json!({ "data": null, "errors": [error] });
            let fake = Fake::api(vec![Reply::json(200, &body)]).await;
            let login = Login::new("a@example.com").unwrap();
            let answer = fake.client().fetch_failing_checks(&[login]).await.remove(0);
            let unknown =
                answer.is_ok_and(|answer| answer.value == ListAnswer::Given(Verdict::Unknown));
            assert_eq!(unknown, is_unknown, "{error_type}: {message}");
        }
    }

    #[tokio::test]
    async fn an_error_on_the_details_counts_as_one_on_the_user() {
        use serde_json::json;

        use crate::cii::fake::{Fake, Reply};

        let details = json!([ROOT, "endUserDetails"]);
        let checks = json!([ROOT, "endUserDetails", "failingChecks"]);
        for (path, user, error_type, expected) in [
            (
                &details,
                json!({ "endUserDetails": null }),
                "NotFound",
                Ok(ListAnswer::Given(Verdict::Unknown)),
            ),
            (
                &details,
                json!({ "endUserDetails": null }),
                "Unauthorized",
                Err("no right to getEndUser"),
            ),
            (
                &details,
                json!({ "endUserDetails": null }),
                "Lambda:Unhandled",
                Err("Lambda:Unhandled"),
            ),
            (
                &checks,
                json!({ "endUserDetails": { "failingChecks": null } }),
                "ThrottlingException",
                Err("ThrottlingException"),
            ),
        ] {
            let error = json!({ "path": path, "errorType": error_type, "message": "" });
            let body = json!({ "data": { ROOT: user }, "errors": [error] });
            let fake = Fake::api(vec![Reply::json(200, &body)]).await;
            let login = Login::new("a@example.com").unwrap();
            let answer = fake.client().fetch_failing_checks(&[login]).await.remove(0);
            match (&answer, expected) {
                (Ok(answer), Ok(value)) => assert_eq!(answer.value, value),
                (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{error}"),
                (answer, _) => panic!("{error_type}: {answer:?}"),
            }
        }
    }
}
