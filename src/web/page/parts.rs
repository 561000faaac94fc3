//! Elements of pages: tiles, facts and notices.

use maud::{Markup, html};

use super::glyph::{self, Glyph};

/// The appearance of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The usual one.
    Plain,
    /// With a dashed frame: the value is stale.
    Stale,
    /// Inverted: the operator has to act.
    Bad,
}

/// A tile: title, figure with its unit, one line of text, and the element at the bottom. `id` is
/// unique on the page.
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

/// A warning about the data on the page.
pub(super) fn notice(sentence: &Markup) -> Markup {
    html! {
        div .notice role="status" {
            (glyph::glyph(Glyph::Warn))
            p { (sentence) }
        }
    }
}

/// A name and a value among the figures below a title.
pub(super) fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}
