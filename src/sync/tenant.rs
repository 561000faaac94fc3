//! The job that lists the whole tenant, page by page.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{
    job::{Job, Pace},
    questions::{Coverage, Target, UserQuestions},
    reason, renames,
};
use crate::{
    cii::{ApiError, EndUsersPage, PageTokens},
    clock,
    domain::{RunEnd, RunRule, RunTally, Timestamp, failure::Missing},
    ledger::change::{
        ApplyVerdicts, DropListing, ListedUser, ListingEnd, ListingProgress, RecordListingPage,
    },
    store::{Listing, Reader, StoreError},
};

/// A listing that was interrupted this long ago is restarted: too much has changed.
const STALE: chrono::TimeDelta = chrono::TimeDelta::hours(12);

/// At a start, a complete listing younger than this is not repeated.
const FRESH: chrono::TimeDelta = chrono::TimeDelta::hours(6);

/// Even with the smallest pages, this is far more than a tenant has.
const MAX_PAGES: usize = 1_000_000;

/// Maximum number of users that are polled by name after a listing with rows that could not be
/// read; the next listing continues with the rest.
const ASKED_BY_NAME: usize = 2_000;

/// Users per commit when a listing's verdicts are applied: well below 20 ms of the writer thread.
const VERDICTS_AT_ONCE: usize = 200;

/// Lists the tenant into the store. A listing counts once its last page is recorded, and an
/// interrupted one is resumed.
#[derive(Debug)]
pub struct TenantJob {
    /// Polls users who are absent from a listing with unreadable rows.
    pub questions: UserQuestions,
    /// Users a page.
    pub page_size: u32,
}

/// How a listing ended.
struct Listed {
    tally: RunTally,
    end: Option<Applied>,
    error: Option<ApiError>,
}

/// The result of applying the verdicts of a listing.
enum Applied {
    /// They are applied, except where the listing is suspect.
    Ended {
        /// The counts of the listing.
        end: ListingEnd,
        /// Why absence from the listing is not trusted.
        doubt: Option<String>,
    },
    /// The listing has no users although some were known: it does not count.
    Empty {
        /// The number of known users.
        known: usize,
    },
}

impl Job for TenantJob {
    const NAME: &'static str = "tenant";

    async fn run(&self, _: Pace, stop: &CancellationToken) -> Result<RunEnd, StoreError> {
        let store = &self.questions.store;
        let broken = store.read(Reader::tenant_listing).await?;
        let broken = broken.filter(|listing| clock::now() - listing.begun_at < STALE);
        let is_resumed = broken.is_some();
        if let Some(Listing { page_token: None, position, .. }) = &broken {
            // All its pages are recorded; only the verdicts are left.
            let end = self.apply_verdicts(position.clone(), stop).await?;
            let tally = RunTally::new("users", RunRule::Majority);
            return self.finish_run(Listed { tally, end, error: None }, stop).await;
        }
        let mut listed = self.list_tenant(broken, stop).await?;
        // The token of a page may expire.
        let is_refused =
            matches!(listed.error, Some(ApiError::Graphql(_) | ApiError::Malformed(_)));
        if is_resumed && is_refused && listed.tally.counts().ok == 0 {
            tracing::info!("the listing cannot be resumed; it begins anew");
            listed = self.list_tenant(None, stop).await?;
        }
        self.finish_run(listed, stop).await
    }

    async fn is_fresh(&self) -> Result<bool, StoreError> {
        let state = self.questions.store.read(Reader::tenant_listing_state).await?;
        let complete = state.complete.filter(|_| state.under_way.is_none());
        Ok(complete.is_some_and(|complete| clock::now() - complete.at < FRESH))
    }

    async fn wait_until_recovered(&self) {
        self.questions.client.wait_until_recovered().await;
    }
}

impl TenantJob {
    /// Reports what the listing lacks, and polls users about whom it says nothing.
    async fn finish_run(
        &self,
        listed: Listed,
        stop: &CancellationToken,
    ) -> Result<RunEnd, StoreError> {
        let Listed { mut tally, end, .. } = listed;
        if let Some(Applied::Empty { known }) = end {
            tally.record_untold(&format!(
                "listEndUsers: lists nobody, and {known} users were known; nothing ends by it"
            ));
        }
        if let Some(Applied::Ended { end, doubt }) = end {
            if let Some(doubt) = doubt {
                tally.record_doubt(&doubt);
            }
            if end.told == 0 && end.users > 0 {
                tally.record_untold(
                    "listEndUsers: failingChecks is told of no user; failures cannot end",
                );
            }
            if end.skipped > 0 {
                self.ask_about_absent(end.skipped, stop).await?;
            }
        }
        Ok(tally.end())
    }

    /// Applies the verdicts of a listing whose last page is recorded, in slices, so that deliveries
    /// are committed in between. When it is stopped, the next start continues.
    async fn apply_verdicts(
        &self,
        mut after: Option<String>,
        stop: &CancellationToken,
    ) -> Result<Option<Applied>, StoreError> {
        let store = &self.questions.store;
        let Some((begun_at, missing)) = store.read(Reader::missing_from_listing).await? else {
            return Ok(None);
        };
        if !missing.knows_somebody && missing.asked > 0 {
            store.commit(DropListing).await?;
            return Ok(Some(Applied::Empty { known: missing.asked }));
        }
        let is_suspect = missing.is_suspect(clock::now());
        let doubt = is_suspect.then(|| {
            let Missing { asked, newly_unknown, .. } = missing;
            format!(
                "listEndUsers: lacks {newly_unknown} of {asked} known users; nothing ends by it"
            )
        });
        if is_suspect {
            tracing::warn!(
                users = missing.newly_unknown,
                known = missing.asked,
                "the listing lacks many users that were known; no failure ends by it"
            );
        }
        while !stop.is_cancelled() {
            let slice = ApplyVerdicts {
                after: after.take(),
                limit: VERDICTS_AT_ONCE,
                filter: self.questions.filter.borrow().clone(),
                null_lists: self.questions.null_lists,
                at: clock::now(),
                is_suspect,
                settle: self.questions.settle,
            };
            match store.commit(slice).await? {
                ListingProgress::Upto(login) => after = Some(login),
                ListingProgress::Ended(end) => {
                    renames::judge_renames(store, begun_at).await?;
                    return Ok(Some(Applied::Ended { end, doubt }));
                }
                ListingProgress::NothingToDo => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Lists from the page where an interrupted listing ended, or from the first one.
    async fn list_tenant(
        &self,
        from: Option<Listing>,
        stop: &CancellationToken,
    ) -> Result<Listed, StoreError> {
        let mut tally = RunTally::new("users", RunRule::Majority);
        let mut tokens = PageTokens::new();
        let begun_at = from.as_ref().map_or_else(clock::now, |listing| listing.begun_at);
        let mut token = from.and_then(|listing| listing.page_token);
        // The first token of a resumed listing was returned by the interrupted run: it counts as
        // seen, so that a later page must not return it.
        let _ = tokens.follow(token.clone(), "listEndUsers");
        for page in 0..MAX_PAGES {
            if stop.is_cancelled() {
                break;
            }
            let asked_at = clock::now();
            let answer =
                self.questions.client.fetch_end_users(self.page_size, token.as_deref()).await;
            let answer = match answer {
                Ok(mut answer) => match tokens.follow(answer.next.take(), "listEndUsers") {
                    Ok(next) => Ok(EndUsersPage { next, ..answer }),
                    Err(error) => {
                        // The tokens form a cycle: no page of this listing can be resumed.
                        self.questions.store.commit(DropListing).await?;
                        Err(error)
                    }
                },
                Err(error) => Err(error),
            };
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    tracing::debug!(
                        page,
                        error = error.redacted_text(),
                        "the listing of the tenant broke off"
                    );
                    if let ApiError::NoRight { field } = error {
                        tally.record_off(field);
                    } else {
                        tally.record_broken_listing(&reason::describe_error(&error));
                    }
                    return Ok(Listed { tally, end: None, error: Some(error) });
                }
            };
            tally.count_answered(answer.users.len());
            tally.count_rows(answer.users.len(), answer.skipped);
            token.clone_from(&answer.next);
            self.record_page(answer, begun_at, asked_at).await?;
            tracing::debug!(page, users = tally.counts().ok, "listing the tenant");
            if token.is_none() {
                let end = self.apply_verdicts(None, stop).await?;
                return Ok(Listed { tally, end, error: None });
            }
        }
        Ok(Listed { tally, end: None, error: None })
    }

    async fn record_page(
        &self,
        page: EndUsersPage,
        begun_at: Timestamp,
        asked_at: Timestamp,
    ) -> Result<(), StoreError> {
        let listed = page.users.into_iter().map(|user| ListedUser {
            login: user.login,
            facts: user.facts,
            failing: user.failing,
        });
        let page = RecordListingPage {
            users: listed.collect(),
            skipped: page.skipped,
            begun_at,
            asked_at,
            answered_at: clock::now(),
            next: page.next,
        };
        self.questions.store.commit(page).await
    }

    /// Polls by name users who fail a check or have a snapshot and are absent from a listing with
    /// unreadable rows: one of those rows may be theirs.
    async fn ask_about_absent(
        &self,
        skipped: u64,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let store = &self.questions.store;
        let absent = store.read(|reader| reader.absent_from_listing(ASKED_BY_NAME)).await?;
        tracing::warn!(
            rows = skipped,
            users = absent.len(),
            "the listing has rows that could not be read; users absent from it are asked about \
             by name"
        );
        let target = |login| Target { login, is_watched: false };
        let targets: Vec<_> = absent.into_iter().map(target).collect();
        self.questions.ask_about(&targets, Coverage::Some, Duration::ZERO, stop).await?;
        Ok(())
    }
}
