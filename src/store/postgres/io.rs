//! The thread that does the I/O of connections to the server.

use std::{future::Future, io, sync::Arc, time::Duration};

use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
    time::error::Elapsed,
};

/// One thread for all connections of a store. A caller that runs a statement blocks its own thread,
/// as with a file: the engine interface is synchronous, and blocking on a reactor of another thread
/// is possible on any thread, even on one that runs tasks.
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

    /// Blocks until `work` is done, but at most for `limit`.
    pub(super) fn wait<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Elapsed> {
        // The timer belongs to the runtime of the thread.
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
    /// Does not block: the last handle may be dropped on a thread that runs tasks.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
