//! How the exporter does, part by part and in a word: the verdict on the start page and the
//! lines of the health page. The probes `/-/healthy` and `/-/ready` have rules of their own,
//! since what is about others, such as a collector that is down, makes nothing less ready.

mod api;
mod facts;
mod judge;
mod replica;
mod sentence;
#[cfg(test)]
mod tests;
mod verdict;

use crate::{clock, domain::Timestamp, web::Ops};

pub(super) use facts::{Stored, read_stored};
pub(super) use sentence::{Piece, Sentence};
pub(super) use verdict::Verdict;

/// How a part does, what needs nobody first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// The configuration has it off, or nobody uses it.
    Off,
    /// It does its work.
    Good,
    /// It waits for something that comes by itself, or for the first of its kind.
    Waiting,
    /// Something is worth a look.
    Attention,
    /// It does not do its work.
    Failing,
}

impl State {
    /// The state in a word, for whoever does not see the glyph.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Good => "good",
            Self::Waiting => "waiting",
            Self::Attention => "attention",
            Self::Failing => "failing",
        }
    }
}

/// A part of the exporter and how it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// What it is called.
    pub(super) name: &'static str,
    /// How it does.
    pub(super) state: State,
    /// The same in one or two words of its own.
    pub(super) word: &'static str,
    /// Why, or what shows that it works.
    pub(super) why: Sentence,
    /// What an operator can do; nothing where nothing is to be done.
    pub(super) to_do: Option<Sentence>,
    /// Since when, where that is known.
    pub(super) since: Option<Timestamp>,
    /// Whether nothing works without it.
    is_vital: bool,
}

/// All parts, the worst first, and the verdict on them.
pub(super) fn judge(ops: &Ops, stored: Stored) -> (Vec<Part>, Verdict) {
    let facts = facts::gather_facts(ops, stored);
    let parts = judge::judge_parts(&facts, clock::now());
    let verdict = verdict::overall_verdict(&parts, facts.last_success(), facts.last_delivery());
    (parts, verdict)
}
