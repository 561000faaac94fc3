//! Idle reading connections, kept for the next query.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::Reader;
use crate::store::StoreError;

/// Connections kept when idle; more are opened, and closed again, as needed.
const IDLE: usize = 4;

#[derive(Debug)]
pub(in crate::store) struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Reader>>,
}

impl Pool {
    pub(in crate::store) fn new(path: &Path, first: Reader) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(vec![first]) }
    }

    /// Runs a query within one transaction, which ends before this returns: an
    /// open one would keep the write-ahead log from being checkpointed.
    pub(in crate::store) fn with<T>(
        &self,
        query: impl FnOnce(&Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = idle.map_or_else(|| Reader::open(&self.path), Ok)?;
        reader.sql().begin_reading()?;
        let result = query(&reader);
        reader.sql().end_reading()?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(reader);
        }
        result
    }
}
