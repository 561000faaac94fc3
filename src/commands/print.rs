//! What commands say on standard output.

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, Write as _},
    process,
};

/// `println!` for commands: whoever reads no further (`| head`) has what they wanted, which is
/// no panic.
macro_rules! say {
    ($($text:tt)*) => { $crate::commands::print::print_line(format_args!($($text)*)) };
}

/// Prints a line. When nobody reads any more, the process ends quietly with 0; when it cannot be
/// written, it ends with 1.
pub(super) fn print_line(text: Arguments<'_>) {
    if let Err(error) = writeln!(io::stdout().lock(), "{text}") {
        if error.kind() == ErrorKind::BrokenPipe {
            process::exit(0);
        }
        eprintln!("cannot write to standard output: {error}");
        process::exit(1);
    }
}
