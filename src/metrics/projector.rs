//! Keeps the view current: the log says where something changed, the state says
//! what it is now.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    describe,
    sample::Sample,
    view::{Subject, View},
};
use crate::{
    domain::EventName,
    store::{Reader, Store, StoreError, Subjects},
};

/// Events that are followed within one reading transaction.
const BATCH: usize = 4096;

/// How long a store that cannot be read is left alone.
const RETRY: Duration = Duration::from_secs(1);

/// A subject's new samples.
type Replacement = (Subject, Vec<Sample>);

/// Follows the log and brings the view after it.
#[derive(Debug)]
pub struct Projector {
    store: Store,
    view: Arc<Mutex<View>>,
    reached: watch::Sender<i64>,
}

impl Projector {
    /// Builds the view from the store as it is now.
    pub(super) async fn rebuild(
        store: Store,
    ) -> Result<(Self, Arc<Mutex<View>>, watch::Receiver<i64>), StoreError> {
        let (seq, replacements) = store.read(everything).await?;
        let view = Arc::new(Mutex::new(View::default()));
        let (reached, receiver) = watch::channel(seq);
        let projector = Self { store, view: view.clone(), reached };
        projector.apply(seq, &replacements);
        Ok((projector, view, receiver))
    }

    /// Follows the log until told to stop.
    ///
    /// # Errors
    /// When the store was closed under it.
    pub async fn run(self, stop: CancellationToken) -> Result<(), StoreError> {
        let mut commits = self.store.commits();
        loop {
            let newest = *commits.borrow_and_update();
            while *self.reached.borrow() < newest && !stop.is_cancelled() {
                let from = *self.reached.borrow();
                match self.store.read(move |reader| since(reader, from)).await {
                    Ok((seq, replacements)) => self.apply(seq, &replacements),
                    Err(StoreError::Closed) => return Err(StoreError::Closed),
                    Err(error) => {
                        tracing::error!(%error, "the metrics cannot be brought up to date");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = commits.changed() => if changed.is_err() { return Ok(()) },
            }
        }
    }

    fn apply(&self, seq: i64, replacements: &[Replacement]) {
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        for (subject, samples) in replacements {
            view.replace(subject.clone(), samples);
        }
        drop(view);
        self.reached.send_replace(seq);
    }
}

/// Every subject there is, with the number of the newest event it reflects.
fn everything(reader: &Reader) -> Result<(i64, Vec<Replacement>), StoreError> {
    let mut subjects = vec![Subject::Watched, Subject::Webhook, Subject::Tenant, Subject::Service];
    subjects.extend(reader.check_ids()?.into_iter().map(Subject::Check));
    let logins = reader.watched_logins()?;
    subjects.extend(logins.iter().map(|login| Subject::User(login.to_string())));
    subjects.extend(reader.watched_ips()?.iter().map(|ip| Subject::Ip(ip.to_string())));
    subjects.extend(reader.application_names()?.into_iter().map(Subject::Application));
    Ok((reader.last_seq()?, read(reader, subjects)?))
}

/// The subjects that the next events touch, with the last event's number.
fn since(reader: &Reader, seq: i64) -> Result<(i64, Vec<Replacement>), StoreError> {
    let events = reader.subjects_after(seq, BATCH)?;
    let reached = events.last().map_or_else(|| reader.last_seq(), |event| Ok(event.seq))?;
    let mut subjects = BTreeSet::new();
    for event in events {
        touch(reader, event, &mut subjects)?;
    }
    Ok((reached, read(reader, subjects)?))
}

fn touch(
    reader: &Reader,
    event: Subjects,
    subjects: &mut BTreeSet<Subject>,
) -> Result<(), StoreError> {
    match event.name {
        EventName::CheckDelivery | EventName::WebhookTest | EventName::DeliveryFiltered => {
            subjects.insert(Subject::Webhook);
        }
        EventName::WatchAdded | EventName::WatchRemoved => {
            subjects.insert(Subject::Watched);
        }
        EventName::TenantCounted => {
            subjects.insert(Subject::Tenant);
        }
        EventName::ServiceObserved => {
            subjects.insert(Subject::Service);
        }
        _ => {}
    }
    if let Some(login) = event.login {
        // These count in, or out, all of the user's applications at once.
        if matches!(
            event.name,
            EventName::UserBaseline
                | EventName::UserDescribed
                | EventName::WatchAdded
                | EventName::WatchRemoved
        ) {
            let applications = reader.applications_of(&login)?;
            subjects.extend(applications.into_iter().map(Subject::Application));
        }
        subjects.insert(Subject::User(login));
    }
    subjects.extend(event.check_id.map(Subject::Check));
    subjects.extend(event.ip.map(Subject::Ip));
    subjects.extend(event.application.map(Subject::Application));
    Ok(())
}

fn read(
    reader: &Reader,
    subjects: impl IntoIterator<Item = Subject>,
) -> Result<Vec<Replacement>, StoreError> {
    subjects
        .into_iter()
        .map(|subject| Ok((subject.clone(), describe::samples(reader, &subject)?)))
        .collect()
}
