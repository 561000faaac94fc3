//! Builds the sections of the two listeners: addresses, credentials, networks.

use std::{fs, net::SocketAddr, path::PathBuf, str::FromStr as _};

use reqwest::header::HeaderName;
use secrecy::SecretString;

use super::Building;
use crate::{
    config::{
        BasicConfig, OpsConfig, WebConfig, WebConfigFile, WebhookConfig, sections::is_open,
        variables,
    },
    domain::{CheckId, Network},
};

impl Building<'_> {
    pub(super) fn webhook(&mut self) -> Option<WebhookConfig> {
        let listen = self.check_value("webhook.listen", |text| parse_socket(text, 8847));
        let path = self.check_value("webhook.path", |path| {
            let is_plain = |c: char| c.is_ascii_graphic() && !"{}*?#:".contains(c);
            if path.starts_with('/') && path.len() > 1 && path.chars().all(is_plain) {
                Ok(path.to_owned())
            } else {
                Err(format!("expected a path such as /webhooks/cii, found {path:?}"))
            }
        });
        let header = self.check_value("webhook.header", |name| {
            HeaderName::from_str(name).map(|name| name.as_str().to_owned()).map_err(|_| {
                format!("expected a header's name, such as x-api-client-token, found {name:?}")
            })
        });
        let public_url = match self.text("webhook.public_url") {
            Some(_) => self.url("webhook.public_url").map(Some),
            None => Some(None),
        };
        let web_config = self.web_config("webhook.web_config");
        // One kind of credential is enough, so the header's secret is required only without others.
        // An invalid web-config file is already reported, and may have users.
        let users = web_config.as_ref().map(|file| file.as_ref().map(|file| &file.config.users));
        let has_users = users.is_none_or(|users| users.is_some_and(|users| !users.is_empty()));
        let is_needed = !has_users
            && !self.has_other_credentials()
            && !self.excuses.is_excused("webhook.secrets");
        let secrets = self.secrets("webhook.secrets", is_needed, "a header's value", ' ');
        let bearer = self.secrets("webhook.bearer", false, "a Bearer token", '-');
        let basic = self.settings.has_table("webhook.basic").then(|| self.basic());
        let (allow_from, trusted_proxies) =
            (self.networks("webhook.allow_from"), self.networks("webhook.trusted_proxies"));
        let check_ids = self.parse_each("webhook.check_ids", |id| {
            CheckId::new(id).ok_or("a check's id must not be empty")
        });
        let max_body_bytes = self.number("webhook.max_body_bytes");
        Some(WebhookConfig {
            listen: listen?,
            path: path?,
            public_url: public_url?,
            header: header?,
            secrets: secrets?,
            basic: match basic {
                Some(basic) => Some(basic?),
                None => None,
            },
            bearer: bearer?,
            web_config: web_config?,
            allow_from: allow_from?,
            trusted_proxies: trusted_proxies?,
            check_ids: check_ids?,
            max_body_bytes: max_body_bytes?,
        })
    }

    pub(super) fn ops(&mut self) -> Option<OpsConfig> {
        let listen: Option<SocketAddr> =
            self.check_value("ops.listen", |text| parse_socket(text, 9847));
        let public_url = match self.text("ops.public_url") {
            Some(_) => self.url("ops.public_url").map(Some),
            None => Some(None),
        };
        let hosts = self.parse_each("ops.hosts", parse_host_name);
        let write_tokens = self.secrets("ops.write_token", false, "a Bearer token", '-');
        let web_config = self.web_config("ops.web_config");
        let allow_unauthenticated = self.flag("ops.allow_unauthenticated");
        let read_only = self.flag("ops.read_only");
        if let (Some(listen), Some(web_config), Some(false)) =
            (listen, &web_config, allow_unauthenticated)
            && is_open(listen, web_config.as_ref())
            && self.excuses.needs.is_daemon()
        {
            let origin = self.origin("ops.listen");
            let message = format!(
                "{listen} is reached from other machines, without authentication: set \
                 ops.web_config with basic_auth_users or client certificates, listen at \
                 127.0.0.1, or, where the network keeps others out, set \
                 ops.allow_unauthenticated = true"
            );
            self.problems.add(origin.as_ref(), "ops.listen", message);
        }
        Some(OpsConfig {
            listen: listen?,
            web_config: web_config?,
            public_url: public_url?,
            hosts: hosts?,
            allow_unauthenticated: allow_unauthenticated?,
            read_only: read_only?,
            write_tokens: write_tokens?,
        })
    }

    /// Reports when both listeners have the same address.
    pub(super) fn check_listeners_differ(&mut self, webhook: SocketAddr, ops: SocketAddr) {
        let is_any = webhook.ip().is_unspecified() || ops.ip().is_unspecified();
        if webhook.port() == 0 || webhook.port() != ops.port() {
            return;
        }
        if is_any || webhook.ip() == ops.ip() {
            let path = "ops.listen";
            let origin = self.origin(path).or_else(|| self.origin("webhook.listen"));
            let message = format!("{ops} cannot be listened at beside webhook.listen, {webhook}");
            self.problems.add(origin.as_ref(), path, message);
        }
    }

    /// Secrets for a header: visible ASCII characters, and those in `also`. The list must not be
    /// empty, and must be set when it is required.
    fn secrets(
        &mut self,
        path: &str,
        is_needed: bool,
        what: &str,
        also: char,
    ) -> Option<Vec<SecretString>> {
        let (secrets, origin) = self.list(path);
        if self.is_reported(path) {
            return None;
        }
        if secrets.is_empty() && self.may_lack(path) {
            return Some(Vec::new());
        }
        if secrets.is_empty() && (origin.is_some() || is_needed) {
            let missing = format!(
                "is missing: set it, {path}_file or {}; `openssl rand -hex 32` makes one",
                variables::variable_name(path)
            );
            let withheld = self.excuses.withheld.get(path);
            let message = withheld.map_or(missing, |why| format!("{why}; run the command as root"));
            self.problems.add(origin.as_ref(), path, message);
            return None;
        }
        let is_sendable = |secret: &String| {
            // HTTP strips white space around a header's value, so it is allowed only inside, as in
            // `Basic …`.
            !secret.is_empty()
                && secret.trim() == secret
                && secret.chars().all(|c| c == also || c.is_ascii_graphic())
        };
        if let Some(position) = secrets.iter().position(|secret| !is_sendable(secret)) {
            let message = format!(
                "secret {} of {} cannot be {what}: it must be of visible ASCII characters, \
                 without white space around them",
                position + 1,
                secrets.len()
            );
            self.problems.add(origin.as_ref(), path, message);
            return None;
        }
        Some(secrets.into_iter().map(SecretString::from).collect())
    }

    /// Whether senders have another credential than the header's secret.
    fn has_other_credentials(&self) -> bool {
        let has = |path: &&str| self.settings.get(path).is_some();
        ["webhook.bearer", "webhook.bearer_file"].iter().any(has)
            || self.settings.has_table("webhook.basic")
    }

    fn basic(&mut self) -> Option<BasicConfig> {
        let path = "webhook.basic.password";
        self.required_text("webhook.basic.user");
        let user = self.check_value("webhook.basic.user", |user| {
            let is_plain = !user.contains(':') && !user.chars().any(char::is_control);
            if is_plain { Ok(user.to_owned()) } else { Err("must not hold a colon") }
        });
        let (passwords, origin) = self.list(path);
        let is_empty = |password: &String| password.is_empty();
        if passwords.is_empty() && self.may_lack(path) {
            return Some(BasicConfig { user: user?, passwords: Vec::new() });
        }
        if passwords.is_empty() || passwords.iter().any(is_empty) {
            if !self.is_reported(path) {
                let message = if origin.is_some() {
                    "must not be empty".to_owned()
                } else {
                    format!("is missing: set it, {path}_file or {}", variables::variable_name(path))
                };
                self.problems.add(origin.as_ref(), path, message);
            }
            return None;
        }
        let passwords = passwords.into_iter().map(SecretString::from).collect();
        Some(BasicConfig { user: user?, passwords })
    }

    /// The web-config file of a listener; `Some(None)` without one.
    #[expect(clippy::option_option, reason = "nothing where the file is wrong, as elsewhere")]
    fn web_config(&mut self, path: &str) -> Option<Option<WebConfigFile>> {
        if self.text(path).is_none() {
            return Some(None);
        }
        let file = self.required_text(path)?;
        // Commands do not listen, so they need not be able to read the file.
        if !self.excuses.needs.is_daemon() && fs::File::open(&file).is_err() {
            return Some(None);
        }
        self.check_value(path, |_| {
            let path = PathBuf::from(&file);
            WebConfig::read(&path).map(|config| WebConfigFile { path, config })
        })
        .map(Some)
    }

    fn networks(&mut self, path: &str) -> Option<Vec<Network>> {
        Some(self.parse_each(path, str::parse::<Network>)?.into_iter().collect())
    }
}

/// Parses the address of a listener. The error says what was probably intended; `usual` is the
/// default port.
fn parse_socket(text: &str, usual: u16) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let text = text.trim();
        let host = text.replace("localhost", "127.0.0.1");
        let meant = [
            host.clone(),
            format!("{host}:{usual}"),
            format!("[{host}]:{usual}"),
            format!("127.0.0.1{host}"),
            format!("127.0.0.1:{host}"),
        ];
        let meant = meant.iter().find(|meant| meant.parse::<SocketAddr>().is_ok());
        let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant:?}?"));
        format!("expected an address and a port, such as 127.0.0.1:{usual}, found {text:?}{meant}")
    })
}

/// Parses a host name into lower case, without a port.
fn parse_host_name(text: &str) -> Result<String, String> {
    let name = text.trim().to_ascii_lowercase();
    let name = name.rsplit_once(':').map_or(name.as_str(), |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        Ok(name.to_owned())
    } else {
        Err(format!("{text:?} is no name of a host; expected one such as cii.example.com"))
    }
}

#[cfg(test)]
mod tests {
    use super::parse_socket;

    #[test]
    fn an_address_that_lacks_something_is_completed() {
        assert!(parse_socket("[::1]:9847", 9847).is_ok());
        for (text, end) in [
            ("127.0.0.1", "found \"127.0.0.1\"; did you mean \"127.0.0.1:9847\"?"),
            ("localhost:1234", "did you mean \"127.0.0.1:1234\"?"),
            ("localhost", "did you mean \"127.0.0.1:9847\"?"),
            (":1234", "did you mean \"127.0.0.1:1234\"?"),
            ("1234", "did you mean \"127.0.0.1:1234\"?"),
            ("::1", "did you mean \"[::1]:9847\"?"),
            ("example.com:1234", "found \"example.com:1234\""),
            ("127.0.0.1:99999", "found \"127.0.0.1:99999\""),
        ] {
            let error = parse_socket(text, 9847).unwrap_err();
            assert!(error.ends_with(end), "{error}");
        }
    }
}
