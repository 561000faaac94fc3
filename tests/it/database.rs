//! Copies of the database, and damage in it, by command.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use crate::harness::{Body, Exporter, Setup, alter, until};

async fn failing(exporter: &Exporter) -> Option<f64> {
    let series = "cii_check_failing_users{check_id=\"no-mfa\",severity=\"high\"}";
    exporter.metrics().await.get(series)
}

fn text(file: &Path) -> String {
    file.display().to_string()
}

#[tokio::test]
async fn a_copy_is_made_while_the_daemon_runs_and_put_back_when_it_does_not() {
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a@example.com"]).json()).await, 200);
    let copy = exporter.database().with_extension("copy");
    let made = exporter.run(&["db", "backup", &text(&copy)]).await;
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    // Nothing is ever replaced, and the daemon goes on.
    let again = exporter.run(&["db", "backup", &text(&copy)]).await;
    assert!(again.code == 1 && again.errors.contains("exists"), "{again:?}");
    let nowhere = copy.with_file_name("nowhere").join("copy");
    let refused = exporter.run(&["db", "backup", &text(&nowhere)]).await;
    let expected = format!("there is no folder {}", text(nowhere.parent().unwrap()));
    assert!(refused.code == 1 && refused.errors.contains(&expected), "{refused:?}");
    assert_eq!(exporter.deliver(&Body::new("2", "no-mfa", &["b@example.com"]).json()).await, 200);
    let checked = exporter.run(&["db", "check"]).await;
    assert_eq!(checked.code, 0, "{checked:?}");
    let refused = exporter.run(&["db", "restore", &text(&copy)]).await;
    assert!(refused.code == 1 && refused.errors.contains("in use"), "{refused:?}");
    until("both", || async { (failing(&exporter).await == Some(2.0)).then_some(()) }).await;

    // Killed, so that what it committed last stands in the log beside the file.
    exporter.signal("KILL");
    let setup = exporter.kill().await;
    let restored = setup.run(&["db", "restore", &text(&copy)]).await;
    assert_eq!(restored.code, 0, "{restored:?}");
    let exporter = setup.start().await;
    until("the first", || async { (failing(&exporter).await == Some(1.0)).then_some(()) }).await;
    let setup = exporter.stop().await;
    // The former one is whole, with its log.
    let former = format!("{}.before-restore", text(&setup.database()));
    let again = setup.run(&["db", "restore", &former]).await;
    assert_eq!(again.code, 0, "{again:?}");
    assert!(again.output.contains(".before-restore.1"), "{again:?}");
    let exporter = setup.start().await;
    until("both again", || async { (failing(&exporter).await == Some(2.0)).then_some(()) }).await;
}

#[tokio::test]
async fn damage_is_found_and_no_damaged_copy_is_put_back() {
    let exporter = Setup::new().start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a@example.com"]).json()).await, 200);
    let setup = exporter.stop().await;
    let whole = fs::read(setup.database()).unwrap();
    let checked = setup.run(&["db", "check"]).await;
    assert!(checked.code == 0 && checked.output.contains("is whole"), "{checked:?}");

    alter(&setup.database(), "UPDATE checks SET open = 7; UPDATE head SET event = 1");
    let checked = setup.run(&["db", "check"]).await;
    assert_eq!(checked.code, 1, "{checked:?}");
    assert!(checked.output.contains("open failures of a check"), "{checked:?}");
    assert!(checked.output.contains("not given yet"), "{checked:?}");

    // A page in the middle of it.
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2 / 4096 * 4096;
    damaged[middle..middle + 4096].fill(0x5a);
    let copy = setup.database().with_extension("damaged");
    fs::write(&copy, &damaged).unwrap();
    let before = fs::read(setup.database()).unwrap();
    for (bytes, why) in [(&damaged[..], "damaged"), (b"a text", "no SQLite database"), (b"", "")] {
        fs::write(&copy, bytes).unwrap();
        let refused = setup.run(&["db", "restore", &text(&copy)]).await;
        assert!(refused.code == 1 && refused.errors.contains(why), "{refused:?}");
        assert_eq!(fs::read(setup.database()).unwrap(), before);
    }
    fs::write(setup.database(), &damaged).unwrap();
    let checked = setup.run(&["db", "check"]).await;
    assert!(checked.code == 1 && checked.errors.contains("damaged"), "{checked:?}");
}
