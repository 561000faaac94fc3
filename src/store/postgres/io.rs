//! The thread that moves bytes between this process and the server.

use std::{future::Future, io, sync::Arc, time::Duration};

use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
    time::error::Elapsed,
};

/// One thread for all connections of a store. Whoever runs a statement waits on a thread of its
/// own, as with a file: the seam is synchronous, and a thread that waits on another's reactor may
/// be any thread, also one that runs tasks.
#[derive(Debug, Clone)]
pub(super) struct Io(Arc<Inner>);

#[derive(Debug)]
struct Inner(Option<Runtime>);

impl Io {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-io")
            .enable_all()
            .build()?;
        Ok(Self(Arc::new(Inner(Some(runtime)))))
    }

    fn runtime(&self) -> &Runtime {
        let Some(runtime) = &self.0.0 else { unreachable!("it is only taken when it is dropped") };
        runtime
    }

    /// Waits for `work`, and no longer than `limit`.
    pub(super) fn wait<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Elapsed> {
        // The clock that ends the wait is the thread's.
        let _context = self.runtime().enter();
        futures_executor::block_on(tokio::time::timeout(limit, work))
    }

    /// Runs `work` on the thread.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime().spawn(work)
    }
}

impl Drop for Inner {
    /// Waits for nothing: the last handle may go where tasks run, and nobody may wait there.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
