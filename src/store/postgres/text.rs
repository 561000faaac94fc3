//! The seam's text of SQL, as PostgreSQL reads it; see [`sql`](crate::store::sql) for what differs.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Statements that are remembered; there are about as many in the program. One that is made for a
/// filter is translated anew past that.
const REMEMBERED: usize = 1024;

/// Translated statements, by the seam's text.
#[derive(Debug, Default)]
pub(super) struct Texts(Mutex<HashMap<String, Arc<str>>>);

impl Texts {
    /// A statement as PostgreSQL reads it.
    pub(super) fn translate(&self, sql: &str) -> Arc<str> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.get(sql) {
            return text.clone();
        }
        let text: Arc<str> = translate_sql(sql).into();
        if known.len() < REMEMBERED {
            known.insert(sql.to_owned(), text.clone());
        }
        text
    }
}

fn translate_sql(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 32);
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let is_word_begun = out.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let (text, length) = match first {
            '\'' => {
                let length = quoted_length(rest);
                (Cow::from(&rest[..length]), length)
            }
            '?' => (Cow::from("$"), 1),
            ' ' if rest.starts_with(" ->> ") => {
                // JSON is stored as a text. It may have the character NUL, which no text that is
                // taken out of it can have.
                let column = out.split_off(column_begin(&out));
                let json = format!("replace({column}, '\\u0000', '\\ufffd')::json ->> ");
                (Cow::from(json), " ->> ".len())
            }
            _ if is_word_begun => (Cow::from(&rest[..first.len_utf8()]), first.len_utf8()),
            _ => translate_word(rest)
                .unwrap_or_else(|| (Cow::from(&rest[..first.len_utf8()]), first.len_utf8())),
        };
        out.push_str(&text);
        rest = &rest[length..];
    }
    out
}

/// What stands for a word that PostgreSQL has another one for, and how long that is.
fn translate_word(rest: &str) -> Option<(Cow<'static, str>, usize)> {
    const WORDS: [(&str, &str); 3] =
        [("NOT IN rarray(", "<> ALL ("), ("IN rarray(", "= ANY ("), ("LIKE ", "ILIKE ")];
    for (here, there) in WORDS {
        if rest.starts_with(here) {
            return Some((there.into(), here.len()));
        }
    }
    for (here, there) in [("min(", "least("), ("max(", "greatest(")] {
        if let Some(inside) = rest.strip_prefix(here) {
            return (count_arguments(inside) > 1).then(|| (there.into(), here.len()));
        }
    }
    // JSON is stored as a text.
    for function in ["json_each(", "json_array_length("] {
        if let Some(inside) = rest.strip_prefix(function) {
            let argument = &inside[..inside.find(')')?];
            return Some((
                format!("{function}{argument}::json").into(),
                function.len() + argument.len(),
            ));
        }
    }
    None
}

/// Where the name of a column begins that a text ends with.
fn column_begin(text: &str) -> usize {
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.');
    text.trim_end_matches(is_name).len()
}

/// The length of a text in quotes, at whose beginning `sql` stands.
fn quoted_length(sql: &str) -> usize {
    // A quote within it is doubled, which reads as the end of one text and the beginning of
    // another.
    sql[1..].find('\'').map_or(sql.len(), |end| end + 2)
}

/// How many arguments a function has, whose opening parenthesis was just before.
fn count_arguments(inside: &str) -> usize {
    let (mut depth, mut found) = (0_usize, 1);
    let mut rest = inside;
    while let Some(first) = rest.chars().next() {
        match first {
            '\'' => {
                rest = &rest[quoted_length(rest)..];
                continue;
            }
            '(' => depth += 1,
            ')' if depth == 0 => return found,
            ')' => depth -= 1,
            ',' if depth == 0 => found += 1,
            _ => {}
        }
        rest = &rest[first.len_utf8()..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_differs_where_the_seam_says_so_and_nowhere_else() {
        for (here, there) in [
            (
                "SELECT a FROM b WHERE c = ?1 AND d > ?12",
                "SELECT a FROM b WHERE c = $1 AND d > $12",
            ),
            ("a IN rarray(?1) AND b NOT IN rarray(?2)", "a = ANY ($1) AND b <> ALL ($2)"),
            ("SELECT max(a), min(a, b), max(f(a, b))", "SELECT max(a), least(a, b), max(f(a, b))"),
            ("BETWEEN max(first_seq, ?1) AND x", "BETWEEN greatest(first_seq, $1) AND x"),
            ("max((SELECT a FROM b), 'x, (')", "greatest((SELECT a FROM b), 'x, (')"),
            ("login LIKE ?1 ESCAPE '\\'", "login ILIKE $1 ESCAPE '\\'"),
            ("'it''s ?1, LIKE it' = ?1", "'it''s ?1, LIKE it' = $1"),
            (
                "SELECT a, s.state ->> 'name'",
                "SELECT a, replace(s.state, '\\u0000', '\\ufffd')::json ->> 'name'",
            ),
            ("json_each(s.users)", "json_each(s.users::json)"),
            (
                "coalesce(json_array_length(known), 0)",
                "coalesce(json_array_length(known::json), 0)",
            ),
            ("climax(a, b) UNLIKE x", "climax(a, b) UNLIKE x"),
        ] {
            assert_eq!(translate_sql(here), there);
        }
    }

    #[test]
    fn whatever_stands_there_is_translated_without_a_panic() {
        for odd in ["'", "max(", "max('", "json_each(", "ä?1", "?", " ->> ", "IN rarray("] {
            let _ = translate_sql(odd);
        }
    }

    #[test]
    fn a_statement_is_translated_once() {
        let texts = Texts::default();
        assert!(Arc::ptr_eq(&texts.translate("SELECT ?1"), &texts.translate("SELECT ?1")));
    }
}
