//! Shows the progress of a copy on standard error: at a terminal one changing line, otherwise one
//! line per table.

use std::{
    fmt::Arguments,
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

use cii_exporter::store::Progress;

/// Least time between two updates of the line at a terminal.
const EVERY: Duration = Duration::from_millis(100);

/// Returns to the beginning of the terminal's line and clears it.
const ANEW: &str = "\r\x1b[K";

/// The state of the progress display.
pub(super) struct Shown {
    is_quiet: bool,
    is_terminal: bool,
    last: Option<Progress>,
    last_at: Option<Instant>,
}

impl Shown {
    pub(super) fn new(is_quiet: bool) -> Self {
        let is_terminal = stderr().is_terminal();
        Self { is_quiet, is_terminal, last: None, last_at: None }
    }

    /// Shows the progress, throttled by [`EVERY`].
    pub(super) fn show_progress(&mut self, now: Progress) {
        if self.is_quiet {
            return;
        }
        if self.last.is_some_and(|last| last.table != now.table) {
            self.end_line();
        }
        self.last = Some(now);
        let is_due = self.last_at.is_none_or(|at| at.elapsed() >= EVERY);
        if self.is_terminal && is_due {
            self.last_at = Some(Instant::now());
            print_text(format_args!("{ANEW}{}", progress_text(now)));
        }
    }

    /// Ends the line of a table. The line of a check is removed: its result is in the table at the
    /// end.
    pub(super) fn end_line(&mut self) {
        let Some(last) = self.last.take() else { return };
        let begin = if self.is_terminal { ANEW } else { "" };
        if last.is_check {
            print_text(format_args!("{begin}"));
        } else {
            print_text(format_args!("{begin}{}\n", progress_text(last)));
        }
    }
}

/// Prints a text and ignores errors: a closed standard error must not end the copy.
fn print_text(text: Arguments<'_>) {
    let mut stderr = stderr().lock();
    let _ = stderr.write_fmt(text).and_then(|()| stderr.flush());
}

fn progress_text(Progress { table, is_check, rows, of }: Progress) -> String {
    let what = if is_check { "checking" } else { "copying" };
    // An empty table counts as done.
    let percent = (rows.min(of) * 100).checked_div(of).unwrap_or(100);
    format!("{what} {table}: {rows} of {of} rows, {percent} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_a_table_is() {
        let progress = Progress { table: "event", is_check: false, rows: 500, of: 1999 };
        assert_eq!(progress_text(progress), "copying event: 500 of 1999 rows, 25 %");
        let progress = Progress { table: "watch", is_check: true, rows: 0, of: 0 };
        assert_eq!(progress_text(progress), "checking watch: 0 of 0 rows, 100 %");
    }
}
