//! Parses HTTP URLs.

use reqwest::Url;

/// Parses an HTTP or HTTPS URL.
///
/// # Errors
/// The error says what was expected, found, and probably intended. It repeats nothing that can
/// contain a secret.
pub fn parse_web_url(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Err("must not hold a user or a password".to_owned())
        }
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => Err(format!(
            "expected a URL that begins with https:// (or http://){}",
            describe_found(text).unwrap_or_default()
        )),
    }
}

/// Describes what was found and what it lacks; `None` when it can contain a secret.
fn describe_found(text: &str) -> Option<String> {
    if text.contains(['@', '?']) {
        return None;
    }
    let whole = format!("https://{text}");
    // Only a text with a dot or a port is taken for a host; otherwise it can be any word.
    let is_host = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.contains(['.', ':'])
        && !text.contains("//")
        && Url::parse(&whole).is_ok();
    let meant = if is_host { format!("; did you mean {whole:?}?") } else { String::new() };
    Some(format!(", found {text:?}{meant}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_its_scheme_is_completed_and_a_secret_is_not_repeated() {
        assert!(parse_web_url("https://api.example.com/graphql").is_ok());
        assert!(parse_web_url("http://[::1]:1/").is_ok());
        for (text, meant) in [
            ("api.example.com/graphql", "https://api.example.com/graphql"),
            ("localhost:8080", "https://localhost:8080"),
        ] {
            let error = parse_web_url(text).unwrap_err();
            assert!(
                error.ends_with(&format!("found {text:?}; did you mean {meant:?}?")),
                "{error}"
            );
        }
        for text in ["", "word", "/a/path.html", "ftp://host.example.com", "two words"] {
            let error = parse_web_url(text).unwrap_err();
            assert!(error.ends_with(&format!("(or http://), found {text:?}")), "{error}");
        }
        for text in ["u:s3cret@host", "ftp://u:s3cret@host", "host?key=s3cret", "http://u:s3cret@a"]
        {
            let error = parse_web_url(text).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
