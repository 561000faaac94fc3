//! A job's run: its targets, how it ended, and why.

mod event;
mod hours;

pub use hours::{HOURS, RunHour, RunHours, hour_of};

use std::collections::BTreeSet;

use strum::{EnumString, IntoStaticStr};

use super::{Event, Timestamp, one_line};

/// Maximum bytes of a reason: enough for an error and three names, and short enough for a log line,
/// an event and a page.
const MAX_REASON_BYTES: usize = 500;

/// Maximum number of targets that a reason names.
const NAMED: usize = 3;

/// The text in a reason before the users that it names.
pub(super) const LISTED_USERS: &str = " users: ";

/// How a job's last run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum JobOutcome {
    /// The service answered at least half of what was requested.
    Succeeded,
    /// The service did not answer, or its answers lack what the job needs.
    Failed,
    /// The API client has no right to what the job requests.
    Off,
}

impl JobOutcome {
    /// The outcome as the store and events write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The outcome of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// The number of targets of a run by result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Targets of the run.
    pub asked: u64,
    /// Targets that were answered.
    pub ok: u64,
    /// Targets that the service does not know, which is an answer.
    pub not_found: u64,
    /// Targets without an answer, requested or not.
    pub failed: u64,
    /// Rows of lists that could not be read.
    pub skipped: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// Whether it succeeded.
    pub outcome: JobOutcome,
    /// What went wrong, in words; none when all targets were answered.
    pub reason: Option<String>,
    /// How the targets fared.
    pub counts: RunCounts,
}

/// How many unanswered targets a successful run can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunRule {
    /// At most half of them.
    Majority,
    /// None.
    Each,
}

/// Counts the results of a run's targets.
#[derive(Debug, Clone)]
pub struct RunTally {
    /// The kind of the targets, in the plural.
    noun: &'static str,
    rule: RunRule,
    counts: RunCounts,
    /// Rows of lists that could be read.
    rows: u64,
    first_error: Option<String>,
    /// The first targets without an answer.
    failed_names: Vec<String>,
    /// Targets without an answer only because a right is missing.
    refused: u64,
    gave_up: Option<String>,
    broke: Option<String>,
    /// Root fields that the API client has no right to.
    no_right: BTreeSet<String>,
    /// Whether the job cannot work without one of them.
    is_off: bool,
    /// Why the answers lack what the job needs.
    untold: Option<String>,
    /// Why a part of the answers is not trusted.
    doubt: Option<String>,
}

impl RunTally {
    /// A tally of targets of this kind.
    #[must_use]
    pub fn new(noun: &'static str, rule: RunRule) -> Self {
        Self {
            noun,
            rule,
            counts: RunCounts::default(),
            rows: 0,
            first_error: None,
            failed_names: Vec::new(),
            refused: 0,
            gave_up: None,
            broke: None,
            no_right: BTreeSet::new(),
            is_off: false,
            untold: None,
            doubt: None,
        }
    }

    /// The counts so far.
    #[must_use]
    pub const fn counts(&self) -> RunCounts {
        self.counts
    }

    /// Counts answered targets.
    pub fn count_answered(&mut self, targets: usize) {
        self.counts.asked += targets as u64;
        self.counts.ok += targets as u64;
    }

    /// Counts a target that the service does not know.
    pub const fn count_not_found(&mut self) {
        self.counts.asked += 1;
        self.counts.not_found += 1;
    }

    /// Records that a target has no answer, with the reason.
    pub fn record_failed(&mut self, name: &str, reason: &str) {
        self.counts.asked += 1;
        self.counts.failed += 1;
        if self.failed_names.len() < NAMED {
            self.failed_names.push(name.to_owned());
        }
        self.first_error.get_or_insert_with(|| reason.to_owned());
    }

    /// Counts a target without an answer because a right is missing; that is not the service's
    /// failure.
    pub const fn count_refused(&mut self) {
        self.counts.asked += 1;
        self.counts.failed += 1;
        self.refused += 1;
    }

    /// Counts rows of lists that could be read, and rows that could not.
    pub const fn count_rows(&mut self, read: usize, skipped: usize) {
        self.rows += read as u64;
        self.counts.skipped += skipped as u64;
    }

    /// Records that the API client has no right to a root field without which the job cannot work.
    pub fn record_off(&mut self, field: &str) {
        self.is_off = true;
        self.record_missing_right(field);
    }

    /// Records that the API client has no right to a root field without which the job can work.
    pub fn record_missing_right(&mut self, field: &str) {
        self.no_right.insert(field.to_owned());
    }

    /// Records that the run stopped because the service as a whole fails; `unasked` targets were
    /// not requested.
    pub fn record_abort(&mut self, reason: &str, unasked: usize) {
        self.counts.asked += unasked as u64;
        self.counts.failed += unasked as u64;
        self.gave_up.get_or_insert_with(|| reason.to_owned());
    }

    /// Records that a listing was interrupted. The number of missing users is unknown.
    pub fn record_broken_listing(&mut self, reason: &str) {
        self.counts.failed += 1;
        self.broke.get_or_insert_with(|| reason.to_owned());
    }

    /// Records that the answers lack what the job needs.
    pub fn record_untold(&mut self, reason: &str) {
        self.untold.get_or_insert_with(|| reason.to_owned());
    }

    /// Records that a part of the answers is not trusted. The run does not fail because of it, but
    /// reports it.
    pub fn record_doubt(&mut self, reason: &str) {
        self.doubt.get_or_insert_with(|| reason.to_owned());
    }

    /// How the run ended. A run without targets succeeded.
    #[must_use]
    pub fn end(&self) -> RunEnd {
        RunEnd { outcome: self.outcome(), reason: self.reason(), counts: self.counts }
    }

    /// Whether the service did not answer as it should. A missing right is not the service's
    /// failure.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        let RunCounts { asked, failed, skipped, .. } = self.counts;
        let (asked, failed) = (asked - self.refused, failed - self.refused);
        let too_many_failed = match self.rule {
            RunRule::Majority => failed * 2 > asked,
            RunRule::Each => failed > 0,
        };
        // Rows are compared with rows: a target of the run can have many.
        let too_many_skipped = skipped > self.rows;
        let is_broken = self.gave_up.is_some() || self.broke.is_some();
        is_broken || too_many_failed || too_many_skipped || self.untold.is_some()
    }

    fn outcome(&self) -> JobOutcome {
        if self.is_failed() {
            JobOutcome::Failed
        } else if self.is_off {
            JobOutcome::Off
        } else {
            JobOutcome::Succeeded
        }
    }

    fn reason(&self) -> Option<String> {
        let RunCounts { asked, ok, not_found, failed, skipped } = self.counts;
        let mut parts = Vec::new();
        if let Some(reason) = &self.gave_up {
            let answered = ok + not_found;
            parts.push(format!("{reason} (gave up: {answered} of {asked} {} answered)", self.noun));
        } else if let Some(reason) = &self.broke {
            parts.push(format!("{reason} (broke off after {ok} {})", self.noun));
        } else if let Some(reason) = &self.first_error {
            let more = if failed > self.failed_names.len() as u64 { ", …" } else { "" };
            let names = self.failed_names.join(", ");
            parts.push(format!("{reason} ({failed} of {asked} {}: {names}{more})", self.noun));
        }
        if !self.no_right.is_empty() {
            let fields: Vec<_> = self.no_right.iter().map(String::as_str).collect();
            parts.push(format!("no right to {}", fields.join(", ")));
        }
        parts.extend(self.untold.clone());
        parts.extend(self.doubt.clone());
        if skipped > 0 {
            parts.push(format!("rows that could not be read: {skipped}"));
        }
        (!parts.is_empty()).then(|| bound_reason(&parts.join("; ")))
    }
}

/// A reason on one line, of bounded length.
#[must_use]
pub fn bound_reason(reason: &str) -> String {
    one_line(reason, MAX_REASON_BYTES)
}

/// The part of a run's reason that says what went wrong, without the counts of this run: jobs that
/// fail for the same cause have it in common.
#[must_use]
pub fn cause(reason: &str) -> &str {
    let is_of_this_run = |rest: &str| {
        ["gave up: ", "broke off after ", "several times in a row"]
            .iter()
            .any(|begin| rest.starts_with(begin))
            || rest.split_once(" of ").is_some_and(|(failed, asked)| {
                failed.parse::<u64>().is_ok() && asked.starts_with(|c: char| c.is_ascii_digit())
            })
    };
    let brackets = reason.match_indices(" (");
    let end = brackets.map(|(at, _)| at).find(|at| is_of_this_run(&reason[at + 2..]));
    &reason[..end.unwrap_or(reason.len())]
}

/// Appends a reason to an event's sentence.
pub(super) fn append_reason(body: &mut String, reason: Option<&str>) {
    if let Some(reason) = reason {
        body.push_str(": ");
        body.push_str(reason);
    }
}

/// The event of a run's end; none when it ended as the previous one, and none for a first run that
/// succeeded.
#[must_use]
pub fn on_run(job: &str, before: Option<JobOutcome>, end: &RunEnd, at: Timestamp) -> Option<Event> {
    let is_news = before.unwrap_or(JobOutcome::Succeeded) != end.outcome;
    is_news.then(|| event::run_ended(job, before, end, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: &str = "Lambda:Unhandled: Task timed out after 30.00 seconds";

    fn users() -> RunTally {
        RunTally::new("users", RunRule::Majority)
    }

    fn of(answered: usize, not_found: usize, failed: usize) -> RunEnd {
        let mut tally = users();
        tally.count_answered(answered);
        (0..not_found).for_each(|_| tally.count_not_found());
        (0..failed).for_each(|n| tally.record_failed(&format!("u{n}"), TIMEOUT));
        tally.end()
    }

    #[test]
    fn a_run_fails_when_more_than_half_has_no_answer() {
        use JobOutcome::{Failed, Succeeded};
        for (answered, not_found, failed, outcome) in [
            (0, 0, 0, Succeeded),
            (3, 0, 0, Succeeded),
            (1, 0, 1, Succeeded),
            (1, 0, 2, Failed),
            (0, 1, 1, Succeeded),
            (0, 2, 0, Succeeded),
            (0, 0, 1, Failed),
        ] {
            let end = of(answered, not_found, failed);
            assert_eq!(end.outcome, outcome, "{answered} {not_found} {failed}");
            assert_eq!(end.reason.is_some(), failed > 0);
            let all = (answered + not_found + failed) as u64;
            assert_eq!(end.counts.asked, all);
        }
    }

    #[test]
    fn the_reason_has_the_first_error_the_numbers_and_up_to_three_names() {
        let reason = |failed| of(0, 0, failed).reason.unwrap();
        assert_eq!(reason(3), format!("{TIMEOUT} (3 of 3 users: u0, u1, u2)"));
        assert_eq!(reason(4), format!("{TIMEOUT} (4 of 4 users: u0, u1, u2, …)"));
        let mut tally = users();
        tally.record_failed(&"n".repeat(600), &"r\n".repeat(600));
        let reason = tally.end().reason.unwrap();
        assert_eq!(reason.len(), MAX_REASON_BYTES);
        assert!(!reason.contains('\n'));
    }

    #[test]
    fn jobs_that_fail_of_one_cause_have_it_in_common() {
        let refused = "no access token: HTTP 401 (proxy)";
        let often = format!("{refused} (several times in a row; the service is only pinged)");
        for own in [
            "",
            " (gave up: 0 of 5 users answered)",
            " (broke off after 3 rows)",
            " (2 of 3 users: u0, u1)",
            "; rows that could not be read: 3",
        ] {
            let reason = format!("{refused}{own}");
            let expected = if own.starts_with(';') { reason.as_str() } else { refused };
            assert_eq!(cause(&reason), expected);
            assert_eq!(cause(&format!("{often}{own}")), refused);
        }
        assert_eq!(cause(""), "");
        assert_eq!(cause("a ("), "a (");
    }

    #[test]
    fn a_run_that_gave_up_failed_however_much_was_answered() {
        let mut tally = users();
        tally.count_answered(90);
        tally.record_abort("the API at api.url did not answer", 10);
        let end = tally.end();
        assert_eq!(end.outcome, JobOutcome::Failed);
        assert_eq!((end.counts.asked, end.counts.failed), (100, 10));
        assert_eq!(
            end.reason.unwrap(),
            "the API at api.url did not answer (gave up: 90 of 100 users answered)"
        );
    }

    #[test]
    fn a_missing_right_is_off_unless_the_rest_fails_too() {
        let mut tally = users();
        tally.count_answered(2);
        tally.count_refused();
        tally.count_refused();
        tally.count_refused();
        tally.record_off("getEndUser");
        let end = tally.end();
        assert_eq!(
            (end.outcome, end.reason),
            (JobOutcome::Off, Some("no right to getEndUser".into()))
        );
        tally.record_failed("a", TIMEOUT);
        tally.record_failed("b", TIMEOUT);
        tally.record_failed("c", TIMEOUT);
        assert_eq!(tally.end().outcome, JobOutcome::Failed);
    }

    #[test]
    fn a_part_that_the_job_can_do_without_is_named_and_the_rest_decides() {
        let mut tally = RunTally::new("questions", RunRule::Each);
        tally.count_answered(1);
        tally.record_missing_right("listAdminLogins");
        let end = tally.end();
        assert_eq!(end.outcome, JobOutcome::Succeeded);
        assert_eq!(end.reason.unwrap(), "no right to listAdminLogins");
        tally.record_failed("getIntegrationsStatus", TIMEOUT);
        assert_eq!(tally.end().outcome, JobOutcome::Failed);
    }

    #[test]
    fn a_listing_of_mostly_unreadable_rows_and_one_that_tells_nothing_fail() {
        for (rows, skipped, outcome) in
            [(5, 5, JobOutcome::Succeeded), (5, 6, JobOutcome::Failed), (0, 1, JobOutcome::Failed)]
        {
            let mut tally = users();
            tally.count_answered(rows);
            tally.count_rows(rows, skipped);
            assert_eq!(tally.end().outcome, outcome, "{rows} {skipped}");
        }
        // The one address of a run has many users.
        let mut tally = RunTally::new("addresses", RunRule::Majority);
        tally.count_answered(1);
        tally.count_rows(400, 2);
        assert_eq!(tally.end().outcome, JobOutcome::Succeeded);
        let mut tally = users();
        tally.count_answered(5);
        tally.record_untold("failingChecks is null for every user");
        assert_eq!(tally.end().outcome, JobOutcome::Failed);
    }

    #[test]
    fn a_job_that_always_succeeded_is_no_news() {
        use JobOutcome::{Failed, Off, Succeeded};
        let end = |outcome| RunEnd { outcome, reason: None, counts: RunCounts::default() };
        let news =
            |before, now| on_run("users", before, &end(now), Timestamp::UNIX_EPOCH).is_some();
        assert!(!news(None, Succeeded) && !news(Some(Failed), Failed) && !news(Some(Off), Off));
        assert!(news(None, Failed) && news(Some(Failed), Succeeded) && news(None, Off));
    }
}
