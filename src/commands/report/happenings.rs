//! Counts the events within the period of a report.

use std::collections::{BTreeMap, BTreeSet};

use cii_exporter::domain::{AttributeValue, Event, EventName};

use super::model::{Happening, List, NewCountry};

/// The counts. Events are added from the newest to the oldest.
#[derive(Debug, Default)]
pub(super) struct Happenings {
    /// New and resolved failures by check.
    pub(super) of_checks: BTreeMap<String, (u64, u64)>,
    pub(super) new_addresses: u64,
    /// The users with new addresses.
    pub(super) at_new_addresses: BTreeSet<String>,
    pub(super) new_countries: List<NewCountry>,
    pub(super) admins_added: List<Happening>,
    pub(super) admins_removed: List<Happening>,
    pub(super) factors_changed: List<Happening>,
}

impl Happenings {
    /// Counts an event; `name` returns the user's name for the report.
    pub(super) fn count_event(&mut self, event: &Event, name: impl Fn(&Event) -> String) {
        match event.name {
            EventName::CheckFailed => self.check_counts(event).0 += 1,
            EventName::CheckResolved => self.check_counts(event).1 += 1,
            EventName::UserIpNew => {
                self.new_addresses += 1;
                let login = event.login.as_ref().map(|login| login.as_str().to_owned());
                self.at_new_addresses.extend(login);
            }
            EventName::UserCountryNew => self.new_countries.add(|| NewCountry {
                user: name(event),
                country: text_attribute(event, "geo.country.iso_code")
                    .unwrap_or_else(|| "unknown".into()),
                at: event.happened_at,
            }),
            EventName::AdminAdded => {
                self.admins_added.add(|| make_happening(event, &name, "added"));
            }
            EventName::AdminRemoved => {
                self.admins_removed.add(|| make_happening(event, &name, "removed"));
            }
            EventName::UserFactorsChanged => {
                self.factors_changed.add(|| make_happening(event, &name, &factors_text(event)));
            }
            _ => {}
        }
    }

    fn check_counts(&mut self, event: &Event) -> &mut (u64, u64) {
        let id = event.check_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default();
        self.of_checks.entry(id).or_default()
    }
}

fn make_happening(event: &Event, name: impl Fn(&Event) -> String, what: &str) -> Happening {
    Happening { user: name(event), what: what.to_owned(), at: event.happened_at }
}

/// The added and the removed factors, as text.
fn factors_text(event: &Event) -> String {
    let list = |key| match event.attribute(key) {
        Some(AttributeValue::List(texts)) => texts.join(", "),
        _ => String::new(),
    };
    let (added, removed) = (list("cii.user.factors.added"), list("cii.user.factors.removed"));
    let parts = [("added", added), ("removed", removed)];
    let parts = parts.iter().filter(|(_, factors)| !factors.is_empty());
    parts.map(|(what, factors)| format!("{what} {factors}")).collect::<Vec<_>>().join("; ")
}

fn text_attribute(event: &Event, key: &str) -> Option<String> {
    match event.attribute(key) {
        Some(AttributeValue::Text(text)) => Some(text.clone()),
        _ => None,
    }
}
