//! Shows each cause of job failures once in a list of events.

use std::borrow::Cow;

use crate::domain::{AttributeValue, Event, EventName, event::key, run::cause};

/// The causes that were shown so far.
#[derive(Debug, Default)]
pub(super) struct Causes(Vec<String>);

impl Causes {
    /// Starts with the causes of these reasons, which are shown elsewhere on the page.
    pub(super) fn from_reasons<'a>(reasons: impl Iterator<Item = &'a str>) -> Self {
        Self(reasons.map(|reason| cause(reason).to_owned()).collect())
    }

    /// The sentence of an event, without the cause of a job's failure when that was shown before.
    pub(super) fn event_sentence<'a>(&mut self, event: &'a Event) -> Cow<'a, str> {
        let body = event.sentence();
        let Some(AttributeValue::Text(reason)) = event.attributes.get(key::ERROR_MESSAGE) else {
            return body;
        };
        if event.name != EventName::SyncOutcomeChanged {
            return body;
        }
        let cause = cause(reason);
        if self.0.iter().any(|told| told == cause) {
            let fact = body.strip_suffix(reason.as_str()).unwrap_or(&body);
            let fact = fact.trim_end_matches(": ");
            return Cow::Owned(format!("{fact}, for the reason above"));
        }
        self.0.push(cause.to_owned());
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JobOutcome, RunCounts, RunEnd, Timestamp, on_run};

    #[test]
    fn a_cause_of_several_jobs_is_told_once() {
        let mut causes = Causes::default();
        let mut told = |job: &str, reason: &str| {
            let end = RunEnd {
                outcome: JobOutcome::Failed,
                reason: Some(reason.to_owned()),
                counts: RunCounts::default(),
            };
            let event = on_run(job, None, &end, Timestamp::UNIX_EPOCH).unwrap();
            causes.event_sentence(&event).into_owned()
        };
        assert_eq!(
            told("users", "no answer (1 of 1 users: a)"),
            "The job \"users\" failed: no answer (1 of 1 users: a)"
        );
        assert_eq!(told("ips", "no answer"), "The job \"ips\" failed, for the reason above");
        assert_eq!(told("tenant", "HTTP 503"), "The job \"tenant\" failed: HTTP 503");
    }
}
