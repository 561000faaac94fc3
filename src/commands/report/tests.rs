//! Compares each format of a report with its reviewed snapshot.
//! `INSTA_UPDATE=always cargo test --bin cii-exporter report` writes them again.

use chrono::TimeDelta;
use cii_exporter::domain::Timestamp;

use super::{
    html, markdown,
    model::{
        Addresses, Administrators, Check, Coverage, Data, FailingUser, Figures, Happening, Job,
        JobState, Lasted, List, Mfa, NewCountry, Overdue, Report, Summary,
    },
};

fn at(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::hours(hour)
}

/// A report in which something of everything stands, with texts that try to be more than that.
fn report() -> Report {
    let figures = Figures { open: 12, new: 3, resolved: 2, overdue: 21 };
    let lasted = Some(Lasted { median_seconds: 93_600, count: 2 });
    let overdue = Overdue {
        user: "eve|x@example.com".to_owned(),
        check_id: "no-mfa".to_owned(),
        check_title: "No <b>MFA</b>".to_owned(),
        severity: "critical".to_owned(),
        since: at(1),
        is_dated: false,
        late_seconds: 3_600,
    };
    let happening = |what: &str| Happening {
        user: "[bob](http://evil)".to_owned(),
        what: what.to_owned(),
        at: at(160),
    };
    Report {
        tenant: "acme <script>alert(1)</script>".to_owned(),
        since: at(0),
        until: at(168),
        page: Some("https://cii.example.com/?a=\"b\"".to_owned()),
        data: Data {
            is_complete: false,
            gaps: vec![
                "The job ips never succeeded: who uses watched addresses is not known.".into(),
            ],
            jobs: vec![
                Job { name: "users", state: JobState::Fresh, last_success_at: Some(at(167)) },
                Job { name: "ips", state: JobState::Never, last_success_at: None },
            ],
            last_delivery_at: Some(at(166)),
        },
        summary: Summary {
            failing_users: 11,
            all: figures,
            by_severity: vec![
                ("critical".to_owned(), figures),
                ("*odd*".to_owned(), Figures::default()),
            ],
            time_to_resolve: lasted,
        },
        checks: vec![
            Check {
                id: "no-mfa".to_owned(),
                title: "No <b>MFA</b> | really".to_owned(),
                severity: "critical".to_owned(),
                figures,
                oldest_failure_at: Some(at(1)),
                time_to_resolve: lasted,
            },
            Check {
                id: "odd".to_owned(),
                title: "Odd\n# heading".to_owned(),
                severity: "*odd*".to_owned(),
                figures: Figures { new: 1, ..Figures::default() },
                oldest_failure_at: None,
                time_to_resolve: None,
            },
        ],
        overdue: List { count: 21, named: vec![overdue] },
        users: List {
            count: 1,
            named: vec![FailingUser {
                user: "eve|x@example.com".to_owned(),
                checks: 4,
                worst_severity: "critical".to_owned(),
            }],
        },
        addresses: Addresses {
            new: 5,
            users: 1,
            new_countries: List {
                count: 1,
                named: vec![NewCountry {
                    user: "zoe@example.com".to_owned(),
                    country: "IS".to_owned(),
                    at: at(150),
                }],
            },
        },
        administrators: Administrators {
            count: Some(5),
            observed_at: Some(at(167)),
            added: List { count: 1, named: vec![happening("added")] },
            removed: List::default(),
        },
        mfa: Mfa {
            accounts: Some(Coverage { enabled: 60, disabled: 20, unknown: 1, listed_at: at(165) }),
            factors_changed: List {
                count: 1,
                named: vec![happening("added sms; removed webauthn")],
            },
        },
    }
}

/// What a report is of which nothing is known.
fn empty() -> Report {
    Report {
        data: Data { gaps: vec!["The log has no event yet.".to_owned()], ..Data::default() },
        summary: Summary::default(),
        checks: Vec::new(),
        overdue: List::default(),
        users: List::default(),
        addresses: Addresses::default(),
        administrators: Administrators::default(),
        mfa: Mfa::default(),
        page: None,
        ..report()
    }
}

fn holds(name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// A page with a tag a line, and without how it looks.
fn structure(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    format!("{before}{after}").replace("><", ">\n<")
}

#[test]
fn each_format_looks_as_it_did() {
    let report = report();
    holds("report-markdown", &markdown::render(&report));
    holds("report-html", &structure(&html::render(&report)));
    holds("report-json", &format!("{:#}", serde_json::json!(report)));
    holds("empty-report-markdown", &markdown::render(&empty()));
}

#[test]
fn what_nobody_looked_at_is_never_told_as_well() {
    for text in [markdown::render(&empty()), html::render(&empty())] {
        assert!(text.contains("The log has no event yet."), "{text}");
        assert!(!text.contains("Everything was looked at"), "{text}");
        assert!(text.contains("How many administrators there are is not known."), "{text}");
        assert!(text.contains("accounts have multi-factor authentication is not known."), "{text}");
    }
}

#[test]
fn a_page_is_complete_in_itself_and_its_texts_stay_text() {
    let page = html::render(&report());
    assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
    for outside in ["src=", "<link", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}: {page}");
    }
}
