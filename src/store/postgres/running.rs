//! A statement in progress.

use std::{collections::VecDeque, pin::Pin};

use tokio_postgres::{Row, RowStream};

/// A statement whose rows are being received.
pub(super) struct Running {
    pub(super) stream: Pin<Box<RowStream>>,
    pub(super) rows: VecDeque<Row>,
    pub(super) is_over: bool,
}
