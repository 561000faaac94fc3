//! Sentences with moments, code and sizes. A page renders the moments relative to now and updates
//! them.

use std::{borrow::Cow, fmt};

use crate::domain::{CUT, Timestamp, cut_text, run::cause};

/// Most bytes that a rendered moment or size takes.
const RENDERED: usize = 12;

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web) enum Piece {
    /// Plain text.
    Text(Cow<'static, str>),
    /// A setting, a command or a path.
    Code(Cow<'static, str>),
    /// A past moment, shown as the time since then.
    Ago(Timestamp),
    /// A future moment, shown as the time until then.
    In(Timestamp),
    /// A size in bytes.
    Size(u64),
    /// An error of the API client. Several parts may have the same one.
    Cause(String),
}

/// One or two sentences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::web) struct Sentence(Vec<Piece>);

impl<T: Into<Cow<'static, str>>> From<T> for Sentence {
    fn from(text: T) -> Self {
        Self::default().text(text)
    }
}

impl Sentence {
    pub(super) fn text(self, text: impl Into<Cow<'static, str>>) -> Self {
        self.push(Piece::Text(text.into()))
    }

    pub(super) fn code(self, text: impl Into<Cow<'static, str>>) -> Self {
        self.push(Piece::Code(text.into()))
    }

    pub(super) fn ago(self, at: Timestamp) -> Self {
        self.push(Piece::Ago(at))
    }

    pub(super) fn in_time(self, at: Timestamp) -> Self {
        self.push(Piece::In(at))
    }

    pub(super) fn size(self, bytes: u64) -> Self {
        self.push(Piece::Size(bytes))
    }

    pub(super) fn cause(self, reason: Option<&String>) -> Self {
        match reason {
            Some(reason) => self.push(Piece::Cause(reason.clone())),
            None => self,
        }
    }

    /// Replaces a cause that an earlier part has already given by a reference to that part. What
    /// the reason says of this part's own run stays.
    pub(super) fn replace_repeated_causes(
        &mut self,
        part: &'static str,
        told: &mut Vec<(String, &'static str)>,
    ) {
        for piece in &mut self.0 {
            let Piece::Cause(reason) = piece else { continue };
            let cause = cause(reason);
            let first = told.iter().find(|(known, _)| known == cause).map(|(_, first)| *first);
            let said = if let Some(first) = first {
                // The part `API` reports that the circuit is open, so that note is dropped here.
                let rest = &reason[cause.len()..];
                let own = match rest.strip_prefix(" (several times in a row") {
                    Some(note) => note.split_once(')').map_or("", |(_, own)| own),
                    None => rest,
                };
                format!(", for the reason of {first}{own}")
            } else {
                told.push((cause.to_owned(), part));
                format!(": {reason}")
            };
            *piece = Piece::Text(said.into());
        }
    }

    /// The first sentence, without its cause, in at most `most` bytes.
    pub(super) fn shorten(&self, most: usize) -> Self {
        let mut brief = Self::default();
        let mut left = most;
        for piece in &self.0 {
            let length = match piece {
                Piece::Text(text) | Piece::Code(text) => text.len(),
                Piece::Ago(_) | Piece::In(_) | Piece::Size(_) => RENDERED,
                Piece::Cause(_) => break,
            };
            if let Piece::Text(text) = piece {
                let end = text.find(". ").map_or(length, |at| at + 1);
                brief = brief.text(cut_text(&text[..end], left).into_owned());
                if end < length || end > left || text.ends_with('.') {
                    break;
                }
            } else if length > left {
                brief = brief.text(CUT.to_string());
                break;
            } else {
                brief = brief.push(piece.clone());
            }
            left -= length;
        }
        brief
    }

    pub(super) fn append(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// Its pieces, in order.
    pub(in crate::web) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    fn push(mut self, piece: Piece) -> Self {
        self.0.push(piece);
        self
    }
}

/// The text with moments in RFC 3339, for tests and for measuring.
impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) | Piece::Code(text) => f.write_str(text)?,
                Piece::Ago(at) | Piece::In(at) => {
                    f.write_str(&at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))?;
                }
                Piece::Size(bytes) => write!(f, "{bytes} bytes")?,
                Piece::Cause(reason) => write!(f, ": {reason}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_brief_without_what_follows_it() {
        let at = Timestamp::UNIX_EPOCH;
        let reason = "no answer".to_owned();
        for (sentence, expected) in [
            (Sentence::from("One. Two."), "One."),
            (Sentence::from("It failed").cause(Some(&reason)).text("."), "It failed"),
            (
                Sentence::from("Since ").ago(at).text(", never ever"),
                "Since 1970-01-01T00:00:00Z, ne…",
            ),
            (Sentence::from("Set ").code("a.very.long.setting.of.all").text("."), "Set …"),
            (Sentence::from("One.").text(" The last came ").ago(at).text("."), "One."),
            (Sentence::from("x".repeat(30)), "xxxxxxxxxxxxxxxxxxxxxx…"),
            (Sentence::default(), ""),
        ] {
            assert_eq!(sentence.shorten(25).to_string(), expected);
        }
    }

    #[test]
    fn a_cause_is_told_by_the_first_that_has_it() {
        let mut told = Vec::new();
        let mut tell = |part, reason: &str| {
            let mut sentence =
                Sentence::from("It failed").cause(Some(&reason.to_owned())).text(".");
            sentence.replace_repeated_causes(part, &mut told);
            sentence.to_string()
        };
        assert_eq!(tell("API", "no answer"), "It failed: no answer.");
        assert_eq!(
            tell("Polls", "no answer (2 of 2 users: a, b)"),
            "It failed, for the reason of API (2 of 2 users: a, b)."
        );
        assert_eq!(
            tell("Listing", "no answer (several times in a row; it is pinged) (broke off)"),
            "It failed, for the reason of API (broke off)."
        );
        assert_eq!(tell("Listing", "no right to it"), "It failed: no right to it.");
    }
}
