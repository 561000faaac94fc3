//! JSON form of the watch list.

use serde::Serialize;

use super::PollState;
use crate::{domain::Timestamp, store};

/// An entry of the watch list, with the result of its subject's last poll.
#[derive(Debug, Serialize)]
pub struct Watched {
    kind: &'static str,
    subject: String,
    source: &'static str,
    added_at: Timestamp,
    expires_at: Option<Timestamp>,
    note: Option<String>,
    poll: Option<PollState>,
}

impl From<store::Watched> for Watched {
    fn from(store::Watched { entry, poll }: store::Watched) -> Self {
        Self {
            kind: entry.subject.kind(),
            subject: entry.subject.to_string(),
            source: entry.source.as_str(),
            added_at: entry.added_at,
            expires_at: entry.expires_at,
            note: entry.note,
            poll: poll.map(PollState::from),
        }
    }
}
