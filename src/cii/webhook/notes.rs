//! Notes on parts of a delivery in an unusual form, and how they were read.

use std::fmt::Display;

use crate::domain::cut_text;

/// Most notes of a delivery; further ones are only counted.
const MOST: usize = 20;

/// Most bytes that a note quotes.
const QUOTED: usize = 80;

/// The notes of one delivery.
#[derive(Debug, Default)]
pub(super) struct Notes {
    texts: Vec<String>,
    more: usize,
}

impl Notes {
    /// Adds a note on a field.
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

/// Quotes a text, cut to the limit of a note.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", cut_text(text, QUOTED))
}
