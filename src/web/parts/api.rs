//! The parts for the API and for each job that calls it.

use chrono::TimeDelta;

use super::{
    Part, Sentence, State,
    facts::{Api, Facts},
};
use crate::{
    domain::{JobOutcome, Schedule, Timestamp, run::cause},
    store::JobState,
};

/// Grace period after a start, in which no run counts as late: missed runs are made up for at the
/// start.
const START: TimeDelta = TimeDelta::minutes(10);

pub(super) fn api_parts(facts: &Facts, now: Timestamp) -> Vec<Part> {
    let Some(api) = facts.api else {
        let why = Sentence::from("There is no ")
            .code("[api]")
            .text(" in the configuration, so nobody tells when a failure ends.");
        let to_do =
            Sentence::from("Make an API client in the console, fill the table in and restart.");
        return vec![Part::new("API", State::Off, "off", why).with_advice(to_do)];
    };
    let mut parts = vec![requests_part(api, facts)];
    let scheduled: Vec<_> = facts.polls.jobs().collect();
    for (name, title) in [
        ("users", "User polls"),
        ("ips", "Address polls"),
        ("tenant", "Tenant listing"),
        ("service", "Service poll"),
    ] {
        let schedule =
            scheduled.iter().find(|(job, _)| *job == name).map(|(_, schedule)| *schedule);
        let state = facts.stored.jobs.iter().find(|(job, _)| *job == name);
        let state = state.and_then(|(_, state)| state.as_ref());
        parts.push(match schedule {
            Some(schedule) => job_part(title, schedule, state, facts, now),
            None => Part::new(title, State::Off, "off", {
                let setting =
                    if name == "tenant" { "sync.tenant.enabled" } else { "sync.service.enabled" };
                Sentence::from("Switched off by ").code(setting).text(".")
            }),
        });
    }
    parts
}

fn requests_part(api: Api, facts: &Facts) -> Part {
    let part = |state, word, why: Sentence| Part::new("API", state, word, why);
    let failing = || {
        let states = facts.stored.jobs.iter().flat_map(|(_, state)| state);
        states
            .filter(|state| state.end.outcome == JobOutcome::Failed)
            .min_by_key(|state| state.since)
    };
    let because = |why: Sentence| {
        let reason = failing().and_then(|state| state.end.reason.as_ref());
        why.cause(reason.map(|reason| cause(reason).to_owned()).as_ref()).text(".")
    };
    let counted = format!(
        "{} answered, {} not answered since the start",
        request_count(api.answered),
        api.failed
    );
    if api.is_circuit_open {
        let why = Sentence::from("The service does not answer. It is only pinged until it does");
        let to_do = Sentence::from(
            "Look at the service's status page, and ask for its host from this machine. The next \
             answer catches up; what came and went in between is not seen.",
        );
        let part = part(State::Failing, "circuit open", because(why)).with_advice(to_do);
        return match failing() {
            Some(state) => part.with_since(state.since),
            None => part,
        };
    }
    match (api.answered, api.failed) {
        (0, 0) => {
            part(State::Waiting, "no request yet", "Nothing was asked since the start.".into())
        }
        (0, _) => {
            let to_do = Sentence::from("Compare ")
                .code("api.client_id")
                .text(", ")
                .code("api.client_secret")
                .text(" and the URLs with the console.");
            part(State::Failing, "no answer", because(counted.into())).with_advice(to_do)
        }
        _ => {
            let part = part(State::Good, "answering", (counted + ".").into());
            match facts.last_success() {
                Some(at) => part.with_more(
                    &Sentence::from(" The last run that succeeded ended ").ago(at).text("."),
                ),
                None => part,
            }
        }
    }
}

fn request_count(requests: u64) -> String {
    if requests == 1 { "1 request".to_owned() } else { format!("{requests} requests") }
}

fn job_part(
    title: &'static str,
    schedule: &Schedule,
    state: Option<&JobState>,
    facts: &Facts,
    now: Timestamp,
) -> Part {
    let part = |state, word, why: Sentence| Part::new(title, state, word, why);
    let next = |why: Sentence| match schedule.next_after(now) {
        Some(next) => why.text(" The next begins in ").in_time(next).text("."),
        None => why,
    };
    // Jobs that failed while the circuit was open run again when it closes, before their schedule.
    let is_away = facts.api.as_ref().is_some_and(|api| api.is_circuit_open);
    let again = |why: Sentence| match schedule.next_after(now).filter(|_| is_away) {
        Some(at) => why
            .text(" The next begins when the service answers again, at the latest in ")
            .in_time(at)
            .text("."),
        None => next(why),
    };
    let under_way = facts.stored.listing_since.filter(|_| title == "Tenant listing");
    let Some(state) = state else {
        return match under_way {
            Some(since) => part(
                State::Waiting,
                "first run",
                Sentence::from("It is under way since ").ago(since).text("."),
            ),
            None => part(State::Waiting, "no run yet", next("No run has ended yet.".into())),
        };
    };
    let end = &state.end;
    let because = |why: &'static str| Sentence::from(why).cause(end.reason.as_ref()).text(".");
    let succeeded = |why: Sentence| match state.last_success_at {
        Some(at) => why.text(" The last that succeeded ended ").ago(at).text("."),
        None => why.text(" None has succeeded yet."),
    };
    let failing = match end.outcome {
        JobOutcome::Failed => {
            part(State::Failing, "failed", again(succeeded(because("The last run failed"))))
        }
        JobOutcome::Off => {
            let to_do = Sentence::from(
                "Give the API client the right in the console; it is tried again by itself.",
            );
            part(State::Attention, "right missing", because("The API client has no right to it"))
                .with_advice(to_do)
        }
        JobOutcome::Succeeded if under_way.is_none() && is_late(schedule, state, facts, now) => {
            part(
                State::Attention,
                "late",
                succeeded("Its last run is older than two of its turns.".into()),
            )
        }
        JobOutcome::Succeeded if end.counts.failed > 0 => part(
            State::Attention,
            "some failed",
            next(because("Some of the last run were not answered")),
        ),
        JobOutcome::Succeeded => {
            let asked = end.counts.asked;
            let why = match state.last_success_at {
                Some(at) => Sentence::from("Ended ").ago(at),
                None => Sentence::from("Ended"),
            };
            // A run without requests does not show that the API answers, so it is not `Good`.
            if asked == 0 {
                let why = why.text(", and had nobody to ask.");
                return part(State::Waiting, "asked nobody", next(why));
            }
            let answered = end.counts.ok + end.counts.not_found;
            let why = why.text(format!(", {answered} of {asked} answered."));
            return part(State::Good, "on time", next(why));
        }
    };
    failing.with_since(state.since)
}

/// Whether two scheduled runs after the last one have passed.
fn is_late(schedule: &Schedule, state: &JobState, facts: &Facts, now: Timestamp) -> bool {
    let second =
        schedule.next_after(state.last_begun_at).and_then(|next| schedule.next_after(next));
    now - facts.started_at > START && second.is_some_and(|second| second < now)
}

impl Part {
    fn with_more(self, more: &Sentence) -> Self {
        Self { why: self.why.append(more), ..self }
    }
}
