//! A JSON value that knows where in the body it stands.

use serde_json::{Map, Value};

use super::Malformed;

/// A place in the body and what is there; `null` counts as nothing.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    pointer: String,
    value: Option<&'a Value>,
}

impl<'a> Field<'a> {
    pub(super) fn root(body: &'a Value) -> Self {
        Self { pointer: String::new(), value: Some(body) }
    }

    /// The field of this name. Names are written in this code, so that a
    /// pointer never repeats a name that a sender made up.
    pub(super) fn child(&self, name: &'static str) -> Self {
        let value = self.value.and_then(|value| value.get(name)).filter(|value| !value.is_null());
        Self { pointer: format!("{}/{name}", self.pointer), value }
    }

    pub(super) fn required(&self, name: &'static str) -> Result<Self, Malformed> {
        let child = self.child(name);
        if child.is_missing() { Err(child.malformed("missing")) } else { Ok(child) }
    }

    pub(super) const fn is_missing(&self) -> bool {
        self.value.is_none()
    }

    pub(super) fn malformed(&self, problem: impl Into<String>) -> Malformed {
        Malformed::field(self.pointer.clone(), problem)
    }

    fn unexpected(&self, expected: &str) -> Malformed {
        self.malformed(format!("expected {expected}, found {}", name_of_type(self.value)))
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>, Malformed> {
        self.value.and_then(Value::as_object).ok_or_else(|| self.unexpected("an object"))
    }

    pub(super) fn text(&self) -> Result<&'a str, Malformed> {
        self.value.and_then(Value::as_str).ok_or_else(|| self.unexpected("a string"))
    }

    pub(super) fn filled_text(&self) -> Result<&'a str, Malformed> {
        let text = self.text()?;
        if text.trim().is_empty() { Err(self.malformed("must not be empty")) } else { Ok(text) }
    }

    pub(super) fn optional_text(&self, name: &'static str) -> Result<Option<&'a str>, Malformed> {
        let child = self.child(name);
        if child.is_missing() { Ok(None) } else { child.text().map(Some) }
    }

    /// The elements of a list; none when the list is missing.
    pub(super) fn elements(&self) -> Result<Vec<Self>, Malformed> {
        let Some(value) = self.value else { return Ok(Vec::new()) };
        let list = value.as_array().ok_or_else(|| self.unexpected("a list"))?;
        Ok(list
            .iter()
            .enumerate()
            .filter(|(_, element)| !element.is_null())
            .map(|(index, element)| Self {
                pointer: format!("{}/{index}", self.pointer),
                value: Some(element),
            })
            .collect())
    }

    /// The texts of a list, or of one text alone; empty ones are dropped.
    pub(super) fn texts(&self) -> Result<Vec<String>, Malformed> {
        let texts = match self.value {
            None => Vec::new(),
            Some(Value::String(text)) => vec![text.as_str()],
            Some(Value::Array(_)) => {
                self.elements()?.iter().map(Self::text).collect::<Result<_, _>>()?
            }
            Some(_) => return Err(self.unexpected("a list of strings, or a string")),
        };
        Ok(texts.into_iter().filter(|text| !text.trim().is_empty()).map(str::to_owned).collect())
    }

    /// A list as compact JSON; `None` when it is missing or empty.
    pub(super) fn list_as_json(&self) -> Result<Option<String>, Malformed> {
        let elements = self.elements()?;
        Ok(self.value.filter(|_| !elements.is_empty()).map(Value::to_string))
    }
}

const fn name_of_type(value: Option<&Value>) -> &'static str {
    match value {
        None | Some(Value::Null) => "nothing",
        Some(Value::Bool(_)) => "true or false",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a string",
        Some(Value::Array(_)) => "a list",
        Some(Value::Object(_)) => "an object",
    }
}
