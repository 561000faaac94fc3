//! Applies the verdicts of a listing whose last page is recorded: which checks a user fails, and
//! which users the service no longer knows. It is done in slices with a stored position, so that
//! deliveries are committed in between and a kill loses nothing. The last slice makes the listing
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

/// Applies the verdicts about the next users.
#[derive(Debug, Clone)]
pub struct ApplyVerdicts {
    /// The last stored login to which verdicts were applied before.
    pub after: Option<String>,
    /// The maximum number of users.
    pub limit: usize,
    /// The checks that the operator's filter admits.
    pub filter: CheckFilter,
    /// The operator's choice of what a null list means.
    pub null_lists: NullLists,
    /// When the change is applied. A listing that was interrupted after its last page is applied at
    /// the next start.
    pub at: Timestamp,
    /// Whether so many known users are absent from the listing that absence proves nothing.
    pub is_suspect: bool,
    /// For how long after a delivery named a user no answer ends the failure.
    pub settle: TimeDelta,
}

/// The progress of applying a listing's verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingProgress {
    /// Verdicts are applied up to this stored login.
    Upto(String),
    /// All verdicts are applied: the listing is the one that is shown.
    Ended(ListingEnd),
    /// No listing has its last page recorded.
    NothingToDo,
}

/// The counts of a complete listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListingEnd {
    /// Users that were listed.
    pub users: u64,
    /// Rows that could not be read.
    pub skipped: u64,
    /// Users with a list of failing checks.
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
        // The change was repeated, or the position moved meanwhile: the caller continues from the
        // stored position, so that no slice is applied twice.
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
        // A slice whose logins cannot be decoded is not the last one: its position counts.
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
    /// The listing's answer about a user; none where it could change nothing.
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
            // The user may be in a row that could not be read: absence proves nothing.
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

    /// Whether a null means that the user fails no check.
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
    // The listing before began later than this one ended: a clock was ahead then, and its moment
    // does not count.
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
