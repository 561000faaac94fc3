//! Keeps the view current: an event names the subjects that changed, and their
//! rows are read again.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    TenantListing,
    describe::{self, Known},
    people::People,
    sample::Sample,
    view::{Subject, View},
};
use crate::{
    domain::EventName,
    store::{Reader, Store, StoreError, Subjects},
};

/// Events that are read within one transaction.
const BATCH: usize = 4096;

/// Pause before a store that could not be read is read again.
const RETRY: Duration = Duration::from_secs(1);

/// A subject's new samples.
type Replacement = (Subject, Vec<Sample>);

/// What the events name: what the view must read again.
#[derive(Default)]
struct Touched {
    subjects: BTreeSet<Subject>,
    logins: BTreeSet<String>,
    check_ids: BTreeSet<String>,
}

/// Follows the log and updates the view.
#[derive(Debug)]
pub struct Projector {
    store: Store,
    view: Arc<Mutex<View>>,
    people: Arc<Mutex<People>>,
    listing: TenantListing,
    reached: watch::Sender<i64>,
}

impl Projector {
    /// Builds the view from the store.
    pub(super) async fn rebuild(
        store: Store,
        listing: TenantListing,
    ) -> Result<(Self, Arc<Mutex<View>>, watch::Receiver<i64>), StoreError> {
        let (seq, people, replacements) =
            store.read(move |reader| everything(reader, listing)).await?;
        let view = Arc::new(Mutex::new(View::default()));
        let (reached, receiver) = watch::channel(seq);
        let people = Arc::new(Mutex::new(people));
        let projector = Self { store, view: view.clone(), people, listing, reached };
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
                let (people, listing) = (self.people.clone(), self.listing);
                let read = move |reader: &Reader| {
                    let mut people = people.lock().unwrap_or_else(PoisonError::into_inner);
                    since(reader, &mut people, listing, from)
                };
                match self.store.read(read).await {
                    Ok((seq, replacements)) => self.apply(seq, &replacements),
                    Err(StoreError::Closed) => return Err(StoreError::Closed),
                    Err(error) => {
                        tracing::error!(%error, "the metrics cannot be updated; the store is read again in a second");
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

/// Reads every subject, with the number of the newest event that this reflects.
fn everything(
    reader: &Reader,
    listing: TenantListing,
) -> Result<(i64, People, Vec<Replacement>), StoreError> {
    let mut subjects = vec![
        Subject::Watched,
        Subject::Webhook,
        Subject::Tenant,
        Subject::Service,
        Subject::People,
    ];
    subjects.extend(reader.check_ids()?.into_iter().map(Subject::Check));
    let logins = reader.watched_logins()?;
    subjects.extend(logins.iter().map(|login| Subject::User(login.to_string())));
    subjects.extend(reader.watched_ips()?.iter().map(|ip| Subject::Ip(ip.to_string())));
    subjects.extend(reader.application_names()?.into_iter().map(Subject::Application));
    let people = People::read(reader)?;
    let replacements = read(Known { reader, people: &people, listing }, subjects)?;
    Ok((reader.last_seq()?, people, replacements))
}

/// Reads the subjects that the next events name, with the last event's number.
fn since(
    reader: &Reader,
    people: &mut People,
    listing: TenantListing,
    seq: i64,
) -> Result<(i64, Vec<Replacement>), StoreError> {
    let events = reader.subjects_after(seq, BATCH)?;
    let reached = events.last().map_or_else(|| reader.last_seq(), |event| Ok(event.seq))?;
    let mut touched = Touched::default();
    for event in events {
        touch(reader, event, &mut touched)?;
    }
    people.refresh(reader, touched.logins, touched.check_ids)?;
    Ok((reached, read(Known { reader, people, listing }, touched.subjects)?))
}

/// Collects what an event names.
fn touch(reader: &Reader, event: Subjects, touched: &mut Touched) -> Result<(), StoreError> {
    let subjects = &mut touched.subjects;
    match event.name {
        EventName::CheckDelivery | EventName::WebhookTest | EventName::DeliveryFiltered => {
            subjects.insert(Subject::Webhook);
        }
        EventName::WatchAdded | EventName::WatchRemoved => {
            subjects.insert(Subject::Watched);
        }
        EventName::TenantCounted => {
            subjects.extend([Subject::Tenant, Subject::People]);
        }
        EventName::ServiceObserved => {
            subjects.insert(Subject::Service);
        }
        _ => {}
    }
    if event.check_id.is_some() {
        subjects.insert(Subject::People);
        touched.logins.extend(event.login.clone());
        touched.check_ids.extend(event.check_id.clone());
    }
    if let Some(login) = event.login {
        // These change the counts of all of the user's applications at once.
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

/// Reads subjects and makes their samples.
fn read(
    known: Known<'_>,
    subjects: impl IntoIterator<Item = Subject>,
) -> Result<Vec<Replacement>, StoreError> {
    subjects
        .into_iter()
        .map(|subject| Ok((subject.clone(), describe::samples(&known, &subject)?)))
        .collect()
}
