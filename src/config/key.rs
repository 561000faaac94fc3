//! The table of all settings: path, kind and default.

use strum::VariantNames;

use super::{CommitLevel, OtlpProtocol, TokenRequest, UserSeries};

/// The kind of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    List,
    /// A string, or a list of strings.
    Texts,
    Flag,
    /// An integer from the first to the second.
    Integer(i64, i64),
    Choice(&'static [&'static str]),
}

impl Kind {
    /// The expected form, as messages state it.
    pub(super) fn expected_form(self) -> String {
        match self {
            Self::Text => "a text in quotes".to_owned(),
            Self::List => "a list of texts, such as [\"a\", \"b\"]".to_owned(),
            Self::Texts => "a text in quotes, or a list of them".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Integer(least, most) => format!("a whole number from {least} to {most}"),
            Self::Choice(choices) => format!("one of {}", choices.join(", ")),
        }
    }
}

/// A setting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// Table and name, joined by a dot.
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    /// The default as TOML; `None` without one.
    pub(super) default: Option<&'static str>,
    /// For a secret, the path of the setting that names a file with it.
    pub(super) file: Option<&'static str>,
}

const fn key(path: &'static str, kind: Kind, default: Option<&'static str>) -> Key {
    Key { path, kind, default, file: None }
}

const fn secret(path: &'static str, kind: Kind, file: &'static str) -> Key {
    Key { path, kind, default: None, file: Some(file) }
}

/// The service analyses once a day, or hourly with log streaming: more frequent polls mostly get
/// the same answer.
const HOURLY: Option<&str> = Some("\"0 0 * * * *\"");
const YES: Option<&str> = Some("true");
const NO: Option<&str> = Some("false");
const NONE: Option<&str> = Some("[]");

/// All settings, in the order in which they are shown.
pub(super) const KEYS: &[Key] = &[
    key("webhook.listen", Kind::Text, Some("\"127.0.0.1:8847\"")),
    key("webhook.path", Kind::Text, Some("\"/webhooks/cii\"")),
    key("webhook.public_url", Kind::Text, None),
    key("webhook.header", Kind::Text, Some("\"x-api-client-token\"")),
    secret("webhook.secrets", Kind::List, "webhook.secrets_file"),
    key("webhook.secrets_file", Kind::Text, None),
    secret("webhook.bearer", Kind::List, "webhook.bearer_file"),
    key("webhook.bearer_file", Kind::Text, None),
    key("webhook.allow_from", Kind::List, NONE),
    key("webhook.trusted_proxies", Kind::List, NONE),
    key("webhook.web_config", Kind::Text, None),
    key("webhook.check_ids", Kind::List, NONE),
    key("webhook.max_body_bytes", Kind::Integer(1024, 268_435_456), Some("4194304")),
    key("webhook.basic.user", Kind::Text, None),
    secret("webhook.basic.password", Kind::Texts, "webhook.basic.password_file"),
    key("webhook.basic.password_file", Kind::Text, None),
    key("ops.listen", Kind::Text, Some("\"127.0.0.1:9847\"")),
    key("ops.web_config", Kind::Text, None),
    key("ops.public_url", Kind::Text, None),
    key("ops.hosts", Kind::List, NONE),
    key("ops.allow_unauthenticated", Kind::Flag, NO),
    key("ops.read_only", Kind::Flag, NO),
    secret("ops.write_token", Kind::Texts, "ops.write_token_file"),
    key("ops.write_token_file", Kind::Text, None),
    key("api.url", Kind::Text, None),
    key("api.token_url", Kind::Text, None),
    key("api.client_id", Kind::Text, None),
    secret("api.client_secret", Kind::Text, "api.client_secret_file"),
    key("api.client_secret_file", Kind::Text, None),
    key("api.audience", Kind::Text, None),
    key("api.token_request", Kind::Choice(TokenRequest::VARIANTS), Some("\"auto\"")),
    key("api.region", Kind::Choice(&["us", "eu", "au"]), None),
    key("api.timeout_seconds", Kind::Integer(1, 300), Some("30")),
    key("api.concurrency", Kind::Integer(1, 64), Some("4")),
    key("api.page_size", Kind::Integer(1, 1000), Some("500")),
    key("api.batch_size", Kind::Integer(1, 100), Some("10")),
    key("api.requests_per_minute", Kind::Integer(1, 100_000), Some("600")),
    key("api.retries", Kind::Integer(0, 10), Some("3")),
    key("api.max_answer_bytes", Kind::Integer(65_536, 268_435_456), Some("16777216")),
    key("api.max_answer_items", Kind::Integer(1, 10_000_000), Some("100000")),
    key("api.null_lists", Kind::Choice(&["auto", "untold", "empty"]), Some("\"auto\"")),
    key("watch.users", Kind::List, NONE),
    key("watch.ips", Kind::List, NONE),
    key("watch.failing_users", Kind::Flag, YES),
    key("watch.max_users", Kind::Integer(0, 1_000_000), Some("10000")),
    key("watch.max_ips", Kind::Integer(0, 1_000_000), Some("1000")),
    key("sync.time_zone", Kind::Text, Some("\"UTC\"")),
    key("sync.jitter_seconds", Kind::Integer(0, 3600), Some("30")),
    key("sync.spread", Kind::Flag, YES),
    key("sync.settle", Kind::Text, Some("\"15m\"")),
    key("sync.users.schedule", Kind::Text, HOURLY),
    key("sync.users.on_start", Kind::Flag, YES),
    key("sync.ips.schedule", Kind::Text, HOURLY),
    key("sync.ips.on_start", Kind::Flag, YES),
    key("sync.tenant.enabled", Kind::Flag, YES),
    key("sync.tenant.schedule", Kind::Text, Some("\"0 0 */6 * * *\"")),
    key("sync.tenant.on_start", Kind::Flag, YES),
    key("sync.tenant.page_size", Kind::Integer(1, 1000), Some("500")),
    key("sync.service.enabled", Kind::Flag, YES),
    key("sync.service.schedule", Kind::Text, Some("\"0 7 * * * *\"")),
    key("sync.service.on_start", Kind::Flag, YES),
    key("tenant.name", Kind::Text, None),
    key("metrics.user_series", Kind::Choice(UserSeries::VARIANTS), Some("\"listed\"")),
    key("metrics.user_label", Kind::Choice(&["login", "id", "hash"]), Some("\"login\"")),
    key("metrics.max_checks", Kind::Integer(1, 1_000_000), Some("2000")),
    secret("metrics.hash_key", Kind::Text, "metrics.hash_key_file"),
    key("metrics.hash_key_file", Kind::Text, None),
    key("slo.critical", Kind::Text, Some("\"7d\"")),
    key("slo.high", Kind::Text, Some("\"14d\"")),
    key("slo.medium", Kind::Text, None),
    key("slo.low", Kind::Text, None),
    key("slo.info", Kind::Text, None),
    key("slo.unknown", Kind::Text, None),
    key("slo.except", Kind::List, NONE),
    key("store.path", Kind::Text, Some("\"cii-exporter.db\"")),
    secret("store.url", Kind::Text, "store.url_file"),
    key("store.url_file", Kind::Text, None),
    secret("store.password", Kind::Text, "store.password_file"),
    key("store.password_file", Kind::Text, None),
    key("store.schema", Kind::Text, None),
    key("store.commit", Kind::Choice(CommitLevel::VARIANTS), None),
    key("store.retention_days", Kind::Integer(0, 36_500), Some("90")),
    key("store.event_retention_days", Kind::Integer(0, 36_500), None),
    key("store.delivery_retention_days", Kind::Integer(0, 36_500), None),
    key("store.failure_retention_days", Kind::Integer(0, 36_500), None),
    key("store.snapshot_retention_days", Kind::Integer(0, 36_500), None),
    key("otlp.endpoint", Kind::Text, None),
    secret("otlp.headers", Kind::List, "otlp.headers_file"),
    key("otlp.headers_file", Kind::Text, None),
    key("otlp.protocol", Kind::Choice(OtlpProtocol::VARIANTS), None),
    key("otlp.ocsf", Kind::Flag, None),
    key("otlp.user_label", Kind::Choice(&["login", "id", "hash"]), None),
    key("log.level", Kind::Text, Some("\"info\"")),
    key("log.format", Kind::Choice(&["text", "json"]), Some("\"text\"")),
];

/// The setting with this path.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Whether there are settings below this path.
pub(super) fn is_table(path: &str) -> bool {
    KEYS.iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// The path that was probably intended: the same name in the most similar table, or a similar name
/// in a similar table.
pub(super) fn suggest(wrong: &str) -> Option<&'static str> {
    let (wrong_table, wrong_name) = split_path(wrong);
    let likeness = |known: &str| strsim::jaro_winkler(known, wrong);
    let elsewhere = KEYS
        .iter()
        .map(|key| key.path)
        .filter(|known| split_path(known).1 == wrong_name)
        .max_by(|left, right| likeness(left).total_cmp(&likeness(right)));
    let likeness = |known: &str| {
        let (table, name) = split_path(known);
        strsim::jaro_winkler(table, wrong_table).min(strsim::jaro_winkler(name, wrong_name))
    };
    let close = KEYS
        .iter()
        .flat_map(|key| {
            let dots = key.path.match_indices('.').map(|(position, _)| &key.path[..position]);
            dots.chain([key.path])
        })
        .filter(|known| known.matches('.').count() == wrong.matches('.').count())
        .max_by(|left, right| likeness(left).total_cmp(&likeness(right)))
        .filter(|known| likeness(known) > 0.75);
    // A misspelling of one letter is more likely than the wrong table.
    close.filter(|known| likeness(known) > 0.9).or(elsewhere).or(close)
}

/// The table and the name of a path.
fn split_path(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_probably_meant() {
        assert_eq!(suggest("webhook.lissten"), Some("webhook.listen"));
        assert_eq!(suggest("webhok"), Some("webhook"));
        assert_eq!(suggest("webhook.client_id"), Some("api.client_id"));
        assert_eq!(suggest("api.tokenurl"), Some("api.token_url"));
        assert_eq!(suggest("opps.listen"), Some("ops.listen"));
        assert_eq!(suggest("sync.user"), Some("sync.users"));
        assert_eq!(suggest("watch.user"), Some("watch.users"));
        assert_eq!(suggest("entirely.different"), None);
        assert_eq!(suggest("webhook.zz"), None);
    }
}
