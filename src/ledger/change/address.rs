//! The answer of one poll about an address.

use std::sync::Arc;

use super::answer::end_poll;
use crate::{
    domain::{
        EventName, IpAddress, IpUsers, Login, PollEnd, PollOutcome, Timestamp, WatchSubject,
        ip_users,
        ip_users::{ip_changed, ip_first_seen},
        poll,
    },
    ledger::{Change, Facts, Fault, IpSnapshot, Keys, Subject},
};

/// Records what a poll answered about an address, and how it ended.
#[derive(Debug, Clone)]
pub struct RecordAddress {
    /// The address that was polled.
    pub ip: IpAddress,
    /// The answer; none when there was no answer.
    pub answer: Option<AddressAnswer>,
    /// How the poll ended.
    pub end: PollEnd,
    /// When the poll ended.
    pub at: Timestamp,
}

/// A complete answer about an address.
#[derive(Debug, Clone)]
pub struct AddressAnswer {
    /// All users of the address.
    pub users: IpUsers,
    /// Whether some rows could not be read. A user who is absent is not removed then.
    pub is_partial: bool,
}

impl Change for RecordAddress {
    /// How the previous poll ended.
    type Outcome = Option<PollOutcome>;

    fn keys(&self, keys: &mut Keys) {
        keys.ips.insert(self.ip);
        keys.past.insert(WatchSubject::Ip(self.ip));
        keys.polls.insert(WatchSubject::Ip(self.ip));
    }

    fn work(&self) -> usize {
        1 + self.answer.as_ref().map_or(0, |answer| answer.users.len())
    }

    fn apply(&self, facts: &mut Facts) -> Result<Option<PollOutcome>, Fault> {
        let subject = WatchSubject::Ip(self.ip);
        let before = facts.polls.get(&subject)?.map(|poll| (poll.end.outcome, poll.since));
        if let Some(answer) = &self.answer {
            self.record_users(facts, answer.users.clone(), answer.is_partial)?;
        } else if self.end.outcome == PollOutcome::NotFound
            && poll::is_confirmed_absent(before, self.at)
        {
            self.record_users(facts, IpUsers::new(), false)?;
        }
        end_poll(facts, &subject, &self.end, self.at)
    }
}

impl RecordAddress {
    fn record_users(
        &self,
        facts: &mut Facts,
        mut users: IpUsers,
        is_partial: bool,
    ) -> Result<(), Fault> {
        let before = facts.ips.get(&self.ip)?.cloned();
        // An unreadable row may be any of the users known before, so all of them stay.
        if let (Some(before), true) = (&before, is_partial) {
            for (login, user) in before.users.iter() {
                users.entry(login.clone()).or_insert_with(|| user.clone());
            }
        }
        ip_users::record_since(before.as_ref().map(|before| &*before.users), &mut users, self.at);
        let subject = WatchSubject::Ip(self.ip);
        let past = facts.past.get(&subject)?.cloned().unwrap_or_default();
        let events = match &before {
            None => vec![ip_first_seen(self.ip, self.at)],
            Some(before) => ip_users::changes(&before.users, &users, &past)
                .iter()
                .map(|change| ip_changed(self.ip, change, self.at))
                .collect(),
        };
        if let Some(before) = &before {
            let mut now = past.clone();
            ip_users::record_gone(&before.users, &users, &mut now, self.at);
            if now != past {
                facts.past.put(subject, now);
            }
        }
        let new_users =
            events.iter().filter(|event| event.name == EventName::IpUserNew).count() as u64;
        facts.append_all(events);
        let known = before.as_ref();
        let snapshot = IpSnapshot {
            users: match known {
                Some(known) if *known.users == users && is_spelled_alike(&known.users, &users) => {
                    known.users.clone()
                }
                _ => Arc::new(users),
            },
            first_observed_at: known.map_or(self.at, |known| known.first_observed_at),
            observed_at: self.at,
            new_users: known.map_or(0, |known| known.new_users) + new_users,
            last_new_user_at: if new_users > 0 {
                Some(self.at)
            } else {
                known.and_then(|known| known.last_new_user_at)
            },
        };
        facts.ips.put(self.ip, snapshot);
        // The page also shows when the service last answered, so an equal answer counts as a
        // change.
        facts.touch(Subject::Ip(self.ip));
        Ok(())
    }
}

/// Whether equal logins are spelled the same in both.
fn is_spelled_alike(known: &IpUsers, users: &IpUsers) -> bool {
    known.keys().map(Login::spelling).eq(users.keys().map(Login::spelling))
}
