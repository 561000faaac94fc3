//! Page tokens that lead nowhere.

use serde_json::{Value, json};

use super::{
    Answer, Root,
    place::{Path, at_mut},
};
use crate::faults::AppsyncError;

/// What the tokens of a circle begin with.
const CIRCLE: &str = "circle-";

/// Makes the next page of each listing one of a circle of so many.
pub(super) fn circle(answer: &mut Answer, places: &[Path], pages: usize) -> bool {
    let mut changed = false;
    for place in places {
        let asked = token(answer, place);
        let number = asked.as_deref().and_then(|token| token.strip_prefix(CIRCLE)?.parse().ok());
        let next = number.map_or(0, |number: usize| (number + 1) % pages.max(1));
        let page = at_mut(&mut answer.data, place).and_then(|page| page.get_mut("pageToken"));
        if let Some(page) = page {
            *page = json!(format!("{CIRCLE}{next}"));
            changed = true;
        }
    }
    changed
}

/// Whether this is a token of a circle. The listing itself starts anew for it.
pub(crate) fn is_of_circle(token: &str) -> bool {
    token.starts_with(CIRCLE)
}

/// Refuses every page but the first.
pub(super) fn expire(answer: &mut Answer, places: &[Path]) -> bool {
    let expired = AppsyncError::new("BadRequest", "The page token has expired.");
    let later: Vec<Path> =
        places.iter().filter(|place| token(answer, place).is_some()).cloned().collect();
    super::error::put(answer, &later, &expired)
}

/// The page token that a root field was asked with.
fn token(answer: &Answer, place: &[Value]) -> Option<String> {
    let root: &Root = answer.roots.iter().find(|root| place.first() == Some(&json!(root.key)))?;
    Some(root.argument("pageToken")?.as_str()?.to_owned())
}
