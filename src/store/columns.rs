//! The columns of each table, in the order in which rows are written.
//!
//! All engines have the same tables. A test compares this list with their schemas.

use super::sql::{Columns, body, bytes, integer, text};

pub(in crate::store) const META: Columns = Columns::new("meta", &[text("key")], &[text("value")]);

pub(in crate::store) const FAILURE_ANSWER: Columns = Columns::new(
    "failure_answer",
    &[text("login")],
    &[
        integer("as_of"),
        integer("listed_at"),
        integer("unknown_since"),
        integer("suspect_since"),
        text("shared_texts"),
        text("exchange"),
    ],
);

pub(in crate::store) const WATCH: Columns = Columns::new(
    "watch",
    &[text("kind"), text("subject"), text("source")],
    &[integer("added_at"), integer("expires_at"), text("note")],
);

pub(in crate::store) const USER_SNAPSHOT: Columns = Columns::new(
    "user_snapshot",
    &[text("login")],
    &[
        text("state"),
        integer("first_observed_at"),
        integer("observed_at"),
        integer("new_ips"),
        integer("last_new_ip_at"),
        integer("last_new_country_at"),
        integer("form"),
    ],
);

pub(in crate::store) const IP_SNAPSHOT: Columns = Columns::new(
    "ip_snapshot",
    &[text("ip")],
    &[
        text("users"),
        integer("first_observed_at"),
        integer("observed_at"),
        integer("new_users"),
        integer("last_new_user_at"),
        integer("form"),
    ],
);

pub(in crate::store) const CURSOR: Columns =
    Columns::new("cursor", &[text("consumer")], &[integer("seq")]);

pub(in crate::store) const POLL: Columns = Columns::new(
    "poll",
    &[text("kind"), text("subject")],
    &[
        text("outcome"),
        integer("since"),
        integer("last_at"),
        integer("answered_at"),
        text("reason"),
        text("errors"),
        integer("status"),
    ],
);

pub(in crate::store) const JOB_STATE: Columns = Columns::new(
    "job_state",
    &[text("job")],
    &[
        text("outcome"),
        integer("since"),
        integer("last_begun_at"),
        integer("last_success_at"),
        text("reason"),
        integer("asked"),
        integer("ok"),
        integer("not_found"),
        integer("failed"),
        integer("skipped"),
        text("hours"),
    ],
);

pub(in crate::store) const INTEGRATION: Columns = Columns::new(
    "integration",
    &[text("id")],
    &[text("name"), text("status"), integer("date"), text("error")],
);

pub(in crate::store) const ADMIN: Columns =
    Columns::new("admin", &[text("login")], &[text("display_name"), integer("last_sign_in_at")]);

pub(in crate::store) const SERVICE_SEEN: Columns =
    Columns::new("service_seen", &[text("part")], &[integer("seen_at"), integer("number")]);

pub(in crate::store) const WEBHOOK_TARGET: Columns = Columns::new(
    "webhook_target",
    &[text("id")],
    &[text("name"), text("url"), text("check_ids"), integer("registered_at")],
);

pub(in crate::store) const OTLP_START: Columns =
    Columns::new("otlp_start", &[integer("id")], &[integer("is_on")]);

pub(in crate::store) const OTLP_GAP: Columns =
    Columns::new("otlp_gap", &[integer("first_seq")], &[integer("last_seq")]);

pub(in crate::store) const LIST_MEMORY: Columns = Columns::new(
    "list_memory",
    &[text("field")],
    &[integer("last_list_at"), integer("gave_empty")],
);

pub(in crate::store) const LIST_NULL: Columns = Columns::new(
    "list_null",
    &[text("login"), text("field")],
    &[integer("since"), integer("last_at"), text("meaning")],
);

pub(in crate::store) const HEAD: Columns = Columns::new(
    "head",
    &[integer("id")],
    &[
        integer("event"),
        integer("public_events"),
        integer("delivery"),
        integer("check_number"),
        integer("listing"),
        integer("users"),
        integer("ips"),
        integer("failing_people"),
        integer("followed"),
        integer("new_ips"),
        integer("new_countries"),
        integer("event_hour"),
    ],
);

/// Checks. The id is the last column: without it an update leaves the index over ids alone.
pub(in crate::store) const CHECKS: Columns = Columns::new(
    "checks",
    &[integer("number")],
    &[
        text("title"),
        text("severity"),
        integer("last_event_at"),
        integer("version"),
        integer("open"),
        integer("failures"),
        integer("resolutions"),
        integer("title_as_of"),
        integer("severity_as_of"),
        integer("description_as_of"),
        integer("recommended_actions_as_of"),
        integer("last_failure_at"),
        text("durations"),
        integer("is_provisional"),
        integer("is_hidden"),
        text("trend"),
        text("id"),
    ],
);

pub(in crate::store) const CHECK_WORDS: Columns = Columns::new(
    "check_words",
    &[integer("check_number"), integer("version")],
    &[text("description"), text("recommended_actions")],
);

pub(in crate::store) const CHECK_TITLE: Columns = Columns::new(
    "check_title",
    &[text("folded"), integer("check_number"), integer("since")],
    &[integer("until")],
);

pub(in crate::store) const FAILURE: Columns = Columns::new(
    "failure",
    &[text("login"), integer("check_number")],
    &[
        integer("opened_at"),
        integer("reported_at"),
        integer("named_at"),
        integer("is_announced"),
        integer("by_title"),
        integer("is_dated"),
    ],
);

pub(in crate::store) const FAILURE_CLOSED: Columns = Columns::new(
    "failure_closed",
    &[integer("number")],
    &[
        integer("check_number"),
        text("login"),
        integer("opened_at"),
        integer("closed_at"),
        integer("is_announced"),
        text("reason"),
        integer("is_dated"),
    ],
);

pub(in crate::store) const EVENT_CONTEXT: Columns =
    Columns::new("event_context", &[integer("number")], &[text("attributes")]);

pub(in crate::store) const EVENT: Columns = Columns::new(
    "event",
    &[integer("seq")],
    &[
        text("name"),
        integer("public"),
        integer("ordinal"),
        text("check_id"),
        text("login"),
        text("ip"),
        text("application"),
        integer("happened_at"),
        integer("observed_at"),
        text("severity"),
        text("body"),
        text("attributes"),
        integer("context"),
        integer("check_version"),
        bytes("uid"),
    ],
);

pub(in crate::store) const EVENT_HOUR: Columns =
    Columns::new("event_hour", &[integer("first")], &[integer("hour")]);

pub(in crate::store) const PARKED_EVENT: Columns =
    Columns::new("parked_event", &[integer("seq")], &[text("reason"), integer("parked_at")]);

pub(in crate::store) const OTLP_RESEND: Columns =
    Columns::new("otlp_resend", &[integer("seq")], &[]);

/// Deliveries. The last [`DELIVERY_LATER`] columns are written after the delivery itself.
pub(in crate::store) const DELIVERY: Columns = Columns::new(
    "delivery",
    &[integer("seq")],
    &[
        text("id"),
        text("detail_id"),
        integer("received_at"),
        integer("sent_at"),
        integer("published_at"),
        text("detail_type"),
        text("source"),
        text("account"),
        text("region"),
        text("check_id"),
        text("title"),
        text("severity"),
        text("outcome"),
        integer("status"),
        text("reason"),
        integer("users"),
        integer("new_users"),
        text("known_users"),
        text("cleared_users"),
        integer("skipped_logins"),
        text("notes"),
        integer("size"),
        integer("is_packed"),
        integer("body_form"),
        body("body"),
        integer("repeats"),
        integer("last_repeat_at"),
        integer("replayed_as"),
    ],
);

/// The number of columns that a new delivery does not have.
pub(in crate::store) const DELIVERY_LATER: usize = 3;

pub(in crate::store) const LISTING: Columns = Columns::new(
    "listing",
    &[text("state")],
    &[
        integer("number"),
        integer("begun_at"),
        text("page_token"),
        integer("pages"),
        integer("users"),
        integer("told"),
        integer("skipped"),
        text("figures"),
        integer("ended_at"),
        text("position"),
        integer("is_verdict"),
        integer("is_suspect"),
    ],
);

pub(in crate::store) const LISTING_MEMBER: Columns = Columns::new(
    "listing_member",
    &[integer("listing"), text("login")],
    &[text("failing"), integer("is_null"), integer("asked_at")],
);

pub(in crate::store) const LOGIN_SPELLING: Columns =
    Columns::new("login_spelling", &[text("login")], &[text("spelling")]);

pub(in crate::store) const PAST: Columns = Columns::new(
    "past",
    &[text("kind"), text("subject"), text("what"), text("name")],
    &[integer("gone_at")],
);

pub(in crate::store) const CONFIGURED_CHECK: Columns =
    Columns::new("configured_check", &[text("name")], &[text("title"), text("severity")]);

pub(in crate::store) const CHECK_SET: Columns =
    Columns::new("check_set", &[text("checks")], &[integer("people")]);
