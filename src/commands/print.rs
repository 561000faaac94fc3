//! Standard output of commands.

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, Write as _},
    process,
};

/// `println!` for commands, without its panic when the reader closes the pipe early (`| head`).
macro_rules! say {
    ($($text:tt)*) => { $crate::commands::print::print_line(format_args!($($text)*)) };
}

/// Prints a line. When the pipe is closed, the process ends silently with 0; on any other error it
/// ends with 1.
pub(super) fn print_line(text: Arguments<'_>) {
    if let Err(error) = writeln!(io::stdout().lock(), "{text}") {
        if error.kind() == ErrorKind::BrokenPipe {
            process::exit(0);
        }
        eprintln!("cannot write to standard output: {error}");
        process::exit(1);
    }
}
