//! What is missing on the command line is asked for, where somebody sits at a terminal.

use std::{
    fs,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    path::Path,
    str::FromStr,
};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use secrecy::SecretString;

use super::super::error::CommandError;

/// The value of an option, else what somebody answers; without a terminal, the option is
/// missing.
pub(super) fn required<T: FromStr>(
    given: Option<T>,
    option: &str,
    question: &str,
) -> Result<T, CommandError> {
    if let Some(value) = given {
        return Ok(value);
    }
    if !io::stdin().is_terminal() {
        let text = format!("{option} is missing: {question}");
        return Err(CommandError::Usage(text));
    }
    loop {
        let text = line(question)?;
        match text.parse() {
            Ok(value) if !text.is_empty() => return Ok(value),
            _ => eprintln!("that cannot be used; try again"),
        }
    }
}

/// The same of what may be left open.
pub(super) fn optional<T: FromStr>(
    given: Option<T>,
    question: &str,
) -> Result<Option<T>, CommandError> {
    if given.is_some() || !io::stdin().is_terminal() {
        return Ok(given);
    }
    loop {
        let text = line(&format!("{question} (Enter: none)"))?;
        match text.parse() {
            _ if text.is_empty() => return Ok(None),
            Ok(value) => return Ok(Some(value)),
            Err(_) => eprintln!("that cannot be used; try again"),
        }
    }
}

/// A secret from a file, from standard input (`-`), or typed without being shown. It is never
/// taken from the command line, which other users of the machine see.
pub(super) fn secret(
    file: Option<&Path>,
    option: &str,
    question: &str,
) -> Result<SecretString, CommandError> {
    let text = match file {
        Some(path) if path == Path::new("-") => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map_err(failed)?;
            text
        }
        Some(path) => fs::read_to_string(path).map_err(|error| {
            CommandError::Usage(format!("{option}: cannot read {}: {error}", path.display()))
        })?,
        None if io::stdin().is_terminal() => unseen(question)?,
        None => {
            let text = format!("{option} is missing: a file that holds {question}, or -");
            return Err(CommandError::Usage(text));
        }
    };
    let text = text.trim();
    let is_one = !text.is_empty() && !text.contains(['\n', '\r']);
    if is_one {
        Ok(text.to_owned().into())
    } else {
        Err(CommandError::Usage(format!("{option}: expected one line that is not empty")))
    }
}

fn line(question: &str) -> Result<String, CommandError> {
    eprint!("{question}: ");
    io::stderr().flush().map_err(failed)?;
    let mut text = String::new();
    if io::stdin().lock().read_line(&mut text).map_err(failed)? == 0 {
        return Err(CommandError::Usage("the questions were not answered".to_owned()));
    }
    Ok(text.trim().to_owned())
}

/// A line that the terminal does not show.
fn unseen(question: &str) -> Result<String, CommandError> {
    let stdin = io::stdin();
    let shown = tcgetattr(&stdin).map_err(|error| failed(error.into()))?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).map_err(|error| failed(error.into()))?;
    let text = line(&format!("{question} (not shown)"));
    let _ = tcsetattr(&stdin, OptionalActions::Flush, &shown);
    eprintln!();
    text
}

fn failed(source: io::Error) -> CommandError {
    CommandError::Output { target: "to or read from the terminal".to_owned(), source }
}
