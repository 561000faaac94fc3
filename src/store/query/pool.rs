//! Idle connections for reading, kept for the next query.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use super::Reader;
use crate::store::StoreError;

/// Maximum number of idle connections; more are opened, and closed again, as needed.
const IDLE: usize = 4;

/// Opens a connection.
type Opener = dyn Fn() -> Result<Reader, StoreError> + Send + Sync;

pub(in crate::store) struct Pool {
    open: Box<Opener>,
    idle: Mutex<Vec<Reader>>,
}

impl Pool {
    pub(in crate::store) fn new(
        open: impl Fn() -> Result<Reader, StoreError> + Send + Sync + 'static,
        first: Reader,
    ) -> Self {
        Self { open: Box::new(open), idle: Mutex::new(vec![first]) }
    }

    /// Runs a query within one transaction, which ends before this returns: an open one would
    /// prevent checkpoints of the write-ahead log.
    pub(in crate::store) fn with<T>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let reader = self.begin_read()?;
        let result = query(&reader);
        if let Err(error) = reader.sql().end_reading() {
            // The error of the query says more.
            return result.and(Err(error));
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(reader);
        }
        result
    }

    /// A connection that has begun to read: an idle one, or a new one if the server was restarted.
    /// meanwhile, a new one.
    fn begin_read(&self) -> Result<Reader, StoreError> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(reader) = idle else { break };
            let begun =
                if reader.sql().is_open() { reader.sql().begin_reading() } else { continue };
            match begun {
                Ok(()) => return Ok(reader),
                Err(_) if !reader.sql().is_open() => {}
                Err(error) => return Err(error),
            }
        }
        let reader = (self.open)()?;
        reader.sql().begin_reading()?;
        Ok(reader)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("idle", &self.idle).finish_non_exhaustive()
    }
}
