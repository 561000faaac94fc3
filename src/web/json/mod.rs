//! The JSON types that the API and the commands have in common.
//!
//! Names and order of the fields are a contract with clients. These types are separate from those
//! of the domain and the store, so that a rename there does not change the API.

mod attributes;
mod delivery;
mod otlp;
mod place;
mod poll;
mod target;
mod watch;

pub use attributes::Attributes;
pub use delivery::{Delivery, DeliveryRecord};
pub use otlp::OtlpStanding;
pub use place::Place;
pub use poll::{PollError, PollState};
pub use target::WebhookTarget;
pub use watch::Watched;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            self, AttributeValue, IpAddress, PollOutcome, Timestamp, WatchEntry, WatchSource,
            WatchSubject,
        },
        store,
    };

    fn text(value: &impl serde::Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn names_and_order_of_the_fields_stay() {
        let at = Timestamp::UNIX_EPOCH;
        let ip: IpAddress = "2001:DB8::1".parse().unwrap();
        let entry = WatchEntry {
            subject: WatchSubject::Ip(ip),
            source: WatchSource::Command,
            added_at: at,
            expires_at: None,
            note: Some("n".to_owned()),
        };
        let poll = store::PollState {
            outcome: PollOutcome::NotFound,
            since: at,
            last_at: at,
            answered_at: None,
            reason: None,
            errors: vec![domain::PollError::default()],
            status: Some(200),
        };
        assert_eq!(
            text(&Watched::from(store::Watched { entry, poll: Some(poll) })),
            concat!(
                r#"{"kind":"ip","subject":"2001:db8::1","source":"command","#,
                r#""added_at":"1970-01-01T00:00:00Z","expires_at":null,"note":"n","#,
                r#""poll":{"outcome":"not_found","since":"1970-01-01T00:00:00Z","#,
                r#""last_at":"1970-01-01T00:00:00Z","answered_at":null,"reason":null,"#,
                r#""errors":[{"path":"","error_type":null,"message":"","error_info":null,"#,
                r#""data":null}],"status":200}}"#
            )
        );
        let attributes = domain::Attributes::from([
            ("a".to_owned(), AttributeValue::Flag(true)),
            ("b".to_owned(), AttributeValue::Integer(-1)),
            ("c".to_owned(), AttributeValue::from("t")),
            ("d".to_owned(), AttributeValue::List(vec!["x".to_owned()])),
        ]);
        assert_eq!(text(&Attributes::from(attributes)), r#"{"a":true,"b":-1,"c":"t","d":["x"]}"#);
    }
}
