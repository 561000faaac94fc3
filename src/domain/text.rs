//! Texts from outside, whose length is not limited.

use std::borrow::Cow;

/// The last character of a text that was cut.
pub const CUT: char = '…';

/// The text; when it has more than `most` bytes, its start and a mark.
#[must_use]
pub fn cut_text(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(most.saturating_sub(CUT.len_utf8()));
    Cow::Owned(format!("{}{CUT}", &text[..end]))
}

/// The text with each NUL character replaced. Not every database can store one, and a text used as
/// a key must be stored unchanged.
#[must_use]
pub fn replace_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// The text on one line, without white space around it, and cut to `most` bytes.
#[must_use]
pub fn one_line(text: &str, most: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut_text(line.trim(), most).into_owned()
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

    #[test]
    fn the_character_nul_becomes_a_mark() {
        assert_eq!(replace_nul("a\0b\0"), "a\u{fffd}b\u{fffd}");
        assert!(matches!(replace_nul("a b"), Cow::Borrowed("a b")));
    }

    #[test]
    fn a_line_has_no_line_breaks() {
        assert_eq!(one_line(" a\r\nb\tc\n", 9), "a  b c");
        assert_eq!(one_line("\nabcdefg\n", 6), "abc…");
    }
}
