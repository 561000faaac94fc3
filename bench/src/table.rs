//! The table of the whole: Markdown that is also aligned for a terminal.

use crate::{
    figure::{Figure, Side},
    samples::Samples,
};

/// What the table is made of.
pub(crate) struct Table<'a> {
    pub(crate) figures: Vec<&'a Figure>,
    pub(crate) samples: &'a Samples,
    /// Whether another exporter was measured, too.
    pub(crate) has_baseline: bool,
}

impl Table<'_> {
    /// The whole table; figures without any value are left out.
    pub(crate) fn render(&self) -> String {
        let mut header = vec!["figure", "exporter"];
        if self.has_baseline {
            header.extend(["baseline", "× baseline"]);
        }
        header.extend(["reference", "× reference", "goal", ""]);
        let mut rows = vec![header.into_iter().map(str::to_owned).collect()];
        rows.extend(self.figures.iter().filter_map(|figure| self.row(figure)));
        align(&rows)
    }

    /// How many of the goals that could be judged are met.
    pub(crate) fn summary(&self) -> String {
        let judged = self.figures.iter().filter_map(|figure| self.verdict(figure));
        let (met, all) =
            judged.fold((0, 0), |(met, all), is_met| (met + usize::from(is_met), all + 1));
        format!("{met} of {all} goals met")
    }

    fn row(&self, figure: &Figure) -> Option<Vec<String>> {
        let median = |side| self.samples.median(figure, side);
        let ratio = |side| match (median(Side::Exporter), median(side)) {
            (Some(exporter), Some(other)) if other > 0.0 => format!("{:.2}", exporter / other),
            _ => String::new(),
        };
        median(Side::Exporter).or(median(Side::Reference))?;
        let mut row = vec![figure.name.to_owned(), self.cell(figure, Side::Exporter)];
        if self.has_baseline {
            row.extend([self.cell(figure, Side::Baseline), ratio(Side::Baseline)]);
        }
        let reference = match (figure.reference, self.cell(figure, Side::Reference)) {
            (Some(name), value) if !value.is_empty() => format!("{name}: {value}"),
            (_, value) => value,
        };
        let goals: Vec<_> = figure.goals.iter().map(|goal| goal.show(figure.unit)).collect();
        let verdict = match self.verdict(figure) {
            Some(true) => "met",
            Some(false) => "not met",
            None => "",
        };
        row.extend([reference, ratio(Side::Reference), goals.join(", "), verdict.to_owned()]);
        Some(row)
    }

    /// Whether all goals of a figure are met; `None` without a goal that can be judged.
    fn verdict(&self, figure: &Figure) -> Option<bool> {
        let median = |side| self.samples.median(figure, side);
        let (exporter, reference) = (median(Side::Exporter), median(Side::Reference));
        figure
            .goals
            .iter()
            .filter_map(|goal| goal.is_met(exporter, reference))
            .reduce(|one, other| one && other)
    }

    /// The median, and the least and the greatest value.
    fn cell(&self, figure: &Figure, side: Side) -> String {
        let values = self.samples.sorted(figure, side);
        let (Some(&least), Some(&greatest)) = (values.first(), values.last()) else {
            return String::new();
        };
        let show = |value| figure.unit.show(value);
        let median = self.samples.median(figure, side).map(show).unwrap_or_default();
        if values.len() == 1 || show(least) == show(greatest) {
            return median;
        }
        // The unit stands behind the median already.
        let least = show(least);
        let least = least.split([' ', '/']).next().unwrap_or_default();
        format!(
            "{median} ({least} to {})",
            show(greatest).split([' ', '/']).next().unwrap_or_default()
        )
    }
}

fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0).max(3)).collect();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let pad = |(cell, width): (&String, &usize)| format!("{cell:<0$}", *width);
        text.push_str(&line(row.iter().zip(&widths).map(pad).collect()));
        if index == 0 {
            text.push_str(&line(widths.iter().map(|width| "-".repeat(*width)).collect()));
        }
    }
    text
}
