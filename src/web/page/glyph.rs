//! The glyphs of the pages: an SVG sprite in each page, and references to it.

use maud::{Markup, PreEscaped, html};

use super::case::sentence_case;
use crate::domain::{Rank, Severity};

/// A symbol of the sprite. It is never the only information: a word is beside it, or is its
/// accessible name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glyph {
    /// A square with a mark: critical.
    Critical,
    /// Three bars.
    High,
    /// Two bars.
    Medium,
    /// One bar.
    Low,
    /// A small circle: informational.
    Info,
    /// A question mark: an unknown severity.
    Unknown,
    /// A tick in a circle: good, or done.
    Done,
    /// A tick: it ended.
    Ended,
    /// A dashed circle: to do.
    Todo,
    /// A filled circle: running.
    Now,
    /// A triangle: needs attention.
    Warn,
    /// A cross in a circle: failing, or refused.
    Stop,
    /// A line: switched off.
    Off,
    /// A clock: overdue, or stale.
    Clock,
    /// A plus: new.
    New,
}

/// The drawings, each in a view box of 16 by 16.
const SPRITE: &[(Glyph, &str)] = &[
    (
        Glyph::Critical,
        r#"<rect width="16" height="16" rx="3.5"/><path class="cut" d="M8 3.6v5M8 12.1v.1"/>"#,
    ),
    (
        Glyph::High,
        r#"<rect x="1" y="9.5" width="3.6" height="5.5" rx="1"/><rect x="6.2" y="5.5" width="3.6" height="9.5" rx="1"/><rect x="11.4" y="1" width="3.6" height="14" rx="1"/>"#,
    ),
    (
        Glyph::Medium,
        r#"<rect x="1" y="9.5" width="3.6" height="5.5" rx="1"/><rect x="6.2" y="5.5" width="3.6" height="9.5" rx="1"/><rect class="faint" x="11.4" y="1" width="3.6" height="14" rx="1"/>"#,
    ),
    (
        Glyph::Low,
        r#"<rect x="1" y="9.5" width="3.6" height="5.5" rx="1"/><rect class="faint" x="6.2" y="5.5" width="3.6" height="9.5" rx="1"/><rect class="faint" x="11.4" y="1" width="3.6" height="14" rx="1"/>"#,
    ),
    (Glyph::Info, r#"<circle class="line" cx="8" cy="8" r="3.2"/>"#),
    (
        Glyph::Unknown,
        r#"<circle class="line" cx="8" cy="8" r="6.8"/><path class="line" d="M6 6.4a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.3M8 11.7v.1"/>"#,
    ),
    (
        Glyph::Done,
        r#"<circle class="line" cx="8" cy="8" r="6.8"/><path class="line" d="M4.9 8.3l2.1 2.1 4.1-4.6"/>"#,
    ),
    (Glyph::Ended, r#"<path class="line" d="M2.5 8.5l3.6 3.6 7.4-8"/>"#),
    (Glyph::Todo, r#"<circle class="line" cx="8" cy="8" r="6.8" stroke-dasharray="2.2 2.6"/>"#),
    (Glyph::Now, r#"<circle class="line" cx="8" cy="8" r="6.8"/><circle cx="8" cy="8" r="3.4"/>"#),
    (Glyph::Warn, r#"<path d="M8 .9 16 15H0z"/><path class="cut" d="M8 6v4M8 12.6v.1"/>"#),
    (Glyph::Stop, r#"<circle cx="8" cy="8" r="8"/><path class="cut" d="M5 5l6 6M11 5l-6 6"/>"#),
    (Glyph::Off, r#"<path class="line" d="M3 8h10"/>"#),
    (
        Glyph::Clock,
        r#"<circle class="line" cx="8" cy="8" r="6.8"/><path class="line" d="M8 4.2V8l2.6 1.8"/>"#,
    ),
    (Glyph::New, r#"<path class="line" d="M8 2.5v11M2.5 8h11"/>"#),
];

impl Glyph {
    /// Its id in the sprite.
    const fn id(self) -> &'static str {
        match self {
            Self::Critical => "g-critical",
            Self::High => "g-high",
            Self::Medium => "g-medium",
            Self::Low => "g-low",
            Self::Info => "g-info",
            Self::Unknown => "g-unknown",
            Self::Done => "g-done",
            Self::Ended => "g-ended",
            Self::Todo => "g-todo",
            Self::Now => "g-now",
            Self::Warn => "g-warn",
            Self::Stop => "g-stop",
            Self::Off => "g-off",
            Self::Clock => "g-clock",
            Self::New => "g-new",
        }
    }

    /// The glyph of a severity.
    pub(super) fn for_severity(severity: &Severity) -> Self {
        match severity.rank() {
            Rank::Critical => Self::Critical,
            Rank::High => Self::High,
            Rank::Medium => Self::Medium,
            Rank::Low => Self::Low,
            Rank::Info => Self::Info,
            Rank::Unknown => Self::Unknown,
        }
    }
}

/// The sprite with all symbols; each page has it once.
pub(super) fn sprite() -> Markup {
    html! {
        svg .unseen width="0" height="0" aria-hidden="true" {
            @for (glyph, drawing) in SPRITE {
                symbol id=(glyph.id()) viewBox="0 0 16 16" { (PreEscaped(drawing)) }
            }
        }
    }
}

/// A glyph beside a word with the same meaning; screen readers skip it.
pub(super) fn glyph(glyph: Glyph) -> Markup {
    html! { svg .glyph aria-hidden="true" { use href={ "#" (glyph.id()) } {} } }
}

/// A glyph instead of a word, with an accessible name; `class` sets the colour of a severity.
pub(super) fn named_glyph(glyph: Glyph, class: &str, name: &str) -> Markup {
    html! {
        svg class=(format!("glyph {class}").trim_end()) role="img" aria-label=(name) {
            use href={ "#" (glyph.id()) } {}
        }
    }
}

/// The CSS class of a severity; empty for informational and unknown ones.
pub(super) fn severity_class(severity: &Severity) -> &'static str {
    match severity.rank() {
        Rank::Critical => "critical",
        Rank::High => "high",
        Rank::Medium => "medium",
        Rank::Low => "low",
        Rank::Info | Rank::Unknown => "",
    }
}

/// A severity as glyph and word, in its colour.
pub(super) fn severity_label(severity: &Severity) -> Markup {
    let word = sentence_case(&severity.label());
    html! { span class=(format!("grade {}", severity_class(severity)).trim_end()) { (glyph(Glyph::for_severity(severity))) " " (word) } }
}

/// A severity as a glyph with an accessible name.
pub(super) fn severity_glyph(severity: &Severity) -> Markup {
    named_glyph(Glyph::for_severity(severity), severity_class(severity), &severity.label())
}

/// A state in a neutral frame. `is_strong` inverts it, when the operator has to act.
pub(super) fn chip(glyph_of: Option<Glyph>, word: &str, is_strong: bool) -> Markup {
    html! {
        span class=(if is_strong { "chip strong" } else { "chip" }) {
            @if let Some(of) = glyph_of { (glyph(of)) }
            (word)
        }
    }
}

/// The mark of something overdue: for how long, or how many.
pub(super) fn overdue_mark(what: &str) -> Markup {
    html! { span .due { (glyph(Glyph::Clock)) " " (what) } }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_glyph_is_drawn_once() {
        let drawn: BTreeSet<_> = SPRITE.iter().map(|(glyph, _)| glyph.id()).collect();
        assert_eq!(drawn.len(), SPRITE.len());
        for severity in Severity::LABELS.into_iter().chain(["odd"]) {
            let of = Glyph::for_severity(&Severity::new(Some(severity)));
            assert!(drawn.contains(of.id()), "{severity}");
        }
    }

    #[test]
    fn a_severity_is_told_by_glyph_word_and_colour() {
        let told = severity_label(&Severity::new(Some("Moderate"))).into_string();
        assert!(told.contains("#g-medium") && told.contains("grade medium"), "{told}");
        assert!(told.ends_with(" Medium</span>"), "{told}");
        let told = severity_glyph(&Severity::new(Some("HIGH"))).into_string();
        assert!(told.contains("aria-label=\"high\"") && told.contains("glyph high"), "{told}");
        let odd = severity_label(&Severity::new(Some("<b>"))).into_string();
        assert!(odd.contains("&lt;b&gt;") && odd.contains("#g-unknown"), "{odd}");
    }
}
