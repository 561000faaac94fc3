//! The sentence of an event, with links to its user, check and address.

use maud::{Markup, html};

use super::words;
use crate::domain::{AttributeValue, Event, event::key};

/// A user, a check or an address that an event is about.
struct Subject {
    /// Its name in the sentence.
    named: String,
    /// The kind of its page (`users`, `checks`, `ips`), and its id there.
    kind: &'static str,
    id: String,
}

/// Renders `body`, the sentence of an event, with links. Subjects that the sentence does not name
/// are linked below it.
pub(super) fn linked_sentence(event: &Event, body: &str) -> Markup {
    let subjects = event_subjects(event);
    let parts = split_at_subjects(body, &subjects);
    let unnamed: Vec<_> = (0..subjects.len())
        .filter(|number| !parts.iter().any(|(_, of)| of == &Some(*number)))
        .filter_map(|number| subjects.get(number))
        .collect();
    html! {
        @for (text, of) in parts {
            @match of.and_then(|number| subjects.get(number)) {
                Some(Subject { kind, id, .. }) => (words::subject_link(kind, id, text)),
                None => (text),
            }
        }
        @if !unnamed.is_empty() {
            small {
                @for Subject { named, kind, id } in unnamed {
                    (words::subject_link(kind, id, named))
                }
            }
        }
    }
}

fn event_subjects(event: &Event) -> Vec<Subject> {
    let title = [Some(&event.attributes), event.of_check.as_deref(), event.of_delivery.as_deref()]
        .into_iter()
        .flatten()
        .find_map(|attributes| match attributes.get(key::CHECK_TITLE) {
            Some(AttributeValue::Text(title)) => Some(title.clone()),
            _ => None,
        });
    let user = event.login.as_ref().map(|login| Subject {
        named: login.spelling().to_owned(),
        kind: "users",
        id: login.as_str().to_owned(),
    });
    let check = event.check_id.as_ref().map(|check| Subject {
        named: title.unwrap_or_else(|| check.as_str().to_owned()),
        kind: "checks",
        id: check.as_str().to_owned(),
    });
    let ip = event.ip.as_ref().map(|ip| Subject { named: ip.clone(), kind: "ips", id: ip.clone() });
    [user, check, ip].into_iter().flatten().collect()
}

/// Splits the sentence into parts, each with the index of the subject that it names. Each subject
/// is linked once, at its first occurrence as a whole word. Of two subjects at one place, the
/// longer one wins.
fn split_at_subjects<'a>(body: &'a str, subjects: &[Subject]) -> Vec<(&'a str, Option<usize>)> {
    let mut parts = Vec::new();
    let mut left: Vec<usize> = (0..subjects.len()).collect();
    let mut at = 0;
    loop {
        let found = left.iter().filter_map(|number| {
            let named = &subjects.get(*number)?.named;
            Some((find_whole_word(body, at, named)?, named.len(), *number))
        });
        let first = found.min_by_key(|(begin, length, _)| (*begin, usize::MAX - length));
        let Some((begin, length, number)) = first else { break };
        parts.push((&body[at..begin], None));
        parts.push((&body[begin..begin + length], Some(number)));
        at = begin + length;
        left.retain(|other| *other != number);
    }
    parts.push((&body[at..], None));
    parts.retain(|(text, _)| !text.is_empty());
    parts
}

/// Finds the first occurrence of a name that is not a part of another word.
fn find_whole_word(body: &str, from: usize, named: &str) -> Option<usize> {
    if named.is_empty() {
        return None;
    }
    body[from..].match_indices(named).map(|(at, _)| from + at).find(|at| {
        let before = body[..*at].chars().next_back();
        let after = body[at + named.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(body: &str, names: &[&str]) -> String {
        let subjects: Vec<_> = names
            .iter()
            .map(|named| Subject { named: (*named).to_owned(), kind: "users", id: String::new() })
            .collect();
        let parts = split_at_subjects(body, &subjects);
        assert_eq!(parts.iter().map(|(text, _)| *text).collect::<String>(), body);
        let mark = |(text, of): (&str, Option<usize>)| match of {
            Some(number) => format!("[{number}:{text}]"),
            None => text.to_owned(),
        };
        parts.into_iter().map(mark).collect()
    }

    #[test]
    fn words_are_linked_once_each_where_they_stand_apart() {
        let body = "ann@x.com newly fails the check \"No MFA\"";
        assert_eq!(
            marked(body, &["ann@x.com", "No MFA"]),
            "[0:ann@x.com] newly fails the check \"[1:No MFA]\""
        );
        // A login that is a word of the sentence, and one within another.
        assert_eq!(marked("a fails a check", &["a"]), "[0:a] fails a check");
        assert_eq!(marked("banana fails", &["an"]), "banana fails");
        assert_eq!(marked("MFA is off", &["MFA", "MFA is off"]), "[1:MFA is off]");
        assert_eq!(marked("zoë, zoë", &["zoë", ""]), "[0:zoë], zoë");
        assert_eq!(marked("", &["a"]), "");
    }
}
