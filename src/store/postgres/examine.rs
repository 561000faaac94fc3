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
        Err(StoreError::NoTables(_)) => Tables::Missing,
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

#[cfg(test)]
mod tests {
    use cii_test_cluster::{Cluster, Options, Replication};

    use super::*;
    use crate::store::Store;

    fn examine(url: &str, schema: Option<&str>) -> Examination {
        Server::at(url, schema).examine().unwrap()
    }

    #[tokio::test]
    async fn what_is_there_is_told_and_nothing_is_changed() {
        let cluster = Cluster::shared();
        let database = cluster.create_database();
        for _ in 0..2 {
            let seen = examine(&database.url, None);
            assert_eq!((seen.tables, seen.schema.as_str()), (Tables::Missing, "public"));
            assert_eq!((seen.missing_right, seen.is_read_only), (None, false));
            assert!(!seen.is_synchronous && seen.version.starts_with("15."), "{}", seen.version);
        }
        let seen = examine(&database.url, Some("cii"));
        assert_eq!((seen.tables, seen.missing_right), (Tables::Missing, None));
        assert_eq!(cluster.sql(&database.name, "SELECT to_regnamespace('cii')"), "");

        let (store, writer) = Store::connect(Server::at(&database.url, Some("cii"))).unwrap();
        drop(store);
        writer.stop().await;
        assert_eq!(examine(&database.url, Some("cii")).tables, Tables::Current);

        let update = "UPDATE cii.meta SET value = '999' WHERE key = 'schema_version'";
        cluster.sql(&database.name, update);
        let newer = Server::at(&database.url, Some("cii")).examine().unwrap_err();
        assert!(matches!(newer, StoreError::TooNew { .. }), "{newer}");
        cluster.sql(&database.name, "CREATE TABLE meta (name text)");
        let foreign = Server::at(&database.url, None).examine().unwrap_err();
        assert!(matches!(foreign, StoreError::ForeignTables(_)), "{foreign}");
    }

    #[tokio::test]
    async fn the_right_that_is_missing_is_named() {
        let cluster = Cluster::shared();
        let database = cluster.create_database();
        let user = format!("user_of_{}", database.name);
        cluster.sql(&database.name, &format!("CREATE ROLE {user} LOGIN"));
        let url = database.url.replace("postgres@", &format!("{user}@"));
        let missing = |schema| examine(&url, schema).missing_right;
        // Since version 15, `public` is not for everybody.
        assert_eq!(missing(None).unwrap(), "GRANT USAGE, CREATE ON SCHEMA public");
        assert_eq!(missing(Some("cii")).unwrap(), "GRANT CREATE ON DATABASE");
        cluster.sql(&database.name, &format!("GRANT USAGE, CREATE ON SCHEMA public TO {user}"));
        assert_eq!(missing(None), None);
        let grant = format!("GRANT CREATE ON DATABASE {} TO {user}", database.name);
        cluster.sql(&database.name, &grant);
        assert_eq!(missing(Some("cii")), None);

        // Tables that somebody else made.
        let (store, writer) = Store::connect(Server::at(&database.url, None)).unwrap();
        drop(store);
        writer.stop().await;
        let all = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public";
        cluster.sql(&database.name, &format!("GRANT SELECT ON meta TO {user}"));
        assert_eq!(missing(None).unwrap(), all);
        cluster.sql(&database.name, &format!("{all} TO {user}"));
        assert_eq!(missing(None), None);
        cluster.sql(&database.name, &format!("DROP OWNED BY {user}; DROP ROLE {user}"));
    }

    #[test]
    fn what_a_failover_loses_can_be_told() {
        let primary = Cluster::start(&Options::fast());
        let standby = primary.standby("second", Replication::Synchronous, &Options::fast());
        assert!(examine(&primary.url("postgres"), None).is_synchronous);
        let any = format!("{}?target_session_attrs=any", standby.url("postgres"));
        assert!(examine(&any, None).is_read_only);
    }
}
