//! Events: entries of the log, which are also sent to the collector.

mod attribute;
mod name;

use std::{borrow::Cow, sync::Arc};

use super::{CheckId, Grade, IpAddress, Login, Severity, Timestamp, WatchSubject};

pub use attribute::{AttributeValue, Attributes, key};
pub use name::EventName;

/// One entry of the log.
///
/// Its subjects say where something changed; readers that show the state read it again there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The kind of the event.
    pub name: EventName,
    /// The check it concerns.
    pub check_id: Option<CheckId>,
    /// The user it concerns.
    pub login: Option<Login>,
    /// The address it concerns, in canonical form.
    pub ip: Option<String>,
    /// The application it concerns.
    pub application: Option<String>,
    /// When it happened, as far as the source says.
    pub happened_at: Timestamp,
    /// When the exporter learnt of it.
    pub observed_at: Timestamp,
    /// The check's severity, for an event about a check.
    pub severity: Severity,
    /// The sentence for people; none when it can be derived from the rest, see
    /// [`sentence`](Self::sentence).
    pub body: Option<String>,
    /// Attributes of this event alone.
    pub attributes: Attributes,
    /// Attributes that all events of one webhook delivery share; they are stored once.
    pub of_delivery: Option<Arc<Attributes>>,
    /// Description and advice of the check, on the event of a delivery; they are stored once per
    /// version of the check.
    pub of_check: Option<Arc<Attributes>>,
}

impl Event {
    /// An event without subjects or attributes.
    pub(super) fn new(
        name: EventName,
        happened_at: Timestamp,
        observed_at: Timestamp,
        body: impl Into<Option<String>>,
    ) -> Self {
        Self {
            name,
            check_id: None,
            login: None,
            ip: None,
            application: None,
            happened_at,
            observed_at,
            severity: Severity::default(),
            body: body.into(),
            attributes: Attributes::new(),
            of_delivery: None,
            of_check: None,
        }
    }

    /// The sentence for people. Most events of a log say that a user newly fails a check: that
    /// sentence is derived from the login and the check's title, instead of being stored.
    #[must_use]
    pub fn sentence(&self) -> Cow<'_, str> {
        if let Some(body) = &self.body {
            return Cow::Borrowed(body);
        }
        let title = match self.attribute(key::CHECK_TITLE) {
            Some(AttributeValue::Text(title)) => title.as_str(),
            _ => "",
        };
        let who = self.login.as_ref().map_or("", Login::spelling);
        Cow::Owned(format!("{who} newly fails the check \"{title}\""))
    }

    /// Takes out all attributes as one set: the event's own, and those of its login, its delivery
    /// and its check. No name is in two of these.
    #[must_use]
    pub fn take_attributes(&mut self) -> Attributes {
        // The derived sentence uses attributes that are taken out.
        if self.body.is_none() {
            self.body = Some(self.sentence().into_owned());
        }
        let mut attributes = std::mem::take(&mut self.attributes);
        if let Some(login) = &self.login {
            attributes.insert(key::USER_NAME.to_owned(), login.spelling().into());
            if let Some(email) = login.as_email() {
                attributes.insert(key::USER_EMAIL.to_owned(), email.into());
            }
        }
        for shared in [self.of_delivery.take(), self.of_check.take()].into_iter().flatten() {
            attributes.extend(shared.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        attributes
    }

    /// An attribute, the event's own or a shared one; those of the login are not included.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&AttributeValue> {
        let shared = [self.of_delivery.as_deref(), self.of_check.as_deref()];
        let mut sets = std::iter::once(&self.attributes).chain(shared.into_iter().flatten());
        sets.find_map(|attributes| attributes.get(name))
    }

    /// The event that a user or an address is, or is no longer, watched.
    #[must_use]
    pub fn watch_changed(subject: &WatchSubject, added: bool, at: Timestamp) -> Self {
        let (name, verb) = if added {
            (EventName::WatchAdded, "is watched")
        } else {
            (EventName::WatchRemoved, "is watched no longer")
        };
        let mut event = Self::new(name, at, at, format!("{subject} {verb}"));
        event.set_subject(subject);
        event
    }

    /// The event that a person was removed. It does not say who.
    #[must_use]
    pub fn user_forgotten(at: Timestamp) -> Self {
        Self::new(EventName::UserForgotten, at, at, "Somebody was forgotten".to_owned())
    }

    /// The event that the whole tenant was counted.
    #[must_use]
    pub fn tenant_counted(users: u64, at: Timestamp) -> Self {
        let body = format!("The tenant was listed to its end: {users} users");
        Self::new(EventName::TenantCounted, at, at, body)
    }

    /// The event that the service's own state was requested.
    #[must_use]
    pub fn service_observed(at: Timestamp) -> Self {
        Self::new(EventName::ServiceObserved, at, at, "The service was looked at".to_owned())
    }

    /// The grade of the log record. A check without a known severity may be a severe one; an event
    /// without a check has no severity.
    #[must_use]
    pub fn grade(&self) -> Grade {
        if self.check_id.is_none() && self.severity.text().is_none() {
            return Grade::Info;
        }
        self.severity.grade()
    }

    pub(super) fn set(&mut self, key: &str, value: impl Into<AttributeValue>) {
        self.attributes.insert(key.to_owned(), value.into());
    }

    pub(super) fn set_if_some(&mut self, key: &str, value: Option<impl Into<AttributeValue>>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    pub(super) fn set_subject(&mut self, subject: &WatchSubject) {
        match subject {
            WatchSubject::User(login) => self.set_login(login),
            WatchSubject::Ip(ip) => self.set_ip(*ip),
        }
    }

    pub(super) fn set_ip(&mut self, ip: IpAddress) {
        let text = ip.to_string();
        self.set(key::CLIENT_ADDRESS, &text);
        self.ip = Some(text);
    }

    pub(super) fn set_login(&mut self, login: &Login) {
        // Attributes that only repeat the login are added when all are taken out. For a delivery
        // with thousands of users, storing them would take a large part of memory and disk.
        if login.spelling() != login.as_str() {
            self.set(key::USER_NAME, login.spelling());
        }
        self.login = Some(login.clone());
    }
}
