//! A listing of the whole tenant, page by page. What it says counts when its
//! last page is in, all at once.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Savepoint, params};

use super::{Reply, Transact, Write, check, event, failures, null_memory};
use crate::{
    domain::{
        CheckFilter, Event, ListField, Login, NullLists, TenantFigures, TenantUser, Timestamp,
        Told,
        failure::{AnswerContext, FailureAnswer, Verdict},
        null_list::{self, NullMeaning},
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
    /// The checks the user fails, as ids or titles.
    pub failing: Told<BTreeSet<String>>,
}

/// A page of the listing to record.
#[derive(Debug)]
pub struct RecordTenantPage {
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
    /// The checks the operator wants to hear of.
    pub filter: CheckFilter,
    /// What the operator says that a null list means.
    pub null_lists: NullLists,
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

/// Ends the listing that is under way, as if it had never begun.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct DropListing;

impl Store {
    /// Keeps a page; with the last one, the listing becomes what is known of the
    /// tenant, and what it says is returned.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn record_tenant_page(
        &self,
        page: RecordTenantPage,
    ) -> Result<Option<ListingEnd>, StoreError> {
        self.write(page).await
    }

    /// Drops the pages of the listing that is under way; the next one begins
    /// anew.
    ///
    /// # Errors
    /// When the database cannot commit.
    pub async fn drop_tenant_listing(&self) -> Result<(), StoreError> {
        self.write(DropListing).await
    }
}

impl Transact for DropListing {
    type Outcome = ();

    fn with(self, reply: Reply<()>) -> Write {
        Write::DropListing(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        tx.execute_batch("DELETE FROM tenant_staged; DELETE FROM tenant_listing")?;
        Ok(())
    }
}

impl Transact for RecordTenantPage {
    type Outcome = Option<ListingEnd>;

    fn with(self, reply: Reply<Self::Outcome>) -> Write {
        Write::TenantPage(self, reply)
    }

    fn apply(self, tx: &Savepoint<'_>) -> Result<Self::Outcome, StoreError> {
        let begun_at = to_micros(self.begun_at);
        let so_far = tx
            .prepare_cached("SELECT pages, skipped FROM tenant_listing WHERE begun_at = ?1")?
            .query_row([begun_at], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)))
            .optional()?;
        if so_far.is_none() {
            tx.execute("DELETE FROM tenant_staged", [])?;
        }
        let (pages, skipped) = so_far.unwrap_or_default();
        let skipped = skipped + self.skipped as u64;
        self.stage(tx)?;
        if let Some(token) = &self.next {
            tx.prepare_cached(
                "INSERT OR REPLACE INTO tenant_listing (id, begun_at, page_token, pages, skipped)
                 VALUES (1, ?1, ?2, ?3, ?4)",
            )?
            .execute(params![begun_at, token, pages + 1, skipped])?;
            return Ok(None);
        }
        self.complete(tx, skipped).map(Some)
    }
}

impl RecordTenantPage {
    fn stage(&self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let corrupt = |_| StoreError::Corrupt("listed user");
        let mut insert = tx.prepare_cached(
            "INSERT OR REPLACE INTO tenant_staged (login, facts, failing, is_null, asked_at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for user in &self.users {
            let facts = serde_json::to_string(&user.facts).map_err(corrupt)?;
            let failing = match &user.failing {
                Told::Told(failing) => Some(serde_json::to_string(failing).map_err(corrupt)?),
                Told::Null | Told::Untold => None,
            };
            insert.execute(params![
                user.login.as_str(),
                facts,
                failing,
                user.failing == Told::Null,
                to_micros(self.asked_at),
            ])?;
        }
        Ok(())
    }

    fn complete(&self, tx: &Savepoint<'_>, skipped: u64) -> Result<ListingEnd, StoreError> {
        self.judge_nulls(tx)?;
        let (users, told) = tx
            .prepare_cached("SELECT count(*), count(failing) FROM tenant_staged")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let end = ListingEnd { users, skipped, told };
        let mut known = AnswerContext { checks: check::all(tx)?, ..AnswerContext::default() };
        for answer in self.answers(tx, skipped)? {
            failures::learn(tx, &answer, &mut known, &self.filter)?;
        }
        save_figures(tx, &figures(tx, self.answered_at)?)?;
        event::append(tx, &Event::tenant_counted(users, self.answered_at))?;
        tx.execute(
            "INSERT INTO tenant_complete (id, begun_at, completed_at, is_verdict, users, skipped)
             VALUES (1, ?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET
                -- One of a clock that was ahead counts for nothing.
                begun_at = iif(begun_at <= ?2, max(begun_at, excluded.begun_at), excluded.begun_at),
                completed_at = excluded.completed_at,
                is_verdict = excluded.is_verdict,
                users = excluded.users,
                skipped = excluded.skipped",
            params![
                to_micros(self.begun_at),
                to_micros(self.answered_at),
                told > 0 && skipped <= users,
                users,
                skipped,
            ],
        )?;
        tx.execute_batch(
            "DELETE FROM tenant_member;
             INSERT INTO tenant_member (login, is_told)
                SELECT login, failing IS NOT NULL FROM tenant_staged;
             DELETE FROM tenant_staged; DELETE FROM tenant_listing",
        )?;
        Ok(end)
    }

    /// Remembers which failing checks were told and which are null, and empties
    /// those whose null means none.
    fn judge_nulls(&self, tx: &Savepoint<'_>) -> Result<(), StoreError> {
        let field = ListField::FailingChecks;
        for is_empty in [true, false] {
            let is_given = tx
                .prepare_cached(
                    "SELECT 1 FROM tenant_staged
                     WHERE failing IS NOT NULL AND (failing = '[]') = ?1",
                )?
                .exists([is_empty])?;
            if is_given {
                null_memory::remember(tx, field, is_empty, self.answered_at)?;
            }
        }
        tx.execute(
            "DELETE FROM list_null WHERE field = ?1 AND login IN (
                SELECT login FROM tenant_staged WHERE failing IS NOT NULL)",
            [field.as_str()],
        )?;
        tx.execute(
            "INSERT INTO list_null (login, field, since, last_at)
                SELECT login, ?1, asked_at, asked_at FROM tenant_staged WHERE is_null
             ON CONFLICT (login, field) DO UPDATE SET last_at = max(last_at, excluded.last_at)",
            [field.as_str()],
        )?;
        let memory = null_memory::memory(tx, field)?;
        let mut judged = Vec::new();
        let mut select = tx.prepare_cached(
            "SELECT login, since FROM tenant_staged JOIN list_null USING (login)
             WHERE is_null AND field = ?1",
        )?;
        let mut rows = select.query([field.as_str()])?;
        while let Some(row) = rows.next()? {
            let since = from_micros(row.get(1)?)?;
            let meaning = null_list::judge(self.null_lists, &memory, since, self.answered_at);
            judged.push((row.get::<_, String>(0)?, meaning));
        }
        let mut update =
            tx.prepare_cached("UPDATE tenant_staged SET failing = '[]' WHERE login = ?1")?;
        for (login, meaning) in judged {
            null_memory::save_meaning(tx, &login, field, meaning)?;
            if meaning == NullMeaning::Empty {
                update.execute([login])?;
            }
        }
        Ok(())
    }

    /// What the listing says of everybody who fails a check, or was known to.
    /// Where rows could not be read, absence says nothing about anybody.
    fn answers(&self, tx: &Savepoint<'_>, skipped: u64) -> Result<Vec<FailureAnswer>, StoreError> {
        let mut select = tx.prepare_cached(
            "SELECT login, failing, asked_at FROM tenant_staged
             WHERE failing IS NOT NULL AND (failing != '[]' OR EXISTS (
                SELECT 1 FROM failure WHERE failure.login = tenant_staged.login
                AND resolved_at IS NULL))
             UNION ALL
             SELECT DISTINCT login, NULL, NULL FROM failure
             WHERE ?1 = 0 AND resolved_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM tenant_staged WHERE tenant_staged.login = failure.login)",
        )?;
        let mut rows = select.query([skipped])?;
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
                settle: chrono::TimeDelta::zero(),
            });
        }
        Ok(answers)
    }
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
