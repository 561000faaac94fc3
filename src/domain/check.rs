//! A check: a rule of the service that users pass or fail.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{Severity, Timestamp, cut_text, replace_nul};

/// Maximum bytes of a check's id. The known ids are short slugs.
pub const MAX_CHECK_ID_BYTES: usize = 256;

/// A check's id, a short slug such as `no-mfa`. It stays the same when a tenant renames or re-rates
/// the check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(Arc<str>);

impl CheckId {
    /// Takes an id; `None` when the text is empty. Each NUL character is replaced.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(replace_nul(text).into()))
    }

    /// The id that a text of an answer can be. It is cut like an id in a delivery, so that both
    /// give the same check. `None` when the text is empty.
    #[must_use]
    pub fn from_answer_text(text: &str) -> Option<Self> {
        Self::new(&cut_text(text.trim(), MAX_CHECK_ID_BYTES))
    }

    /// The id of a text that is too long to be an id as it is; `None` for shorter texts.
    #[must_use]
    pub fn from_long_text(text: &str) -> Option<Self> {
        Self::from_answer_text(text).filter(|_| text.trim().len() > MAX_CHECK_ID_BYTES)
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The definition of a check. For each part, the most recent delivery that has it wins, by the time
/// at which it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckDefinition {
    /// The title for people; the id when no title is known.
    pub title: String,
    /// How severe it is to fail the check.
    pub severity: Severity,
    /// What the check looks for, one sentence an item.
    pub description: Vec<String>,
    /// The actions that the service recommends.
    pub recommended_actions: Vec<String>,
    /// Which parts a delivery gave, and when each was published.
    pub told: DefinitionDates,
}

/// For each part of a check's definition, when the delivery with it was published, or when the
/// answers with the title were requested; none for a part that neither gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DefinitionDates {
    /// The title.
    pub title: Option<Timestamp>,
    /// The severity.
    pub severity: Option<Timestamp>,
    /// The description.
    pub description: Option<Timestamp>,
    /// The recommended actions.
    pub recommended_actions: Option<Timestamp>,
}

/// A title in the form in which titles are compared: lower case, without white space around it, and
/// with each NUL character replaced.
#[must_use]
pub fn fold_title(title: &str) -> String {
    replace_nul(title.trim()).to_lowercase()
}

/// The operator's words for a check; they count where no delivery has any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckWords {
    /// Its title.
    pub title: Option<String>,
    /// Its severity.
    pub severity: Severity,
}

/// The operator's words for checks, by id or title.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfiguredChecks(BTreeMap<String, (String, CheckWords)>);

impl ConfiguredChecks {
    /// Adds the words for the check with this id or title. Returns the words that it had before
    /// under the same name, ignoring case.
    pub fn insert(&mut self, name: &str, words: CheckWords) -> Option<CheckWords> {
        let before = self.0.insert(fold_title(name), (name.trim().to_owned(), words));
        before.map(|(_, words)| words)
    }

    /// The words for the check with this id or title.
    #[must_use]
    pub fn words_for(&self, name: &str) -> Option<&CheckWords> {
        self.0.get(&fold_title(name)).map(|(_, words)| words)
    }

    /// Every name as it is written, with its words.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &CheckWords)> {
        self.0.values().map(|(name, words)| (name.as_str(), words))
    }

    /// The ids to which the operator gave a title. An answer that lists the title means this check,
    /// even before a delivery names the check.
    pub fn ids_with_titles(&self) -> impl Iterator<Item = (CheckId, &str)> {
        self.iter().filter_map(|(name, words)| {
            let title = words.title.as_deref()?;
            let is_other = fold_title(title) != fold_title(name);
            CheckId::new(name).filter(|_| is_other).map(|id| (id, title))
        })
    }
}

impl CheckDefinition {
    /// The definition of a check of which only the id is known.
    #[must_use]
    pub fn undefined(id: &CheckId) -> Self {
        Self {
            title: id.to_string(),
            severity: Severity::default(),
            description: Vec::new(),
            recommended_actions: Vec::new(),
            told: DefinitionDates::default(),
        }
    }

    /// Fills parts that no delivery gave with the operator's words, found by the check's id or its
    /// title.
    #[must_use]
    pub fn with_configured_words(self, id: &CheckId, configured: &ConfiguredChecks) -> Self {
        let by_id = configured.words_for(id.as_str());
        let mut definition = self;
        if definition.told.title.is_none() {
            let title = by_id.and_then(|words| words.title.clone());
            definition.title = title.unwrap_or_else(|| id.to_string());
        }
        if definition.told.severity.is_none() {
            let by_title = configured.words_for(&definition.title);
            let rated = [by_id, by_title].into_iter().flatten().map(|words| &words.severity);
            let rated = rated.into_iter().find(|severity| severity.text().is_some());
            definition.severity = rated.cloned().unwrap_or_default();
        }
        definition
    }

    /// Whether no delivery gave any part.
    #[must_use]
    pub fn is_untold(&self) -> bool {
        self.told == DefinitionDates::default()
    }

    /// Dates each part that this definition has; an empty part counts as not given.
    #[must_use]
    pub fn with_dates(self, has_title: bool, at: Timestamp) -> Self {
        let told = DefinitionDates {
            title: has_title.then_some(at),
            severity: self.severity.text().map(|_| at),
            description: (!self.description.is_empty()).then_some(at),
            recommended_actions: (!self.recommended_actions.is_empty()).then_some(at),
        };
        Self { told, ..self }
    }

    /// Takes each part that `reported` has and that is not older than the known one, so that the
    /// order of arrival makes no difference.
    #[must_use]
    pub fn merge(&self, reported: &Self) -> Self {
        let mut merged = self.clone();
        let is_newer = |reported: Option<Timestamp>, known| reported.is_some() && reported >= known;
        if is_newer(reported.told.title, self.told.title) {
            merged.title.clone_from(&reported.title);
            merged.told.title = reported.told.title;
        }
        if is_newer(reported.told.severity, self.told.severity) {
            merged.severity.clone_from(&reported.severity);
            merged.told.severity = reported.told.severity;
        }
        if is_newer(reported.told.description, self.told.description) {
            merged.description.clone_from(&reported.description);
            merged.told.description = reported.told.description;
        }
        if is_newer(reported.told.recommended_actions, self.told.recommended_actions) {
            merged.recommended_actions.clone_from(&reported.recommended_actions);
            merged.told.recommended_actions = reported.told.recommended_actions;
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    fn id() -> CheckId {
        CheckId::new("no-mfa").unwrap()
    }

    fn reported(
        title: Option<&str>,
        severity: Option<&str>,
        description: &[&str],
        second: i64,
    ) -> CheckDefinition {
        CheckDefinition {
            title: title.unwrap_or("no-mfa").to_owned(),
            severity: Severity::new(severity),
            description: description.iter().map(|&text| text.to_owned()).collect(),
            ..CheckDefinition::undefined(&id())
        }
        .with_dates(title.is_some(), at(second))
    }

    #[test]
    fn what_the_operator_says_fills_what_no_delivery_gave() {
        let mut configured = ConfiguredChecks::default();
        let words = |title: Option<&str>, severity| CheckWords {
            title: title.map(str::to_owned),
            severity: Severity::new(severity),
        };
        configured.insert("no-mfa", words(Some("No MFA"), Some("critical")));
        configured.insert("Dormant Account", words(None, Some("low")));
        for (known, title, severity) in [
            (CheckDefinition::undefined(&id()), "No MFA", Some("critical")),
            (reported(Some("Told"), None, &[], 1), "Told", Some("critical")),
            (reported(None, Some("high"), &[], 1), "No MFA", Some("high")),
            (reported(Some("Told"), Some("info"), &[], 1), "Told", Some("info")),
        ] {
            let shown = known.clone().with_configured_words(&id(), &configured);
            assert_eq!((shown.title.as_str(), shown.severity.text()), (title, severity));
            let without = shown.with_configured_words(&id(), &ConfiguredChecks::default());
            assert_eq!(without, known, "what was configured goes again");
        }
        let other = CheckId::new("dormant").unwrap();
        let titled = reported(Some("dormant account "), None, &[], 1);
        assert_eq!(titled.with_configured_words(&other, &configured).severity.text(), Some("low"));
        let titled: Vec<_> = configured.ids_with_titles().collect();
        assert_eq!(titled, [(id(), "No MFA")], "a name without a title may be one itself");
    }

    #[test]
    fn each_part_is_that_of_the_most_recent_delivery_that_has_it() {
        let deliveries = [
            reported(Some("Old"), Some("low"), &["Old words"], 1),
            reported(None, Some("high"), &[], 2),
            reported(Some("New"), None, &[], 3),
            reported(None, None, &[], 4),
        ];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
            let mut known = CheckDefinition::undefined(&id());
            for number in order {
                known = known.merge(&deliveries[number]);
            }
            assert_eq!((known.title.as_str(), known.severity.text()), ("New", Some("high")));
            assert_eq!(known.description, ["Old words"]);
            assert_eq!(known.told.title, Some(at(3)), "{order:?}");
            assert_eq!(known.told.recommended_actions, None);
        }
    }
}
