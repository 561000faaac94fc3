//! Derives findings from measurements; no I/O.

use chrono::TimeDelta;
use cii_exporter::domain::Timestamp;

use super::finding::Finding;

/// Differences up to this are exact: HTTP dates are whole seconds, and the answer takes time.
const EXACT: TimeDelta = TimeDelta::seconds(3);
/// From this difference on, deliveries and answers can be ordered wrongly.
const WRONG: TimeDelta = TimeDelta::minutes(1);

/// Judges the clock by the `Date` of an answer, which was created between request and receipt.
pub(super) fn judge_clock(date: Timestamp, asked_at: Timestamp, answered_at: Timestamp) -> Finding {
    let check = "clock";
    let early = asked_at - date;
    let late = date - answered_at;
    let away = early.max(late).max(TimeDelta::zero());
    if away <= EXACT {
        return Finding::ok(check, "it agrees with the service's, to the second");
    }
    let seconds = away.num_seconds();
    let side = if early > late { "ahead of" } else { "behind" };
    let found = format!("it is {seconds} s {side} the service's");
    let finding =
        if away < WRONG { Finding::warn(check, found) } else { Finding::fail(check, found) };
    finding.with_advice("have the machine's clock set by NTP: `timedatectl set-ntp true`")
}

/// Below this many free bytes, commits may fail at any time.
const LEAST: u64 = 64 << 20;
/// Below this many free bytes, the operator should look at it.
const LITTLE: u64 = 512 << 20;

/// Judges whether a disk has room for the database, and for its copy during an upgrade.
pub(super) fn judge_space(free: u64, database: u64) -> Finding {
    let check = "disk";
    let found = format!("{} MiB are free, the database has {} MiB", free >> 20, database >> 20);
    let advice = "make room, or keep less: store.retention_days";
    if free < LEAST {
        Finding::fail(check, found).with_advice(advice)
    } else if free < LITTLE.max(database) {
        Finding::warn(check, found)
            .with_advice(format!("{advice}; an upgrade needs as much as the database has"))
    } else {
        Finding::ok(check, found)
    }
}

/// Without a scrape for this long, it needs attention: Prometheus usually scrapes at least once a
/// minute.
const QUIET: TimeDelta = TimeDelta::minutes(5);

/// Judges when the last scrape was.
pub(super) fn judge_scrape(last: Option<Timestamp>, now: Timestamp) -> Finding {
    let check = "prometheus";
    let advice = "let Prometheus scrape ops.listen, job cii-exporter (deploy/prometheus.yml)";
    match last {
        None => Finding::warn(check, "nobody scraped /metrics since the daemon's start")
            .with_advice(advice),
        Some(at) if now - at > QUIET => {
            let found = format!("/metrics was scraped last {} min ago", (now - at).num_minutes());
            Finding::warn(check, found).with_advice(advice)
        }
        Some(at) => {
            let seconds = (now - at).num_seconds().max(0);
            Finding::ok(check, format!("/metrics was scraped {seconds} s ago"))
        }
    }
}

/// How long before its expiry a certificate needs attention: automatic renewal happens weeks before.
const SOON: TimeDelta = TimeDelta::days(14);

/// Judges whether a certificate is valid, and for how long.
pub(super) fn judge_certificate(
    whose: &str,
    valid: (Timestamp, Timestamp),
    now: Timestamp,
) -> Finding {
    let check = "certificate";
    let (from, until) = valid;
    let day = |at: Timestamp| at.format("%Y-%m-%d").to_string();
    if now < from {
        let found = format!("that of {whose} holds only from {} on", day(from));
        return Finding::fail(check, found)
            .with_advice("look at the clock, or take the former one");
    }
    if now > until {
        let found = format!("that of {whose} ran out on {}", day(until));
        return Finding::fail(check, found).with_advice("renew it");
    }
    let days = (until - now).num_days();
    let found = format!("that of {whose} holds until {}, {days} days", day(until));
    if until - now < SOON {
        Finding::warn(check, found)
            .with_advice("renew it; what renews it by itself may have failed")
    } else {
        Finding::ok(check, found)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Verdict, *};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_clock_is_judged_by_the_moments_around_an_answer() {
        for (date, verdict, says) in [
            (1, Verdict::Ok, "agrees"),
            (-3, Verdict::Ok, "agrees"),
            (-10, Verdict::Warn, "10 s ahead of"),
            (32, Verdict::Warn, "30 s behind"),
            (-3600, Verdict::Fail, "3600 s ahead of"),
            (3602, Verdict::Fail, "3600 s behind"),
        ] {
            let finding = judge_clock(at(date), at(0), at(2));
            assert_eq!(finding.verdict, verdict, "{date}");
            assert!(finding.found.contains(says), "{finding}");
        }
    }

    #[test]
    fn a_disk_must_hold_the_database_twice() {
        let gib = 1 << 30;
        assert_eq!(judge_space(gib, 1 << 20).verdict, Verdict::Ok);
        assert_eq!(judge_space(gib, 2 * gib).verdict, Verdict::Warn);
        assert_eq!(judge_space(100 << 20, 0).verdict, Verdict::Warn);
        assert_eq!(judge_space(1 << 20, 0).verdict, Verdict::Fail);
    }

    #[test]
    fn a_scrape_is_of_the_last_minutes() {
        assert_eq!(judge_scrape(None, at(0)).verdict, Verdict::Warn);
        assert_eq!(judge_scrape(Some(at(0)), at(60)).verdict, Verdict::Ok);
        assert_eq!(judge_scrape(Some(at(0)), at(-1)).verdict, Verdict::Ok);
        assert_eq!(judge_scrape(Some(at(0)), at(3600)).verdict, Verdict::Warn);
    }

    #[test]
    fn a_certificate_is_told_of_before_it_runs_out() {
        let day = 86_400;
        let judged = |from, until| judge_certificate("x", (at(from), at(until)), at(0)).verdict;
        assert_eq!(judged(-day, 60 * day), Verdict::Ok);
        assert_eq!(judged(-day, 13 * day), Verdict::Warn);
        assert_eq!(judged(-day, -1), Verdict::Fail);
        assert_eq!(judged(1, day), Verdict::Fail);
    }
}
