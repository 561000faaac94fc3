//! Sends statements without waiting for each answer.
//!
//! A wait for the server costs more than most statements of a group, and even more over a network.
//! So writes are sent without waiting, and before rows are requested query by query, the queries
//! that can be predicted are sent at once.

use std::{collections::VecDeque, future::ready, task::Poll};

use futures_util::TryStreamExt as _;
use tokio_postgres::{Error, Row};

use super::{
    ahead::{Question, Rows, Sent, Work, begin},
    session::Session,
    value::Owned,
};
use crate::store::{StoreError, sql::Param};

impl Session {
    /// Sends a statement without waiting.
    ///
    /// # Errors
    /// When it cannot be sent. An error of the server is returned by the next statement that is
    /// waited for.
    pub(super) fn send_ahead(
        &self,
        work: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) -> Result<(), StoreError> {
        let mut work: Work<()> = Box::pin(work);
        match begin(work.as_mut()) {
            Poll::Pending => self.ahead.borrow_mut().sent.push_back(Sent::Deed(work)),
            Poll::Ready(Ok(())) => {}
            // Returned at once: the server may not have received the statement, so no COMMIT may
            // follow. The statements sent before tell why the transaction had already ended.
            Poll::Ready(Err(error)) => {
                self.settle()?;
                return Err(self.convert_error(&error));
            }
        }
        Ok(())
    }

    /// Runs queries that are only sent, and return no rows yet.
    pub(super) fn rehearse(&self, questions: &mut dyn FnMut()) {
        self.ahead.borrow_mut().is_rehearsal = true;
        questions();
        self.ahead.borrow_mut().is_rehearsal = false;
    }

    pub(super) fn is_rehearsal(&self) -> bool {
        self.ahead.borrow().is_rehearsal
    }

    /// Sends a query whose rows are requested later.
    pub(super) fn query_ahead(&self, text: &str, params: &[Param<'_>]) -> Result<(), StoreError> {
        let client = self.client()?;
        let owned: Vec<_> = params.iter().map(Owned::of).collect();
        let (sent, sql) = (owned.clone(), self.texts.translate(text));
        let mut rows: Work<Vec<Row>> = Box::pin(async move {
            let sent = sent.into_iter().map(Owned::into_typed);
            client.query_typed_raw(&sql, sent).await?.try_collect().await
        });
        if let Poll::Ready(done) = begin(rows.as_mut()) {
            // Its error comes after those of the statements sent before it.
            rows = Box::pin(ready(done));
        }
        let rows = Rows::Coming(rows);
        let question = Question { text: text.to_owned(), params: owned, rows };
        self.ahead.borrow_mut().sent.push_back(Sent::Question(question));
        Ok(())
    }

    /// The rows of a query that was sent ahead.
    pub(super) fn take_foreseen(
        &self,
        text: &str,
        params: &[Param<'_>],
    ) -> Result<Option<Vec<Row>>, StoreError> {
        let is_it = |sent: &Sent| matches!(sent, Sent::Question(own) if own.matches(text, params));
        if !self.ahead.borrow().sent.iter().any(is_it) {
            return Ok(None);
        }
        self.settle()?;
        let mut ahead = self.ahead.borrow_mut();
        let place = ahead.sent.iter().position(is_it);
        Ok(match place.and_then(|place| ahead.sent.remove(place)) {
            Some(Sent::Question(Question { rows: Rows::Here(rows), .. })) => Some(rows),
            _ => None,
        })
    }

    /// Waits for everything that was sent. Rows that were sent ahead are kept.
    ///
    /// # Errors
    /// The error of the first statement that failed: it ended the transaction.
    pub(super) fn settle(&self) -> Result<(), StoreError> {
        let sent = std::mem::take(&mut self.ahead.borrow_mut().sent);
        let mut kept = VecDeque::new();
        for sent in sent {
            match sent {
                Sent::Deed(work) => self.wait(self.limits.statement, "a statement", work)?,
                Sent::Question(Question { text, params, rows: Rows::Coming(rows) }) => {
                    let rows = self.wait(self.limits.statement, "rows", rows)?;
                    let rows = Rows::Here(rows);
                    kept.push_back(Sent::Question(Question { text, params, rows }));
                }
                here @ Sent::Question(_) => kept.push_back(here),
            }
        }
        self.ahead.borrow_mut().sent = kept;
        Ok(())
    }

    /// Drops rows that were sent ahead but not requested, and all outstanding answers.
    pub(super) fn forget_ahead(&self) {
        self.ahead.borrow_mut().sent.clear();
    }
}
