//! Charts as inline SVG: drawn on the server, coloured by the page's style sheet.
//!
//! An unknown value is drawn as a gap, never as 0.

use std::fmt::Write as _;

use maud::{Markup, html};

/// One value per day, the oldest first; `None` where it is unknown.
pub(super) type Days = [Option<u64>];

/// The size of a chart, in CSS pixels before the style sheet stretches it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) width: u16,
    pub(super) height: u16,
}

/// For a row of a table.
pub(super) const ROW: Size = Size { width: 120, height: 24 };
/// For the bottom of a tile.
pub(super) const TILE: Size = Size { width: 140, height: 36 };
/// For the width of a card.
pub(super) const WIDE: Size = Size { width: 720, height: 144 };

/// Draws a line from day to day, scaled from 0 to its maximum. `label` is the text for screen
/// readers; `class` sets the colour.
pub(super) fn draw_spark(days: &Days, size: Size, class: &str, label: &str) -> Markup {
    let most = days.iter().flatten().copied().max().unwrap_or(0);
    draw_on_baseline(size, class, label, &draw_curve(days, most, size, false))
}

/// Draws the same with steps: each value spans its day.
pub(super) fn draw_steps(days: &Days, size: Size, class: &str, label: &str) -> Markup {
    let most = days.iter().flatten().copied().max().unwrap_or(0);
    draw_on_baseline(size, class, label, &draw_curve(days, most, size, true))
}

/// Draws lines over each other on one scale, each with the class of its colour. The largest comes
/// first, so that it does not cover the others.
pub(super) fn draw_stack(curves: &[(&str, &Days)], size: Size, label: &str) -> Markup {
    let most = curves.iter().flat_map(|(_, days)| days.iter().flatten()).copied().max();
    let inner = html! {
        @for (class, days) in curves { g class=(class) { (draw_curve(days, most.unwrap_or(0), size, false)) } }
    };
    draw_on_baseline(size, "", label, &inner)
}

/// Draws one bar per day; the last one is marked as today.
pub(super) fn draw_bars(days: &Days, size: Size, label: &str) -> Markup {
    let most = days.iter().flatten().copied().max().unwrap_or(0).max(1);
    let height = f64::from(size.height);
    let step = f64::from(size.width) / as_f64(days.len() as u64).max(1.0);
    let inner = html! {
        (draw_baseline(size, height - 0.5))
        @for (index, value) in days.iter().enumerate() {
            @if let Some(value) = value.filter(|value| *value > 0) {
                @let tall = ratio(value, most) * (height - 1.0);
                rect class=(if index + 1 == days.len() { "bar now" } else { "bar" })
                    x=(format_tenths(as_f64(index as u64) * step + 1.0)) y=(format_tenths(height - tall))
                    width=(format_tenths(step - 2.0)) height=(format_tenths(tall)) rx="1" {}
            }
        }
    };
    draw_svg(size, "spark", label, &inner)
}

/// Draws two bars per day on one scale: began above a line, ended below it.
pub(super) fn draw_flow(began: &Days, ended: &Days, width: u16, label: &str) -> Markup {
    let size = Size { width, height: 48 };
    let most = began.iter().chain(ended).flatten().copied().max().unwrap_or(0).max(1);
    let step = f64::from(width) / as_f64(began.len() as u64).max(1.0);
    let bar = |index: usize| {
        (format_tenths(as_f64(index as u64) * step + step / 6.0), format_tenths(step / 1.5))
    };
    let inner = html! {
        (draw_baseline(size, 24.0))
        @for (index, value) in began.iter().enumerate() {
            @if let Some(value) = value.filter(|value| *value > 0) {
                @let tall = ratio(value, most) * 22.0;
                @let (x, wide) = bar(index);
                rect .bar .now x=(x) y=(format_tenths(23.0 - tall)) width=(wide) height=(format_tenths(tall)) {}
            }
        }
        @for (index, value) in ended.iter().enumerate() {
            @if let Some(value) = value.filter(|value| *value > 0) {
                @let (x, wide) = bar(index);
                rect .down x=(x) y="25.5" width=(wide) height=(format_tenths(ratio(value, most) * 21.0)) {}
            }
        }
    };
    draw_svg(size, "spark flow", label, &inner)
}

/// The state of a cell of a strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// The state at that time is unknown.
    Unknown,
    /// All was well.
    Good,
    /// Something failed.
    Bad,
}

/// Draws one cell per period, the oldest first; `class` sets the colour of bad cells.
pub(super) fn draw_strip(cells: &[Cell], class: &str, label: &str) -> Markup {
    let width = u16::try_from(cells.len().saturating_mul(6)).unwrap_or(u16::MAX).max(6);
    let inner = html! {
        @for (index, cell) in cells.iter().enumerate() {
            @match cell {
                Cell::Unknown => {},
                Cell::Good => rect .ok x=(index * 6) y="6" width="5" height="6" {},
                Cell::Bad => rect .state x=(index * 6) y="0" width="5" height="18" {},
            }
        }
    };
    let class = format!("spark strip {class}");
    draw_svg(Size { width, height: 18 }, class.trim_end(), label, &inner)
}

fn draw_on_baseline(size: Size, class: &str, label: &str, inner: &Markup) -> Markup {
    let class = format!("spark {class}");
    let inner = html! { (draw_baseline(size, f64::from(size.height) - 0.5)) (inner) };
    draw_svg(size, class.trim_end(), label, &inner)
}

fn draw_svg(size: Size, class: &str, label: &str, inner: &Markup) -> Markup {
    let Size { width, height } = size;
    html! {
        svg class=(class) viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height)
            preserveAspectRatio="none" role="img" aria-label=(label) { (inner) }
    }
}

fn draw_baseline(size: Size, y: f64) -> Markup {
    html! { path .base d={ "M0 " (format_tenths(y)) "H" (size.width) } {} }
}

/// Draws line and area of each run of known values. Dotted lines join the runs.
fn draw_curve(days: &Days, most: u64, size: Size, has_steps: bool) -> Markup {
    let (width, floor) = (f64::from(size.width), f64::from(size.height) - 1.0);
    let columns = if has_steps { days.len() } else { days.len().saturating_sub(1) };
    let step = width / as_f64(columns as u64).max(1.0);
    let x = |index: usize| as_f64(index as u64) * step;
    let y = |value: u64| floor - ratio(value, most.max(1)) * (floor - 2.0);
    let (mut line, mut area, mut gap) = (String::new(), String::new(), String::new());
    // The end of the run before, to which a dotted line leads.
    let mut end: Option<(f64, f64)> = None;
    let mut index = 0;
    while index < days.len() {
        let known = days[index..].iter().map_while(|value| *value).collect::<Vec<_>>();
        if known.is_empty() {
            index += 1;
            continue;
        }
        let mut begin = (x(index), y(known[0]));
        let is_alone = !has_steps && known.len() == 1;
        if is_alone {
            // A single point has no length and would be invisible: it is drawn half a day wide to
            // either side.
            begin.0 = (begin.0 - step / 2.0).max(0.0);
        }
        if let Some(end) = end {
            let _ = write!(gap, "M{}L{}", format_point(end), format_point(begin));
        }
        let mut path = format_point(begin);
        let mut last = begin;
        for (offset, value) in known.iter().enumerate() {
            let (at, height) = (index + offset, y(*value));
            if has_steps {
                if (height - last.1).abs() > f64::EPSILON {
                    let _ = write!(path, "V{}", format_tenths(height));
                }
                last = (x(at + 1), height);
                let _ = write!(path, "H{}", format_tenths(last.0));
            } else if offset > 0 {
                last = (x(at), height);
                let _ = write!(path, "L{}", format_point(last));
            }
        }
        if is_alone {
            last = ((x(index) + step / 2.0).min(width), begin.1);
            let _ = write!(path, "H{}", format_tenths(last.0));
        }
        let _ = write!(line, "M{path}");
        let _ = write!(area, "M{path}V{0}H{1}Z", format_tenths(floor), format_tenths(begin.0));
        end = Some(last);
        index += known.len();
    }
    // Unknown days at the end continue the last value as a dotted line.
    if let Some((at, height)) = end.filter(|_| days.last() == Some(&None)) {
        let _ = write!(gap, "M{}H{}", format_point((at, height)), format_tenths(width));
    }
    html! {
        @if !area.is_empty() { path .area d=(area) {} path .line d=(line) {} }
        @if !gap.is_empty() { path .gap d=(gap) {} }
    }
}

fn format_point((x, y): (f64, f64)) -> String {
    format!("{} {}", format_tenths(x), format_tenths(y))
}

/// Formats a coordinate with one decimal place, without `.0`: shorter pages.
fn format_tenths(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn ratio(value: u64, most: u64) -> f64 {
    as_f64(value) / as_f64(most)
}

#[expect(clippy::cast_precision_loss, reason = "a chart shows no more than three digits")]
const fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(markup: &Markup, class: &str) -> Option<String> {
        let text = &markup.0;
        let (_, rest) = text.split_once(&format!("<path class=\"{class}\" d=\""))?;
        Some(rest[..rest.find('"').unwrap()].to_owned())
    }

    #[test]
    fn a_curve_begins_at_zero_and_has_a_name() {
        let chart = draw_spark(&[Some(0), Some(5), Some(10)], ROW, "high", "from 0 to 10");
        assert_eq!(path(&chart, "line").unwrap(), "M0 23L60 12.5L120 2");
        assert_eq!(path(&chart, "area").unwrap(), "M0 23L60 12.5L120 2V23H0Z");
        assert!(chart.0.contains("role=\"img\" aria-label=\"from 0 to 10\""), "{}", chart.0);
        assert_eq!(path(&chart, "gap"), None);
    }

    #[test]
    fn what_is_not_known_is_a_gap_and_never_zero() {
        let chart = draw_spark(&[None, Some(4), Some(4), None, Some(2), None], ROW, "", "x");
        assert_eq!(path(&chart, "line").unwrap(), "M24 2L48 2M84 12.5H108");
        assert_eq!(path(&chart, "gap").unwrap(), "M48 2L84 12.5M108 12.5H120");
        let nothing = draw_spark(&[None, None], ROW, "", "x");
        assert_eq!((path(&nothing, "line"), path(&nothing, "gap")), (None, None));
        assert!(path(&nothing, "base").is_some());
    }

    #[test]
    fn a_step_holds_for_its_day() {
        let chart = draw_steps(&[Some(1), Some(2)], Size { width: 20, height: 13 }, "", "x");
        assert_eq!(path(&chart, "line").unwrap(), "M0 7H10V2H20");
    }

    #[test]
    fn a_day_without_anything_has_no_bar_and_today_is_marked() {
        let chart = draw_bars(&[Some(2), Some(0), None, Some(1)], TILE, "x").0;
        assert_eq!(chart.matches("<rect").count(), 2);
        assert_eq!(chart.matches("bar now").count(), 1);
    }

    #[test]
    fn a_strip_has_a_cell_for_what_is_known() {
        let chart = draw_strip(&[Cell::Good, Cell::Unknown, Cell::Bad], "critical", "x").0;
        assert_eq!(chart.matches("<rect").count(), 2);
        assert!(chart.contains("viewBox=\"0 0 18 18\""), "{chart}");
    }
}
