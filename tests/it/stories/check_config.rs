//! What `check-config` prints of a good configuration, of one with warnings, of one with faults.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
};

use tempfile::TempDir;
use tokio::process::Command;

use super::holds;

/// Checks a configuration in a file of this mode, and compares what is printed.
async fn prints(name: &str, config: &str, mode: u32, code: i32) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("config.toml");
    fs::write(&file, config).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_cii-exporter"))
        .args(["check-config", "--config"])
        .arg(&file)
        .output()
        .await
        .unwrap();
    let [printed, said] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(output.status.code(), Some(code), "{said}");
    let text = format!("--- standard output\n{printed}--- standard error\n{said}");
    holds(name, &text, &[]);
}

const API: &str = "[api]\nregion = \"us\"\n\
                   token_url = \"https://login.example.com/oauth/token\"\nclient_id = \"an-id\"\nclient_secret = \"api-secret\"\n";

#[tokio::test]
async fn a_good_configuration_is_what_it_comes_to() {
    let config = format!(
        "[webhook]\nsecrets = [\"0123456789abcdef\"]\n{API}[watch]\nusers = [\"zoe@example.com\"]\n\
         [otlp]\nendpoint = \"http://collector.example.com:4318\"\n\
         [store]\npath = \"/var/lib/cii-exporter/store.db\"\n"
    );
    prints("check-config-good", &config, 0o600, 0).await;
}

#[tokio::test]
async fn what_is_probably_not_meant_is_told_beside_it() {
    let config = "[webhook]\nsecrets = [\"short\"]\n\
                  [ops]\nlisten = \"0.0.0.0:9847\"\nallow_unauthenticated = true\n\
                  [watch]\nusers = [\"zoe@example.com\"]\n\
                  [otlp]\nendpoint = \"http://collector.example.com:4317\"\n\
                  [store]\npath = \"/var/lib/cii-exporter/store.db\"\n";
    prints("check-config-with-warnings", config, 0o644, 0).await;
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_with_what_to_do() {
    let config = "[webhook]\nsecrets = [\"…\"]\nlissten = \"x\"\n\
                  [api]\nregion = \"uss\"\nclient_id = \"the-client-id\"\n\
                  [sync]\ntime_zone = \"Europe/Berln\"\n\
                  [sync.users]\nschedule = \"*/5 * * * *\"\n\
                  [store]\nretention_days = -1\n";
    prints("check-config-with-faults", config, 0o600, 64).await;
}
