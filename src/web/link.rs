//! URLs of the exporter's pages, and links that the service returned.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters to escape: all but the unreserved ones of RFC 3986, and `@`, which a path may
/// contain.
const RESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// Escapes a text as one segment of a path.
pub(super) fn escape_segment(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The URL of the page of a check, a user or an address; `kind` is `checks`, `users` or `ips`.
pub(super) fn page_url(kind: &str, subject: &str) -> String {
    page_url_with(kind, subject, &[])
}

/// The same URL with a query.
///
/// Browsers and proxies remove a segment `.` or `..` from a path, escaped or not. The query names
/// such a subject.
pub(super) fn page_url_with(kind: &str, subject: &str, query: &[(&str, &str)]) -> String {
    let is_lost = matches!(subject, "." | "..");
    let named = is_lost.then(|| (subject_field(kind), subject));
    let path =
        if is_lost { format!("/{kind}") } else { format!("/{kind}/{}", escape_segment(subject)) };
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.extend_pairs(named.iter().chain(query));
    let pairs = pairs.finish();
    if pairs.is_empty() { path } else { format!("{path}?{pairs}") }
}

/// The URL of a list of a check or a user, such as `users.csv`.
pub(super) fn list_url(kind: &str, subject: &str, list: &str) -> String {
    match subject {
        "." | ".." => page_url_with(kind, subject, &[("list", list)]),
        _ => format!("{}/{list}", page_url(kind, subject)),
    }
}

/// The query field that names a subject which is not in the path.
pub(super) fn subject_field(kind: &str) -> &'static str {
    match kind {
        "users" => "login",
        "ips" => "ip",
        _ => "id",
    }
}

/// Returns a URL of the service when its scheme is http or https. A `javascript:` URL would run
/// script in the page.
pub(super) fn web_url(url: Option<&String>) -> Option<&str> {
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
        let link = |url: &str| web_url(Some(&url.to_owned())).map(str::to_owned);
        assert_eq!(link(" https://x.example/a"), Some("https://x.example/a".to_owned()));
        assert_eq!(link("HTTP://x.example"), Some("HTTP://x.example".to_owned()));
        for url in ["javascript:alert(1)", "javascript://x%0aalert(1)", "data:text/html,x", "//x"] {
            assert_eq!(link(url), None, "{url}");
        }
    }

    #[test]
    fn a_subject_cannot_leave_its_segment() {
        assert_eq!(page_url("users", "a/../b?c#d e"), "/users/a%2F..%2Fb%3Fc%23d%20e");
        assert_eq!(page_url("ips", "2001:db8::1"), "/ips/2001%3Adb8%3A%3A1");
        assert_eq!(page_url_with("checks", "a b", &[("view", "new")]), "/checks/a%20b?view=new");
        assert_eq!(list_url("checks", "a b", "users.csv"), "/checks/a%20b/users.csv");
    }

    #[test]
    fn a_name_that_a_path_would_lose_stands_in_the_query() {
        assert_eq!(page_url("users", ".."), "/users?login=..");
        assert_eq!(page_url("checks", "."), "/checks?id=.");
        assert_eq!(page_url_with("checks", "..", &[("sort", "login")]), "/checks?id=..&sort=login");
        assert_eq!(list_url("checks", "..", "users.csv"), "/checks?id=..&list=users.csv");
        assert_eq!(page_url("users", "..."), "/users/...");
    }
}
