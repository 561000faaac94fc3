//! Errors that name command-line options beside settings, because the operator has typed options
//! and the settings are not written yet.

use cii_exporter::{
    config::{ConfigError, is_placeholder, parse_web_url},
    domain::CheckId,
};
use reqwest::Url;

/// The written settings, each with its option.
const OPTIONS: [(&str, &str); 11] = [
    ("api.audience", "--audience"),
    ("api.client_id", "--client-id"),
    ("api.client_secret", "--client-secret-file"),
    ("api.token_url", "--token-url"),
    ("api.url", "--api-url"),
    ("ops.listen", "--ops-listen"),
    ("store.password", "--store-password-file"),
    ("store.path", "--store"),
    ("store.url", "--store"),
    ("webhook.listen", "--webhook-listen"),
    ("webhook.public_url", "--public-url"),
];

/// Collects the missing options, so that all are reported at once.
#[derive(Debug, Default)]
pub(super) struct Missing(Vec<String>);

impl Missing {
    /// Adds an option unless it is present.
    pub(super) fn require(&mut self, is_there: bool, option: &str, what: &str) {
        if !is_there {
            self.0.push(format!("\n  {option} is missing{}: {what}", setting_suffix(option)));
        }
    }

    /// The error message; `None` when no option is missing.
    pub(super) fn into_message(self) -> Option<String> {
        let reason = "standard input is no terminal, where they could be asked for";
        (!self.0.is_empty())
            .then(|| format!("options are missing, and {reason}{}", self.0.concat()))
    }
}

/// Describes the problems of a configuration that was not written, by option.
pub(super) fn describe_error(error: &ConfigError) -> String {
    let problems = error.problems().iter().map(|problem| {
        let found = OPTIONS.iter().find(|(setting, _)| *setting == problem.key);
        found.map_or_else(
            || format!("\n  {}: {}", problem.key, problem.message),
            |(setting, option)| format!("\n  {option} ({setting}): {}", problem.message),
        )
    });
    format!("nothing was written, since this cannot be used{}", problems.collect::<String>())
}

/// Adds the options to the settings that a text names.
pub(super) fn with_options(text: &str) -> String {
    OPTIONS.iter().fold(text.to_owned(), |text, (setting, option)| {
        text.replace(setting, &format!("{option} ({setting})"))
    })
}

fn setting_suffix(option: &str) -> String {
    let found = OPTIONS.iter().find(|(_, known)| *known == option);
    found.map_or_else(String::new, |(setting, _)| format!(" ({setting})"))
}

/// Parses a URL as settings do.
pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    if is_placeholder(text) {
        return Err("this is a placeholder, as an example has it".to_owned());
    }
    parse_web_url(text)
}

/// Parses a text that is neither empty nor a placeholder.
pub(super) fn parse_text(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if is_placeholder(text) {
        return Err("this is a placeholder, as an example has it".to_owned());
    }
    Ok(text.to_owned())
}

/// Parses a check's id.
pub(super) fn parse_check(text: &str) -> Result<CheckId, String> {
    CheckId::new(text).ok_or_else(|| "a check's id must not be empty".to_owned())
}

#[cfg(test)]
mod tests {
    use cii_exporter::config::{Config, Environment};

    use super::*;

    #[test]
    fn every_setting_is_told_by_its_option() {
        let text = "[webhook]\nsecrets = [\"s\"]\nlisten = \"x\"\n[api]\nurl = \"ftp://x\"\n\
                    token_url = \"https://x\"\nclient_id = \"\"\nclient_secret = \"changeme\"\n\
                    [store]\npath = \"/\"\n";
        let error = Config::from_text("not-there", text, &Environment::default()).unwrap_err();
        let told = describe_error(&error);
        for expected in [
            "\n  --webhook-listen (webhook.listen): expected an address",
            "\n  --api-url (api.url): expected a URL",
            "\n  --client-id (api.client_id): must not be empty",
            "\n  --client-secret-file (api.client_secret): still holds a placeholder",
            "\n  --store (store.path): \"/\" is a folder",
        ] {
            assert!(told.contains(expected), "{expected}: {told}");
        }
        assert!(!told.contains("not-there"), "{told}");
    }

    #[test]
    fn options_that_are_missing_are_told_at_once() {
        let mut missing = Missing::default();
        assert_eq!(Missing::default().into_message(), None);
        missing.require(true, "--api-url", "the URL");
        missing.require(false, "--token-url", "the token's");
        missing.require(false, "--client-id", "the id");
        let told = missing.into_message().unwrap();
        assert!(told.contains("--token-url is missing (api.token_url): the token's\n"), "{told}");
        assert!(told.ends_with("--client-id is missing (api.client_id): the id"), "{told}");
    }

    #[test]
    fn a_text_that_names_a_setting_names_its_option_too() {
        assert_eq!(
            with_options("the server at api.token_url"),
            "the server at --token-url (api.token_url)"
        );
    }
}
