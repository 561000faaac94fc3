//! What a server is like, for whoever sets the exporter up.

use super::{Server, Way, schema};
use crate::store::{
    StoreError,
    sql::{Connection, params},
};

/// A server that can be reached, and whether it can be used.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The version, as the server says it.
    pub version: String,
    /// The schema that has the tables, or is to have them.
    pub schema: String,
    /// What there is of tables.
    pub tables: Tables,
    /// What the user may not do and has to, as a statement of SQL allows it.
    pub missing_right: Option<String>,
    /// Whether each commit waits for a standby: else a failover can lose what was acknowledged.
    pub is_synchronous: bool,
    /// Whether no commit is possible, since this is a standby, or set to be read only.
    pub is_read_only: bool,
}

/// What there is of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// Nothing: the first start makes them.
    Missing,
    /// Those of an older exporter: the next start brings them up to date.
    Older,
    /// Those of this exporter.
    Current,
}

impl Server {
    /// Looks at the server, and changes nothing.
    ///
    /// # Errors
    /// When it cannot be reached, is too old, or the tables are another program's or a newer
    /// exporter's.
    pub fn examine(&self) -> Result<Examination, StoreError> {
        let session = Way::to(self.clone())?.connect()?;
        session.begin_reading()?;
        let examined = examine(&session, self);
        session.end_reading()?;
        examined
    }
}

fn examine(session: &super::Session, server: &Server) -> Result<Examination, StoreError> {
    let tables = match schema::check(session, server) {
        Ok(()) => Tables::Current,
        Err(StoreError::TooOld(_)) => Tables::Older,
        Err(StoreError::Empty(_)) => Tables::Missing,
        Err(error) => return Err(error),
    };
    let session: &dyn Connection = session;
    let found = session.one(
        "SELECT current_setting('server_version'),
                current_setting('synchronous_standby_names') <> '',
                pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on',
                current_schema()",
        &[],
        |row| {
            Ok((
                row.get::<String>(0)?,
                row.get::<bool>(1)?,
                row.get::<bool>(2)?,
                row.get::<Option<String>>(3)?,
            ))
        },
    )?;
    let (version, is_synchronous, is_read_only, current) = found;
    let schema = server.schema().map(str::to_owned).or(current);
    let missing_right = missing_right(session, schema.as_deref(), tables)?;
    let schema = schema.unwrap_or_else(|| "public".to_owned());
    Ok(Examination { version, schema, tables, missing_right, is_synchronous, is_read_only })
}

/// The first right that is missing.
fn missing_right(
    session: &dyn Connection,
    schema: Option<&str>,
    tables: Tables,
) -> Result<Option<String>, StoreError> {
    // Without one, the server's search_path leads nowhere.
    let Some(schema) = schema else {
        return Ok(Some("CREATE SCHEMA, or a search_path with a schema that is there".to_owned()));
    };
    let has = |sql: &str, name: &str| session.one(sql, params![name], |row| row.get::<bool>(0));
    if tables == Tables::Current {
        for table in ["meta", "head", "event", "commit_log"] {
            for right in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
                let sql = format!("SELECT has_table_privilege(?1, '{right}')");
                if !has(&sql, table)? {
                    let all = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA";
                    return Ok(Some(format!("{all} {schema}")));
                }
            }
        }
        return Ok(None);
    }
    let is_there = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ?1)";
    if !has(is_there, schema)? {
        let database = "SELECT has_database_privilege(current_database(), 'CREATE') AND ?1 <> ''";
        let right = "GRANT CREATE ON DATABASE".to_owned();
        return Ok((!has(database, schema)?).then_some(right));
    }
    let both = "SELECT has_schema_privilege(?1, 'CREATE') AND has_schema_privilege(?1, 'USAGE')";
    let right = format!("GRANT USAGE, CREATE ON SCHEMA {schema}");
    Ok((!has(both, schema)?).then_some(right))
}
