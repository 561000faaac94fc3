//! Parts of pages: tiles, facts and notices.

use maud::{Markup, html};

use super::glyph::{self, Glyph};

/// How a tile looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// As usual.
    Plain,
    /// Framed by dashes: what it says is of an earlier moment.
    Stale,
    /// Inverted: the exporter needs somebody.
    Bad,
}

/// A tile: a question, the figure that answers it with its unit, one line, and what stands at
/// the bottom. `id` is unique on the page.
pub(super) fn tile(
    (id, title): (&str, &str),
    look: Look,
    big: &Markup,
    line: &Markup,
    bottom: &Markup,
) -> Markup {
    let class = match look {
        Look::Plain => "tile",
        Look::Stale => "tile stale",
        Look::Bad => "tile bad",
    };
    html! {
        section class=(class) aria-labelledby=(id) {
            h2 id=(id) { (title) }
            p .big { (big) }
            p .soft { (line) }
            (bottom)
        }
    }
}

/// How far the data on the page can be trusted, in a sentence; shown only then.
pub(super) fn notice(sentence: &Markup) -> Markup {
    html! {
        div .notice role="status" {
            (glyph::glyph(Glyph::Warn))
            p { (sentence) }
        }
    }
}

/// A fact of the figures below a title.
pub(super) fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}
