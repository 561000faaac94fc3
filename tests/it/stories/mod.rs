//! What people and programs read, as it was when somebody last looked at it: the log, the
//! records that are sent, pages, and what `check-config` prints.
//!
//! A text that is meant to change is written anew by
//! `INSTA_UPDATE=always cargo test --test it stories::`; the diff of the snapshots shows how.

mod check_config;
mod log;
mod outline;
mod pages;
mod records;

/// What differs from run to run, and what stands in its place.
const REDACTED: [(&str, &str); 6] = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "[time]"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[uuid]"),
    (r#"[^\s"=]*/\.tmp[A-Za-z0-9]+/"#, "[folder]/"),
    (r"0\.\d+\.\d+ \([0-9a-f]{12}\)", "[version]"),
    (r"version=\S+", "version=[version]"),
    (r"seconds=\d+\.\d+", "seconds=[seconds]"),
];

/// A free port.
const PORT: (&str, &str) = (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:[port]");

/// Compares a text with the snapshot of this name.
fn holds(name: &str, text: &str, redacted: &[(&str, &str)]) {
    let mut settings = insta::Settings::new();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, placeholder) in redacted.iter().chain(&REDACTED) {
        settings.add_filter(pattern, *placeholder);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}
