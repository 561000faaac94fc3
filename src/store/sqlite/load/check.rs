//! Checks, by their names.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use rusqlite::{Connection, Params, Row, types::Value};

use super::texts;
use crate::{
    domain::{
        CheckDefinition, CheckId, CheckWords, ConfiguredChecks, Severity, Timestamp, ToldAt,
        failure::Titled,
    },
    ledger::{Check, CheckNumber, Facts, Totals},
    store::{
        StoreError,
        row::{self, Moment, Unreadable},
    },
};

const COLUMNS: &str = "c.id, c.number, c.title, c.severity, c.last_event_at, c.version, c.open, \
     w.description, w.recommended_actions, c.failures, c.resolutions, c.title_as_of, \
     c.severity_as_of, c.description_as_of, c.recommended_actions_as_of, \
     c.last_failure_at, c.durations, c.is_provisional, c.is_hidden, c.trend";

/// A check needs its words.
const WITH_WORDS: &str =
    "LEFT JOIN check_words AS w ON w.check_number = c.number AND w.version = c.version";

/// Every check.
pub(super) fn all(connection: &Connection, facts: &mut Facts) -> Result<(), StoreError> {
    configured(connection, facts)?;
    let sql = format!("SELECT {COLUMNS} FROM checks AS c {WITH_WORDS}");
    put(connection, &sql, [], facts)
}

/// What the operator says of checks. There is little of it, mostly none.
pub(super) fn configured(connection: &Connection, facts: &mut Facts) -> Result<(), StoreError> {
    if facts.configured.is_loaded(&()) {
        return Ok(());
    }
    let mut select =
        connection.prepare_cached("SELECT name, title, severity FROM configured_check")?;
    let mut rows = select.query([])?;
    let mut found = ConfiguredChecks::default();
    while let Some(row) = rows.next()? {
        let (name, title, severity): (String, _, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let severity = Severity::new(severity.as_deref());
        found.insert(&name, CheckWords { title, severity });
    }
    facts.configured.load((), Some(Arc::new(found)));
    Ok(())
}

pub(super) fn by_id(
    connection: &Connection,
    ids: &BTreeSet<CheckId>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    configured(connection, facts)?;
    let sql = format!("SELECT {COLUMNS} FROM checks AS c {WITH_WORDS} WHERE c.id IN rarray(?1)");
    put(connection, &sql, [texts(ids.iter().map(CheckId::as_str))], facts)?;
    for id in ids {
        facts.load_check(id.clone(), None);
    }
    Ok(())
}

pub(super) fn by_number(
    connection: &Connection,
    numbers: &BTreeSet<CheckNumber>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if numbers.is_empty() {
        return Ok(());
    }
    let numbers: Vec<_> = numbers.iter().copied().map(Value::Integer).collect();
    let numbers = Rc::new(numbers);
    let sql =
        format!("SELECT {COLUMNS} FROM checks AS c {WITH_WORDS} WHERE c.number IN rarray(?1)");
    put(connection, &sql, [numbers], facts)
}

/// Which checks have or had these titles, and those checks.
pub(super) fn by_title(
    connection: &Connection,
    folded: &BTreeSet<String>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if folded.is_empty() {
        return Ok(());
    }
    configured(connection, facts)?;
    let titles = texts(folded.iter().map(String::as_str));
    let mut titled: BTreeMap<String, Titled> =
        folded.iter().map(|title| (title.clone(), Titled::default())).collect();
    let mut ids = BTreeSet::new();
    {
        let mut select = connection.prepare_cached(
            "SELECT t.folded, c.id, t.until IS NULL FROM check_title AS t JOIN checks AS c
             ON c.number = t.check_number WHERE t.folded IN rarray(?1)",
        )?;
        let mut rows = select.query([titles])?;
        while let Some(row) = rows.next()? {
            let (title, id): (String, String) = (row.get(0)?, row.get(1)?);
            if let Some(id) = CheckId::new(&id) {
                let titled = titled.entry(title).or_default();
                let of_its_time =
                    if row.get(2)? { &mut titled.current } else { &mut titled.former };
                of_its_time.insert(id.clone());
                ids.insert(id);
            }
        }
    }
    by_id(connection, &ids, facts)?;
    for (title, mut titled) in titled {
        // One that got the title back has it.
        titled.former.retain(|id| !titled.current.contains(id));
        facts.load_title(title, titled);
    }
    Ok(())
}

fn put(
    connection: &Connection,
    sql: &str,
    keys: impl Params,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query(keys)?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        let Some(id) = CheckId::new(&text) else { continue };
        match check(row)? {
            Ok(check) => facts.load_check(id, Some(check)),
            Err(reason) => facts.load_unreadable_check(id, &reason.to_string()),
        }
    }
    Ok(())
}

fn check(row: &Row<'_>) -> Result<Result<Check, Unreadable>, StoreError> {
    let severity: Option<String> = row.get(3)?;
    let (description, actions): (Option<String>, Option<String>) = (row.get(7)?, row.get(8)?);
    let words = |json: Option<String>| match json {
        Some(json) => row::texts::decode(&json),
        None => Err(Unreadable::Missing("description")),
    };
    let (description, recommended_actions) = match (words(description), words(actions)) {
        (Ok(description), Ok(actions)) => (description, actions),
        (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
    };
    let Ok(Moments { last_event_at, last_failure_at, told }) = moments(row) else {
        return Ok(Err(Unreadable::Moment));
    };
    let durations = match row::durations::decode(row.get_ref(16)?.as_str().unwrap_or_default()) {
        Ok(durations) => durations,
        Err(reason) => return Ok(Err(reason)),
    };
    let trend = match row::trend::decode(row.get_ref(19)?.as_str().unwrap_or_default()) {
        Ok(trend) => trend,
        Err(reason) => return Ok(Err(reason)),
    };
    Ok(Ok(Check {
        durations,
        trend,
        number: row.get(1)?,
        definition: Arc::new(CheckDefinition {
            title: row.get(2)?,
            severity: Severity::new(severity.as_deref()),
            description,
            recommended_actions,
            told,
        }),
        version: row.get(5)?,
        last_event_at,
        open: row.get(6)?,
        totals: Totals { failures: row.get(9)?, resolutions: row.get(10)? },
        last_failure_at,
        is_provisional: row.get(17)?,
        is_hidden: row.get(18)?,
    }))
}

struct Moments {
    last_event_at: Timestamp,
    last_failure_at: Option<Timestamp>,
    told: ToldAt,
}

fn moments(row: &Row<'_>) -> rusqlite::Result<Moments> {
    let moment = |column: usize| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<Moment>>(column)?.map(Timestamp::from))
    };
    let told = ToldAt {
        title: moment(11)?,
        severity: moment(12)?,
        description: moment(13)?,
        recommended_actions: moment(14)?,
    };
    let Moment(last_event_at) = row.get(4)?;
    Ok(Moments { last_event_at, last_failure_at: moment(15)?, told })
}
