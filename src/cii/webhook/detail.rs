//! `detail`: the check and its users.

use super::{FailingUser, Malformed, field::Field, users};
use crate::domain::{CheckDefinition, CheckId, Severity, Timestamp};

/// What a delivery is about; empty in a test message.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) check: Option<Check>,
    pub(super) failing: Vec<FailingUser>,
}

impl Content {
    pub(super) const fn names_failures(&self) -> bool {
        self.check.is_some() && !self.failing.is_empty()
    }
}

#[derive(Debug)]
pub(super) struct Check {
    pub(super) id: CheckId,
    pub(super) words: Words,
}

/// What the delivery says of its check.
#[derive(Debug)]
pub(super) struct Words {
    title: String,
    severity: Severity,
    description: Vec<String>,
    recommended_actions: Vec<String>,
}

impl Words {
    pub(super) fn dated(self, as_of: Timestamp) -> CheckDefinition {
        let Self { title, severity, description, recommended_actions } = self;
        CheckDefinition { title, severity, description, recommended_actions, as_of }
    }
}

/// The detail of a delivery that says it is a failed check: one without a check
/// is refused.
pub(super) fn failed_check(detail: &Field<'_>) -> Result<Content, Malformed> {
    if detail.is_missing() {
        return Err(detail.malformed("missing"));
    }
    detail.object()?;
    let check_id = detail.required("checkId")?;
    match CheckId::new(check_id.text()?) {
        Some(id) => about(id, detail),
        None => Err(check_id.malformed("must not be empty")),
    }
}

/// The detail of a delivery of a type that is not known. It counts as one about
/// a check when it names one, else nothing in it is known, so nothing can be
/// wrong.
pub(super) fn unknown(detail: &Field<'_>) -> Result<Content, Malformed> {
    if detail.object().is_err() {
        return Ok(Content::default());
    }
    match detail.optional_text("checkId")?.and_then(CheckId::new) {
        Some(id) => about(id, detail),
        None => Ok(Content::default()),
    }
}

fn about(id: CheckId, detail: &Field<'_>) -> Result<Content, Malformed> {
    detail.optional_text("published")?;
    let title = detail.optional_text("title")?.filter(|title| !title.trim().is_empty());
    let words = Words {
        title: title.unwrap_or(id.as_str()).to_owned(),
        severity: Severity::new(detail.optional_text("severity")?),
        description: detail.child("description").texts()?,
        recommended_actions: recommended_actions(detail)?,
    };
    Ok(Content { check: Some(Check { id, words }), failing: users::failing(detail)? })
}

/// One published text of the service spells the field with a space.
fn recommended_actions(detail: &Field<'_>) -> Result<Vec<String>, Malformed> {
    let usual = detail.child("recommendedActions");
    let field = if usual.is_missing() { detail.child("recommended Actions") } else { usual };
    field.texts()
}
