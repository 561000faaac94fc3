//! A page of a listing of the whole tenant. Figures are summed page by page; its failing checks
//! count only once the verdicts are applied, after the last page.

use std::collections::BTreeSet;

use super::snapshot;
use crate::{
    domain::{ListAnswer, ListField, Login, TenantUser, Timestamp, tenant},
    ledger::{Change, Facts, Fault, Keys, ListingBegun, Member, WholeTable},
};

/// A row of a page.
#[derive(Debug, Clone)]
pub struct ListedUser {
    /// The user's login.
    pub login: Login,
    /// The user's part in the tenant's figures.
    pub facts: TenantUser,
    /// The checks that the user fails, as ids or titles.
    pub failing: ListAnswer<BTreeSet<String>>,
}

/// Records a page of the listing.
#[derive(Debug, Clone)]
pub struct RecordListingPage {
    /// The users on the page.
    pub users: Vec<ListedUser>,
    /// The page's rows that could not be read. One of them may be a user who is absent from the
    /// listing.
    pub skipped: usize,
    /// When the listing began. Another moment than that of the stored pages starts a new listing.
    pub begun_at: Timestamp,
    /// When the page was requested.
    pub asked_at: Timestamp,
    /// When the answer came.
    pub answered_at: Timestamp,
    /// The next page's token; none on the last page.
    pub next: Option<String>,
}

/// Removes the listing that is in progress. The next sweep removes its members.
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
            // A member of an abandoned listing does not count for a new one.
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

    /// Adds a user. Pages can shift while they are read: a user who is listed twice counts once,
    /// with the later row.
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
