//! Reads what the store knows of one user or one address.

use std::collections::BTreeSet;

use super::problem::Problem;
use crate::{
    domain::{ListField, Login, PollOutcome, Timestamp, WatchSubject, null_list::NullMeaning},
    store::{
        FailingCheck, IpRecord, NullList, PollState, Reader, StoreError, UserRecord, WatchReason,
    },
};

/// What is known of a user.
#[derive(Debug)]
pub(super) struct KnownUser {
    /// The login as the service spells it.
    pub(super) login: Login,
    pub(super) record: Option<UserRecord>,
    pub(super) failing: Vec<FailingCheck>,
    pub(super) reasons: Vec<WatchReason>,
    /// The result of the last poll.
    pub(super) poll: Option<PollState>,
    /// Lists that were null in the most recent answers, where null does not mean empty.
    pub(super) untold: Vec<NullList>,
    /// Texts of the most recent answer that match no known check, or several.
    pub(super) undecided: BTreeSet<String>,
}

impl KnownUser {
    /// Whether the most recent answers contained the user's failing checks; `None` before the first
    /// poll.
    pub(super) fn failing_checks_told(&self) -> Option<bool> {
        if self.untold.iter().any(|list| list.field == ListField::FailingChecks) {
            return Some(false);
        }
        let outcome = self.poll.as_ref()?.outcome;
        Some(matches!(outcome, PollOutcome::Answered | PollOutcome::NotFound))
    }

    /// Since when the answers lack the failing checks; `None` while they contain them.
    pub(super) fn failing_checks_untold_since(&self) -> Option<Timestamp> {
        if self.failing_checks_told()? {
            return None;
        }
        let null = self.untold.iter().find(|list| list.field == ListField::FailingChecks);
        null.map(|list| list.since).or_else(|| self.poll.as_ref().map(|poll| poll.since))
    }
}

/// What is known of an address.
#[derive(Debug)]
pub(super) struct KnownIp {
    pub(super) record: Option<IpRecord>,
    pub(super) reasons: Vec<WatchReason>,
    /// How the last poll ended.
    pub(super) poll: Option<PollState>,
}

/// Reads a user; `None` when nothing is known.
pub(super) fn read_user(reader: &Reader, login: &Login) -> Result<Option<KnownUser>, StoreError> {
    let key = login.as_str();
    let known = KnownUser {
        login: reader.login_in_spelling(key)?,
        record: reader.user_record(key)?,
        failing: reader.failing_checks(key)?,
        reasons: reader.watch_reasons("user", key)?,
        poll: reader.poll_state(&WatchSubject::User(login.clone()))?,
        untold: read_untold_lists(reader, key)?,
        undecided: reader.undecided_texts(key)?,
    };
    let is_known = known.record.is_some()
        || !known.failing.is_empty()
        || !known.reasons.is_empty()
        || !known.undecided.is_empty();
    Ok(is_known.then_some(known))
}

/// The problem that nothing is known of a user.
pub(super) fn unknown_user(login: &Login) -> Problem {
    Problem::not_found(format!(
        "nothing is known of the user {:?}; in a login that is no e-mail address, upper and lower case matter. To have the \
         user asked about, run `cii-exporter watch add user LOGIN`",
        login.spelling()
    ))
}

fn read_untold_lists(reader: &Reader, login: &str) -> Result<Vec<NullList>, StoreError> {
    let mut lists = reader.null_lists(login)?;
    lists.retain(|list| list.meaning != NullMeaning::Empty);
    Ok(lists)
}

/// The sentence that names the sources of a watch. A user who is only followed has the source
/// `webhook`.
pub(super) fn watched_by_text(reasons: &[WatchReason]) -> String {
    let sources: Vec<_> = reasons.iter().map(|reason| reason.source.as_str()).collect();
    format!("watched by {}", sources.join(" and "))
}

/// The sentence for a user who is not watched.
pub(super) const fn why_no_user_watch(is_failing: bool) -> &'static str {
    if is_failing {
        "not watched: not in watch.users, and no webhook named the user while watch.failing_users \
         was on"
    } else {
        "not watched: not in watch.users, and no webhook named the user in the last days"
    }
}

/// Reads an address in its canonical spelling; `None` when nothing is known.
pub(super) fn read_ip(reader: &Reader, ip: &str) -> Result<Option<KnownIp>, StoreError> {
    let known = KnownIp {
        record: reader.ip_record(ip)?,
        reasons: reader.watch_reasons("ip", ip)?,
        poll: reader.poll_of("ip", ip)?,
    };
    Ok((known.record.is_some() || !known.reasons.is_empty()).then_some(known))
}

/// The problem that nothing is known of an address.
pub(super) fn unknown_ip(ip: &str) -> Problem {
    Problem::not_found(format!(
        "nothing is known of the address {ip}; to have it asked about, add it to watch.ips \
         and reload"
    ))
}

/// The sentence for an address that is not watched.
pub(super) const WHY_NO_IP_WATCH: &str = "not watched: not in watch.ips";
