//! Texts from outside, which can be of any length.

use std::borrow::Cow;

/// What a text ends with that was cut.
const MARK: char = '…';

/// The text, or its beginning and a mark where it has more than `most` bytes.
#[must_use]
pub fn cut_text(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(most.saturating_sub(MARK.len_utf8()));
    Cow::Owned(format!("{}{MARK}", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_marked() {
        assert_eq!(cut_text("abcdef", 6), "abcdef");
        assert_eq!(cut_text("abcdefg", 6), "abc…");
        assert_eq!(cut_text("aböö", 6), "aböö");
        assert_eq!(cut_text("aböörr", 6), "ab…");
        assert_eq!(cut_text("abc", 0), "…");
    }
}
