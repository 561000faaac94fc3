//! Slices of many rows.

use std::collections::BTreeSet;

use super::Tables;
use crate::{
    domain::Login,
    ledger::{Facts, GapEvents, GapSlice, Keys, NextFailing, NextParked, NextUsers, Slice},
};

impl Tables {
    pub(super) fn load_slices(&self, keys: &Keys, facts: &mut Facts) {
        if let Some((id, limit)) = &keys.failing {
            let number = self.checks.get(id).map(|check| check.number);
            let mut failing: Vec<_> = self
                .failures
                .iter()
                .filter(|((_, check), _)| Some(*check) == number)
                .map(|((login, _), failure)| (failure.opened_at, login.clone()))
                .collect();
            failing.sort();
            let is_last = failing.len() < *limit;
            let users = failing.into_iter().take(*limit).map(|(_, login)| login).collect();
            facts.failing.load(NextFailing { users, is_last });
        }
        if let Some(slice) = &keys.slice {
            let mut next = BTreeSet::new();
            if let Some(listing) = self.listing.get(&()) {
                let members = self.members.iter().filter(|((number, _), member)| {
                    let may_fail = member.failing.as_ref().is_some_and(|names| !names.is_empty());
                    *number == listing.number && (member.is_null || may_fail)
                });
                next.extend(members.map(|((_, login), _)| login.clone()));
                next.extend(self.failures.keys().map(|(login, _)| login.clone()));
            }
            let next = slice_of(&next, slice);
            for login in &next.users {
                self.load_member(login, facts);
            }
            facts.slice.load(next);
        }
        if let Some(slice) = &keys.exchanging {
            let exchanging =
                self.answered.iter().filter(|(_, answered)| answered.exchange.is_some());
            let exchanging = exchanging.map(|(login, _)| login.clone()).collect();
            let next = slice_of(&exchanging, slice);
            for login in &next.users {
                facts.answered.load(login.clone(), self.answered.get(login).cloned());
            }
            facts.exchanging.load(next);
        }
        if keys.moving.is_some() {
            // Ended failures are not stored in memory.
            facts.moving.load(None);
        }
        if let Some(slice) = &keys.parked {
            let above = self.parked.range(slice.after + 1..).copied();
            let events: Vec<_> = above.take(slice.limit).collect();
            let is_last = events.len() < slice.limit;
            facts.parked.load(NextParked { events, is_last });
        }
        if let Some(slice) = &keys.gap {
            facts.gap_events.load(self.gap_events(slice));
        }
    }

    fn gap_events(&self, slice: &GapSlice) -> Option<GapEvents> {
        let gaps = self.otlp.get(&()).map(|otlp| otlp.gaps.clone()).unwrap_or_default();
        let next = gaps.iter().find_map(|gap| {
            let first = gap.first.max(slice.events.after + 1);
            let begin = self.numbered().map(|(seq, _)| seq).find(|seq| *seq >= first)?;
            (begin <= gap.last).then_some((begin, gap.last))
        });
        let (begin, end) = next?;
        let last = end.min(begin + i64::try_from(slice.events.limit).unwrap() - 1);
        let public = |from: i64| {
            let of_slice = self.numbered().filter(move |(seq, _)| (from..=last).contains(seq));
            of_slice.filter(|(_, event)| event.name.is_public())
        };
        let first = match slice.since {
            None => Some(begin),
            Some(since) => {
                public(begin).find(|(_, event)| event.observed_at >= since).map(|(seq, _)| seq)
            }
        };
        let count = first.map_or(0, |first| public(first).count() as u64);
        Some(GapEvents { first, last, public: count })
    }
}

/// The next users of a slice.
fn slice_of(users: &BTreeSet<Login>, slice: &Slice) -> NextUsers {
    let texts = users.iter().map(|login| login.as_str().to_owned());
    let comes_next = |text: &String| slice.after.as_ref().is_none_or(|after| text > after);
    NextUsers::from_texts(texts.filter(comes_next).take(slice.limit).collect(), slice.limit)
}
