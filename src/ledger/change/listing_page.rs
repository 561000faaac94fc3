//! A page of a listing of the whole tenant. What it says counts once the verdicts
//! are applied, after its last page; figures are summed page by page.

use std::collections::BTreeSet;

use super::snapshot;
use crate::{
    domain::{ListAnswer, ListField, Login, TenantUser, Timestamp, tenant},
    ledger::{Change, Facts, Fault, Keys, ListingBegun, Member, WholeTable},
};

/// A user as a page lists them.
#[derive(Debug, Clone)]
pub struct ListedUser {
    /// Who.
    pub login: Login,
    /// What is counted.
    pub facts: TenantUser,
    /// The checks the user fails, as ids or titles.
    pub failing: ListAnswer<BTreeSet<String>>,
}

/// A page of the listing to record.
#[derive(Debug, Clone)]
pub struct RecordListingPage {
    /// The users on it.
    pub users: Vec<ListedUser>,
    /// Its rows that could not be read: who is absent from the listing may stand
    /// in one of them.
    pub skipped: usize,
    /// When the listing began; another moment than that of the pages kept so
    /// far starts the listing anew.
    pub begun_at: Timestamp,
    /// When the page was asked for.
    pub asked_at: Timestamp,
    /// When it came.
    pub answered_at: Timestamp,
    /// The next page's token; none ends the listing.
    pub next: Option<String>,
}

/// Ends the listing that is under way, as if it had never begun. Its members go
/// with the next sweep.
#[derive(Debug, Clone, Copy)]
pub struct DropListing;

impl Change for DropListing {
    type Outcome = ();

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(WholeTable::Listing);
    }

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        facts.listing.remove(&());
        Ok(())
    }
}

impl Change for RecordListingPage {
    type Outcome = ();

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(WholeTable::Listing);
        keys.whole.insert(WholeTable::ListMemory);
        for user in &self.users {
            keys.members.insert(user.login.clone());
            keys.nulls_of.insert(user.login.clone());
            keys.spellings.insert(user.login.clone());
        }
    }

    fn work(&self) -> usize {
        1 + self.users.len()
    }

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        let so_far = facts.listing.get(&())?.filter(|listing| listing.begun_at == self.begun_at);
        let so_far = so_far.cloned();
        let is_new = so_far.is_none();
        let mut listing = so_far.unwrap_or_else(|| self.begin_listing(facts.next_listing()));
        for user in &self.users {
            // Members of a listing that was given up are none of this one's.
            let known = facts.members.get(&user.login)?.filter(|_| !is_new).cloned();
            self.record_user(facts, &mut listing, user, known.as_ref())?;
        }
        listing.pages += 1;
        listing.skipped += self.skipped as u64;
        listing.page_token.clone_from(&self.next);
        if self.next.is_none() {
            listing.ended_at = Some(self.answered_at);
        }
        facts.listing.put((), listing);
        Ok(())
    }
}

impl RecordListingPage {
    fn begin_listing(&self, number: i64) -> ListingBegun {
        ListingBegun {
            number,
            begun_at: self.begun_at,
            page_token: None,
            pages: 0,
            users: 0,
            told: 0,
            skipped: 0,
            figures: tenant::no_figures(),
            ended_at: None,
            position: None,
        }
    }

    /// Takes a user in. Who is listed twice, because pages shifted meanwhile, counts
    /// once, and the later row holds.
    fn record_user(
        &self,
        facts: &mut Facts,
        listing: &mut ListingBegun,
        user: &ListedUser,
        known: Option<&Member>,
    ) -> Result<(), Fault> {
        let (login, field) = (&user.login, ListField::FailingChecks);
        match &user.failing {
            ListAnswer::Given(failing) => {
                snapshot::record_list(facts, login, field, failing.is_empty(), self.answered_at)?;
            }
            ListAnswer::Null => {
                snapshot::record_null(facts, login, field, self.asked_at)?;
            }
            ListAnswer::Missing => {}
        }
        let failing = match &user.failing {
            ListAnswer::Given(failing) => Some(failing.clone()),
            ListAnswer::Null | ListAnswer::Missing => None,
        };
        if known.is_none() {
            listing.users += 1;
            tenant::count(&mut listing.figures, &user.facts, self.answered_at);
        }
        let was_told = known.is_some_and(|member| member.failing.is_some());
        listing.told += u64::from(failing.is_some());
        listing.told -= u64::from(was_told);
        let is_null = user.failing == ListAnswer::Null;
        let member = Member { failing, is_null, asked_at: self.asked_at };
        facts.members.put(login.clone(), member);
        facts.record_spelling(login)?;
        Ok(())
    }
}
