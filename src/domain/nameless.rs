//! Redacts people from texts of a run or of the service. Logs are stored and forwarded by others,
//! and must not name people.

use super::{Login, Mention, run::LISTED_USERS};

/// The text that replaces a person.
pub const SOMEBODY: &str = "a user";

/// The reason with a mark in place of this user, and of everything else that names a person.
#[must_use]
pub fn redact_user(login: &Login, reason: &str) -> String {
    let replaced = Mention::of(login).replace_by(SOMEBODY, reason);
    redact_names(replaced.as_deref().unwrap_or(reason))
}

/// The reason of a run, or of the service, without the users that it lists, and with a mark in
/// place of e-mail addresses. The service names other users only by their logins.
#[must_use]
pub fn redact_names(reason: &str) -> String {
    let Some(begin) = reason.find(LISTED_USERS) else { return redact_addresses(reason) };
    let listed = begin + LISTED_USERS.len();
    let rest = &reason[listed..];
    // A truncated reason has no end of its list.
    let end = rest.find(");").or_else(|| rest.rfind(')')).unwrap_or(rest.len());
    let (names, after) = rest.split_at(end);
    let before = &reason[..listed - ": ".len()];
    let mut text = format!("{before}{after}");
    for login in names.split(", ").filter_map(|name| Login::new(name).ok()) {
        text = Mention::of(&login).replace_by(SOMEBODY, &text).unwrap_or(text);
    }
    redact_addresses(&text)
}

/// The text with a mark in place of each e-mail address, including those within URLs.
fn redact_addresses(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c| !is_address_char(c)).unwrap_or(rest.len());
        let (word, others) = rest.split_at(word);
        let inner = word.trim_matches(['.', '-', '\'']);
        if is_address(inner) {
            plain.push_str(&word.replacen(inner, SOMEBODY, 1));
        } else {
            plain.push_str(word);
        }
        let gap = others.find(is_address_char).unwrap_or(others.len());
        plain.push_str(&others[..gap]);
        rest = &others[gap..];
    }
    plain
}

fn is_address_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%' | '\'' | '@')
}

fn is_address(word: &str) -> bool {
    let halves = word.rsplit_once('@').or_else(|| word.rsplit_once("%40"));
    halves.is_some_and(|(local, host)| !local.is_empty() && !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_that_a_run_lists_are_a_number() {
        for (reason, expected) in [
            (
                "Custom: no svc.backup (2 of 9 users: svc.backup, ann@x.com, …); no right to y",
                "Custom: no a user (2 of 9 users); no right to y",
            ),
            ("fails (1 of 1 users: svc (old))", "fails (1 of 1 users)"),
            ("fails (9 of 9 users: svc.a, svc.backu…", "fails (9 of 9 users"),
            ("fails (1 of 2 addresses: 192.0.2.1)", "fails (1 of 2 addresses: 192.0.2.1)"),
        ] {
            assert_eq!(redact_names(reason), expected);
        }
    }

    #[test]
    fn addresses_are_hidden_and_other_texts_stay() {
        for (reason, expected) in [
            ("User 'ann@x.com' not found.", "User 'a user' not found."),
            ("<ann.o'neil+a@x.com>, bob@y.org.", "<a user>, a user."),
            ("https://api/users/ann%40x.com?a=b", "https://api/users/a user?a=b"),
            ("Not Authorized at 100% @ noon", "Not Authorized at 100% @ noon"),
        ] {
            assert_eq!(redact_names(reason), expected);
        }
        let backup = Login::new("svc.backup").unwrap();
        let reason = "no svc.backup, no bob@x.com";
        assert_eq!(redact_user(&backup, reason), "no a user, no a user");
    }
}
