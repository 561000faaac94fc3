//! The state of the service itself: integrations, administrators, daily counts.

use crate::{
    domain::{Admin, Event, Integration, Timestamp, service},
    ledger::{Change, Facts, Fault, Keys, ServiceSeen, Subject, WholeTable},
};

/// Records what the service answered about itself; a part without an answer stays as it is.
#[derive(Debug, Clone, Default)]
pub struct RecordService {
    /// The integrations.
    pub integrations: Option<Vec<Integration>>,
    /// Whether some rows could not be read. Integrations that are absent are not removed then.
    pub integrations_are_partial: bool,
    /// The administrators.
    pub admins: Option<Vec<Admin>>,
    /// Whether some rows could not be read. Administrators that are absent are not removed then.
    pub admins_are_partial: bool,
    /// The count of failing checks of the newest day; `Some(None)` when the service has no such
    /// count.
    pub daily_failures: Option<Option<u64>>,
    /// When.
    pub at: Timestamp,
}

impl Change for RecordService {
    type Outcome = ();

    fn keys(&self, keys: &mut Keys) {
        keys.whole.insert(WholeTable::Service);
    }

    fn apply(&self, facts: &mut Facts) -> Result<(), Fault> {
        let mut state = facts.service.get(&())?.cloned().unwrap_or_default();
        let mut events = Vec::new();
        let seen = |number| ServiceSeen { at: self.at, number };
        if let Some(mut now) = self.integrations.clone() {
            if self.integrations_are_partial {
                let known = state.integrations.clone();
                service::keep_unread(&mut now, known, |integration| integration.id.clone());
            }
            service::keep_finished(&state.integrations, &mut now);
            events.extend(service::on_integrations(&state.integrations, &now, self.at));
            state.integrations = now;
            state.seen.insert("integrations", seen(None));
        }
        if let Some(mut now) = self.admins.clone() {
            service::keep_first(&mut now);
            if self.admins_are_partial {
                let known = state.admins.clone().unwrap_or_default();
                service::keep_unread(&mut now, known, |admin| admin.login.clone());
            }
            events.extend(service::on_admins(state.admins.as_deref(), &now, self.at));
            state.admins = Some(now);
            state.seen.insert("admins", seen(None));
        }
        if let Some(number) = self.daily_failures {
            state.seen.insert("daily_failures", seen(number));
        }
        facts.service.put((), state);
        facts.append_all(events);
        facts.append(Event::service_observed(self.at));
        facts.touch(Subject::Service);
        Ok(())
    }
}
