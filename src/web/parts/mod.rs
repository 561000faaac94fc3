//! The health of the exporter, by part and as one verdict, for the overview and the health page.
//! The probes `/-/healthy` and `/-/ready` have rules of their own: a fault of another system, such
//! as a collector that is down, does not make the exporter unready.

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

/// The state of a part, ordered by how much it needs the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// The configuration switches it off, or it is not used.
    Off,
    /// It does its work.
    Good,
    /// It waits for something that happens without the operator, such as the first run.
    Waiting,
    /// The operator should look at it.
    Attention,
    /// It does not do its work.
    Failing,
}

impl State {
    /// The name of the state, for screen readers.
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

/// A part of the exporter and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Its name on the page.
    pub(super) name: &'static str,
    /// Its state.
    pub(super) state: State,
    /// The state in one or two words that are specific to the part.
    pub(super) word: &'static str,
    /// The reason for the state, or what shows that it works.
    pub(super) why: Sentence,
    /// What the operator can do; `None` when nothing is to be done.
    pub(super) to_do: Option<Sentence>,
    /// Since when, where that is known.
    pub(super) since: Option<Timestamp>,
    /// Whether the exporter cannot work without it.
    is_vital: bool,
}

/// All parts, the worst first, and the verdict on them.
pub(super) fn judge(ops: &Ops, stored: Stored) -> (Vec<Part>, Verdict) {
    let facts = facts::gather_facts(ops, stored);
    let parts = judge::judge_parts(&facts, clock::now());
    let verdict = verdict::overall_verdict(&parts, facts.last_success(), facts.last_delivery());
    (parts, verdict)
}
