//! How a sent event names people.

use crate::{
    config::UserLabel,
    domain::{AttributeValue, Attributes, Event, Mention, SOMEBODY, event::key, redact_names},
};

/// Attributes that name a person beside the login, or lead to the person.
const PERSONAL: [&str; 5] = [
    key::USER_NAME,
    key::USER_EMAIL,
    key::USER_FULL_NAME,
    key::URL_FULL,
    // It contains what the service knows about the person, in fields of the service's choice.
    key::CHECK_EXPLANATION,
];

/// Replaces the login in an event, unless the operator chose that logins are sent. `attributes` are
/// all attributes of the event.
pub(super) fn apply_user_label(label: &UserLabel, event: &mut Event, attributes: &mut Attributes) {
    if matches!(label, UserLabel::Login) {
        return;
    }
    for name in PERSONAL {
        attributes.remove(name);
    }
    // The sentence is derived from the login and the title, which are taken out below.
    let sentence = event.sentence().into_owned();
    let Some(login) = event.login.take() else {
        // A run's or the service's message may name several people.
        if let Some(AttributeValue::Text(reason)) = attributes.get_mut(key::ERROR_MESSAGE) {
            event.body = Some(redact_names(&event.sentence()));
            *reason = redact_names(reason);
        }
        return;
    };
    let name = match label.hash_login(&login) {
        Some(hash) => {
            attributes.remove(key::USER_ID);
            attributes.insert(key::USER_HASH.to_owned(), hash.clone().into());
            hash
        }
        None => match attributes.get(key::USER_ID) {
            Some(AttributeValue::Text(id)) => id.clone(),
            _ => SOMEBODY.to_owned(),
        },
    };
    let mention = Mention::of(&login);
    // The sentence names the person, however short the login is.
    if let Some(body) = mention.replace_each_by(&name, &sentence) {
        event.body = Some(body);
    }
    for (key, value) in std::mem::take(attributes) {
        let value = match value {
            AttributeValue::Text(text) => {
                AttributeValue::Text(replace_mention(&mention, &name, text))
            }
            AttributeValue::List(texts) => {
                let texts = texts.into_iter().map(|text| replace_mention(&mention, &name, text));
                AttributeValue::List(texts.collect())
            }
            other => other,
        };
        attributes.insert(key, value);
    }
}

fn replace_mention(mention: &Mention, name: &str, text: String) -> String {
    mention.replace_by(name, &text).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{JobOutcome, Login, RunCounts, RunEnd, Timestamp, WatchSubject, on_run};

    fn label_event(label: &UserLabel, id: Option<&str>) -> (Event, Attributes) {
        let login = Login::new("Ann@example.com").unwrap();
        let subject = WatchSubject::User(login);
        let mut event = Event::watch_changed(&subject, true, Timestamp::UNIX_EPOCH);
        let mut attributes = event.take_attributes();
        let note = AttributeValue::List(vec!["of ann@example.com".to_owned()]);
        attributes.insert(key::POLL_ERRORS.to_owned(), note);
        attributes.insert(key::USER_FULL_NAME.to_owned(), "Ann Example".into());
        if let Some(id) = id {
            attributes.insert(key::USER_ID.to_owned(), id.into());
        }
        apply_user_label(label, &mut event, &mut attributes);
        (event, attributes)
    }

    #[test]
    fn a_run_lists_nobody_and_a_short_login_is_no_word_of_a_text() {
        let end = RunEnd {
            outcome: JobOutcome::Failed,
            reason: Some("down, ann@example.com (1 of 1 users: svc.backup)".to_owned()),
            counts: RunCounts::default(),
        };
        let mut event = on_run("users", None, &end, Timestamp::UNIX_EPOCH).unwrap();
        let mut attributes = event.take_attributes();
        apply_user_label(&UserLabel::Id, &mut event, &mut attributes);
        assert_eq!(event.sentence(), "The job \"users\" failed: down, a user (1 of 1 users)");
        let reason = attributes.get(key::ERROR_MESSAGE);
        assert_eq!(reason, Some(&"down, a user (1 of 1 users)".into()));

        let subject = WatchSubject::User(Login::new("a").unwrap());
        let mut event = Event::watch_changed(&subject, true, Timestamp::UNIX_EPOCH);
        let mut attributes = event.take_attributes();
        let texts = ["a", "not a text"].map(str::to_owned).to_vec();
        attributes.insert(key::POLL_ERRORS.to_owned(), AttributeValue::List(texts));
        attributes.insert(key::USER_ID.to_owned(), "4711".into());
        apply_user_label(&UserLabel::Id, &mut event, &mut attributes);
        assert_eq!(event.sentence(), "4711 is watched");
        let texts = ["4711", "not a text"].map(str::to_owned).to_vec();
        assert_eq!(attributes.get(key::POLL_ERRORS), Some(&AttributeValue::List(texts)));
    }

    #[test]
    fn nothing_names_the_person_but_what_the_operator_chose() {
        let hash = UserLabel::Hash("key".into());
        // printf %s ann@example.com | openssl dgst -sha256 -hmac key
        let hashed = "9e477c88a643485898d5bad53f82b84a";
        for (label, id, name, attribute) in [
            (&hash, Some("4711"), hashed, Some(key::USER_HASH)),
            (&UserLabel::Id, Some("4711"), "4711", Some(key::USER_ID)),
            (&UserLabel::Id, None, "a user", None),
        ] {
            let (event, attributes) = label_event(label, id);
            let text = format!("{event:?} {attributes:?}").to_lowercase();
            assert!(!text.contains("ann"), "{text}");
            assert_eq!(event.sentence(), format!("{name} is watched"));
            let people =
                attributes.iter().map(|(key, _)| key).filter(|key| key.starts_with("user."));
            assert_eq!(people.map(String::as_str).collect::<Vec<_>>(), Vec::from_iter(attribute));
            if let Some(attribute) = attribute {
                assert_eq!(attributes.get(attribute), Some(&name.into()));
            }
        }
        let (event, attributes) = label_event(&UserLabel::Login, None);
        assert_eq!(event.sentence(), "Ann@example.com is watched");
        assert_eq!(attributes.get(key::USER_NAME), Some(&"Ann@example.com".into()));
    }
}
