//! The watch list as CSV.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};

use super::Failure;
use crate::{
    domain::{PollOutcome, WatchSubject},
    store::{Reader, StoreError, WatchPlace, Watched},
    web::{
        Ops,
        csv::{self, List, PAGE, Record},
        query::Fields,
    },
};

/// `/watched.csv`: the watch list, one record per entry, users first.
pub(in crate::web::page) async fn stream_watched(
    State(ops): State<Arc<Ops>>,
    uri: Uri,
) -> Result<Response, Failure> {
    Fields::parse(&uri)?.finish()?;
    Ok(csv::stream_list(ops.gate.admit()?, Entries { after: None }, "watched"))
}

struct Entries {
    after: Option<WatchPlace>,
}

impl List for Entries {
    const FIELDS: &'static [&'static str] = &[
        "kind",
        "subject",
        "name",
        "status",
        "failing_checks",
        "watched_by",
        "watched_since",
        "watched_until",
        "note",
        "last_poll_at",
        "last_poll_outcome",
        "last_poll_reason",
        "last_answer_at",
    ];

    fn next_page(&mut self, reader: &Reader) -> Result<Option<Vec<Record>>, StoreError> {
        let entries = reader.watch_page(self.after.as_ref(), PAGE)?;
        let Some(last) = entries.last() else { return Ok(None) };
        self.after = Some(WatchPlace::behind(&last.entry));
        let record = |watched: &Watched| watch_record(reader, watched);
        entries.iter().map(record).collect::<Result<_, StoreError>>().map(Some)
    }
}

fn watch_record(reader: &Reader, Watched { entry, poll }: &Watched) -> Result<Record, StoreError> {
    let (name_and_status, failing) = match &entry.subject {
        WatchSubject::User(login) => (
            reader.name_and_status(login.as_str())?,
            Some(reader.count_failing_checks(login.as_str())?),
        ),
        WatchSubject::Ip(_) => (None, None),
    };
    let (name, status) = name_and_status.unwrap_or_default();
    let poll = poll.as_ref();
    Ok(Record::default()
        .word(entry.subject.kind())
        .text(&entry.subject.to_string())
        .text(&name)
        .text(&status)
        .number(failing)
        .word(entry.source.as_str())
        .moment(entry.added_at)
        .moment(entry.expires_at)
        .text(entry.note.as_deref().unwrap_or_default())
        .moment(poll.map(|poll| poll.last_at))
        .word(poll.map_or("", |poll| PollOutcome::as_str(poll.outcome)))
        .text(poll.and_then(|poll| poll.reason.as_deref()).unwrap_or_default())
        .moment(poll.and_then(|poll| poll.answered_at)))
}
