//! The exporter's own log, on standard error.

use std::{
    fmt::{self, Write as _},
    io::IsTerminal as _,
};

use cii_exporter::config::Environment;
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt as _,
    fmt::{FormatFields, format},
};

/// Starts logging. `directives` is a level, or a filter in the syntax of `tracing`; `RUST_LOG`
/// overrides it.
pub(crate) fn start(directives: &str, as_json: bool) {
    // The cron library logs its set-up at INFO on every start.
    let usual = || EnvFilter::new(format!("tokio_cron_scheduler=warn,{directives}"));
    let environment = Environment::of_process();
    let wanted = environment.log_filter().and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = wanted.unwrap_or_else(usual);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call in the same process has no effect: the first subscriber stays.
    let _ = if as_json {
        builder.json().try_init()
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).fmt_fields(escaping_fields()).try_init()
    };
}

/// Formats fields as the library does, but escapes characters that could end the line or control a
/// reader's terminal: many texts come from outside.
fn escaping_fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    format::debug_fn(|writer, field, value| {
        let name = field.name();
        let is_styled = writer.has_ansi_escapes();
        match name {
            "message" => {}
            _ if is_styled => write!(writer, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m")?,
            _ => write!(writer, "{name}=")?,
        }
        write!(Escaping(writer.by_ref()), "{value:?}")
    })
    .delimited(" ")
}

/// Escapes control characters and those that change the direction of text, as Rust does.
struct Escaping<W>(W);

impl<W: fmt::Write> fmt::Write for Escaping<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(is_steering) {
            let last = part.chars().next_back().filter(|last| is_steering(*last));
            self.0.write_str(&part[..part.len() - last.map_or(0, char::len_utf8)])?;
            if let Some(last) = last {
                write!(self.0, "{}", last.escape_default())?;
            }
        }
        Ok(())
    }
}

/// Control characters, line ends of Unicode, and characters that change the direction of text.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_outside_stays_on_its_line_and_steers_nothing() {
        for (text, written) in [
            ("No MFA \u{fc}\u{1f600}", "No MFA \u{fc}\u{1f600}"),
            ("a\nINFO b\r\t", "a\\nINFO b\\r\\t"),
            ("\u{1b}[2J\u{9b}31m\u{7f}\0", "\\u{1b}[2J\\u{9b}31m\\u{7f}\\u{0}"),
            ("\u{202e}gpj.exe\u{2028}", "\\u{202e}gpj.exe\\u{2028}"),
            ("", ""),
        ] {
            let mut line = String::new();
            write!(Escaping(&mut line), "{text}").unwrap();
            assert_eq!(line, written);
        }
    }
}
