//! Renders a report as one HTML page with inline styles, without scripts and external resources.

use maud::{DOCTYPE, Markup, html};

use super::{
    model::{Data, Figures, Happening, List, Report},
    sentences, words,
};

/// The style sheet. Mail programs support few rules. Colour stands only for severity.
const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;color:#1c1e21;max-width:60rem;\
margin:1.5rem auto;padding:0 1rem}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}\
table{border-collapse:collapse}th,td{text-align:left;padding:.25rem .9rem .25rem 0;\
border-bottom:1px solid #dcdfe4;vertical-align:top}td.n{text-align:right;\
font-variant-numeric:tabular-nums}.gaps{border-left:4px solid #1c1e21;padding-left:2rem}\
.minor{color:#5b616b}.critical{color:#8b1a3a}.high{color:#b5450f}.medium{color:#8a6d00}\
.low{color:#3a6280}";

/// Renders the report.
pub(super) fn render(report: &Report) -> String {
    let title = format!("Identity findings of {}", report.tenant);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p .minor {
                    (words::moment(report.since)) " to " (words::moment(report.until))
                    @if let Some(page) = &report.page { " · " a href=(page) { (page) } }
                }
                (data_section(&report.data))
                (summary_section(report))
                (checks_section(report))
                (overdue_section(report))
                (users_section(report))
                (addresses_section(report))
                (administrators_section(report))
            }
        }
    };
    page.into_string() + "\n"
}

fn data_section(data: &Data) -> Markup {
    html! {
        h2 { "How far this can be trusted" }
        @if data.is_complete { p { "Everything was looked at in time." } }
        @else { ul .gaps { @for gap in &data.gaps { li { strong { (gap) } } } } }
        table {
            tr { th { "job" } th { "state" } th { "last success" } }
            @for job in &data.jobs {
                tr {
                    td { (job.name) }
                    td { (job.state.word()) }
                    td { (words::moment_or(job.last_success_at, "never")) }
                }
            }
            tr { td { "deliveries" } td {} td { (words::moment_or(data.last_delivery_at, "never")) } }
        }
    }
}

fn summary_section(report: &Report) -> Markup {
    let summary = &report.summary;
    html! {
        h2 { "In short" }
        p { (sentences::summary(report)) }
        @if !summary.by_severity.is_empty() {
            table {
                tr { th { "severity" } th { "open" } th { "new" } th { "resolved" } th { "overdue" } }
                @for (severity, figures) in &summary.by_severity {
                    tr { (severity_cell(severity)) (figure_cells(*figures)) }
                }
            }
        }
    }
}

fn checks_section(report: &Report) -> Markup {
    html! {
        h2 { "Checks" }
        @if report.checks.is_empty() {
            p { "Nobody is known to fail a check, and nothing happened to one." }
        } @else {
            table {
                tr {
                    th { "severity" } th { "check" } th { "open" } th { "new" } th { "resolved" }
                    th { "overdue" } th { "oldest" } th { "median time to resolve" }
                }
                @for check in &report.checks {
                    tr {
                        (severity_cell(&check.severity))
                        td { (check.title) }
                        (figure_cells(check.figures))
                        td { (words::moment_or(check.oldest_failure_at, "–")) }
                        td {
                            @match check.time_to_resolve {
                                Some(lasted) => { (words::time(lasted.median_seconds)) }
                                None => { "–" }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn overdue_section(report: &Report) -> Markup {
    html! {
        h2 { "Overdue" }
        @if report.overdue.count == 0 {
            p { "No failure is known to last for longer than [slo] allows." }
        } @else {
            table {
                tr { th { "user" } th { "severity" } th { "check" } th { "since" } th { "overdue for" } }
                @for one in &report.overdue.named {
                    tr {
                        td { (one.user) }
                        (severity_cell(&one.severity))
                        td { (one.check_title) }
                        td { (words::moment(one.since)) @if !one.is_dated { " or before" } }
                        td { (words::time(one.late_seconds)) }
                    }
                }
            }
            (others_line(&report.overdue))
        }
    }
}

fn users_section(report: &Report) -> Markup {
    html! {
        h2 { "Users who fail most checks" }
        @if report.users.count == 0 {
            p { "Nobody is known to fail a check." }
        } @else {
            table {
                tr { th { "user" } th { "checks" } th { "worst" } }
                @for one in &report.users.named {
                    tr { td { (one.user) } td .n { (one.checks) } (severity_cell(&one.worst_severity)) }
                }
            }
            (others_line(&report.users))
        }
    }
}

fn addresses_section(report: &Report) -> Markup {
    let addresses = &report.addresses;
    html! {
        h2 { "Addresses of watched users" }
        p { (sentences::addresses(addresses)) }
        @if addresses.new_countries.count > 0 {
            ul {
                @for one in &addresses.new_countries.named {
                    li { (words::moment(one.at)) ": " (one.user) " in " (one.country) }
                }
            }
            (others_line(&addresses.new_countries))
        }
    }
}

fn administrators_section(report: &Report) -> Markup {
    let (admins, mfa) = (&report.administrators, &report.mfa);
    html! {
        h2 { "Administrators and factors" }
        p { (sentences::administrators(admins)) }
        (happening_list(&admins.added))
        (happening_list(&admins.removed))
        p { (sentences::coverage(mfa)) }
        p { (sentences::factors(mfa)) }
        (happening_list(&mfa.factors_changed))
    }
}

fn happening_list(list: &List<Happening>) -> Markup {
    html! {
        @if list.count > 0 {
            ul {
                @for one in &list.named {
                    li { (words::moment(one.at)) ": " (one.user) ", " (one.what) }
                }
            }
            (others_line(list))
        }
    }
}

fn others_line<T>(list: &List<T>) -> Markup {
    html! { @if list.unnamed_count() > 0 { p .minor { "…and " (list.unnamed_count()) " more." } } }
}

/// A table cell with a severity in its colour.
fn severity_cell(severity: &str) -> Markup {
    let known = ["critical", "high", "medium", "low"].into_iter().find(|known| *known == severity);
    html! { td class=(known.unwrap_or_default()) { (severity) } }
}

fn figure_cells(figures: Figures) -> Markup {
    html! {
        @for count in [figures.open, figures.new, figures.resolved, figures.overdue] {
            td .n { (count) }
        }
    }
}
