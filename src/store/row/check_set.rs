//! Sets of failing checks: a JSON list of their numbers.

use super::{Unreadable, from_json};
use crate::ledger::CheckSet;

/// Encodes a set. Equal sets have equal texts, because the text is a key.
pub(in crate::store) fn encode(checks: &CheckSet) -> String {
    let numbers: Vec<_> = checks.iter().map(i64::to_string).collect();
    format!("[{}]", numbers.join(","))
}

/// Decodes a set.
pub(in crate::store) fn decode(json: &str) -> Result<CheckSet, Unreadable> {
    from_json(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_comes_back_as_it_was() {
        for checks in [vec![7], vec![1, 12, 300]] {
            assert_eq!(decode(&encode(&checks)).unwrap(), checks);
        }
        assert_eq!(encode(&vec![1, 12]), "[1,12]", "as json_group_array() writes it");
        assert!(decode("[\"1\"]").is_err());
    }
}
