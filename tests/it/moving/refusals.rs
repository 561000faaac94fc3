//! What is not copied, and what the operator is told instead.

use std::fs;

use cii_test_cluster::{Cluster, Options};
use rusqlite::Connection;

use super::{assert_refused, copy, dump, empty_schema, everything::fill, on_file, rows, text};
use crate::harness::{Body, free_port};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_copied_is_refused_with_what_to_do() {
    let cluster = Cluster::shared();
    let setup = on_file().start().await.stop().await;
    let file = text(&setup.database());
    fill(&Connection::open(setup.database()).unwrap());
    let database = cluster.create_database();
    assert_eq!(copy(&setup, &file, &database.url).await.code, 0);
    let again = copy(&setup, &file, &database.url).await;
    assert_refused(&again, "has data already");
    assert_refused(&again, "DROP SCHEMA \"public\" CASCADE; CREATE SCHEMA \"public\"");
    assert_refused(
        &copy(&setup, &database.url, &file).await,
        "exists, and a copy replaces no file",
    );

    let files = copy(&setup, &file, "other.db").await;
    assert!(files.code == 64 && files.errors.contains("db backup"), "{files:?}");
    let mysql = copy(&setup, &file, "mysql://host/database").await;
    assert!(mysql.code == 64 && mysql.errors.contains("postgres://"), "{mysql:?}");
    let schema =
        setup.run(&["store", "copy", "--from", &file, "--to", "x", "--to-schema", "a"]).await;
    assert!(schema.code == 64 && schema.errors.contains("no schema"), "{schema:?}");
    let nobody = format!("postgres://postgres@127.0.0.1:{}/x", free_port());
    let nobody = copy(&setup, &file, &nobody).await;
    assert_refused(&nobody, "--to: ");
    assert!(nobody.errors.contains("nobody listens there") && !nobody.errors.contains("store.url"));
    assert_refused(&copy(&setup, &file, &cluster.url("missing")).await, "has no database");
    assert_refused(&copy(&setup, "missing.db", &database.url).await, "there is no file");

    // Somebody without rights.
    let locked = cluster.create_database();
    let name = &locked.name;
    cluster.sql(name, &format!("CREATE ROLE {name}_user LOGIN"));
    let user = locked.url.replace("postgres@", &format!("{name}_user@"));
    let refused = copy(&setup, &file, &user).await;
    assert_refused(&refused, "lacks a right: GRANT USAGE, CREATE ON SCHEMA public");
    cluster.sql(name, &format!("GRANT CREATE ON SCHEMA public TO {name}_user"));
    assert_eq!(copy(&setup, &file, &user).await.code, 0, "the rights that are asked for do");

    // A file of an older version.
    let older = Connection::open(setup.database()).unwrap();
    older.pragma_update(None, "user_version", 15).unwrap();
    let refused = copy(&setup, &file, &cluster.create_database().url).await;
    assert_refused(&refused, "`cii-exporter run` upgrades it");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_become_others_on_the_way_are_noticed_and_not_kept() {
    let cluster = Cluster::shared();
    let setup = on_file().start().await.stop().await;
    fill(&Connection::open(setup.database()).unwrap());
    for (change, table) in [
        ("NEW.title := 'other'; RETURN NEW", "checks"),
        ("IF NEW.seq = 2 THEN RETURN NULL; END IF; RETURN NEW", "delivery"),
    ] {
        let database = empty_schema(cluster);
        cluster.sql(
            &database.name,
            &format!(
                "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN {change}; END $$;
                 CREATE TRIGGER change BEFORE INSERT ON {table}
                    FOR EACH ROW EXECUTE FUNCTION change()"
            ),
        );
        let refused = copy(&setup, "config", &database.url).await;
        assert_refused(&refused, "is not what was copied, and nothing of it is kept");
        let line = refused.output.lines().find(|line| line.trim_start().starts_with(table));
        assert!(line.is_some_and(|line| line.trim_end().ends_with("differs")), "{refused:?}");
        assert_eq!(refused.output.matches("differs").count(), 1, "{refused:?}");
        assert_eq!(rows(cluster, &database), 0);
        cluster.sql(&database.name, &format!("DROP TRIGGER change ON {table}"));
        assert_eq!(copy(&setup, "config", &database.url).await.code, 0, "repeatable");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_may_go_on_for_a_trial_alone() {
    let database = Cluster::shared().create_database();
    let exporter = on_file().at(&database.url).start().await;
    exporter.until_metric("cii_leader", 1.0).await;
    let body = Body::new("one", "no-mfa", &["ada@example.com"]).json();
    assert_eq!(exporter.deliver(&body).await, 200);
    let back = exporter.database().with_extension("back");
    let arguments = ["store", "copy", "--from", "config", "--to", &text(&back)];
    assert_refused(&exporter.run(&arguments).await, "--while-running");
    let made = exporter.run(&[&arguments[..], &["--while-running"]].concat()).await;
    assert!(made.code == 0 && made.output.contains("went on"), "{made:?}");
    assert_eq!(dump(&back)["delivery"].len(), 1);
    // Nor is anything copied into a database that a daemon has open.
    let setup = on_file().start().await.stop().await;
    assert_refused(&copy(&setup, "config", &database.url).await, "in use by the replica");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_read_from_a_file() {
    let access = "host all all 127.0.0.1/32 scram-sha-256";
    let cluster = Cluster::start(&Options::fast().access(access));
    let database = cluster.create_database();
    cluster.sql("postgres", "CREATE ROLE mover LOGIN SUPERUSER PASSWORD 'let me/in'");
    let setup = on_file().start().await.stop().await;
    let url = database.url.replace("postgres@", "mover@");
    let (from, password) = (text(&setup.database()), setup.database().with_extension("password"));
    let arguments = ["store", "copy", "--from", &from, "--to", &url];
    let refused = setup.run(&arguments).await;
    assert_refused(&refused, "set --to-password-file");
    let file = text(&password);
    let with_file = [&arguments[..], &["--to-password-file", &file]].concat();
    fs::write(&password, "wrong\n").unwrap();
    let refused = setup.run(&with_file).await;
    assert_refused(&refused, "does not take the password; correct --to-password-file");
    assert!(!refused.errors.contains("wrong"), "{refused:?}");
    fs::write(&password, "").unwrap();
    assert_eq!(setup.run(&with_file).await.code, 64);
    fs::write(&password, "let me/in\n").unwrap();
    let both = [&with_file[..4], &["--to", &url.replace("mover@", "mover:x@")], &with_file[6..]];
    let both = setup.run(&both.concat()).await;
    assert!(both.code == 64 && both.errors.contains("keep one of the two"), "{both:?}");
    let made = setup.run(&with_file).await;
    assert_eq!(made.code, 0, "{made:?}");
}
