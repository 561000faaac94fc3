//! Refused configurations: each mistake is reported once, at its place.

use super::*;
use crate::domain::CheckId;

/// The only problem with a text.
fn only(text: &str) -> String {
    let error = load(text, &[]).unwrap_err();
    assert_eq!(error.problems().len(), 1, "{error}");
    error.problems()[0].to_string()
}

#[test]
fn a_secret_that_was_given_wrongly_is_not_missing_too() {
    let problem = only("[webhook]\nsecrets_file = \"/nowhere\"\n");
    assert!(problem.contains("cannot read /nowhere"), "{problem}");
    let problem = only("[webhook]\nsecrets = \"x\"\n");
    assert!(problem.contains("expected a list"), "{problem}");
    let api = "[api]\nurl = \"https://a\"\ntoken_url = \"https://a\"\nclient_id = \"a\"\n";
    let problem = only(&format!("{MINIMAL}{api}client_secret_file = \"/nowhere\"\n"));
    assert!(problem.contains("cannot read /nowhere"), "{problem}");
}

#[test]
fn a_secret_that_no_header_can_carry_is_named_by_its_position() {
    for bad in [" padded ", "", "ü"] {
        let problem = only(&format!("[webhook]\nsecrets = [\"fine\", \"{bad}\"]\n"));
        assert!(problem.contains("secret 2 of 2"), "{problem}");
        assert!(!problem.contains("fine") && !problem.contains("padded"), "{problem}");
    }
    load("[webhook]\nsecrets = [\"Basic dXNlcjpwYXNz\"]\n", &[]).unwrap();
}

#[test]
fn one_problem_of_a_table_hides_no_other() {
    let text = format!(
        "{MINIMAL}[ops]\nlisten = \"0.0.0.0:9847\"\npublic_url = \"ftp://a\"\nhosts = [\"a b\"]\n\
         write_token = \" \"\n[otlp]\nendpoint = \"ftp://b\"\nuser_label = \"hash\"\n"
    );
    let message = error(&text, &[("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem")]);
    for expected in [
        "config.toml:4: ops.listen: 0.0.0.0:9847 is reached from other machines",
        "config.toml:5: ops.public_url: expected a URL",
        "config.toml:6: ops.hosts: \"a b\" is no name of a host",
        "config.toml:7: ops.write_token: secret 1 of 1",
        "config.toml:9: otlp.endpoint: expected a URL",
        "metrics.hash_key: is missing",
        "cannot read /nowhere/ca.pem",
    ] {
        assert!(message.contains(expected), "{expected}\nis not in\n{message}");
    }
}

#[test]
fn a_text_that_is_needed_is_not_empty() {
    for table in ["[store]\npath = \"\"\n", "[log]\nlevel = \" \"\n"] {
        let problem = only(&format!("{MINIMAL}{table}"));
        assert!(problem.starts_with("config.toml:4: "), "{problem}");
        assert!(problem.contains("must not be empty"), "{problem}");
    }
    let message = error(MINIMAL, &[("CII_EXPORTER_API__AUDIENCE", "")]);
    assert!(message.contains("api.audience: must not be empty"), "{message}");
}

#[test]
fn a_schedule_that_never_comes_is_refused() {
    let problem = only(&format!("{MINIMAL}[sync.ips]\nschedule = \"0 0 0 30 2 *\"\n"));
    assert!(
        problem.contains("sync.ips.schedule: \"0 0 0 30 2 *\" names moments that never come"),
        "{problem}"
    );
}

#[test]
fn two_listeners_at_one_address_are_refused() {
    let with = |listen: &str| {
        format!("{MINIMAL}[ops]\nlisten = \"{listen}\"\nallow_unauthenticated = true\n")
    };
    for listen in ["127.0.0.1:8847", "0.0.0.0:8847", "[::]:8847"] {
        let problem = only(&with(listen));
        assert!(problem.starts_with("config.toml:4: ops.listen"), "{problem}");
    }
    load(&with("127.0.0.2:8847"), &[]).unwrap();
    // The system chooses the port, each time another.
    load(&format!("{MINIMAL}listen = \"127.0.0.1:0\"\n[ops]\nlisten = \"127.0.0.1:0\"\n"), &[])
        .unwrap();
}

#[test]
fn a_path_in_quotes_is_no_path() {
    let problem = only(&format!("\"ops.listen\" = \"127.0.0.1:1\"\n{MINIMAL}"));
    assert!(problem.contains("leave the quotes away"), "{problem}");
}

#[test]
fn problems_come_in_the_order_of_the_file() {
    let text = "[webhook]\nsecrets = [\"s\"]\nzz = 1\n[ops]\nlisten = 3\n[log]\naa = 1\n";
    let error = load(text, &[("CII_EXPORTER_LOG__AA", "1")]).unwrap_err();
    let origins: Vec<_> =
        error.problems().iter().filter_map(|problem| problem.origin.as_ref()).collect();
    let origins: Vec<_> = origins.into_iter().map(ToString::to_string).collect();
    assert_eq!(
        origins,
        ["config.toml:3", "config.toml:5", "config.toml:7", "CII_EXPORTER_LOG__AA"]
    );
}

#[test]
fn what_is_no_toml_is_told_with_line_and_column_and_without_its_text() {
    let problem = only("[ops]\nlisten = \"a\"\nlisten = \"b\"\n");
    assert!(problem.starts_with("config.toml:3: is no TOML at column 1: "), "{problem}");
    let problem = only("[webhook]\nsecrets = s3cret-value\n");
    assert!(problem.starts_with("config.toml:2: is no TOML at column 11: "), "{problem}");
    assert!(!problem.contains("s3cret") && problem.lines().count() == 1, "{problem}");
}

#[test]
fn a_wrong_variable_is_told_with_what_was_found_and_the_right_name() {
    let message = error(MINIMAL, &[("CII_EXPORTER_SYNC__USERS__ON_START", "yes")]);
    assert!(message.contains("expected true or false, found \"yes\""), "{message}");
    let message = error(MINIMAL, &[("CII_EXPORTER_API__CLIENT_SECRT", "t0psecret")]);
    assert!(message.contains("did you mean CII_EXPORTER_API__CLIENT_SECRET,"), "{message}");
    assert!(!message.contains("t0psecret"), "{message}");
    let message = error("", &[("CII_EXPORTER_WEBHOOK__SECRETS", "[t0psecret")]);
    assert!(message.contains("expected a list") && !message.contains("t0psecret"), "{message}");
}

#[test]
fn an_objective_is_a_time_that_can_pass() {
    for (text, expected) in [
        ("critical = \"soon\"", "slo.critical: expected a time such as \"7d\""),
        ("high = \"0s\"", "slo.high: expected a time"),
        ("high = \"9999999d\"", "slo.high: expected a time"),
        ("high = 7", "slo.high: expected a text"),
        ("moderate = \"7d\"", "slo.moderate: there is no such setting"),
        ("except = [\"\"]", "slo.except: a check's id must not be empty"),
    ] {
        let problem = only(&format!("{MINIMAL}[slo]\n{text}\n"));
        assert!(problem.contains(expected), "{problem}");
    }
    let of = |text: &str, severity| {
        let config = load(&format!("{MINIMAL}[slo]\n{text}\n"), &[]).unwrap();
        let id = CheckId::new("no-mfa").unwrap();
        config.objectives.limit_for(&id, &crate::domain::Severity::new(severity))
    };
    let days = chrono::TimeDelta::days;
    assert_eq!(of("", Some("critical")), Some(days(7)));
    assert_eq!(of("critical = \"none\"", Some("critical")), None);
    assert_eq!(of("medium = \"36h\"", Some("moderate")), Some(chrono::TimeDelta::hours(36)));
    assert_eq!((of("", Some("low")), of("unknown = \"1d\"", None)), (None, Some(days(1))));
}
