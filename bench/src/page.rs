//! `docs/performance.md`.

use std::{fmt::Write as _, path::Path, process::Command};

use crate::{Result, Run, clock, machine, table::Table};

/// What the figures were taken with.
pub(crate) struct Facts {
    command: String,
    exporter: String,
    commit: Option<String>,
    baseline: Option<String>,
    machine: Vec<String>,
}

impl Facts {
    /// Asks the programs and the machine.
    pub(crate) fn gather(run: &Run) -> Result<Self> {
        let mut command = "bench/run".to_owned();
        if run.baseline.is_some() {
            command.push_str(" --baseline PATH");
        }
        if (run.rounds, run.seconds) != (3, 4) {
            let _ = write!(command, " --rounds {} --seconds {}", run.rounds, run.seconds);
        }
        Ok(Self {
            command,
            exporter: version(&run.exporter)?,
            commit: run.commit.clone(),
            baseline: run.baseline.as_deref().map(version).transpose()?,
            machine: machine::describe(&run.folder)?,
        })
    }
}

/// What a program says that it is.
fn version(program: &Path) -> Result<String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(String::from_utf8(output.stdout)?.lines().next().unwrap_or_default().trim().to_owned())
}

/// The page: the table, the machine, the command, and what bounds each figure.
pub(crate) fn render(table: &Table, facts: &Facts) -> String {
    let mut page = format!(
        "# Performance\n\n\
         Written by `{}` on {}; do not edit. {}.\n\n\
         Each figure is the median of its rounds, with the least and the greatest in \
         parentheses. The exporter and its reference took turns on one machine, which the load \
         generator shared. `bench/run --help` lists the scenarios; `bench/src/scenario` has \
         them, a file each.\n\n\
         - exporter: {}\n",
        facts.command,
        clock::now().format("%Y-%m-%d"),
        table.summary(),
        facts.exporter
    );
    if let Some(commit) = &facts.commit {
        let _ = writeln!(page, "- commit: {commit}");
    }
    if let Some(baseline) = &facts.baseline {
        let _ = writeln!(page, "- baseline: {baseline}");
    }
    for fact in &facts.machine {
        let _ = writeln!(page, "- {fact}");
    }
    let _ = write!(page, "\n{}\n## What bounds each figure\n\n", table.render());
    let _ = write!(page, "| figure | bound |\n| --- | --- |\n");
    for figure in table.figures.iter().filter(|figure| !figure.bound.is_empty()) {
        let _ = writeln!(page, "| {} | {} |", figure.name, figure.bound);
    }
    page
}
