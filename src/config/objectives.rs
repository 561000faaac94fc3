//! Parses `[slo]`: how long failures may last.

use chrono::TimeDelta;

/// The severities that can have an objective.
pub(super) const SEVERITIES: [&str; 6] = ["critical", "high", "medium", "low", "info", "unknown"];

/// The longest objective: longer than any failure, and short enough that no moment overflows.
const LONGEST: TimeDelta = TimeDelta::days(36_500);

/// Parses an objective such as `7d`; `None` for the text `none`.
pub(super) fn parse(text: &str) -> Result<Option<TimeDelta>, String> {
    if text.trim() == "none" {
        return Ok(None);
    }
    let parsed = humantime::parse_duration(text.trim()).ok();
    let parsed = parsed.and_then(|time| TimeDelta::from_std(time).ok());
    match parsed {
        Some(time) if time > TimeDelta::zero() && time <= LONGEST => Ok(Some(time)),
        _ => Err(format!("expected a time such as \"7d\" or \"36h\", or \"none\", found {text:?}")),
    }
}
