//! The two ends of the delivery: the log, and the collector.

use std::future::Future;

use super::{
    Sender,
    error::{SendError, Sent},
    walk::BATCH,
};
use crate::{
    domain::TenantId,
    ledger::change::RecordProgress,
    store::{Batch, Reader, Store, StoreError, StoredEvent},
};

/// The source of events, which also stores the progress.
pub(super) trait Log {
    async fn cursor(&self) -> Result<i64, StoreError>;
    /// A batch of the events after `seq`.
    async fn load_after(&self, seq: i64) -> Result<Batch, StoreError>;
    /// The numbers of the first `limit` events to send on purpose.
    async fn resend_seqs(&self, limit: usize) -> Result<Vec<i64>, StoreError>;
    /// A batch of the events with these numbers that still exist.
    async fn load_events(&self, seqs: &[i64]) -> Result<Batch, StoreError>;
    async fn save_progress(&self, progress: RecordProgress) -> Result<(), StoreError>;
    async fn count_pending(&self) -> Result<u64, StoreError>;
    /// The tenant that events are from, once a delivery named it.
    async fn tenant_id(&self) -> Result<Option<TenantId>, StoreError>;
    /// The number of erasures so far: each one changed rows that can be in memory.
    fn erasures(&self) -> u64;
    /// Resolves when there are new events to send on purpose.
    fn wait_for_resend(&self) -> impl Future<Output = ()> + Send;
}

/// The receiver of events.
pub(super) trait Collector {
    /// Its URL, without secrets.
    fn endpoint(&self) -> &str;
    /// Whether its batches name the tenant.
    fn is_identified(&self) -> bool;
    /// Sets the tenant that further batches name.
    fn identify(&self, tenant: TenantId);
    fn send(
        &self,
        events: Vec<StoredEvent>,
    ) -> impl Future<Output = Result<Sent, SendError>> + Send;
}

impl Log for Store {
    async fn cursor(&self) -> Result<i64, StoreError> {
        self.read(Reader::otlp_cursor).await
    }

    async fn load_after(&self, seq: i64) -> Result<Batch, StoreError> {
        self.read(move |reader| reader.public_events_after(seq, BATCH)).await
    }

    async fn resend_seqs(&self, limit: usize) -> Result<Vec<i64>, StoreError> {
        self.read(move |reader| reader.otlp_resends(limit)).await
    }

    async fn load_events(&self, seqs: &[i64]) -> Result<Batch, StoreError> {
        let seqs = seqs.to_vec();
        self.read(move |reader| reader.public_events(&seqs, BATCH)).await
    }

    async fn save_progress(&self, progress: RecordProgress) -> Result<(), StoreError> {
        self.commit(progress).await
    }

    async fn count_pending(&self) -> Result<u64, StoreError> {
        Ok(self.read(Reader::otlp_backlog).await?.pending)
    }

    async fn tenant_id(&self) -> Result<Option<TenantId>, StoreError> {
        self.read(Reader::tenant_id).await
    }

    fn erasures(&self) -> u64 {
        self.erasures()
    }

    fn wait_for_resend(&self) -> impl Future<Output = ()> + Send {
        self.otlp_resend_requested()
    }
}

impl Collector for Sender {
    fn endpoint(&self) -> &str {
        Self::endpoint(self)
    }

    fn is_identified(&self) -> bool {
        Self::is_identified(self)
    }

    fn identify(&self, tenant: TenantId) {
        Self::identify(self, tenant);
    }

    fn send(
        &self,
        events: Vec<StoredEvent>,
    ) -> impl Future<Output = Result<Sent, SendError>> + Send {
        Self::send(self, events)
    }
}
