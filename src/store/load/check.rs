//! Loads checks, by id and by title.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    domain::{
        CheckDefinition, CheckId, CheckWords, ConfiguredChecks, DefinitionDates, Severity,
        Timestamp, failure::Titled,
    },
    ledger::{Check, CheckNumber, Facts, Totals},
    store::{
        StoreError,
        row::{self, Unreadable},
        sql::{Connection, Param, Row, params},
    },
};

const COLUMNS: &str = "c.id, c.number, c.title, c.severity, c.last_event_at, c.version, c.open, \
     w.description, w.recommended_actions, c.failures, c.resolutions, c.title_as_of, \
     c.severity_as_of, c.description_as_of, c.recommended_actions_as_of, \
     c.last_failure_at, c.durations, c.is_provisional, c.is_hidden, c.trend";

/// Every check is loaded with its definition.
const WITH_WORDS: &str =
    "LEFT JOIN check_words AS w ON w.check_number = c.number AND w.version = c.version";

/// Every check.
pub(super) fn all(connection: &dyn Connection, facts: &mut Facts) -> Result<(), StoreError> {
    configured_words(connection, facts)?;
    let sql = format!("SELECT {COLUMNS} FROM checks AS c {WITH_WORDS}");
    put_all(connection, &sql, &[], facts)?;
    facts.load_all_checks();
    Ok(())
}

/// The operator's words for checks. There are few or none.
pub(super) fn configured_words(
    connection: &dyn Connection,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if facts.configured.is_loaded(&()) {
        return Ok(());
    }
    let mut found = ConfiguredChecks::default();
    connection.each("SELECT name, title, severity FROM configured_check", &[], |row| {
        let title = row.get(1)?;
        let severity = Severity::new(row.get(2)?);
        found.insert(row.text(0)?, CheckWords { title, severity });
        Ok(())
    })?;
    facts.configured.load((), Some(Arc::new(found)));
    Ok(())
}

pub(super) fn by_id(
    connection: &dyn Connection,
    ids: &BTreeSet<CheckId>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    configured_words(connection, facts)?;
    let sql = format!("SELECT {COLUMNS} FROM checks AS c {WITH_WORDS} WHERE c.id IN rarray(?1)");
    let texts: Vec<_> = ids.iter().map(CheckId::as_str).collect();
    put_all(connection, &sql, params![texts[..]], facts)?;
    for id in ids {
        facts.load_check(id.clone(), None);
    }
    Ok(())
}

pub(super) fn by_number(
    connection: &dyn Connection,
    numbers: &BTreeSet<CheckNumber>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if numbers.is_empty() {
        return Ok(());
    }
    let numbers: Vec<_> = numbers.iter().copied().collect();
    let sql =
        format!("SELECT {COLUMNS} FROM checks AS c {WITH_WORDS} WHERE c.number IN rarray(?1)");
    put_all(connection, &sql, params![numbers[..]], facts)
}

/// Loads which checks have or had these titles, and those checks.
pub(super) fn by_title(
    connection: &dyn Connection,
    folded: &BTreeSet<String>,
    facts: &mut Facts,
) -> Result<(), StoreError> {
    if folded.is_empty() {
        return Ok(());
    }
    configured_words(connection, facts)?;
    let titles: Vec<_> = folded.iter().map(String::as_str).collect();
    let mut titled: BTreeMap<String, Titled> =
        folded.iter().map(|title| (title.clone(), Titled::default())).collect();
    let sql = format!(
        "SELECT {COLUMNS}, t.folded, t.until FROM check_title AS t
         JOIN checks AS c ON c.number = t.check_number {WITH_WORDS} WHERE t.folded IN rarray(?1)"
    );
    connection.each(&sql, params![titles[..]], |row| {
        let Some(id) = CheckId::new(row.text(0)?) else { return Ok(()) };
        let titled = titled.entry(row.get(20)?).or_default();
        let is_current = row.get::<Option<i64>>(21)?.is_none();
        let of_its_time = if is_current { &mut titled.current } else { &mut titled.former };
        of_its_time.insert(id.clone());
        put(facts, id, row)
    })?;
    for (title, mut titled) in titled {
        // A check that got a title back has it now, and is no former one.
        titled.former.retain(|id| !titled.current.contains(id));
        facts.load_title(title, titled);
    }
    Ok(())
}

fn put_all(
    connection: &dyn Connection,
    sql: &str,
    keys: &[Param<'_>],
    facts: &mut Facts,
) -> Result<(), StoreError> {
    connection.each(sql, keys, |row| match CheckId::new(row.text(0)?) {
        Some(id) => put(facts, id, row),
        None => Ok(()),
    })
}

fn put(facts: &mut Facts, id: CheckId, row: &Row<'_>) -> Result<(), StoreError> {
    match check(row)? {
        Ok(check) => facts.load_check(id, Some(check)),
        Err(reason) => facts.load_unreadable_check(id, &reason.to_string()),
    }
    Ok(())
}

fn check(row: &Row<'_>) -> Result<Result<Check, Unreadable>, StoreError> {
    let (description, actions): (Option<&str>, Option<&str>) = (row.get(7)?, row.get(8)?);
    let words = |json: Option<&str>| match json {
        Some(json) => row::texts::decode(json),
        None => Err(Unreadable::Missing("description")),
    };
    let (description, recommended_actions) = match (words(description), words(actions)) {
        (Ok(description), Ok(actions)) => (description, actions),
        (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason)),
    };
    let Ok(Moments { last_event_at, last_failure_at, told }) = moments(row) else {
        return Ok(Err(Unreadable::Moment));
    };
    let durations = match row::durations::decode(row.text(16).unwrap_or_default()) {
        Ok(durations) => durations,
        Err(reason) => return Ok(Err(reason)),
    };
    let trend = match row::trend::decode(row.text(19).unwrap_or_default()) {
        Ok(trend) => trend,
        Err(reason) => return Ok(Err(reason)),
    };
    Ok(Ok(Check {
        durations,
        trend,
        number: row.get(1)?,
        definition: Arc::new(CheckDefinition {
            title: row.get(2)?,
            severity: Severity::new(row.get(3)?),
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
    told: DefinitionDates,
}

fn moments(row: &Row<'_>) -> Result<Moments, StoreError> {
    let told = DefinitionDates {
        title: row.get(11)?,
        severity: row.get(12)?,
        description: row.get(13)?,
        recommended_actions: row.get(14)?,
    };
    Ok(Moments { last_event_at: row.get(4)?, last_failure_at: row.get(15)?, told })
}
