//! `getEndUserState`: the state of a user.

mod read;

use crate::{
    cii::{
        Answered, ApiError, Client,
        batch::{Field, Root},
        graphql::Answer,
        meters::Operation,
    },
    domain::{Login, UserObservation},
};

pub(super) const QUESTION: Root = Root {
    operation: Operation::GetEndUserState,
    argument: "login",
    shared: None,
    type_name: "EndUserState",
    around: ("", ""),
    depth: 1,
    fields: &[
        Field::leaf("id"),
        Field::leaf("displayName"),
        Field::leaf("login"),
        Field::leaf("status"),
        Field::leaf("employeeId"),
        Field::leaf("userTypeClassification"),
        Field::leaf("managerLogin"),
        Field::leaf("phoneNumber"),
        Field::leaf("referenceUrl"),
        Field::nested("ipAddresses", "{ ipAddress location { city state country } }"),
        Field::leaf("unusedApplications"),
        Field::leaf("usedApplications"),
        Field::leaf("usedFactors"),
        Field::nested("registeredLocationDetails", "{ city state country }"),
        Field::nested(
            "workingLocationDetails",
            "{ location { city state country } userLocationPrevalence }",
        ),
    ],
    needed: &[],
};

pub(super) const ROOT: &str = "getEndUserState";

impl Client {
    /// Fetches the state of each user, in the order of the logins. A field that is missing because
    /// of an error is in [`UserObservation::untold`], with the reason among the errors; a list that
    /// is null is in [`UserObservation::null_lists`].
    ///
    /// # Errors
    /// Of each user, when there is no answer, or none that can be understood.
    pub async fn fetch_user_states(
        &self,
        logins: &[Login],
    ) -> Vec<Result<Answered<UserObservation>, ApiError>> {
        let subjects: Vec<_> = logins.iter().map(Login::spelling).collect();
        self.query_each(&QUESTION, &subjects, None, read_answer).await
    }
}

pub(super) fn read_answer(mut answer: Answer) -> Result<Answered<UserObservation>, ApiError> {
    let user = answer.take_root(ROOT)?;
    let has_any = QUESTION.fields.iter().any(|field| !user[field.name].is_null());
    // When all fields are null, the error is the better answer.
    if !user.is_object() || (!has_any && !answer.errors.is_empty()) {
        return Err(if answer.errors.is_empty() {
            ApiError::Malformed(format!("{ROOT} is not as the schema says"))
        } else {
            ApiError::Graphql(answer.errors.into())
        });
    }
    let value = read::read(&user, &answer.errors, ROOT);
    Ok(Answered { value, errors: answer.errors.into() })
}

#[cfg(test)]
mod tests;
