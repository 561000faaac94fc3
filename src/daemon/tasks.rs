//! A named set of tasks, stopped stage by stage.

use std::{collections::BTreeMap, fmt, future::Future, time::Duration};

use strum::VariantArray;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::EndedEarly;

/// Shutdown order: producers stop before consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, VariantArray)]
pub(super) enum Stage {
    /// The listeners, which accept deliveries.
    Listeners,
    /// The jobs that poll the service.
    Work,
    /// The OTLP delivery and the metrics.
    Delivery,
}

impl Stage {
    /// How long the stage's tasks may take to finish. All stages together leave a second for the
    /// store's writer; see [`STOPPING`](super::STOPPING).
    const fn patience(self) -> Duration {
        match self {
            Self::Listeners => Duration::from_millis(2800),
            Self::Work => Duration::from_millis(2200),
            Self::Delivery => Duration::from_secs(3),
        }
    }
}

/// The tasks of the daemon.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    set: JoinSet<Result<(), String>>,
    running: BTreeMap<Stage, Vec<(Id, &'static str, AbortHandle)>>,
    stops: BTreeMap<Stage, CancellationToken>,
}

impl Tasks {
    /// Spawns a task. `work` gets the stage's stop signal.
    pub(super) fn spawn<F, E>(
        &mut self,
        stage: Stage,
        name: &'static str,
        work: impl FnOnce(CancellationToken) -> F,
    ) where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let stop = self.stops.entry(stage).or_default().clone();
        let work = work(stop);
        let handle = self.set.spawn(async move { work.await.map_err(|error| error.to_string()) });
        self.running.entry(stage).or_default().push((handle.id(), name, handle));
    }

    /// Waits until any task ends.
    pub(super) async fn wait_for_end(&mut self) -> EndedEarly {
        match self.set.join_next_with_id().await {
            Some(ended) => {
                let (id, reason) = describe_end(ended);
                EndedEarly { task: self.remove(id), reason }
            }
            None => std::future::pending().await,
        }
    }

    /// Stops all tasks, stage by stage; a task that takes too long is aborted.
    pub(super) async fn stop(mut self) {
        for &stage in Stage::VARIANTS {
            if let Some(stop) = self.stops.get(&stage) {
                stop.cancel();
            }
            let ended = tokio::time::timeout(stage.patience(), self.drain_stage(stage)).await;
            if ended.is_err() {
                for (_, task, handle) in self.running.remove(&stage).unwrap_or_default() {
                    tracing::warn!(task, "a task took too long to stop and was cut off");
                    handle.abort();
                }
            }
        }
    }

    async fn drain_stage(&mut self, stage: Stage) {
        while self.running.get(&stage).is_some_and(|tasks| !tasks.is_empty()) {
            let Some(ended) = self.set.join_next_with_id().await else { return };
            let (id, reason) = describe_end(ended);
            let task = self.remove(id);
            tracing::debug!(task, reason, "task ended");
        }
    }

    fn remove(&mut self, id: Id) -> &'static str {
        for tasks in self.running.values_mut() {
            if let Some(position) = tasks.iter().position(|(task, ..)| *task == id) {
                return tasks.swap_remove(position).1;
            }
        }
        "unknown"
    }
}

fn describe_end(ended: Result<(Id, Result<(), String>), JoinError>) -> (Id, String) {
    match ended {
        Ok((id, Ok(()))) => (id, "it had nothing more to do".to_owned()),
        Ok((id, Err(error))) => (id, error),
        Err(error) if error.is_panic() => (error.id(), "it panicked".to_owned()),
        Err(error) => (error.id(), "it was aborted".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_end_names_the_task_and_its_reason() {
        let mut tasks = Tasks::default();
        tasks.spawn(Stage::Work, "steady", |stop| async move {
            stop.cancelled().await;
            Ok::<(), String>(())
        });
        tasks.spawn(Stage::Work, "shaky", |_| async { Err("no disk") });
        let ended = tasks.wait_for_end().await;
        assert_eq!((ended.task, ended.reason.as_str()), ("shaky", "no disk"));
        tasks.stop().await;
    }

    #[tokio::test]
    async fn a_panic_in_a_task_is_an_early_end() {
        let mut tasks = Tasks::default();
        tasks.spawn(Stage::Work, "shaky", |_| async {
            assert!(std::hint::black_box(false), "a mistake of a test");
            Ok::<(), String>(())
        });
        let ended = tasks.wait_for_end().await;
        assert_eq!((ended.task, ended.reason.as_str()), ("shaky", "it panicked"));
    }

    #[tokio::test(start_paused = true)]
    async fn stages_stop_in_order_and_a_hanging_task_is_cut_off() {
        let order = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut tasks = Tasks::default();
        for (stage, name) in [(Stage::Delivery, "delivery"), (Stage::Listeners, "listener")] {
            let order = order.clone();
            tasks.spawn(stage, name, move |stop| async move {
                stop.cancelled().await;
                order.lock().unwrap().push(name);
                Ok::<(), String>(())
            });
        }
        tasks.spawn(Stage::Work, "hanging", |_| std::future::pending::<Result<(), String>>());
        tasks.stop().await;
        assert_eq!(*order.lock().unwrap(), ["listener", "delivery"]);
    }
}
