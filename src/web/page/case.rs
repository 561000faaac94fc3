//! Capitalization.

/// Capitalizes the first letter of a text.
pub(super) fn sentence_case(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
