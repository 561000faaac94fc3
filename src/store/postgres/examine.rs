//! Examines a server for an operator who sets the exporter up.

use super::{Server, Way, schema};
use crate::store::{
    StoreError,
    sql::{Connection, params},
};

/// The properties of a server that can be reached.
#[derive(Debug, Clone)]
pub struct Examination {
    /// The version, as the server reports it.
    pub version: String,
    /// The schema that has the tables, or will have them.
    pub schema: String,
    /// The state of the tables.
    pub tables: Tables,
    /// Missing rights of the user, as the SQL statements that grant them.
    pub missing_right: Option<String>,
    /// Missing rights that only a copy into the tables needs.
    pub missing_right_to_fill: Option<String>,
    /// Whether each commit waits for a standby. Otherwise a failover can lose acknowledged commits.
    pub is_synchronous: bool,
    /// Whether the server rejects writes, because it is a standby or read-only.
    pub is_read_only: bool,
}

/// The state of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// There are none: the first start creates them.
    Missing,
    /// They are from an older exporter: the next start upgrades them.
    Older,
    /// They have this exporter's version.
    Current,
}

impl Server {
    /// Examines the server without changing anything.
    ///
    /// # Errors
    /// When it cannot be reached, is too old, or has tables of another program or a newer exporter.
    pub fn examine(&self) -> Result<Examination, StoreError> {
        let session = Way::new(self.clone())?.connect()?;
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
    let missing_right_to_fill =
        if tables == Tables::Current { missing_right_to_fill(session)? } else { None };
    let schema = schema.unwrap_or_else(|| "public".to_owned());
    Ok(Examination {
        version,
        schema,
        tables,
        missing_right,
        missing_right_to_fill,
        is_synchronous,
        is_read_only,
    })
}

/// The first right that is missing.
fn missing_right(
    session: &dyn Connection,
    schema: Option<&str>,
    tables: Tables,
) -> Result<Option<String>, StoreError> {
    let names = session.one(
        "SELECT quote_ident(current_user), quote_ident(current_database()), quote_ident(?1)",
        params![schema.unwrap_or("cii")],
        |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<String>(2)?)),
    )?;
    let (role, database, quoted) = names;
    // Without a configured schema, the server's search_path names no existing one.
    let Some(schema) = schema else {
        return Ok(Some(format!(
            "CREATE SCHEMA IF NOT EXISTS {quoted} AUTHORIZATION {role}; \
             ALTER ROLE {role} IN DATABASE {database} SET search_path = {quoted}"
        )));
    };
    let has = |sql: &str, name: &str| session.one(sql, params![name], |row| row.get::<bool>(0));
    match tables {
        Tables::Current => {
            let all = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA";
            let right = format!("{all} {quoted} TO {role}");
            return Ok((!has(HAS_TABLES, &own_tables())?).then_some(right));
        }
        // The scripts of an upgrade alter tables, which only their owner may.
        Tables::Older => {
            let right = session
                .one(OWN_TABLES, params![own_tables()], |row| row.get::<Option<String>>(0))?;
            if right.is_some() {
                return Ok(right);
            }
        }
        Tables::Missing => {}
    }
    let is_there = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ?1)";
    if !has(is_there, schema)? {
        let may = "SELECT has_database_privilege(current_database(), 'CREATE') AND ?1 <> ''";
        let right = format!("GRANT CREATE ON DATABASE {database} TO {role}");
        return Ok((!has(may, schema)?).then_some(right));
    }
    let both = "SELECT has_schema_privilege(?1, 'CREATE') AND has_schema_privilege(?1, 'USAGE')";
    let right = format!("GRANT USAGE, CREATE ON SCHEMA {quoted} TO {role}");
    Ok((!has(both, schema)?).then_some(right))
}

/// The right to set sequences after a copy. An insertion needs no right to them: they belong to
/// identity columns.
fn missing_right_to_fill(session: &dyn Connection) -> Result<Option<String>, StoreError> {
    session.optional(
        "SELECT format('GRANT UPDATE ON SEQUENCE %s TO %I', name, current_user)
         FROM (SELECT pg_get_serial_sequence('failure_closed', 'number') AS name) AS numbers
         WHERE NOT has_sequence_privilege(name, 'UPDATE')",
        &[],
        |row| row.get::<String>(0),
    )
}

/// The names of the tables, in the form that the statements below parse.
fn own_tables() -> String {
    schema::tables().collect::<Vec<_>>().join(",")
}

/// Whether the user may read and write all tables, in one query because the server can be far away.
const HAS_TABLES: &str = "SELECT NOT EXISTS (
    SELECT 1
    FROM unnest(string_to_array(?1, ',')) AS made (name),
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS needed (privilege)
    WHERE NOT has_table_privilege(to_regclass(made.name), needed.privilege))";

/// The statement that makes the user the owner of all tables; NULL where it is the owner or has the
/// owner's rights. Membership is not proposed, because the owner can be a superuser.
const OWN_TABLES: &str = "SELECT string_agg(
        format('ALTER TABLE %I.%I OWNER TO %I', nspname, relname, current_user), '; '
        ORDER BY relname)
    FROM pg_catalog.pg_class
    JOIN pg_catalog.pg_namespace AS space ON space.oid = relnamespace
    JOIN unnest(string_to_array(?1, ',')) AS made (name) ON pg_class.oid = to_regclass(made.name)
    WHERE NOT pg_has_role(relowner, 'USAGE')";

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
        // Since version 15, `public` is not writable for everyone. The proposed statement is run as
        // it is.
        for (schema, expected) in [
            (None, format!("GRANT USAGE, CREATE ON SCHEMA public TO {user}")),
            (Some("cii"), format!("GRANT CREATE ON DATABASE {} TO {user}", database.name)),
        ] {
            assert_eq!(missing(schema).as_ref(), Some(&expected));
            cluster.sql(&database.name, &expected);
            assert_eq!(missing(schema), None);
        }

        // Tables of another owner.
        let (store, writer) = Store::connect(Server::at(&database.url, None)).unwrap();
        drop(store);
        writer.stop().await;
        let all = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public";
        let all = format!("{all} TO {user}");
        cluster.sql(&database.name, &format!("GRANT SELECT ON meta TO {user}"));
        assert_eq!(missing(None).as_ref(), Some(&all));
        cluster.sql(&database.name, &all);
        assert_eq!(missing(None), None);
        // Each table is examined.
        cluster.sql(&database.name, &format!("REVOKE DELETE ON lease FROM {user}"));
        assert_eq!(missing(None).as_ref(), Some(&all));
        cluster.sql(&database.name, &all);
        let fill = examine(&url, None).missing_right_to_fill.unwrap();
        assert!(fill.starts_with("GRANT UPDATE ON SEQUENCE public.failure_closed_number_seq"));
        cluster.sql(&database.name, &fill);
        assert_eq!(examine(&url, None).missing_right_to_fill, None);

        // An upgrade needs the owner, or a member of that role.
        let older = "UPDATE meta SET value = '1' WHERE key = 'schema_version'";
        cluster.sql(&database.name, older);
        let owner = missing(None).unwrap();
        let first = format!("ALTER TABLE public.admin OWNER TO {user}; ");
        assert!(owner.starts_with(&first), "{owner}");
        cluster.sql(&database.name, &owner);
        assert_eq!(missing(None), None);
        assert_eq!(examine(&url, None).tables, Tables::Older);
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
