//! Words for checks, whose names are the operator's own.

use super::*;

fn words<'a>(config: &'a Config, name: &str) -> Option<(Option<&'a str>, Option<&'a str>)> {
    let words = config.checks.words_for(name)?;
    Some((words.title.as_deref(), words.severity.text()))
}

const CHECKS: &str = "[checks.\"no-mfa\"]\nseverity = \"Critical\"\ntitle = \"No MFA\"\n\
                      [checks.\"Dormant. Account\"]\nseverity = \"low\"\n";

#[test]
fn a_check_is_named_by_id_or_title_whatever_signs_are_in_it() {
    let config = load(&format!("{MINIMAL}{CHECKS}"), &[]).unwrap();
    assert_eq!(words(&config, "no-mfa"), Some((Some("No MFA"), Some("Critical"))));
    assert_eq!(words(&config, "dormant. account"), Some((None, Some("low"))));
    assert_eq!(words(&config, "other"), None);
    let effective = config.effective_toml();
    assert!(effective.contains("[checks.\"no-mfa\"]\n"), "{effective}");
    assert!(effective.contains("severity = \"Critical\" # config.toml:4"), "{effective}");
    let again = load(&effective.replace("<hidden>", "s3cret-value"), &[]).unwrap();
    assert_eq!(again.checks, config.checks);
    let running = load(MINIMAL, &[]).unwrap();
    assert!(config.needs_restart(&running).is_empty(), "it applies at a reload");
}

#[test]
fn a_variable_sets_the_same_and_wins() {
    let text = format!("{MINIMAL}{CHECKS}");
    for name in ["NO_MFA", "NO-MFA", "no-mfa"] {
        let variable = format!("CII_EXPORTER_CHECKS__{name}__SEVERITY");
        for text in [text.as_str(), MINIMAL] {
            let config = load(text, &[(&variable, "high")]).unwrap();
            assert_eq!(words(&config, "no-mfa").unwrap().1, Some("high"), "{variable}");
            assert_eq!(config.checks.iter().count(), if text == MINIMAL { 1 } else { 2 });
        }
    }
    let config = load(&text, &[("CII_EXPORTER_CHECKS__DORMANT__ACCOUNT__TITLE", "x")]).unwrap();
    assert_eq!(words(&config, "Dormant. Account"), Some((Some("x"), Some("low"))));
}

#[test]
fn what_is_wrong_is_told_where_it_is() {
    for (text, expected) in [
        (
            "[checks.\"no-mfa\"]\nseverity = \"urgent\"\n",
            "config.toml:4: checks.\"no-mfa\".severity: expected one of critical, high, medium, \
             moderate, low, info, found \"urgent\"",
        ),
        ("[checks.\"no-mfa\"]\nseverity = 3\n", "severity: expected a text in quotes"),
        ("[checks.\"no-mfa\"]\nseverity = \"\"\n", "found \"\""),
        ("[checks.\"no-mfa\"]\ntitle = \" \"\n", "checks.\"no-mfa\".title: must not be empty"),
        ("[checks.\"no-mfa\"]\nsevrity = \"low\"\n", "a check has severity and title"),
        ("[checks.\" \"]\nseverity = \"low\"\n", "a check's id or title must not be empty"),
        ("[checks]\nno-mfa = \"low\"\n", "is a table; write [checks.\"no-mfa\"]"),
        (
            "[checks.\"No-MFA\"]\nseverity = \"low\"\n[checks.\"no-mfa\"]\nseverity = \"low\"\n",
            "is there twice",
        ),
    ] {
        let message = error(&format!("{MINIMAL}{text}"), &[]);
        assert!(message.contains(expected), "{text}\n{message}");
    }
    let message = error(&format!("checks = 3\n{MINIMAL}"), &[]);
    assert!(message.contains("config.toml:1: checks: is a table for each check"), "{message}");
    for (name, value, expected) in [
        ("CII_EXPORTER_CHECKS__NO_MFA__SEVERITY", "urgent", "expected one of critical"),
        ("CII_EXPORTER_CHECKS__NO_MFA__SEVRITY", "low", "there is no such setting"),
        ("CII_EXPORTER_CHECKS__SEVERITY", "low", "there is no such setting"),
        ("CII_EXPORTER_CHECKS____SEVERITY", "low", "must not be empty"),
    ] {
        let message = error(MINIMAL, &[(name, value)]);
        assert!(message.contains(name) && message.contains(expected), "{message}");
    }
}
