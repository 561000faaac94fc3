//! The operator's words for checks.

use super::*;
use crate::{
    domain::{CheckWords, ConfiguredChecks},
    ledger::change::ConfigureChecks,
};

/// Sets the configured checks: the name, the title, the severity.
async fn configure(store: &Store, checks: &[(&str, Option<&str>, Option<&str>)]) {
    let mut configured = ConfiguredChecks::default();
    for (name, title, severity) in checks {
        let title = title.map(str::to_owned);
        configured.insert(name, CheckWords { title, severity: Severity::new(*severity) });
    }
    let configured = Arc::new(configured);
    store.commit(ConfigureChecks { configured, at: at(50) }).await.unwrap();
}

#[tokio::test]
async fn a_title_that_the_configuration_gives_to_an_id_is_that_check_in_answers() {
    let Fixture { store, place: _place, .. } = Fixture::new();
    let checks =
        [("no-mfa", Some("No MFA"), Some("critical")), ("Only A Title", None, Some("low"))];
    configure(&store, &checks).await;
    for (second, name) in [(100, " no mfa"), (101, "Only a title")] {
        let answer = FailureAnswer {
            login: login(&format!("user{second}")),
            verdict: Verdict::Fails([name.to_owned()].into()),
            asked_at: at(second),
            answered_at: at(second),
            settle: chrono::TimeDelta::zero(),
        };
        store.commit(fixtures::checks_only(answer)).await.unwrap();
    }
    let shown = async |id: &'static str| {
        let check = store.read(move |reader| reader.check(id)).await.unwrap();
        check.map(|check| (check.title, check.severity.label(), check.failing))
    };
    assert_eq!(shown("no-mfa").await, Some(("No MFA".into(), "critical".into(), 1)));
    let only = Some(("Only a title".into(), "low".into(), 1));
    assert_eq!(shown("Only a title").await, only);
    // A check that no user fails and no delivery named is removed with its title; one with failures
    // stays.
    configure(&store, &[("other-check", Some("Other"), None)]).await;
    assert_eq!(shown("other-check").await, Some(("Other".into(), "unknown".into(), 0)));
    configure(&store, &[]).await;
    assert_eq!(shown("other-check").await, None);
    assert_eq!(shown("no-mfa").await, Some(("no-mfa".into(), "unknown".into(), 1)));
}

#[tokio::test]
async fn a_check_that_gets_the_title_of_another_takes_its_failures() {
    let Fixture { store, place, .. } = Fixture::new();
    for (second, name) in [(100, "Alpha"), (101, "Beta")] {
        let answer = FailureAnswer {
            login: login(&format!("user{second}")),
            verdict: Verdict::Fails([name.to_owned()].into()),
            asked_at: at(second),
            answered_at: at(second),
            settle: chrono::TimeDelta::zero(),
        };
        store.commit(fixtures::checks_only(answer)).await.unwrap();
    }
    configure(&store, &[("Alpha", Some("Both"), None), ("Beta", Some("Both"), None)]).await;
    let failing = async |id: &'static str| {
        let check = store.read(move |reader| reader.check(id)).await.unwrap();
        check.map(|check| check.failing)
    };
    assert_eq!((failing("Alpha").await, failing("Beta").await), (Some(2), Some(0)));
    place.assert_check_sets_are_counted();
}
