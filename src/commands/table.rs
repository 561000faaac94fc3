//! Text tables.

use comfy_table::{ContentArrangement, Table, presets};

/// Builds a table without borders, at most as wide as the terminal.
pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !header.is_empty() {
        table.set_header(header.iter().map(|name| name.to_uppercase()));
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| sanitize(cell)));
    }
    table
}

/// Replaces characters that could control the terminal or change the direction of text: the text
/// may come from outside.
pub(super) fn sanitize(text: &str) -> String {
    let is_wild = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.replace(is_wild, "\u{fffd}")
}
