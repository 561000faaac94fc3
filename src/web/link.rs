//! Links that come from outside.

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
}
