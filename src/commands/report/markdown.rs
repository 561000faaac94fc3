//! A report as Markdown, for a message or a page.

use std::fmt::Write as _;

use cii_exporter::domain::Timestamp;

use super::{
    model::{Data, Figures, Happening, List, Report},
    sentences, words,
};

/// Writes the report.
pub(super) fn write(report: &Report) -> String {
    let mut head = format!(
        "# Identity findings of {}\n\n{} to {}",
        escaped(&report.tenant),
        words::moment(report.since),
        words::moment(report.until)
    );
    if let Some(page) = &report.page {
        let _ = write!(head, "\n\n<{page}/>");
    }
    let sections = [
        head,
        known(&report.data),
        summary(report),
        checks(report),
        overdue(report),
        users(report),
        people(report),
    ];
    sections.map(|section| section.trim().to_owned()).join("\n\n") + "\n"
}

fn known(data: &Data) -> String {
    let mut out = String::from("\n## How far this can be trusted\n\n");
    if data.is_complete {
        out += "Everything was looked at in time.\n";
    }
    for gap in &data.gaps {
        let _ = writeln!(out, "- **{}**", escaped(gap));
    }
    let rows = data.jobs.iter().map(|job| {
        [
            job.name.to_owned(),
            job.state.word().to_owned(),
            words::moment_or(job.last_success_at, "never"),
        ]
    });
    let delivery = words::moment_or(data.last_delivery_at, "never");
    let rows = rows.chain([["deliveries".to_owned(), String::new(), delivery]]);
    out + "\n" + &table(["job", "state", "last success"], rows)
}

fn summary(report: &Report) -> String {
    let summary = &report.summary;
    let mut out = format!("\n## In short\n\n{}\n\n", sentences::summary(report));
    if !summary.by_severity.is_empty() {
        let rows = summary.by_severity.iter().map(|(severity, figures)| {
            let [open, new, resolved, overdue] = cells(*figures);
            [escaped(severity), open, new, resolved, overdue]
        });
        out += &table(["severity", "open", "new", "resolved", "overdue"], rows);
    }
    out
}

fn checks(report: &Report) -> String {
    let mut out = String::from("\n## Checks\n\n");
    if report.checks.is_empty() {
        return out + "Nobody is known to fail a check, and nothing happened to one.\n";
    }
    let rows = report.checks.iter().map(|check| {
        let [open, new, resolved, overdue] = cells(check.figures);
        let oldest = words::moment_or(check.oldest_failure_at, "–");
        let median = check.time_to_resolve.map(|one| words::time(one.median_seconds));
        [
            escaped(&check.severity),
            escaped(&check.title),
            open,
            new,
            resolved,
            overdue,
            oldest,
            median.unwrap_or_else(|| "–".to_owned()),
        ]
    });
    let header = [
        "severity",
        "check",
        "open",
        "new",
        "resolved",
        "overdue",
        "oldest",
        "median time to resolve",
    ];
    out += &table(header, rows);
    out
}

fn overdue(report: &Report) -> String {
    let mut out = String::from("\n## Overdue\n\n");
    if report.overdue.count == 0 {
        return out + "No failure is known to last for longer than `[slo]` allows.\n";
    }
    let rows = report.overdue.named.iter().map(|one| {
        let or_before = if one.is_dated { "" } else { " or before" };
        [
            escaped(&one.user),
            format!("{} ({})", escaped(&one.check_title), escaped(&one.severity)),
            format!("{}{or_before}", words::moment(one.since)),
            words::time(one.late_seconds),
        ]
    });
    out += &table(["user", "check", "since", "overdue for"], rows);
    out + &others(&report.overdue)
}

fn users(report: &Report) -> String {
    let mut out = String::from("\n## Users who fail most checks\n\n");
    if report.users.count == 0 {
        return out + "Nobody is known to fail a check.\n";
    }
    let rows = report
        .users
        .named
        .iter()
        .map(|one| [escaped(&one.user), one.checks.to_string(), escaped(&one.worst_severity)]);
    out += &table(["user", "checks", "worst"], rows);
    out + &others(&report.users)
}

fn people(report: &Report) -> String {
    let (addresses, admins, mfa) = (&report.addresses, &report.administrators, &report.mfa);
    let mut out = String::from("\n## Addresses of watched users\n\n");
    out.push_str(&sentences::addresses(addresses));
    out.push('\n');
    out += &items(&addresses.new_countries, |one| {
        (one.at, format!("{} in {}", escaped(&one.user), escaped(&one.country)))
    });
    out += "\n## Administrators and factors\n\n";
    out.push_str(&sentences::administrators(admins));
    out.push('\n');
    out += &happenings(&admins.added);
    out += &happenings(&admins.removed);
    let _ = writeln!(out, "\n{}", sentences::coverage(mfa));
    let _ = writeln!(out, "\n{}", sentences::factors(mfa));
    out + &happenings(&mfa.factors_changed)
}

fn happenings(list: &List<Happening>) -> String {
    items(list, |one| (one.at, format!("{}, {}", escaped(&one.user), escaped(&one.what))))
}

fn items<T>(list: &List<T>, item: impl Fn(&T) -> (Timestamp, String)) -> String {
    let mut out = String::new();
    for one in &list.named {
        let (at, text) = item(one);
        let before = if out.is_empty() { "\n" } else { "" };
        let _ = writeln!(out, "{before}- {}: {text}", words::moment(at));
    }
    out + &others(list)
}

fn others<T>(list: &List<T>) -> String {
    match list.others() {
        0 => String::new(),
        others => format!("\n…and {others} more.\n"),
    }
}

fn cells(figures: Figures) -> [String; 4] {
    [figures.open, figures.new, figures.resolved, figures.overdue].map(|count| count.to_string())
}

fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut out = format!("| {} |\n|{}\n", header.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out
}

/// What came from outside must not become markup, a link or a mention, nor break a table.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                out.push('\\');
                out.push(letter);
            }
            letter if letter.is_control() || is_turning(letter) => out.push(' '),
            letter => out.push(letter),
        }
    }
    // Many programs make a link of what looks like one.
    out.replace("://", ": //")
}

/// Characters that turn the text around them.
const fn is_turning(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_stays_text() {
        assert_eq!(
            escaped("a|b\n<img> [x](http://y) *z* `c` \u{202e}& ~"),
            "a\\|b &lt;img&gt; \\[x\\]\\(http: //y\\) \\*z\\* \\`c\\`  &amp; \\~"
        );
    }
}
