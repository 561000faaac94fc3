//! What was written in another form than usual, and how it was read.

use std::fmt::Display;

use crate::domain::cut_text;

/// Notes of one delivery at most; the rest is counted.
const MOST: usize = 20;

/// Bytes that a note quotes at most.
const QUOTED: usize = 80;

/// The notes of one delivery.
#[derive(Debug, Default)]
pub(super) struct Notes {
    texts: Vec<String>,
    more: usize,
}

impl Notes {
    /// Notes something about a field.
    pub(super) fn add(&mut self, place: &str, what: impl Display) {
        if self.texts.len() < MOST {
            self.texts.push(format!("{place}: {what}"));
        } else {
            self.more += 1;
        }
    }

    pub(super) fn into_texts(self) -> Vec<String> {
        let Self { mut texts, more } = self;
        if more > 0 {
            texts.push(format!("and {more} more"));
        }
        texts
    }
}

/// A text between quotation marks, not longer than a note can hold.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", cut_text(text, QUOTED))
}
