use chrono::TimeDelta;

use super::{
    State,
    facts::{Api, Facts, Otlp, Stored},
    judge,
    verdict::overall_verdict,
};
use crate::{
    domain::{JobOutcome, RunCounts, RunEnd, Timestamp, run::RunHours},
    store::{Backlog, DeliveryCounts, JobState},
    web::{LastReload, Polls, Readiness, ReloadReply},
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A day after its start, all is well.
fn facts() -> Facts {
    let hourly = || Some("0 0 * * * *".parse().unwrap());
    Facts {
        readiness: Readiness::Ready,
        started_at: NOW - TimeDelta::days(1),
        store_error: None,
        store_bytes: 5,
        commits: 7,
        unauthorized: 0,
        unkept: 0,
        api: Some(Api { is_circuit_open: false, answered: 3, failed: 1 }),
        otlp: Some(Otlp::default()),
        polls: Polls {
            users: hourly(),
            ips: hourly(),
            tenant: hourly(),
            service: hourly(),
            tenant_on_start: true,
        },
        scraped_at: Some(NOW),
        reload: None,
        stored: Stored {
            last_delivery: Some(NOW - TimeDelta::hours(2)),
            day: DeliveryCounts { accepted: 4, repeats: 0, refused: 0 },
            backlog: Backlog { pending: 0, oldest: None, parked: 0 },
            jobs: ["users", "ips", "tenant", "service"]
                .map(|job| (job, Some(run(JobOutcome::Succeeded))))
                .into(),
            listing_since: None,
            targets: Vec::new(),
            trusted_at: Some(NOW - TimeDelta::minutes(59)),
        },
        replica: None,
    }
}

fn run(outcome: JobOutcome) -> JobState {
    let counts = RunCounts { asked: 3, ok: 2, not_found: 1, failed: 0, skipped: 0 };
    JobState {
        end: RunEnd { outcome, reason: None, counts },
        since: NOW - TimeDelta::hours(3),
        last_begun_at: NOW - TimeDelta::minutes(40),
        last_success_at: Some(NOW - TimeDelta::minutes(30)),
        hours: RunHours::default(),
    }
}

/// The state and the word of a part, and all that it says.
fn told(facts: &Facts, name: &str) -> (State, &'static str, String) {
    let parts = judge::judge_parts(facts, NOW);
    assert!(parts.is_sorted_by(|worse, better| worse.state >= better.state), "{parts:?}");
    let part = parts.into_iter().find(|part| part.name == name).unwrap();
    let to_do = part.to_do.map(|to_do| to_do.to_string()).unwrap_or_default();
    (part.state, part.word, format!("{} {to_do}", part.why))
}

fn of(facts: &Facts, name: &str) -> (State, &'static str) {
    let (state, word, _) = told(facts, name);
    (state, word)
}

#[test]
fn a_day_after_the_start_all_is_well() {
    let facts = facts();
    for part in judge::judge_parts(&facts, NOW) {
        assert_eq!(part.state, State::Good, "{part:?}");
    }
    let (_, _, why) = told(&facts, "User polls");
    assert!(why.contains("3 of 3 answered"), "{why}");
}

#[test]
fn what_was_never_used_is_off_or_waits_and_is_no_failure() {
    let mut facts = facts();
    facts.api = None;
    facts.otlp = None;
    facts.scraped_at = None;
    facts.stored.last_delivery = None;
    facts.stored.jobs.clear();
    for (name, expected) in [
        ("API", (State::Off, "off")),
        ("OTLP", (State::Off, "off")),
        ("Metrics", (State::Off, "not scraped")),
        ("Webhook", (State::Waiting, "waiting")),
    ] {
        assert_eq!(of(&facts, name), expected, "{name}");
    }
    assert!(judge::judge_parts(&facts, NOW).iter().all(|part| part.name != "User polls"));
}

#[test]
fn the_store_and_the_daemon_are_vital() {
    let mut facts = facts();
    facts.store_error = Some("disk full".to_owned());
    let (state, word, why) = told(&facts, "Store");
    assert_eq!((state, word), (State::Failing, "cannot commit"));
    assert!(why.contains("disk full"), "{why}");
    let parts = judge::judge_parts(&facts, NOW);
    assert_eq!(overall_verdict(&parts, None, None).word, "Failing");
    facts.store_error = None;
    facts.readiness = Readiness::Starting;
    let parts = judge::judge_parts(&facts, NOW);
    assert_eq!(overall_verdict(&parts, None, None).word, "Waiting");
}

#[test]
fn a_webhook_says_what_it_refused_and_why_nothing_comes() {
    let mut facts = facts();
    facts.stored.day.refused = 1;
    let (state, word, why) = told(&facts, "Webhook");
    assert_eq!((state, word), (State::Attention, "refused some"));
    assert!(why.starts_with("1 delivery was refused in 24 hours."), "{why}");
    facts.unkept = 2;
    assert!(told(&facts, "Webhook").2.starts_with("2 deliveries were refused while the store"));
    // A scanner that meets a webhook which works is no reason to look.
    let mut facts = self::facts();
    facts.unauthorized = 9;
    assert_eq!(of(&facts, "Webhook"), (State::Good, "receiving"));
    facts.stored.last_delivery = None;
    let (state, word, why) = told(&facts, "Webhook");
    assert_eq!((state, word), (State::Attention, "secret refused"));
    assert!(why.contains("9 requests") && why.contains("webhook.header"), "{why}");
}

#[test]
fn the_api_fails_by_its_circuit_and_by_answering_nothing() {
    let mut facts = facts();
    facts.api = Some(Api { is_circuit_open: true, answered: 3, failed: 5 });
    let mut failed = run(JobOutcome::Failed);
    failed.end.reason = Some("HTTP 503".to_owned());
    facts.stored.jobs[0].1 = Some(failed);
    let (state, word, why) = told(&facts, "API");
    assert_eq!((state, word), (State::Failing, "circuit open"));
    assert!(why.contains("HTTP 503"), "{why}");
    let (state, word, why) = told(&facts, "User polls");
    assert_eq!((state, word), (State::Failing, "failed"));
    assert!(why.contains("when the service answers again"), "{why}");
    assert!(why.starts_with("The last run failed, for the reason of API."), "{why}");
    let parts = judge::judge_parts(&facts, NOW);
    let verdict = overall_verdict(&parts, None, None);
    assert_eq!((verdict.word, verdict.since), ("Degraded", Some(NOW - TimeDelta::hours(3))));
    assert_eq!(
        verdict.reason.to_string(),
        "API: circuit open. The service does not answer. 1 more part."
    );
    facts.api = Some(Api { is_circuit_open: false, answered: 0, failed: 5 });
    assert_eq!(of(&facts, "API"), (State::Failing, "no answer"));
    facts.api = Some(Api::default());
    assert_eq!(of(&facts, "API"), (State::Waiting, "no request yet"));
}

#[test]
fn a_job_is_late_after_two_turns_and_not_while_it_runs_or_just_started() {
    let mut facts = facts();
    let mut old = run(JobOutcome::Succeeded);
    old.last_begun_at = NOW - TimeDelta::minutes(90);
    facts.stored.jobs[2].1 = Some(old.clone());
    assert_eq!(of(&facts, "Tenant listing"), (State::Good, "on time"));
    old.last_begun_at = NOW - TimeDelta::minutes(150);
    facts.stored.jobs[2].1 = Some(old.clone());
    assert_eq!(of(&facts, "Tenant listing"), (State::Attention, "late"));
    facts.stored.listing_since = Some(NOW - TimeDelta::minutes(100));
    assert_eq!(of(&facts, "Tenant listing"), (State::Good, "on time"));
    facts.stored.jobs[0].1 = Some(old);
    assert_eq!(of(&facts, "User polls"), (State::Attention, "late"));
    facts.started_at = NOW - TimeDelta::minutes(2);
    assert_eq!(of(&facts, "User polls"), (State::Good, "on time"));
    let mut idle = run(JobOutcome::Succeeded);
    idle.end.counts = RunCounts::default();
    facts.stored.jobs[0].1 = Some(idle);
    assert_eq!(of(&facts, "User polls"), (State::Waiting, "asked nobody"));
    facts.stored.jobs[0].1 = None;
    assert_eq!(of(&facts, "User polls"), (State::Waiting, "no run yet"));
    facts.stored.jobs[0].1 = Some(run(JobOutcome::Off));
    assert_eq!(of(&facts, "User polls"), (State::Attention, "right missing"));
    let mut some = run(JobOutcome::Succeeded);
    some.end.counts.failed = 1;
    facts.stored.jobs[0].1 = Some(some);
    assert_eq!(of(&facts, "User polls"), (State::Attention, "some failed"));
    facts.polls.service = None;
    assert_eq!(of(&facts, "Service poll"), (State::Off, "off"));
}

#[test]
fn events_that_wait_are_told_by_how_long() {
    let mut facts = facts();
    let outage = Some(("HTTP 503".to_owned(), NOW - TimeDelta::seconds(30)));
    facts.otlp = Some(Otlp { outage, exported: 1 });
    facts.stored.backlog = Backlog { pending: 1, oldest: Some(NOW), parked: 0 };
    let (state, word, why) = told(&facts, "OTLP");
    assert_eq!((state, word), (State::Attention, "not taken"));
    assert!(why.starts_with("HTTP 503; 1 event wait"), "{why}");
    facts.stored.backlog.oldest = Some(NOW - TimeDelta::minutes(2));
    assert_eq!(of(&facts, "OTLP"), (State::Failing, "not taken"));
    facts.otlp = Some(Otlp::default());
    assert_eq!(of(&facts, "OTLP"), (State::Attention, "behind"));
    facts.stored.backlog = Backlog { pending: 0, oldest: None, parked: 2 };
    assert_eq!(of(&facts, "OTLP"), (State::Attention, "some parked"));
}

#[test]
fn scrapes_reloads_and_the_clock_are_told() {
    let mut facts = facts();
    facts.scraped_at = Some(NOW - TimeDelta::minutes(11));
    assert_eq!(of(&facts, "Metrics"), (State::Attention, "not scraped"));
    let reload = |reply| Some(LastReload { at: NOW, reply });
    facts.reload = reload(ReloadReply::Refused("line 3".to_owned()));
    let (state, word, why) = told(&facts, "Configuration");
    assert_eq!((state, word), (State::Attention, "not reloaded"));
    assert!(why.contains("line 3"), "{why}");
    facts.reload = reload(ReloadReply::Applied { needs_restart: vec!["ops.listen"] });
    assert_eq!(of(&facts, "Configuration"), (State::Attention, "needs a restart"));
    facts.reload = reload(ReloadReply::Applied { needs_restart: vec![] });
    assert_eq!(of(&facts, "Configuration"), (State::Good, "in force"));
    for (trusted_at, expected) in [
        (Some(NOW - TimeDelta::minutes(91)), (State::Attention, "not believed")),
        (Some(NOW + TimeDelta::minutes(6)), (State::Attention, "set back")),
        (Some(NOW + TimeDelta::minutes(1)), (State::Good, "believed")),
        (None, (State::Waiting, "not looked at")),
    ] {
        facts.stored.trusted_at = trusted_at;
        assert_eq!(of(&facts, "Clock"), expected);
    }
}

#[test]
fn who_leads_is_told_and_what_a_failover_would_lose() {
    use super::replica::Replica;
    use crate::store::Standing;

    let of_standing = |standing, is_synchronous| {
        told(
            &Facts {
                replica: Some(Replica { standing, is_synchronous, differing: Vec::new() }),
                ..facts()
            },
            "Replica",
        )
    };
    let leads = of_standing(Standing::Leader { fence: Some(3) }, true);
    assert_eq!((leads.0, leads.1), (State::Good, "leads"));
    let leader = Some("one:9187".to_owned());
    let follows = of_standing(Standing::Follower { leader: leader.clone() }, true);
    assert_eq!((follows.0, follows.1), (State::Good, "follows"));
    assert!(follows.2.contains("one:9187"), "{}", follows.2);
    let nobody = of_standing(Standing::Follower { leader: None }, true);
    assert_eq!((nobody.0, nobody.1), (State::Waiting, "no leader"));
    let unknown = of_standing(Standing::Unknown, false);
    assert_eq!((unknown.0, unknown.1), (State::Failing, "unknown"));
    let alone = of_standing(Standing::Follower { leader }, false);
    assert_eq!((alone.0, alone.1), (State::Attention, "no standby"));
    assert!(alone.2.contains("synchronous_standby_names"), "{}", alone.2);
    let differing = vec!["slo".to_owned()];
    let standing = Standing::Follower { leader: Some("one".to_owned()) };
    let replica = Replica { standing, is_synchronous: true, differing };
    let differs = told(&Facts { replica: Some(replica), ..facts() }, "Replica");
    assert_eq!((differs.0, differs.1), (State::Attention, "differs"));
    assert!(differs.2.contains("slo"), "{}", differs.2);
    assert!(judge::judge_parts(&facts(), NOW).iter().all(|part| part.name != "Replica"));
}
