//! Sentences with moments, code and sizes in them, which a page renders and keeps current.

use std::{borrow::Cow, fmt};

use crate::domain::Timestamp;

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web) enum Piece {
    /// Words.
    Text(Cow<'static, str>),
    /// A setting, a command or a path.
    Code(Cow<'static, str>),
    /// How long ago that is.
    Ago(Timestamp),
    /// How long it is until then.
    In(Timestamp),
    /// A size in bytes.
    Size(u64),
}

/// A sentence or two in plain words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::web) struct Sentence(Vec<Piece>);

impl<T: Into<Cow<'static, str>>> From<T> for Sentence {
    fn from(text: T) -> Self {
        Self::default().text(text)
    }
}

impl Sentence {
    pub(super) fn text(self, text: impl Into<Cow<'static, str>>) -> Self {
        self.with(Piece::Text(text.into()))
    }

    pub(super) fn code(self, text: impl Into<Cow<'static, str>>) -> Self {
        self.with(Piece::Code(text.into()))
    }

    pub(super) fn ago(self, at: Timestamp) -> Self {
        self.with(Piece::Ago(at))
    }

    pub(super) fn in_time(self, at: Timestamp) -> Self {
        self.with(Piece::In(at))
    }

    pub(super) fn size(self, bytes: u64) -> Self {
        self.with(Piece::Size(bytes))
    }

    pub(super) fn join(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// Its pieces, in order.
    pub(in crate::web) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    fn with(mut self, piece: Piece) -> Self {
        self.0.push(piece);
        self
    }
}

/// For programs and tests: moments stand there in full.
impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) | Piece::Code(text) => f.write_str(text)?,
                Piece::Ago(at) | Piece::In(at) => {
                    f.write_str(&at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))?;
                }
                Piece::Size(bytes) => write!(f, "{bytes} bytes")?,
            }
        }
        Ok(())
    }
}
