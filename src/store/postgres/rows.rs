//! Runs statements of a session and receives their rows.

use std::{collections::VecDeque, future::ready, ops::ControlFlow, pin::pin, task::Poll};

use futures_util::{StreamExt as _, TryStreamExt as _};
use tokio_postgres::RowStream;

use super::{
    ahead, bulk,
    failure::{connection_abandoned, too_slow},
    running::Running,
    session::Session,
    value::{Owned, Sent, type_of},
};
use crate::store::{
    SqlError, SqlErrorKind, StoreError,
    sql::{self, Bulk, Connection, Param, Put},
};

/// Rows that are taken from the stream at a time.
const ROWS_AT_ONCE: usize = 512;

impl Session {
    /// Runs a statement, and passes each row to `each`; returns the number of changed rows.
    fn run(
        &self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&sql::Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<usize, StoreError> {
        if self.is_rehearsal() {
            self.query_ahead(sql, params)?;
            return Ok(0);
        }
        self.finish_outer()?;
        if let Some(rows) = self.take_foreseen(sql, params)? {
            for row in &rows {
                if each(&sql::Row::new(row))?.is_break() {
                    break;
                }
            }
            return Ok(0);
        }
        let text = self.texts.translate(sql);
        let sent: Vec<_> = params.iter().map(|param| (Sent(*param), type_of(param))).collect();
        let client = self.client()?;
        let mut asked = pin!(client.query_typed_raw(&text, sent));
        // Sent before any wait.
        let begun = ahead::begin(asked.as_mut());
        self.settle()?;
        let stream = match begun {
            Poll::Ready(done) => done.map_err(|error| self.convert_error(&error))?,
            Poll::Pending => self.wait(self.limits.statement, "a statement", asked)?,
        };
        let place = self.running.borrow().len();
        let running = Running { stream: Box::pin(stream), rows: VecDeque::new(), is_over: false };
        self.running.borrow_mut().push(running);
        let handed = self.hand_rows_on(place, each);
        let ended = self.running.borrow_mut().drain(place..).next();
        handed?;
        let changed = ended.and_then(|ended| ended.stream.rows_affected()).unwrap_or(0);
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn hand_rows_on(
        &self,
        place: usize,
        each: &mut dyn FnMut(&sql::Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        loop {
            let next = self
                .running
                .borrow_mut()
                .get_mut(place)
                .ok_or_else(connection_abandoned)?
                .rows
                .pop_front();
            match next {
                // Nothing is borrowed here: `each` may run other statements.
                Some(row) if each(&sql::Row::new(&row))?.is_break() => return Ok(()),
                None if !self.receive(place, ROWS_AT_ONCE)? => return Ok(()),
                _ => {}
            }
        }
    }

    /// Receives rows until `most` wait to be passed on; returns whether there may be more.
    fn receive(&self, place: usize, most: usize) -> Result<bool, StoreError> {
        let taken = self.running.borrow_mut().get_mut(place).map(|running| {
            let rows = std::mem::take(&mut running.rows);
            (rows, running.is_over)
        });
        let (mut rows, is_over) = taken.ok_or_else(connection_abandoned)?;
        if is_over {
            return Ok(false);
        }
        let mut is_over = false;
        let received = {
            let mut running = self.running.borrow_mut();
            let Some(Running { stream, .. }) = running.get_mut(place) else {
                return Err(connection_abandoned());
            };
            self.io.wait(self.limits.statement, async {
                while rows.len() < most {
                    match stream.next().await {
                        Some(Ok(row)) => rows.push_back(row),
                        Some(Err(error)) => return Err(error),
                        None => {
                            is_over = true;
                            break;
                        }
                    }
                }
                Ok(())
            })
        };
        match received {
            Ok(Ok(())) => self.under_way.restart(),
            Ok(Err(error)) => return Err(self.convert_error(&error)),
            Err(_) => {
                self.give_up();
                return Err(too_slow("rows"));
            }
        }
        let mut running = self.running.borrow_mut();
        let running = running.get_mut(place).ok_or_else(connection_abandoned)?;
        running.is_over = is_over;
        running.rows = rows;
        Ok(true)
    }

    /// Receives the remaining rows of enclosing statements: the connection delivers answers in
    /// order, so the next statement's come after these.
    fn finish_outer(&self) -> Result<(), StoreError> {
        let outer = self.running.borrow().len();
        for place in 0..outer {
            let is_over = |session: &Self| {
                session.running.borrow().get(place).is_none_or(|running| running.is_over)
            };
            while !is_over(self) {
                self.receive(place, usize::MAX)?;
            }
        }
        Ok(())
    }

    /// Runs `work` in a transaction; in its own if there is none.
    fn run_in_transaction<T>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.in_transaction.get() {
            return work();
        }
        self.batch_ahead(self.begin_to_read())?;
        self.in_transaction.set(true);
        let done = work();
        self.end_reading()?;
        done
    }

    /// Begins to read without waiting: an error is returned by the first query.
    pub(super) fn begin_reading_ahead(&self) -> Result<(), StoreError> {
        self.in_transaction.set(true);
        self.batch_ahead(self.begin_to_read())
    }

    fn begin_to_read(&self) -> String {
        format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}; {}",
            self.limits.server_millis(),
            self.search_path,
        )
    }

    /// Sends the collected rows.
    fn send_rows(&self, bulk: &Bulk, lists: &mut bulk::Lists) -> Result<(), StoreError> {
        self.finish_outer()?;
        let (client, lists) = (self.client()?, lists.take());
        let text = bulk.in_lists(bulk::statement).to_owned();
        self.send_ahead(
            async move { wait_for_end(client.query_typed_raw(&text, lists).await?).await },
        )
    }
}

/// Waits for the end of a statement without rows.
async fn wait_for_end(stream: RowStream) -> Result<(), tokio_postgres::Error> {
    stream.try_for_each(|_| ready(Ok(()))).await
}

impl Connection for Session {
    /// Waits for the server, so that a pool can take another connection when this one is lost.
    fn begin_reading(&self) -> Result<(), StoreError> {
        self.batch(&self.begin_to_read())?;
        self.in_transaction.set(true);
        Ok(())
    }

    fn end_reading(&self) -> Result<(), StoreError> {
        // Rows that were sent ahead but not requested belong to the old moment only.
        self.forget_ahead();
        self.in_transaction.set(false);
        self.batch_ahead("ROLLBACK".to_owned())
    }

    fn foresee(&self, questions: &mut dyn FnMut()) {
        self.rehearse(questions);
    }

    /// Every group writes its number, so nothing else is needed.
    fn touch(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_open(&self) -> bool {
        Self::is_open(self)
    }

    fn query(
        &self,
        sql: &str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&sql::Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.run_in_transaction(|| self.run(sql, params, each).map(drop))
    }

    fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, StoreError> {
        self.run_in_transaction(|| self.run(sql, params, &mut |_| Ok(ControlFlow::Continue(()))))
    }

    fn send(&self, sql: &str, params: &[Param<'_>]) -> Result<(), StoreError> {
        self.finish_outer()?;
        let (client, text) = (self.client()?, self.texts.translate(sql));
        let sent: Vec<_> = params.iter().map(Owned::of).collect();
        self.send_ahead(async move {
            let sent = sent.into_iter().map(Owned::into_typed);
            wait_for_end(client.query_typed_raw(&text, sent).await?).await
        })
    }

    fn write(
        &self,
        bulk: &Bulk,
        rows: &mut dyn FnMut(&mut Put<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut lists = bulk::Lists::of(bulk);
        rows(&mut |row| {
            debug_assert!(bulk.takes(row), "other columns than those of {bulk:?}");
            let wrong = |text| SqlError::new(SqlErrorKind::Data, text);
            lists.add(row).map_err(wrong)?;
            if lists.is_full() {
                // At most one batch is in transit while the next one is collected.
                self.settle()?;
                self.send_rows(bulk, &mut lists)?;
            }
            Ok(())
        })?;
        if lists.is_empty() { Ok(()) } else { self.send_rows(bulk, &mut lists) }
    }
}
