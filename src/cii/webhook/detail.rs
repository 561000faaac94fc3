//! Reads `detail`: the check and its users.

use serde_json::{Map, Value};

use super::{
    notes::Notes,
    reading::{cut_with_note, find_field, read_sentences, read_text, type_name},
    users::{self, Named},
};
use crate::domain::{
    AttributeValue, CheckDefinition, CheckId, MAX_CHECK_ID_BYTES, Severity, Timestamp,
};

/// Most bytes of `frameworks`: each event of a failure contains them.
const MAX_FRAMEWORKS_BYTES: usize = 8192;

/// The content of a delivery; empty in a test message.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) id: Option<String>,
    pub(super) check: Option<Check>,
    pub(super) frameworks: Option<AttributeValue>,
    pub(super) named: Named,
}

#[derive(Debug)]
pub(super) struct Check {
    pub(super) id: CheckId,
    pub(super) words: Words,
}

/// The definition of the check in the delivery.
#[derive(Debug)]
pub(super) struct Words {
    title: Option<String>,
    severity: Severity,
    description: Vec<String>,
    recommended_actions: Vec<String>,
}

impl Words {
    /// Converts it into a definition that was published at this moment.
    pub(super) fn into_definition(self, id: &CheckId, at: Timestamp) -> CheckDefinition {
        let Self { title, severity, description, recommended_actions } = self;
        let has_title = title.is_some();
        let undefined = CheckDefinition::undefined(id);
        let title = title.unwrap_or_else(|| undefined.title.clone());
        CheckDefinition { title, severity, description, recommended_actions, ..undefined }
            .with_dates(has_title, at)
    }
}

impl Content {
    /// Reads a detail; unreadable parts are added to the notes.
    pub(super) fn read(detail: &Map<String, Value>, notes: &mut Notes) -> Self {
        let check = read_check_id(find_field(detail, "checkId"), notes)
            .map(|id| Check { words: read_words(detail, notes), id });
        Self {
            id: read_text(find_field(detail, "id"), "detail.id", notes),
            check,
            frameworks: find_field(detail, "frameworks")
                .and_then(|value| read_frameworks(value, notes)),
            named: users::read_named(detail, notes),
        }
    }

    pub(super) const fn has_content(&self) -> bool {
        self.check.is_some() || !self.named.users.is_empty()
    }

    pub(super) const fn has_failures(&self) -> bool {
        self.check.is_some() && !self.named.users.is_empty()
    }
}

/// Reads the check's id, a text or a number; reading anything else would invent a check.
fn read_check_id(value: Option<&Value>, notes: &mut Notes) -> Option<CheckId> {
    let value = value?;
    let only = match value {
        Value::Array(list) if list.len() == 1 => &list[0],
        other => other,
    };
    let id = match only {
        Value::String(text) => {
            let text = text.trim().to_owned();
            CheckId::new(&cut_with_note(text, MAX_CHECK_ID_BYTES, "detail.checkId", notes))
        }
        Value::Number(number) => CheckId::new(&number.to_string()),
        _ => None,
    };
    match (&id, value) {
        (Some(_), Value::String(_)) => {}
        (Some(id), other) => {
            notes.add("detail.checkId", format_args!("{}, read as \"{id}\"", type_name(other)));
        }
        (None, other) => {
            notes.add(
                "detail.checkId",
                format_args!("{}, no id that can be used", type_name(other)),
            );
        }
    }
    id
}

fn read_words(detail: &Map<String, Value>, notes: &mut Notes) -> Words {
    Words {
        title: read_text(find_field(detail, "title"), "detail.title", notes),
        severity: Severity::new(
            read_text(find_field(detail, "severity"), "detail.severity", notes).as_deref(),
        ),
        description: read_sentences(find_field(detail, "description"), "detail.description", notes),
        recommended_actions: read_sentences(
            find_field(detail, "recommendedActions"),
            "detail.recommendedActions",
            notes,
        ),
    }
}

/// Reads `frameworks`, whose form is not published: texts are kept, anything else is kept as JSON.
fn read_frameworks(value: &Value, notes: &mut Notes) -> Option<AttributeValue> {
    if value.to_string().len() > MAX_FRAMEWORKS_BYTES {
        let problem = format_args!("longer than {MAX_FRAMEWORKS_BYTES} bytes, left out");
        notes.add("detail.frameworks", problem);
        return None;
    }
    match value {
        Value::Null => None,
        Value::String(text) => Some(AttributeValue::Text(text.clone())),
        Value::Array(list) if list.is_empty() => None,
        Value::Array(list) => {
            let texts: Option<Vec<_>> =
                list.iter().map(|entry| entry.as_str().map(str::to_owned)).collect();
            Some(
                texts.map_or_else(|| AttributeValue::Text(value.to_string()), AttributeValue::List),
            )
        }
        other => Some(AttributeValue::Text(other.to_string())),
    }
}
