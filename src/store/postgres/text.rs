//! Translates SQL of the engine interface for PostgreSQL; see [`sql`](crate::store::sql) for the
//! differences.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Maximum number of cached statements; the program has about as many. Beyond it, a statement that
/// is built for a filter is translated each time.
const REMEMBERED: usize = 1024;

/// Translated statements, by their original text.
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
                // JSON is stored as text. It may contain escaped NUL characters, which a PostgreSQL
                // text extracted from it cannot hold.
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

/// The replacement of a word that PostgreSQL spells differently, and the length of the word.
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
    // JSON is stored as text.
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

/// Where the column name begins with which a text ends.
fn column_begin(text: &str) -> usize {
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.');
    text.trim_end_matches(is_name).len()
}

/// The length of the quoted text at the start of `sql`.
fn quoted_length(sql: &str) -> usize {
    // A doubled quote within it reads as the end of one text and the start of another, which is
    // fine here.
    sql[1..].find('\'').map_or(sql.len(), |end| end + 2)
}

/// The number of arguments of a function, after its opening parenthesis.
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
