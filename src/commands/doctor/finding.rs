//! The finding of a check, and its text.

use std::fmt;

use serde::Serialize;

use super::super::table::sanitize;

/// The verdict on a part, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::commands) enum Verdict {
    /// It works.
    Ok,
    /// It cannot be tried, or is not configured.
    Unknown,
    /// It works, but needs attention.
    Warn,
    /// It does not work.
    Fail,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "not known",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// The finding of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::commands) struct Finding {
    /// What was checked.
    pub(super) check: String,
    pub(in crate::commands) verdict: Verdict,
    /// The finding, in one line.
    pub(super) found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
}

impl Finding {
    fn new(check: &str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self {
            check: check.to_owned(),
            verdict,
            found: to_single_line(&found.into()),
            advice: None,
        }
    }

    pub(super) fn ok(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, found)
    }

    pub(super) fn unknown(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Unknown, found)
    }

    pub(super) fn warn(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warn, found)
    }

    pub(super) fn fail(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Fail, found)
    }

    pub(super) fn is_ok(&self) -> bool {
        self.verdict == Verdict::Ok
    }

    /// Adds the advice.
    pub(super) fn with_advice(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(to_single_line(&advice.into())), ..self }
    }
}

/// Puts a text on one line, without control characters: it can come from outside.
fn to_single_line(text: &str) -> String {
    sanitize(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<9}  {:<14}  {}", self.verdict.as_str(), self.check, self.found)?;
        self.advice.as_ref().map_or(Ok(()), |advice| write!(f, " -> {advice}"))
    }
}

/// The worst verdict.
pub(in crate::commands) fn worst_verdict(findings: &[Finding]) -> Verdict {
    findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok)
}

/// The last line: the number of findings by verdict.
pub(in crate::commands) fn summary(findings: &[Finding]) -> String {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    format!(
        "{} ok, {} to look at, {} wrong, {} not known",
        count(Verdict::Ok),
        count(Verdict::Warn),
        count(Verdict::Fail),
        count(Verdict::Unknown)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_whatever_it_says() {
        let finding = Finding::fail("token", "no\n\u{1b}[31mluck").with_advice("look\nthere");
        assert_eq!(
            finding.to_string(),
            "fail       token           no \u{fffd}[31mluck -> look there"
        );
    }

    #[test]
    fn what_is_wrong_outweighs_all_else() {
        let (ok, warn) = (Finding::ok("a", ""), Finding::warn("b", ""));
        assert_eq!(worst_verdict(&[]), Verdict::Ok);
        assert_eq!(worst_verdict(&[Finding::unknown("c", ""), ok.clone()]), Verdict::Unknown);
        assert_eq!(
            worst_verdict(&[warn.clone(), Finding::fail("d", ""), ok.clone()]),
            Verdict::Fail
        );
        assert_eq!(summary(&[ok, warn]), "1 ok, 1 to look at, 0 wrong, 0 not known");
    }
}
