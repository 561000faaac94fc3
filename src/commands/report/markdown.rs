//! Renders a report as Markdown.

use std::fmt::Write as _;

use cii_exporter::domain::Timestamp;

use super::{
    model::{Data, Figures, Happening, List, Report},
    sentences, words,
};

/// Renders the report.
pub(super) fn render(report: &Report) -> String {
    let mut head = format!(
        "# Identity findings of {}\n\n{} to {}",
        escape(&report.tenant),
        words::moment(report.since),
        words::moment(report.until)
    );
    if let Some(page) = &report.page {
        let _ = write!(head, "\n\n<{page}/>");
    }
    let sections = [
        head,
        data_section(&report.data),
        summary_section(report),
        checks_section(report),
        overdue_section(report),
        users_section(report),
        people_sections(report),
    ];
    sections.map(|section| section.trim().to_owned()).join("\n\n") + "\n"
}

fn data_section(data: &Data) -> String {
    let mut out = String::from("\n## How far this can be trusted\n\n");
    if data.is_complete {
        out += "Everything was looked at in time.\n";
    }
    for gap in &data.gaps {
        let _ = writeln!(out, "- **{}**", escape(gap));
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
    out + "\n" + &render_table(["job", "state", "last success"], rows)
}

fn summary_section(report: &Report) -> String {
    let summary = &report.summary;
    let mut out = format!("\n## In short\n\n{}\n\n", sentences::summary(report));
    if !summary.by_severity.is_empty() {
        let rows = summary.by_severity.iter().map(|(severity, figures)| {
            let [open, new, resolved, overdue] = figure_cells(*figures);
            [escape(severity), open, new, resolved, overdue]
        });
        out += &render_table(["severity", "open", "new", "resolved", "overdue"], rows);
    }
    out
}

fn checks_section(report: &Report) -> String {
    let mut out = String::from("\n## Checks\n\n");
    if report.checks.is_empty() {
        return out + "Nobody is known to fail a check, and nothing happened to one.\n";
    }
    let rows = report.checks.iter().map(|check| {
        let [open, new, resolved, overdue] = figure_cells(check.figures);
        let oldest = words::moment_or(check.oldest_failure_at, "–");
        let median = check.time_to_resolve.map(|one| words::time(one.median_seconds));
        [
            escape(&check.severity),
            escape(&check.title),
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
    out += &render_table(header, rows);
    out
}

fn overdue_section(report: &Report) -> String {
    let mut out = String::from("\n## Overdue\n\n");
    if report.overdue.count == 0 {
        return out + "No failure is known to last for longer than `[slo]` allows.\n";
    }
    let rows = report.overdue.named.iter().map(|one| {
        let or_before = if one.is_dated { "" } else { " or before" };
        [
            escape(&one.user),
            format!("{} ({})", escape(&one.check_title), escape(&one.severity)),
            format!("{}{or_before}", words::moment(one.since)),
            words::time(one.late_seconds),
        ]
    });
    out += &render_table(["user", "check", "since", "overdue for"], rows);
    out + &others_line(&report.overdue)
}

fn users_section(report: &Report) -> String {
    let mut out = String::from("\n## Users who fail most checks\n\n");
    if report.users.count == 0 {
        return out + "Nobody is known to fail a check.\n";
    }
    let rows = report
        .users
        .named
        .iter()
        .map(|one| [escape(&one.user), one.checks.to_string(), escape(&one.worst_severity)]);
    out += &render_table(["user", "checks", "worst"], rows);
    out + &others_line(&report.users)
}

fn people_sections(report: &Report) -> String {
    let (addresses, admins, mfa) = (&report.addresses, &report.administrators, &report.mfa);
    let mut out = String::from("\n## Addresses of watched users\n\n");
    out.push_str(&sentences::addresses(addresses));
    out.push('\n');
    out += &item_list(&addresses.new_countries, |one| {
        (one.at, format!("{} in {}", escape(&one.user), escape(&one.country)))
    });
    out += "\n## Administrators and factors\n\n";
    out.push_str(&sentences::administrators(admins));
    out.push('\n');
    out += &happening_list(&admins.added);
    out += &happening_list(&admins.removed);
    let _ = writeln!(out, "\n{}", sentences::coverage(mfa));
    let _ = writeln!(out, "\n{}", sentences::factors(mfa));
    out + &happening_list(&mfa.factors_changed)
}

fn happening_list(list: &List<Happening>) -> String {
    item_list(list, |one| (one.at, format!("{}, {}", escape(&one.user), escape(&one.what))))
}

fn item_list<T>(list: &List<T>, item: impl Fn(&T) -> (Timestamp, String)) -> String {
    let mut out = String::new();
    for one in &list.named {
        let (at, text) = item(one);
        let before = if out.is_empty() { "\n" } else { "" };
        let _ = writeln!(out, "{before}- {}: {text}", words::moment(at));
    }
    out + &others_line(list)
}

fn others_line<T>(list: &List<T>) -> String {
    match list.unnamed_count() {
        0 => String::new(),
        others => format!("\n…and {others} more.\n"),
    }
}

fn figure_cells(figures: Figures) -> [String; 4] {
    [figures.open, figures.new, figures.resolved, figures.overdue].map(|count| count.to_string())
}

fn render_table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut out = format!("| {} |\n|{}\n", header.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out
}

/// Escapes a text, so that text from outside becomes no markup, link or mention, and does not break
/// a table.
fn escape(text: &str) -> String {
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
            letter if letter.is_control() || is_bidi_control(letter) => out.push(' '),
            letter => out.push(letter),
        }
    }
    // Many programs link URLs in plain text.
    out.replace("://", ": //")
}

/// Whether a character changes the direction of the text around it.
const fn is_bidi_control(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_stays_text() {
        assert_eq!(
            escape("a|b\n<img> [x](http://y) *z* `c` \u{202e}& ~"),
            "a\\|b &lt;img&gt; \\[x\\]\\(http: //y\\) \\*z\\* \\`c\\`  &amp; \\~"
        );
    }
}
