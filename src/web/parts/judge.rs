//! Derives the state of each part from the facts; no I/O.

use chrono::TimeDelta;

use super::{
    Part, Sentence, State, api,
    facts::{Facts, Otlp},
    replica,
};
use crate::{
    domain::Timestamp,
    web::{Readiness, ReloadReply},
};

/// How long an event may wait for the collector before the part needs attention.
const PATIENCE: TimeDelta = TimeDelta::minutes(1);

/// How long after the last scrape the next one counts as missed: well above usual scrape intervals.
const SCRAPES: TimeDelta = TimeDelta::minutes(10);

/// How old the last confirmation of the clock may be; one is recorded each hour.
const BELIEVED: TimeDelta = TimeDelta::minutes(90);

/// By how much the clock may be behind that confirmation: smaller steps are corrections by NTP.
const SET_BACK: TimeDelta = TimeDelta::minutes(5);

/// Every part, the worst first; equal ones in a fixed order.
pub(super) fn judge_parts(facts: &Facts, now: Timestamp) -> Vec<Part> {
    let mut parts = vec![
        daemon_part(facts),
        store_part(facts),
        webhook_part(facts),
        otlp_part(facts, now),
        metrics_part(facts, now),
        configuration_part(facts),
        clock_part(facts, now),
    ];
    parts.extend(api::api_parts(facts, now));
    parts.extend(facts.replica.as_ref().map(replica::replica_part));
    parts.sort_by_key(|part| std::cmp::Reverse(part.state));
    let mut told = Vec::new();
    for part in &mut parts {
        part.why.replace_repeated_causes(part.name, &mut told);
    }
    parts
}

fn daemon_part(facts: &Facts) -> Part {
    let (state, word, why) = match facts.readiness {
        Readiness::Ready => (State::Good, "ready", "Everything runs."),
        Readiness::Starting => (State::Waiting, "starting", "Not everything runs yet."),
        Readiness::Stopping => (State::Failing, "stopping", "The stop signal came."),
    };
    let part = Part::new("Daemon", state, word, why).with_since(facts.started_at);
    part.into_vital()
}

fn store_part(facts: &Facts) -> Part {
    if let Some(error) = &facts.store_error {
        let to_do = Sentence::from(if facts.replica.is_some() {
            "Look at the database server and at the log: deliveries are answered with 503 until it \
             commits again."
        } else {
            "Look at the disk and at the log: deliveries are answered with 503 until it commits again."
        });
        return Part::new("Store", State::Failing, "cannot commit", error.clone())
            .with_advice(to_do)
            .into_vital();
    }
    let why = Sentence::default()
        .size(facts.store_bytes)
        .text(format!(", {} commits since the start.", facts.commits));
    Part::new("Store", State::Good, "open", why).with_since(facts.started_at).into_vital()
}

fn webhook_part(facts: &Facts) -> Part {
    let stored = &facts.stored;
    let part = |state, word, why| Part::new("Webhook", state, word, why);
    let see = || Sentence::from("Deliveries shows each with its reason and its body.");
    let last = |why: Sentence| match stored.last_delivery {
        Some(at) => why.text(" The last delivery came ").ago(at).text("."),
        None => why.text(" No delivery was accepted yet."),
    };
    if facts.unkept > 0 {
        let why = Sentence::from(format!(
            "{} refused while the store could not take them.",
            delivery_count(facts.unkept as u64)
        ));
        return part(State::Attention, "refused some", last(why)).with_advice(see());
    }
    if stored.day.refused > 0 {
        let why =
            Sentence::from(format!("{} refused in 24 hours.", delivery_count(stored.day.refused)));
        return part(State::Attention, "refused some", last(why)).with_advice(see());
    }
    match stored.last_delivery {
        Some(at) => {
            let why = Sentence::from("The last delivery came ")
                .ago(at)
                .text(format!(", {} in 24 hours, none refused.", stored.day.accepted));
            part(State::Good, "receiving", why)
        }
        None if facts.unauthorized > 0 => {
            let why = format!(
                "Nothing was accepted yet; {} came without a valid secret since the start.",
                if facts.unauthorized == 1 {
                    "1 request".to_owned()
                } else {
                    format!("{} requests", facts.unauthorized)
                }
            );
            let to_do = Sentence::from("Compare the header's name and value in the console with ")
                .code("webhook.header")
                .text(" and ")
                .code("webhook.secrets")
                .text(".");
            part(State::Attention, "secret refused", why.into()).with_advice(to_do)
        }
        None => part(State::Waiting, "waiting", "No delivery came yet.".into()),
    }
}

fn delivery_count(count: u64) -> String {
    if count == 1 { "1 delivery was".to_owned() } else { format!("{count} deliveries were") }
}

fn otlp_part(facts: &Facts, now: Timestamp) -> Part {
    let part = |state, word, why| Part::new("OTLP", state, word, why);
    let Some(Otlp { outage, exported }) = &facts.otlp else {
        let to_do = Sentence::from("To send events to a collector, set ")
            .code("[otlp]")
            .text(" and restart.");
        return part(State::Off, "off", "No collector is configured.".into()).with_advice(to_do);
    };
    let backlog = &facts.stored.backlog;
    let waiting = match backlog.pending {
        1 => "1 event waits".to_owned(),
        pending => format!("{pending} events wait"),
    };
    let late = backlog.oldest.filter(|oldest| now - *oldest > PATIENCE);
    if let Some((cause, since)) = outage {
        let state = if late.is_some() { State::Failing } else { State::Attention };
        let why = Sentence::from(cause.clone()).text(format!("; {waiting}."));
        let to_do =
            Sentence::from("Look at the collector; what waits is sent when it takes events again.");
        return part(state, "not taken", why).with_advice(to_do).with_since(*since);
    }
    if let Some(oldest) = late {
        let why = Sentence::from(format!("{waiting}, the oldest since ")).ago(oldest).text(".");
        return part(State::Attention, "behind", why).with_since(oldest);
    }
    if backlog.parked > 0 {
        let why = Sentence::from(format!(
            "The collector refused {} for good.",
            event_count(backlog.parked)
        ));
        let to_do =
            Sentence::from("Once the collector takes them: ").code("cii-exporter otlp retry");
        return part(State::Attention, "some parked", why).with_advice(to_do);
    }
    let why = format!("{waiting}; {exported} sent since the start.");
    part(State::Good, "up to date", why.into())
}

fn event_count(count: u64) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}

fn metrics_part(facts: &Facts, now: Timestamp) -> Part {
    let part = |state, word, why: Sentence| Part::new("Metrics", state, word, why);
    let Some(at) = facts.scraped_at else {
        let why = Sentence::from("Nobody asked for ").code("/metrics").text(" since the start.");
        let to_do =
            Sentence::from("Only where Prometheus is in use: add this listener as a target.");
        return part(State::Off, "not scraped", why).with_advice(to_do);
    };
    let why = Sentence::from("The last scrape was ").ago(at).text(".");
    if now - at > SCRAPES {
        let to_do = Sentence::from("Look at the target in Prometheus.");
        return part(State::Attention, "not scraped", why).with_advice(to_do).with_since(at);
    }
    part(State::Good, "scraped", why)
}

fn configuration_part(facts: &Facts) -> Part {
    let part = |state, word, why: Sentence| Part::new("Configuration", state, word, why);
    let Some(last) = &facts.reload else {
        let why = Sentence::from("Read at the start, ").ago(facts.started_at).text(".");
        return part(State::Good, "in force", why).with_since(facts.started_at);
    };
    match &last.reply {
        ReloadReply::Refused(reason) => {
            let why =
                Sentence::from("The last reload was refused, the former configuration holds: ")
                    .text(reason.clone())
                    .text(".");
            let to_do = Sentence::from("Mend it, try ")
                .code("cii-exporter check-config")
                .text(", and reload again.");
            part(State::Attention, "not reloaded", why).with_advice(to_do).with_since(last.at)
        }
        ReloadReply::Applied { needs_restart } if !needs_restart.is_empty() => {
            let why = Sentence::from("These settings wait for a restart: ")
                .code(needs_restart.join(", "))
                .text(".");
            let to_do = Sentence::from("Restart the exporter.");
            part(State::Attention, "needs a restart", why).with_advice(to_do).with_since(last.at)
        }
        ReloadReply::Applied { .. } => {
            let why = Sentence::from("Reloaded ").ago(last.at).text(".");
            part(State::Good, "in force", why).with_since(last.at)
        }
    }
}

fn clock_part(facts: &Facts, now: Timestamp) -> Part {
    let part = |state, word, why: Sentence| Part::new("Clock", state, word, why);
    let to_do = || Sentence::from("Look at the time of this machine and at how it is kept.");
    match facts.stored.trusted_at {
        Some(at) if at - now > SET_BACK => {
            let why = Sentence::from("It stands before the moment at which it was last believed.");
            part(State::Attention, "set back", why).with_advice(to_do())
        }
        Some(at) if now - at > BELIEVED && now - facts.started_at > PATIENCE => {
            let why = Sentence::from("It was last believed ").ago(at).text(
                ". Until it is believed again, nothing is removed as too old and no watch entry \
                 expires.",
            );
            part(State::Attention, "not believed", why).with_advice(to_do()).with_since(at)
        }
        Some(at) => part(
            State::Good,
            "believed",
            Sentence::from("It agreed with what is known ").ago(at).text("."),
        ),
        None => part(State::Waiting, "not looked at", "It was not looked at yet.".into()),
    }
}

impl Part {
    pub(super) fn new(
        name: &'static str,
        state: State,
        word: &'static str,
        why: impl Into<Sentence>,
    ) -> Self {
        Self { name, state, word, why: why.into(), to_do: None, since: None, is_vital: false }
    }

    pub(super) fn with_advice(self, to_do: Sentence) -> Self {
        Self { to_do: Some(to_do), ..self }
    }

    pub(super) fn with_since(self, since: Timestamp) -> Self {
        Self { since: Some(since), ..self }
    }

    fn into_vital(self) -> Self {
        Self { is_vital: true, ..self }
    }
}
