//! The job that lists the whole tenant, page by page.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::job::{Job, Outcome, Pace};
use crate::{
    cii::{ApiError, Client, EndUsersPage},
    clock,
    domain::{CheckFilter, Timestamp, Told},
    store::{ListedUser, Listing, Reader, RecordTenantPage, Store, StoreError},
};

/// A listing that broke this long ago is begun anew: too much has changed.
const STALE: chrono::TimeDelta = chrono::TimeDelta::hours(12);

/// With the smallest pages that is still far more than a tenant has.
const MAX_PAGES: usize = 1_000_000;

/// Lists the tenant into the store; what a listing says counts from its last
/// page on, and one that broke goes on where it broke.
#[derive(Debug)]
pub struct TenantJob {
    /// Whom to ask.
    pub client: Client,
    /// Where pages go.
    pub store: Store,
    /// Users a page.
    pub page_size: u32,
    /// The checks the operator wants to hear of; can be exchanged while running.
    pub filter: watch::Receiver<CheckFilter>,
}

impl Job for TenantJob {
    const NAME: &'static str = "tenant";

    async fn run(&self, _: Pace, stop: &CancellationToken) -> Result<Outcome, StoreError> {
        let broken = self.store.read(Reader::tenant_listing).await?;
        let broken = broken.filter(|listing| clock::now() - listing.begun_at < STALE);
        let is_resumed = broken.is_some();
        let (outcome, error) = self.list(broken, stop).await?;
        // A token of a page may not be good for ever.
        let is_refused = matches!(error, Some(ApiError::Graphql(_) | ApiError::Malformed(_)));
        if is_resumed && is_refused && outcome.ok == 0 {
            tracing::info!("the listing cannot be resumed; it begins anew");
            return Ok(self.list(None, stop).await?.0);
        }
        Ok(outcome)
    }

    async fn recovered(&self) {
        self.client.recovered().await;
    }
}

impl TenantJob {
    /// Lists from where a broken listing ended, or from the start.
    async fn list(
        &self,
        from: Option<Listing>,
        stop: &CancellationToken,
    ) -> Result<(Outcome, Option<ApiError>), StoreError> {
        let mut outcome = Outcome::default();
        let begun_at = from.as_ref().map_or_else(clock::now, |listing| listing.begun_at);
        let mut token = from.map(|listing| listing.page_token);
        for page in 0..MAX_PAGES {
            if stop.is_cancelled() {
                break;
            }
            let asked_at = clock::now();
            let answer = match self.client.end_users(self.page_size, token.as_deref()).await {
                Ok(answer) if answer.next.is_some() && answer.next == token => {
                    Err(ApiError::Malformed("listEndUsers: a page leads to itself".to_owned()))
                }
                answer => answer,
            };
            match answer {
                Ok(answer) => {
                    outcome.ok += answer.users.len();
                    token.clone_from(&answer.next);
                    self.keep(answer, begun_at, asked_at).await?;
                }
                Err(error) => {
                    tracing::warn!(page, %error, "the listing of the tenant broke; it goes on here");
                    outcome.service_failed = true;
                    return Ok((outcome, Some(error)));
                }
            }
            tracing::debug!(page, users = outcome.ok, "listing the tenant");
            if token.is_none() {
                break;
            }
        }
        Ok((outcome, None))
    }

    async fn keep(
        &self,
        page: EndUsersPage,
        begun_at: Timestamp,
        asked_at: Timestamp,
    ) -> Result<(), StoreError> {
        let listed = page.users.into_iter().map(|user| ListedUser {
            login: user.login,
            facts: user.facts,
            failing: match user.failing {
                Told::Told(failing) => Some(failing),
                Told::Null | Told::Untold => None,
            },
        });
        let page = RecordTenantPage {
            users: listed.collect(),
            begun_at,
            asked_at,
            answered_at: clock::now(),
            next: page.next,
            filter: self.filter.borrow().clone(),
        };
        self.store.record_tenant_page(page).await
    }
}
