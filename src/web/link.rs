//! Links: ours, and those that come from outside.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but what RFC 3986 leaves bare.
const RESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// A text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A page of a check, a user or an address (`checks`, `users`, `ips`).
pub(super) fn to(kind: &str, subject: &str) -> String {
    format!("/{kind}/{}", segment(subject))
}

/// A link from outside, when it leads to a web page; `javascript:` and its like
/// never get to a browser as links.
pub(super) fn outside(url: Option<&String>) -> Option<&str> {
    let url = url?.trim();
    let (scheme, _) = url.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    is_web.then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_pages_are_links() {
        let link = |url: &str| outside(Some(&url.to_owned())).map(str::to_owned);
        assert_eq!(link(" https://x.example/a"), Some("https://x.example/a".to_owned()));
        assert_eq!(link("HTTP://x.example"), Some("HTTP://x.example".to_owned()));
        for url in ["javascript:alert(1)", "javascript://x%0aalert(1)", "data:text/html,x", "//x"] {
            assert_eq!(link(url), None, "{url}");
        }
    }

    #[test]
    fn a_subject_cannot_leave_its_segment() {
        assert_eq!(to("users", "a/../b?c#d e"), "/users/a%2F..%2Fb%3Fc%23d%20e");
        assert_eq!(to("ips", "2001:db8::1"), "/ips/2001%3Adb8%3A%3A1");
    }
}
