//! The change of each step.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::step::Step;
use crate::{
    domain::{
        Admin, CheckDefinition, CheckFilter, CheckId, CheckWords, ConfiguredChecks, Integration,
        IpAddress, IpUser, JobOutcome, Login, NullLists, Place, PollEnd, PollError, PollOutcome,
        RunCounts, RunEnd, Severity, UserObservation, UserState, WatchSubject, WebhookTarget,
        failure::{FailureAnswer, Verdict},
    },
    ledger::change::{
        AddWatch, AddressAnswer, ApplyVerdicts, Backfill, BackfillPlace, BeginOtlp,
        ConfigureChecks, ConfigureWatch, DropListing, ExpireWatch, FilterChecks, Forget,
        ForgetCheck, ForgetTarget, ForgetUser, JudgeNulls, JudgeRenames, KeepRules, KeepTarget,
        MoveEnded, Probe, RecordAddress, RecordAnswer, RecordDelivery, RecordListingPage,
        RecordProgress, RecordRefused, RecordRun, RecordService, RemoveWatch, RetryParked,
        SettleRenames, TrustClock,
    },
    store::{
        fixtures,
        pending::{Pending, Waiting},
        tests::{at, delivery, login, order::listing},
    },
};

/// The jobs of which runs are recorded.
pub(super) const JOBS: [&str; 4] = ["users", "ips", "tenant", "service"];

pub(super) fn user(number: u8) -> Login {
    login(&format!("user{number}@x"))
}

/// One of two spellings of a user.
fn spell_user(number: u8, which: u8) -> String {
    let login = format!("user{number}@x");
    if which.is_multiple_of(2) { login } else { login.to_uppercase() }
}

/// Ids and titles, some of which mean the same.
fn check_names(numbers: &BTreeSet<u8>) -> BTreeSet<String> {
    numbers
        .iter()
        .map(|number| ["check0", "Title 1", "title 2", "Title 3"][usize::from(*number)].to_owned())
        .collect()
}

pub(super) fn waiting(step: &Step, now: i64) -> Box<dyn Waiting> {
    match step {
        Step::Delivery { id, title, severity, users, admitted } => {
            let logins: Vec<_> =
                users.iter().map(|number| spell_user(*number, *severity)).collect();
            let logins: Vec<_> = logins.iter().map(String::as_str).collect();
            let mut record: RecordDelivery = delivery(&format!("d{id}"), &logins);
            let check = record.delivery.check.as_mut().unwrap();
            check.id = CheckId::new(&format!("check{}", id % 3)).unwrap();
            check.definition = CheckDefinition {
                title: format!("Title {title}"),
                severity: Severity::new([None, Some("low"), Some("High")][usize::from(*severity)]),
                description: vec![format!("Words {severity}")],
                ..CheckDefinition::undefined(&check.id)
            }
            .with_dates(*title > 0, at(now));
            record.delivery.source = Some(format!("00000000-0000-4000-8000-00000000000{title}__x"));
            record.delivery.received_at = at(now);
            record.delivery.published_at = Some(at(now));
            record.recorded_at = at(now);
            record.admitted = *admitted;
            Pending::new(record).0
        }
        Step::Answer { user: number, ips, fails, found } => {
            let verdict =
                fails.as_ref().map_or(Verdict::Unknown, |fails| Verdict::Fails(check_names(fails)));
            let answer = FailureAnswer {
                login: user(*number),
                verdict,
                asked_at: at(now),
                answered_at: at(now),
                settle: chrono::TimeDelta::zero(),
            };
            let addresses: BTreeMap<_, _> =
                ips.iter().map(|ip| (format!("192.0.2.{ip}"), Place::default())).collect();
            let state = UserState { ip_addresses: Some(addresses), ..UserState::default() };
            let null_lists = [crate::domain::UserField::UsedFactors].into();
            let echo = spell_user(*number, u8::try_from(ips.len()).unwrap());
            let login = Login::new(&echo).ok();
            let observation = UserObservation { login, state, untold: [].into(), null_lists };
            let outcome = if *found { PollOutcome::Answered } else { PollOutcome::Refused };
            let errors = vec![PollError { message: "no".into(), ..PollError::default() }];
            let end = PollEnd { outcome, errors, ..PollEnd::answered() };
            Pending::new(RecordAnswer {
                state: found.then(|| (observation, at(now))),
                end: Some((end, at(now))),
                ..fixtures::checks_only(answer)
            })
            .0
        }
        other => of_operator(other, now),
    }
}

/// Changes of an operator, or of the end of a run.
fn of_operator(step: &Step, now: i64) -> Box<dyn Waiting> {
    match step {
        Step::Nulls { user: number } => {
            Pending::new(JudgeNulls {
                snapshots: [user(*number)].into(),
                checks: [(user(*number), at(now))].into(),
                choice: NullLists::Empty,
                filter: CheckFilter::default(),
                settle: chrono::TimeDelta::zero(),
                at: at(now),
            })
            .0
        }
        Step::Address { ip, users, is_partial } => {
            let one = IpUser {
                id: "1".into(),
                display_name: "A".into(),
                reference_url: None,
                since: None,
            };
            let users = users.iter().map(|number| (user(*number), one.clone())).collect();
            Pending::new(RecordAddress {
                ip: address(*ip),
                answer: Some(AddressAnswer { users, is_partial: *is_partial }),
                end: PollEnd::answered(),
                at: at(now),
            })
            .0
        }
        Step::Page { failing } => {
            let page = RecordListingPage { answered_at: at(now), ..listing(now, failing) };
            Pending::new(page).0
        }
        Step::Verdicts => {
            Pending::new(ApplyVerdicts {
                after: None,
                limit: 9,
                filter: CheckFilter::default(),
                null_lists: NullLists::Auto,
                at: at(now),
                is_suspect: now % 3 == 0,
                settle: chrono::TimeDelta::seconds(1),
            })
            .0
        }
        Step::Filter { admitted } => {
            let ids = admitted.iter().map(|id| CheckId::new(&format!("check{id}")).unwrap());
            Pending::new(FilterChecks { filter: CheckFilter::new(ids) }).0
        }
        Step::Renames => Pending::new(JudgeRenames { run_begun_at: at(now - 9), at: at(now) }).0,
        Step::Settle { limit } => Pending::new(settle(*limit)).0,
        Step::MoveEnded { limit } => Pending::new(MoveEnded { limit: usize::from(*limit) }).0,
        Step::Add { user: number, expires } => {
            Pending::new(AddWatch {
                subject: WatchSubject::User(user(*number)),
                note: Some("why".into()),
                expires_at: expires.map(|after| at(now + i64::from(after))),
                most: 3,
                at: at(now),
            })
            .0
        }
        Step::Remove { user: number } => {
            Pending::new(RemoveWatch { subject: WatchSubject::User(user(*number)), at: at(now) }).0
        }
        Step::Expire => Pending::new(ExpireWatch { at: at(now) }).0,
        Step::Progress { cursor, parked } => {
            Pending::new(RecordProgress {
                cursor: i64::from(*cursor),
                resent: vec![1, 2],
                parked: parked.then(|| (vec![1], "refused")),
                at: at(now),
            })
            .0
        }
        Step::Otlp { is_on } => Pending::new(BeginOtlp { is_on: *is_on }).0,
        Step::Retry { after, limit } => {
            let (after, limit) = (i64::from(*after), usize::from(*limit));
            Pending::new(RetryParked { after, limit }).0
        }
        Step::Backfill { ago, after, is_begun, limit } => {
            let place = BackfillPlace { after: i64::from(*after), is_begun: *is_begun };
            let since = at(now - 60 * i64::from(*ago));
            Pending::new(Backfill { since, place, limit: usize::from(*limit) }).0
        }
        Step::Configure { checks } => Pending::new(configure(checks, now)).0,
        Step::Forget { check, limit } => {
            let id = CheckId::new(["check0", "check1", "Title 1", "other"][usize::from(*check)]);
            Pending::new(ForgetCheck { id: id.unwrap(), limit: usize::from(*limit) }).0
        }
        other => of_daemon(other, now),
    }
}

/// Changes that the daemon records about itself, the service and its configuration.
fn of_daemon(step: &Step, now: i64) -> Box<dyn Waiting> {
    match step {
        Step::Refuse { has_body, is_packed } => {
            Pending::new(RecordRefused {
                received_at: at(now),
                status: 400,
                result: "malformed",
                reason: "no JSON".into(),
                size: has_body.then_some(3),
                body: has_body.then(|| b"odd".to_vec().into()),
                is_packed: *is_packed,
            })
            .0
        }
        Step::Run { job, outcome, failed } => {
            let counts = RunCounts { asked: 3, failed: u64::from(*failed), ..RunCounts::default() };
            let outcome =
                [JobOutcome::Succeeded, JobOutcome::Failed, JobOutcome::Off][usize::from(*outcome)];
            let reason = (*failed > 0).then(|| format!("{failed} failed"));
            Pending::new(RecordRun {
                job: JOBS[usize::from(*job)],
                end: RunEnd { outcome, reason, counts },
                begun_at: at(now - 5),
                ended_at: at(now),
            })
            .0
        }
        Step::Service { integrations, admins, is_partial } => {
            Pending::new(RecordService {
                integrations: integrations.as_ref().map(|some| self::integrations(some, now)),
                integrations_are_partial: *is_partial,
                admins: admins
                    .as_ref()
                    .map(|some| some.iter().map(|one| admin(*one, now)).collect()),
                admins_are_partial: *is_partial,
                daily_failures: None,
                at: at(now),
            })
            .0
        }
        Step::Daily { failures } => {
            let daily_failures = Some(failures.map(u64::from));
            Pending::new(RecordService { daily_failures, at: at(now), ..RecordService::default() })
                .0
        }
        Step::KeepTarget { target, checks } => {
            let check_ids = checks.iter().map(|id| CheckId::new(&format!("check{id}")).unwrap());
            Pending::new(KeepTarget(WebhookTarget {
                id: format!("t{target}"),
                name: format!("Target {}", checks.len()),
                url: "https://cii.example.com/hook".into(),
                check_ids: check_ids.collect(),
                registered_at: at(now),
            }))
            .0
        }
        Step::ForgetTarget { target } => Pending::new(ForgetTarget(format!("t{target}"))).0,
        Step::Watch { users, ips } => {
            let users = users.iter().map(|number| WatchSubject::User(user(*number)));
            let ips = ips.iter().map(|number| WatchSubject::Ip(address(*number)));
            Pending::new(ConfigureWatch { configured: users.chain(ips).collect(), at: at(now) }).0
        }
        Step::ForgetUser { user: number } => {
            Pending::new(ForgetUser { login: user(*number), at: at(now) }).0
        }
        Step::DropListing => Pending::new(DropListing).0,
        Step::ForgetJob { is_tenant: true } => Pending::new(Forget::Tenant).0,
        Step::ForgetJob { is_tenant: false } => Pending::new(Forget::Service).0,
        Step::Rules { text } => Pending::new(KeepRules { text: format!("rules {text}") }).0,
        Step::Probe => Pending::new(Probe).0,
        Step::Trust => Pending::new(TrustClock { at: at(now) }).0,
        other => panic!("{other:?} is committed elsewhere"),
    }
}

/// Integrations, some of which are in progress, and some of unknown status.
fn integrations(statuses: &BTreeMap<u8, u8>, now: i64) -> Vec<Integration> {
    let integration = |(id, status): (&u8, &u8)| Integration {
        id: format!("i{id}"),
        name: format!("Integration {id}"),
        status: ["success", "failure", "started", Integration::UNKNOWN][usize::from(*status)]
            .into(),
        date: (*status < 3).then(|| at(now - 1)),
        error: (*status == 1).then(|| "the token expired".into()),
    };
    statuses.iter().map(integration).collect()
}

fn admin(number: u8, now: i64) -> Admin {
    let login = Login::new(&spell_user(number, number)).unwrap();
    let display_name = (number > 0).then(|| format!("Admin {number}"));
    Admin { login, display_name, last_sign_in: (number > 1).then(|| at(now - 9)) }
}

/// Records for some users that a check is listed by another title.
fn settle(limit: u8) -> SettleRenames {
    let renamed = [(1, "title 2".to_owned()), (2, "Title 3".to_owned())];
    SettleRenames {
        renamed: Arc::new(renamed.into()),
        after: (limit == 3).then(|| "user0@x".to_owned()),
        limit: usize::from(limit),
    }
}

/// Titles and severities of checks, some of which answers list, or deliveries name.
fn configure(checks: &BTreeMap<u8, u8>, now: i64) -> ConfigureChecks {
    let mut configured = ConfiguredChecks::default();
    for (check, words) in checks {
        let name = ["check0", "check5", "Title 1", "other"][usize::from(*check)];
        let title = [None, Some("Title 1"), Some("Other")][usize::from(*words)];
        let severity = Severity::new([Some("critical"), None, Some("low")][usize::from(*words)]);
        configured.insert(name, CheckWords { title: title.map(str::to_owned), severity });
    }
    ConfigureChecks { configured: Arc::new(configured), at: at(now) }
}

pub(super) fn address(number: u8) -> IpAddress {
    format!("203.0.113.{number}").parse().unwrap()
}
