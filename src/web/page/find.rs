//! `/find?q=`: finds users, checks and addresses by a part of their names.

use std::sync::Arc;

use axum::{
    extract::State,
    http::Uri,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};

use super::{
    Failure,
    layout::{self, Position, Section},
    words,
};
use crate::{
    domain::{IpAddress, Login},
    store::{Found, FoundCheck, FoundUser},
    web::{Ops, link, problem::Problem, query::Fields},
};

/// Most results of each kind.
const SHOWN: usize = 20;

/// Most characters of a search text: the maximum length of an e-mail address.
const LONGEST: usize = 320;

pub(super) async fn page(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Response, Failure> {
    let mut fields = Fields::parse(&uri)?;
    let text = fields.take("q").unwrap_or_default().trim().to_owned();
    fields.finish()?;
    if text.chars().count() > LONGEST {
        let problem = Problem::bad_request(format!("q has more than {LONGEST} characters"));
        return Err(problem.into());
    }
    let key = text.clone();
    let (seq, mut found) = ops
        .sources
        .store
        .read(move |reader| Ok((reader.last_seq()?, reader.find(&key, SHOWN + 1)?)))
        .await?;
    if let Some(address) = only_match_url(&found) {
        return Ok(Redirect::to(&address).into_response());
    }
    put_exact_first(&mut found, &text);
    let content = html! {
        div .title {
            h1 { "Find" }
            p #summary .lead role="status" { (summary(&found, &text)) }
        }
        (users_section(&found.users))
        (checks_section(&found.checks))
        (ips_section(&found.ips))
        @if match_count(&found) == 0 { (help_section()) }
    };
    Ok(layout::render_page(&ops, Position::Under(Section::Overview), "Find", seq, &content))
}

/// The URL of the only result; `None` when there are none or several.
fn only_match_url(found: &Found) -> Option<String> {
    let users = found.users.iter().map(|user| link::page_url("users", user.login.as_str()));
    let checks = found.checks.iter().map(|check| link::page_url("checks", check.id.as_str()));
    let ips = found.ips.iter().map(|ip| link::page_url("ips", ip));
    let mut all = users.chain(checks).chain(ips);
    all.next().filter(|_| all.next().is_none())
}

/// Sorts exact matches before the others, within each kind.
fn put_exact_first(found: &mut Found, text: &str) {
    let login = Login::new(text).ok();
    let ip = text.parse::<IpAddress>().ok().map(|ip| ip.to_string());
    found.users.sort_by_key(|user| login.as_ref() != Some(&user.login));
    found.checks.sort_by_key(|check| {
        let names = [check.id.as_str(), check.title.as_str()];
        !names.iter().any(|name| name.eq_ignore_ascii_case(text))
    });
    found.ips.sort_by_key(|found| ip.as_ref() != Some(found));
}

fn match_count(found: &Found) -> usize {
    found.users.len() + found.checks.len() + found.ips.len()
}

fn summary(found: &Found, text: &str) -> Markup {
    let kinds = [
        (found.users.len(), "user", "users"),
        (found.checks.len(), "check", "checks"),
        (found.ips.len(), "address", "addresses"),
    ];
    let counted = |(count, one, many): (usize, &str, &str)| match count {
        0 => None,
        SHOWN.. if count > SHOWN => Some(format!("over {SHOWN} {many}")),
        _ => Some(words::count(count as u64, one, many)),
    };
    let counts: Vec<_> = kinds.into_iter().filter_map(counted).collect();
    html! {
        @if text.is_empty() {
            "Write a part of a login, a name, a check's title or an address."
        } @else if counts.is_empty() {
            "Nothing that is known has \u{201c}" (text) "\u{201d} in its name."
        } @else {
            (words::sentence_case(&counts.join(", "))) " with \u{201c}" (text) "\u{201d}."
        }
    }
}

fn users_section(users: &[FoundUser]) -> Markup {
    html! {
        @if !users.is_empty() {
            section .card aria-labelledby="users-title" {
                div .head { h2 #users-title { "Users" } (more_hint(users.len())) }
                table .stack {
                    caption .unseen { "Users that were found" }
                    thead { tr { th scope="col" .c-what { "User" } th scope="col" .number { "Fails" } } }
                    tbody {
                        @for user in users.iter().take(SHOWN) {
                            tr {
                                th scope="row" {
                                    (words::user_link(&user.login, user.name.as_deref()))
                                }
                                td .number data-is="fails" {
                                    @if user.failing_checks == 0 { span .soft { "none" } }
                                    @else { (words::count(user.failing_checks, "check", "checks")) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn checks_section(checks: &[FoundCheck]) -> Markup {
    html! {
        @if !checks.is_empty() {
            section .card aria-labelledby="checks-title" {
                div .head { h2 #checks-title { "Checks" } (more_hint(checks.len())) }
                table .stack {
                    caption .unseen { "Checks that were found" }
                    thead {
                        tr {
                            th scope="col" { "Severity" }
                            th scope="col" .c-what { "Check" }
                            th scope="col" .number { "Failing" }
                        }
                    }
                    tbody {
                        @for check in checks.iter().take(SHOWN) {
                            tr {
                                td { (words::severity_label(&check.severity)) }
                                th scope="row" { (words::subject_link("checks", check.id.as_str(), &check.title)) }
                                td .number data-is="failing" { (words::count(check.failing, "user", "users")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn ips_section(ips: &[String]) -> Markup {
    html! {
        @if !ips.is_empty() {
            section .card aria-labelledby="ips-title" {
                div .head { h2 #ips-title { "Addresses" } (more_hint(ips.len())) }
                ul { @for ip in ips.iter().take(SHOWN) { li { (words::subject_link("ips", ip, ip)) } } }
            }
        }
    }
}

fn more_hint(count: usize) -> Markup {
    html! { @if count > SHOWN { p .soft { "the first " (SHOWN) "; write more of the name" } } }
}

/// Hints for a search without results.
fn help_section() -> Markup {
    html! {
        section .card {
            ul .advice {
                li { "Found are users who fail a check or are watched, checks that are known, and addresses that are watched." }
                li { "A login that is no e-mail address is found as it is written, upper and lower case." }
                li { "To have a user asked about: " code .copy { "cii-exporter watch add user LOGIN" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckId, Severity};

    fn found(logins: &[&str], checks: &[&str], ips: &[&str]) -> Found {
        let user = |login: &&str| FoundUser {
            login: Login::new(login).unwrap(),
            name: None,
            failing_checks: 1,
        };
        let check = |id: &&str| FoundCheck {
            id: CheckId::new(id).unwrap(),
            title: id.to_uppercase(),
            severity: Severity::default(),
            failing: 0,
        };
        Found {
            users: logins.iter().map(user).collect(),
            checks: checks.iter().map(check).collect(),
            ips: ips.iter().map(|ip| (*ip).to_owned()).collect(),
        }
    }

    #[test]
    fn the_only_match_is_meant_and_else_nobody() {
        for (found, expected) in [
            (found(&["ann@x.com"], &[], &[]), Some("/users/ann@x.com")),
            (found(&[], &["no-mfa"], &[]), Some("/checks/no-mfa")),
            (found(&[], &[], &["2001:db8::1"]), Some("/ips/2001%3Adb8%3A%3A1")),
            (found(&["a@x.com", "ana@x.com"], &[], &[]), None),
            (found(&["mfa"], &["mfa"], &[]), None),
            (found(&[], &[], &[]), None),
        ] {
            assert_eq!(only_match_url(&found).as_deref(), expected);
        }
    }

    #[test]
    fn whose_whole_name_it_is_stands_first() {
        let mut all = found(&["an", "Ana", "A"], &["xa", "a"], &["10.0.0.1", "10.0.0.10"]);
        put_exact_first(&mut all, "A");
        assert_eq!(all.users[0].login.as_str(), "A");
        assert_eq!(all.checks[0].id.as_str(), "a");
        put_exact_first(&mut all, "10.0.0.10");
        assert_eq!(all.ips, ["10.0.0.10", "10.0.0.1"]);
    }
}
