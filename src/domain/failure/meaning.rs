//! Which check a text of an answer means. `failingChecks` may hold ids or titles; no public
//! document says which, so both are accepted.

use std::{collections::BTreeSet, sync::Arc};

use super::super::{CheckDefinition, CheckId, ConfiguredChecks};

/// A check with its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckName {
    /// The check.
    pub id: CheckId,
    /// Its definition.
    pub definition: Arc<CheckDefinition>,
    /// Whether it is known only by a text of answers.
    pub is_provisional: bool,
}

impl CheckName {
    /// A check that is known only by a text of an answer: its id is the text.
    #[must_use]
    pub fn provisional(id: CheckId) -> Self {
        let definition = CheckDefinition::undefined(&id);
        Self { id, definition: Arc::new(definition), is_provisional: true }
    }
}

/// The checks with a title.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Titled {
    /// Checks that have the title now.
    pub current: BTreeSet<CheckId>,
    /// Checks that had the title before.
    pub former: BTreeSet<CheckId>,
}

/// The meaning of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// One check.
    Check {
        /// The check.
        check: CheckName,
        /// Whether the text is its title instead of its id.
        by_title: bool,
    },
    /// Several checks have this title, and the text does not say which is meant.
    Shared(BTreeSet<CheckId>),
}

/// The check that a text means: the one with this id; else the only one that has this title; else
/// the only one that had it; else one that is known by the text alone. `known` looks up a check.
/// None when the text can name no check.
pub fn meaning(
    text: &str,
    titled: &Titled,
    configured: &ConfiguredChecks,
    known: impl Fn(&CheckId) -> Option<CheckName>,
) -> Option<Meaning> {
    let id = CheckId::from_answer_text(text)?;
    if let Some(check) = known(&id) {
        let by_title = check.is_provisional && may_be_title(text);
        return Some(Meaning::Check { check, by_title });
    }
    if titled.current.len() > 1 {
        return Some(Meaning::Shared(titled.current.clone()));
    }
    let only_former = (titled.former.len() == 1).then(|| titled.former.first()).flatten();
    let found = titled.current.first().or(only_former).and_then(known);
    Some(if let Some(check) = found {
        Meaning::Check { check, by_title: true }
    } else {
        let definition = CheckDefinition::undefined(&id).with_configured_words(&id, configured);
        let check = CheckName { definition: definition.into(), ..CheckName::provisional(id) };
        Meaning::Check { check, by_title: may_be_title(text) }
    })
}

/// Whether an unexplained text may be a title: ids have no spaces.
fn may_be_title(text: &str) -> bool {
    text.trim().contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> CheckId {
        CheckId::new(text).unwrap()
    }

    fn ids(texts: &[&str]) -> BTreeSet<CheckId> {
        texts.iter().map(|text| id(text)).collect()
    }

    /// A check for every id but `Brand New`.
    fn known(id: &CheckId) -> Option<CheckName> {
        let is_provisional = id.as_str().starts_with("Just");
        (id.as_str() != "Brand New" && !id.as_str().starts_with("No"))
            .then(|| CheckName { is_provisional, ..CheckName::provisional(id.clone()) })
    }

    fn of(text: &str, current: &[&str], former: &[&str]) -> (BTreeSet<CheckId>, bool) {
        let titled = Titled { current: ids(current), former: ids(former) };
        match meaning(text, &titled, &ConfiguredChecks::default(), known).unwrap() {
            Meaning::Check { check, by_title } => (BTreeSet::from([check.id]), by_title),
            Meaning::Shared(checks) => (checks, true),
        }
    }

    #[test]
    fn an_id_comes_first_then_the_only_title_then_the_only_former_one_then_the_text() {
        assert_eq!(of("a", &["b"], &["c"]), (ids(&["a"]), false));
        assert_eq!(of("No MFA", &["b"], &["c", "d"]), (ids(&["b"]), true));
        assert_eq!(of("No MFA", &["b", "c"], &[]), (ids(&["b", "c"]), true));
        assert_eq!(of("No MFA", &[], &["c"]), (ids(&["c"]), true));
        assert_eq!(of("No MFA", &[], &["c", "d"]), (ids(&["No MFA"]), true));
        assert_eq!(of("NoMFA", &[], &[]), (ids(&["NoMFA"]), false));
        assert_eq!(of("Just A Text", &[], &[]), (ids(&["Just A Text"]), true));
        let configured = ConfiguredChecks::default();
        let long = format!("No{}", "x".repeat(300));
        let Meaning::Check { check, .. } =
            meaning(&long, &Titled::default(), &configured, known).unwrap()
        else {
            panic!("nobody else has it")
        };
        assert_eq!(check.id.as_str(), format!("{}…", &long[..253]));
        assert_eq!(meaning(" ", &Titled::default(), &configured, known), None);
    }
}
