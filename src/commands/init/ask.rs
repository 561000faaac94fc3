//! Asks at a terminal for what is missing on the command line.

use std::{
    fs,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    path::Path,
};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use secrecy::SecretString;

use super::super::error::CommandError;

/// Whether standard input is a terminal.
pub(super) fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Returns the value of an option, or asks until the answer is valid.
pub(super) fn ask_required<T>(
    given: Option<T>,
    question: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, CommandError> {
    if let Some(value) = given {
        return Ok(value);
    }
    loop {
        match parse(&read_line(question)?) {
            Ok(value) => return Ok(value),
            Err(reason) => eprintln!("  {reason}"),
        }
    }
}

/// The same for an optional value.
pub(super) fn ask_optional<T>(
    given: Option<T>,
    question: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, CommandError> {
    if given.is_some() || !is_terminal() {
        return Ok(given);
    }
    let question = format!("{question} (Enter: none)");
    let parse = |text: &str| if text.is_empty() { Ok(None) } else { parse(text).map(Some) };
    ask_required(None, &question, parse)
}

/// Reads a secret from a file, from standard input (`-`), or from the terminal without echo. It is
/// never an option's value: other users of the machine see command lines.
pub(super) fn read_secret(
    file: Option<&Path>,
    option: &str,
    question: &str,
) -> Result<SecretString, CommandError> {
    let wrong = |reason: String| CommandError::Usage(format!("{option}: {reason}"));
    let text = match file {
        Some(path) if path == Path::new("-") => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(terminal_error)?;
            text
        }
        Some(path) => fs::read_to_string(path)
            .map_err(|error| wrong(format!("cannot read {}: {error}", path.display())))?,
        None => loop {
            let text = read_hidden_line(question)?;
            if !text.is_empty() {
                break text;
            }
            eprintln!("  must not be empty");
        },
    };
    let text = text.trim();
    let is_one = !text.is_empty() && !text.contains(['\n', '\r']);
    if is_one {
        Ok(text.to_owned().into())
    } else {
        Err(wrong("expected one line that is not empty".to_owned()))
    }
}

fn read_line(question: &str) -> Result<String, CommandError> {
    eprint!("{question}: ");
    io::stderr().flush().map_err(terminal_error)?;
    let mut text = String::new();
    if io::stdin().lock().read_line(&mut text).map_err(terminal_error)? == 0 {
        eprintln!();
        return Err(CommandError::Usage("the questions were not answered".to_owned()));
    }
    Ok(text.trim().to_owned())
}

/// Reads a line without echo.
fn read_hidden_line(question: &str) -> Result<String, CommandError> {
    let stdin = io::stdin();
    let shown = tcgetattr(&stdin).map_err(|error| terminal_error(error.into()))?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &hidden)
        .map_err(|error| terminal_error(error.into()))?;
    let text = read_line(&format!("{question} (not shown)"));
    let _ = tcsetattr(&stdin, OptionalActions::Flush, &shown);
    eprintln!();
    text
}

fn terminal_error(source: io::Error) -> CommandError {
    CommandError::Output { target: "to or read from the terminal".to_owned(), source }
}
