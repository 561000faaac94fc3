//! Applies the verdicts of a listing whose last page is in: who fails what, and
//! who is no longer known. It is done in slices with a kept position, so that no
//! delivery waits for it and a kill costs nothing; the last slice makes the listing
//! the one that is shown.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{failing, nulls::judge_null};
use crate::{
    domain::{
        CheckFilter, Event, ListField, Login, NullLists, Timestamp,
        failure::{FailureAnswer, Verdict},
        null_list::NullMeaning,
    },
    ledger::{Change, Facts, Fault, Keys, ListingBegun, ListingDone, Slice, Subject, WholeTable},
};

/// Applies the verdicts about the users that come next.
#[derive(Debug, Clone)]
pub struct ApplyVerdicts {
    /// Up to which stored login they were applied before.
    pub after: Option<String>,
    /// About how many users at most.
    pub limit: usize,
    /// The checks the operator admits.
    pub filter: CheckFilter,
    /// What the operator says that a null list means.
    pub null_lists: NullLists,
    /// Now: a listing that broke off after its last page is applied at the next start.
    pub at: Timestamp,
    /// Whether the listing lacks so many users that absence from it says nothing.
    pub is_suspect: bool,
    /// For how long after a delivery named somebody no answer ends the failure.
    pub settle: TimeDelta,
}

/// How far the verdicts of a listing were applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingProgress {
    /// Up to this stored login.
    Upto(String),
    /// To the end: the listing is the one that is shown.
    Ended(ListingEnd),
    /// There is no listing whose last page is in.
    NothingToDo,
}

/// What a listing that came to its end says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingEnd {
    /// Its users.
    pub users: u64,
    /// Rows that could not be read.
    pub skipped: u64,
    /// Users of whom it told the failing checks.
    pub told: u64,
}

impl Change for ApplyVerdicts {
    type Outcome = ListingProgress;

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(WholeTable::Listing);
        keys.whole.insert(WholeTable::ListMemory);
        keys.slice = Some(Slice { after: self.after.clone(), limit: self.limit });
    }

    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        for login in &facts.slice.get()?.users {
            failing::keys_of(login, keys);
            keys.nulls_of.insert(login.clone());
            if let Some(names) =
                facts.members.get(login)?.and_then(|member| member.failing.as_ref())
            {
                failing::keys_of_names(names, keys);
            }
        }
        Ok(())
    }

    fn work(&self) -> usize {
        self.limit
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn apply(&self, facts: &mut Facts) -> Result<ListingProgress, Fault> {
        let Some(mut listing) = facts.listing.get(&())?.cloned() else {
            return Ok(ListingProgress::NothingToDo);
        };
        let Some(ended_at) = listing.ended_at else { return Ok(ListingProgress::NothingToDo) };
        if listing.position != self.after {
            return Ok(match listing.position {
                Some(position) => ListingProgress::Upto(position),
                None => ListingProgress::NothingToDo,
            });
        }
        let slice = facts.slice.get()?.clone();
        for login in &slice.users {
            if let Some(answer) = self.answer_for(facts, &listing, login, ended_at)? {
                failing::record_answer(facts, &answer, &self.filter, self.at)?;
            }
        }
        // Those of whom nothing can be read count, too: they are not the end.
        let Some(last) = slice.upto.filter(|_| !slice.is_last) else {
            return Ok(ListingProgress::Ended(complete_listing(
                facts,
                listing,
                ended_at,
                self.is_suspect,
            )?));
        };
        listing.position = Some(last.clone());
        facts.listing.put((), listing);
        Ok(ListingProgress::Upto(last))
    }
}

impl ApplyVerdicts {
    /// What the listing says of a user; nothing where it says nothing that could
    /// change what is known.
    fn answer_for(
        &self,
        facts: &mut Facts,
        listing: &ListingBegun,
        login: &Login,
        ended_at: Timestamp,
    ) -> Result<Option<FailureAnswer>, Fault> {
        let member = facts.members.get(login)?.cloned();
        let is_failing = !facts.failures_of(login)?.is_empty();
        let (verdict, asked_at) = match member {
            Some(member) => {
                let mut names = member.failing;
                if member.is_null && self.is_judged_empty(facts, login, ended_at)? {
                    names = Some(BTreeSet::new());
                }
                let Some(names) = names else { return Ok(None) };
                (Verdict::Fails(names), member.asked_at)
            }
            // Where rows could not be read, absence says nothing about anybody.
            None if listing.skipped > 0 => return Ok(None),
            None if self.is_suspect => (Verdict::Suspect, listing.begun_at),
            None => (Verdict::Unknown, listing.begun_at),
        };
        let changes_nothing =
            !is_failing && matches!(&verdict, Verdict::Fails(names) if names.is_empty());
        Ok((!changes_nothing).then(|| FailureAnswer {
            login: login.clone(),
            verdict,
            asked_at,
            answered_at: ended_at,
            settle: self.settle,
        }))
    }

    /// Whether a null means that the user fails none.
    fn is_judged_empty(
        &self,
        facts: &mut Facts,
        login: &Login,
        at: Timestamp,
    ) -> Result<bool, Fault> {
        let field = ListField::FailingChecks;
        let Some(null) = facts.nulls.get(&(login.clone(), field))?.copied() else {
            return Ok(false);
        };
        let meaning = judge_null(facts, (login, field), self.null_lists, null.since, at)?;
        Ok(meaning == NullMeaning::Empty)
    }
}

/// Makes a listing the one that is shown.
fn complete_listing(
    facts: &mut Facts,
    listing: ListingBegun,
    completed_at: Timestamp,
    is_suspect: bool,
) -> Result<ListingEnd, Fault> {
    let ListingBegun { number, begun_at, users, told, skipped, figures, .. } = listing;
    let before = facts.listing_done.get(&())?.map(|done| done.begun_at);
    // One of a clock that was ahead counts for nothing.
    let begun_at = before
        .filter(|before| *before <= completed_at)
        .map_or(begun_at, |before| before.max(begun_at));
    let is_verdict = told > 0 && skipped <= users;
    let done = ListingDone {
        number,
        begun_at,
        completed_at,
        is_verdict,
        is_suspect,
        users,
        skipped,
        figures,
    };
    facts.listing_done.put((), done);
    facts.listing.remove(&());
    facts.append(Event::tenant_counted(users, completed_at));
    facts.touch(Subject::Tenant);
    Ok(ListingEnd { users, skipped, told })
}
