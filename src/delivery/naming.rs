//! By what an event names people when it is sent.

use crate::{
    config::UserLabel,
    domain::{AttributeValue, Attributes, Event, Mention, event::key},
};

/// What names a person beside the login, or leads to one.
const PERSONAL: [&str; 5] = [
    key::USER_NAME,
    key::USER_EMAIL,
    key::USER_FULL_NAME,
    key::URL_FULL,
    // It has whatever the service knows of the person, in fields of its choice.
    key::CHECK_EXPLANATION,
];

/// What stands in sentences where the service told no id.
const SOMEBODY: &str = "a user";

/// Takes the login out of an event, unless people are named by it; what names the person
/// instead takes its place. `attributes` are all that the event has.
pub(super) fn rename(label: &UserLabel, event: &mut Event, attributes: &mut Attributes) {
    if matches!(label, UserLabel::Login) {
        return;
    }
    for name in PERSONAL {
        attributes.remove(name);
    }
    let Some(login) = event.login.take() else { return };
    let name = match label.hash(&login) {
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
    event.body = replaced(&mention, &name, std::mem::take(&mut event.body));
    for (key, value) in std::mem::take(attributes) {
        let value = match value {
            AttributeValue::Text(text) => AttributeValue::Text(replaced(&mention, &name, text)),
            AttributeValue::List(texts) => {
                let texts = texts.into_iter().map(|text| replaced(&mention, &name, text));
                AttributeValue::List(texts.collect())
            }
            other => other,
        };
        attributes.insert(key, value);
    }
}

fn replaced(mention: &Mention, name: &str, text: String) -> String {
    mention.replace_by(name, &text).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Login, Timestamp, WatchSubject};

    fn renamed(label: &UserLabel, id: Option<&str>) -> (Event, Attributes) {
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
        rename(label, &mut event, &mut attributes);
        (event, attributes)
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
            let (event, attributes) = renamed(label, id);
            let text = format!("{event:?} {attributes:?}").to_lowercase();
            assert!(!text.contains("ann"), "{text}");
            assert_eq!(event.body, format!("{name} is watched"));
            let people =
                attributes.iter().map(|(key, _)| key).filter(|key| key.starts_with("user."));
            assert_eq!(people.map(String::as_str).collect::<Vec<_>>(), Vec::from_iter(attribute));
            if let Some(attribute) = attribute {
                assert_eq!(attributes.get(attribute), Some(&name.into()));
            }
        }
        let (event, attributes) = renamed(&UserLabel::Login, None);
        assert_eq!(event.body, "Ann@example.com is watched");
        assert_eq!(attributes.get(key::USER_NAME), Some(&"Ann@example.com".into()));
    }
}
