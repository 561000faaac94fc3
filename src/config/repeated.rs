//! Warns about lists with repeated entries, which are valid but probably a mistake.

use super::{Config, settings::Value};
use crate::domain::{CheckId, Login, Network, WatchSubject};

/// Most entries that a warning names.
const NAMED: usize = 5;

/// Normalizes an entry, so that two spellings are equal; `None` for an invalid one.
type Identity<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Returns a warning for each list with repeated entries. It names entries by number, because a
/// start logs it, and the log must not name users.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let login = |text: &str| Login::new(text).ok().map(|login| login.as_str().to_owned());
    let address =
        |text: &str| WatchSubject::parse("ip", text).ok().map(|address| address.to_string());
    let check = |text: &str| CheckId::new(text).map(|id| id.as_str().to_owned());
    let network = |text: &str| text.parse().ok().map(|network: Network| network.to_string());
    let host = |text: &str| Some(text.trim().to_lowercase());
    let lists: [(&str, Identity<'_>); 7] = [
        ("webhook.allow_from", &network),
        ("webhook.check_ids", &check),
        ("webhook.trusted_proxies", &network),
        ("ops.hosts", &host),
        ("watch.users", &login),
        ("watch.ips", &address),
        ("slo.except", &check),
    ];
    lists
        .into_iter()
        .filter_map(|(path, identity)| repeated_warning(config, path, identity))
        .collect()
}

fn repeated_warning(config: &Config, path: &str, identity: Identity<'_>) -> Option<String> {
    let entry = config.settings.get(path)?;
    let Value::List(texts) = &entry.value else { return None };
    let repeated = repeated_positions(texts, identity);
    if repeated.is_empty() {
        return None;
    }
    let named: Vec<_> = repeated.iter().take(NAMED).map(usize::to_string).collect();
    let more = repeated.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!(
        "{}: {path} names something twice: entry {}{more} is there before; each counts once",
        entry.origin,
        named.join(", ")
    ))
}

/// The numbers, from 1, of entries that repeat an earlier one.
fn repeated_positions(texts: &[String], identity: Identity<'_>) -> Vec<usize> {
    let mut seen = std::collections::BTreeSet::new();
    let numbered = (1..).zip(texts);
    let again = numbered.filter(|(_, text)| identity(text).is_some_and(|it| !seen.insert(it)));
    again.map(|(number, _)| number).collect()
}

#[cfg(test)]
mod tests {
    use crate::config::Environment;

    use super::*;

    #[test]
    fn what_is_there_twice_in_any_spelling_is_told_by_its_number() {
        let text = "[webhook]\nsecrets = [\"0123456789abcdef\"]\ncheck_ids = [\"a\", \"b\"]\n\
                    [watch]\nusers = [\"a@example.com\", \"b@example.com\", \"A@Example.com\"]\n\
                    ips = [\"2001:db8::1\", \"2001:0db8::0001\"]\n";
        let config = Config::from_text("config.toml", text, &Environment::default()).unwrap();
        let warnings = warnings(&config);
        assert_eq!(
            warnings,
            [
                "config.toml:5: watch.users names something twice: entry 3 is there before; each \
                 counts once",
                "config.toml:6: watch.ips names something twice: entry 2 is there before; each \
                 counts once",
            ]
        );
    }
}
