//! Statements that were sent and whose answers are still outstanding; see
//! [`sending`](super::sending).

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use tokio_postgres::{Error, Row};

use super::value::Owned;
use crate::store::sql::Param;

/// The future of a statement.
pub(super) type Work<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// Statements in the order in which they were sent.
#[derive(Default)]
pub(super) struct Ahead {
    pub(super) sent: VecDeque<Sent>,
    /// Whether queries are only sent, and their rows are requested later.
    pub(super) is_rehearsal: bool,
}

pub(super) enum Sent {
    /// It changes rows. The next statement that is waited for returns its error.
    Deed(Work<()>),
    Question(Question),
}

/// A query that was sent before its rows were requested.
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

/// Starts a future, which sends the statement.
pub(super) fn begin<F: Future + ?Sized>(work: Pin<&mut F>) -> Poll<F::Output> {
    // A later wait for the answer registers its own waker.
    work.poll(&mut Context::from_waker(Waker::noop()))
}
