//! The sentences of a report, which are the same in every format. They contain only figures, so
//! that they need no escaping.

use super::{
    model::{Addresses, Administrators, Mfa, Report},
    words,
};

/// The figures in short. When data is missing, the sentence says so itself, because it is often
/// quoted alone.
pub(super) fn summary(report: &Report) -> String {
    let (summary, all) = (&report.summary, report.summary.all);
    let limit = if report.data.is_complete { "" } else { "As far as is known: " };
    let lasted = summary.time_to_resolve.map_or_else(
        || "No failure ended whose beginning a delivery told.".to_owned(),
        |lasted| {
            format!(
                "Half of the {} that a delivery told of and that ended lasted at most {}.",
                words::count(lasted.count, "failure", "failures"),
                words::time(lasted.median_seconds)
            )
        },
    );
    format!(
        "{limit}{} of {}; {} new, {} resolved, {} overdue. {lasted}",
        words::count(all.open, "open failure", "open failures"),
        words::count(summary.failing_users, "user", "users"),
        all.new,
        all.resolved,
        all.overdue,
    )
}

/// The numbers of new addresses and countries.
pub(super) fn addresses(addresses: &Addresses) -> String {
    format!(
        "{} of {}; {}.",
        words::count(addresses.new, "new address", "new addresses"),
        words::count(addresses.users, "user", "users"),
        words::count(addresses.new_countries.count, "new country", "new countries"),
    )
}

/// The number of administrators, and of added and removed ones.
pub(super) fn administrators(admins: &Administrators) -> String {
    match (admins.count, admins.observed_at) {
        (Some(count), Some(at)) => format!(
            "{} as of {}; {} added, {} removed.",
            words::count(count, "administrator", "administrators"),
            words::moment(at),
            admins.added.count,
            admins.removed.count
        ),
        _ => "How many administrators there are is not known.".to_owned(),
    }
}

/// The number of accounts with multi-factor authentication.
pub(super) fn coverage(mfa: &Mfa) -> String {
    mfa.accounts.map_or_else(
        || "How many accounts have multi-factor authentication is not known.".to_owned(),
        |accounts| {
            format!(
                "{} of {} have multi-factor authentication, as of {}; of {} it is not known.",
                accounts.enabled,
                words::count(accounts.enabled + accounts.disabled, "account", "accounts"),
                words::moment(accounts.listed_at),
                accounts.unknown
            )
        },
    )
}

/// The number of changes of factors.
pub(super) fn factors(mfa: &Mfa) -> String {
    let changes = words::count(mfa.factors_changed.count, "change", "changes");
    format!("{changes} of factors of watched users.")
}
