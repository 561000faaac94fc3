//! Suggestions for fields of forms.

use maud::{Markup, html};

use crate::store::{Reader, StoreError};

/// Most checks that are suggested.
const CHECKS: usize = 200;

/// The id of the `datalist` of checks on a page.
pub(super) const CHECKS_ID: &str = "known-checks";

/// Reads the checks that a field suggests: ids with titles.
pub(super) fn read_checks(reader: &Reader) -> Result<Vec<(String, String)>, StoreError> {
    reader.known_checks(CHECKS)
}

/// The suggestions of a field with `list` set to [`CHECKS_ID`].
pub(super) fn checks_datalist(known: &[(String, String)]) -> Markup {
    html! {
        datalist id=(CHECKS_ID) {
            @for (id, title) in known { option value=(id) { (title) } }
        }
    }
}
