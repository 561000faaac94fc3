//! A listing of the whole tenant, page by page. What it says counts when its
//! last page is in, all at once.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, check, event, failures};
use crate::{
    domain::{
        CheckFilter, Event, Login, TenantFigures, TenantUser, Timestamp,
        failure::{AnswerContext, FailureAnswer, Verdict},
        tenant,
    },
    store::{
        Store, StoreError,
        moment::{from_micros, to_micros},
    },
};

/// A user as a page lists them.
#[derive(Debug, Clone)]
pub struct ListedUser {
    /// Who.
    pub login: Login,
    /// What is counted.
    pub facts: TenantUser,
    /// The checks the user fails, as ids or titles; `None` when not told.
    pub failing: Option<BTreeSet<String>>,
}

/// A page of the listing to record.
#[derive(Debug)]
pub struct RecordTenantPage {
    /// The users on it.
    pub users: Vec<ListedUser>,
    /// When the listing began; another moment than that of the pages kept so
    /// far starts the listing anew.
    pub begun_at: Timestamp,
    /// When the page was asked for.
    pub asked_at: Timestamp,
    /// When it came.
    pub answered_at: Timestamp,
    /// The next page's token; none ends the listing.
    pub next: Option<String>,
    /// The checks the operator wants to hear of.
    pub filter: CheckFilter,
}

impl Store {
    /// Keeps a page; with the last one, the listing becomes what is known of the
    /// tenant.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn record_tenant_page(&self, page: RecordTenantPage) -> Result<(), StoreError> {
        self.write(page).await
    }
}

impl Transact for RecordTenantPage {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::TenantPage(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let begun_at = to_micros(self.begun_at);
        let is_continued = tx
            .prepare_cached("SELECT 1 FROM tenant_listing WHERE begun_at = ?1")?
            .exists([begun_at])?;
        if !is_continued {
            tx.execute("DELETE FROM tenant_staged", [])?;
        }
        self.stage(tx)?;
        if let Some(token) = &self.next {
            tx.prepare_cached(
                "INSERT OR REPLACE INTO tenant_listing (id, begun_at, page_token)
                 VALUES (1, ?1, ?2)",
            )?
            .execute(params![begun_at, token])?;
            return Ok(());
        }
        self.complete(tx)
    }
}

impl RecordTenantPage {
    fn stage(&self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let corrupt = |_| StoreError::Corrupt("listed user");
        let mut insert = tx.prepare_cached(
            "INSERT OR REPLACE INTO tenant_staged (login, facts, failing, asked_at)
             VALUES (?1, ?2, ?3, ?4)",
        )?;
        for user in &self.users {
            let facts = serde_json::to_string(&user.facts).map_err(corrupt)?;
            let failing = user.failing.as_ref().map(serde_json::to_string).transpose();
            insert.execute(params![
                user.login.as_str(),
                facts,
                failing.map_err(corrupt)?,
                to_micros(self.asked_at),
            ])?;
        }
        Ok(())
    }

    fn complete(&self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let mut known = AnswerContext { checks: check::all(tx)?, ..AnswerContext::default() };
        for answer in self.answers(tx)? {
            failures::learn(tx, &answer, &mut known, &self.filter)?;
        }
        let figures = figures(tx, self.answered_at)?;
        save_figures(tx, &figures)?;
        let users = figures
            .iter()
            .filter(|((dimension, _), _)| *dimension == tenant::Dimension::Status)
            .map(|(_, count)| count)
            .sum();
        event::append(tx, &Event::tenant_counted(users, self.answered_at))?;
        tx.execute(
            "INSERT INTO tenant_complete (id, begun_at, completed_at, is_verdict)
             SELECT 1, ?1, ?2, NOT EXISTS (SELECT 1 FROM tenant_staged WHERE failing IS NULL)
             ON CONFLICT (id) DO UPDATE SET
                -- One of a clock that was ahead counts for nothing.
                begun_at = iif(begun_at <= ?2, max(begun_at, excluded.begun_at), excluded.begun_at),
                completed_at = excluded.completed_at,
                is_verdict = excluded.is_verdict",
            params![to_micros(self.begun_at), to_micros(self.answered_at)],
        )?;
        tx.execute_batch("DELETE FROM tenant_staged; DELETE FROM tenant_listing")?;
        Ok(())
    }

    /// What the listing says of everybody who fails a check, or was known to.
    fn answers(&self, tx: &Savepoint<'_>) -> Result<Vec<FailureAnswer>, StoreError> {
        let mut select = tx.prepare_cached(
            "SELECT login, failing, asked_at FROM tenant_staged
             WHERE failing IS NOT NULL AND (failing != '[]' OR EXISTS (
                SELECT 1 FROM failure WHERE failure.login = tenant_staged.login
                AND resolved_at IS NULL))
             UNION ALL
             SELECT DISTINCT login, NULL, NULL FROM failure
             WHERE resolved_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM tenant_staged WHERE tenant_staged.login = failure.login)",
        )?;
        let mut rows = select.query([])?;
        let mut answers = Vec::new();
        while let Some(row) = rows.next()? {
            let login: String = row.get(0)?;
            let verdict = match row.get::<_, Option<String>>(1)? {
                Some(failing) => Verdict::Fails(
                    serde_json::from_str(&failing)
                        .map_err(|_| StoreError::Corrupt("listed user"))?,
                ),
                None => Verdict::Unknown,
            };
            let asked_at = row.get::<_, Option<i64>>(2)?.map(from_micros).transpose()?;
            answers.push(FailureAnswer {
                login: Login::new(&login).map_err(|_| StoreError::Corrupt("login"))?,
                verdict,
                asked_at: asked_at.unwrap_or(self.begun_at),
                answered_at: self.answered_at,
            });
        }
        Ok(answers)
    }
}

/// When the last complete listing began, if it told of every user's failing
/// checks: whoever it does not name failed none then.
pub(super) fn verdict_as_of(tx: &Savepoint<'_>) -> Result<Option<i64>, StoreError> {
    Ok(tx
        .prepare_cached("SELECT begun_at FROM tenant_complete WHERE is_verdict = 1")?
        .query_row([], |row| row.get(0))
        .optional()?)
}

fn figures(tx: &Savepoint<'_>, at: Timestamp) -> Result<TenantFigures, StoreError> {
    let mut figures = tenant::no_figures();
    let mut select = tx.prepare_cached("SELECT facts FROM tenant_staged")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let facts = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        let user: TenantUser =
            serde_json::from_str(facts).map_err(|_| StoreError::Corrupt("listed user"))?;
        tenant::count(&mut figures, &user, at);
    }
    Ok(figures)
}

fn save_figures(tx: &Savepoint<'_>, figures: &TenantFigures) -> Result<(), StoreError> {
    tx.execute("DELETE FROM tenant_figure", [])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO tenant_figure (dimension, value, count) VALUES (?1, ?2, ?3)",
    )?;
    for ((dimension, value), count) in figures {
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        insert.execute(params![dimension.as_str(), value, count])?;
    }
    Ok(())
}
