//! Statements that were sent, and whose answers nobody waited for yet; see [`sending`](super::sending).

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use tokio_postgres::{Error, Row};

use super::value::Owned;
use crate::store::sql::Param;

/// What becomes of a statement.
pub(super) type Work<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// Statements in the order in which they were sent.
#[derive(Default)]
pub(super) struct Ahead {
    pub(super) sent: VecDeque<Sent>,
    /// Whether questions are only sent: their rows are asked for later.
    pub(super) is_rehearsal: bool,
}

pub(super) enum Sent {
    /// It changes rows. What it fails with is told by whatever waits next.
    Deed(Work<()>),
    Question(Question),
}

/// A question that was foreseen.
pub(super) struct Question {
    pub(super) text: String,
    pub(super) params: Vec<Owned>,
    pub(super) rows: Rows,
}

pub(super) enum Rows {
    Coming(Work<Vec<Row>>),
    Here(Vec<Row>),
}

impl Question {
    pub(super) fn matches(&self, text: &str, params: &[Param<'_>]) -> bool {
        self.text == text
            && self.params.len() == params.len()
            && self.params.iter().zip(params).all(|(own, param)| own.equals(param))
    }
}

/// Begins what is to be done: a statement is sent by it.
pub(super) fn begin<F: Future + ?Sized>(work: Pin<&mut F>) -> Poll<F::Output> {
    // Whoever waits for the answer later does so with a waker of its own.
    work.poll(&mut Context::from_waker(Waker::noop()))
}
