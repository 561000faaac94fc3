//! `docs/performance.md`.

use std::fmt::Write as _;

use crate::{clock, table::Table};

/// The page: the table, the machine, the command, and what bounds each figure.
pub(crate) fn render(table: &Table, machine: &[String]) -> String {
    let (met, judged) = table.goals_met();
    let mut page = format!(
        "# Performance\n\n\
         Written by `bench/run` on {}; do not edit. {met} of {judged} goals met.\n\n\
         Each figure is the median of its rounds, with the least and the greatest in \
         parentheses. The exporter and its reference were measured in turns on one machine, \
         which also ran the load generator. `bench/run --help` tells what each scenario does.\n\n\
         ## Machine\n\n",
        clock::now().format("%Y-%m-%d")
    );
    for fact in machine {
        let _ = writeln!(page, "- {fact}");
    }
    let _ = write!(page, "\n## Figures\n\n{}\n## What bounds each figure\n\n", table.render());
    for figure in &table.figures {
        if !figure.bound.is_empty() {
            let _ = writeln!(page, "- **{}**: {}.", figure.name, figure.bound);
        }
    }
    page
}
