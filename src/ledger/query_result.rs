//! What is loaded by a condition, and not by keys.

use super::Fault;

/// What a store found for a condition, once somebody asked for it. No change writes it. To read
/// it without having asked is a mistake, as with a key of a [`Table`](super::Table).
#[derive(Debug)]
pub struct QueryResult<V> {
    name: &'static str,
    found: Option<V>,
}

impl<V> QueryResult<V> {
    /// Nothing that was asked for; the name is for errors.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, found: None }
    }

    /// Puts in what a store found. What is known already stays.
    pub fn load(&mut self, found: V) {
        self.found.get_or_insert(found);
    }

    /// What was found.
    ///
    /// # Errors
    /// When it was not asked for.
    ///
    /// # Panics
    /// In a build with debug assertions, when it was not asked for: a test must not pass with it.
    pub fn get(&self) -> Result<&V, Fault> {
        debug_assert!(self.found.is_some(), "{} was not asked for", self.name);
        self.found.as_ref().ok_or(Fault::NotAsked { table: self.name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_first_stays() {
        let mut asked = QueryResult::new("parked");
        asked.load(1);
        asked.load(2);
        assert_eq!(asked.get(), Ok(&1));
    }

    #[test]
    #[should_panic(expected = "parked was not asked for")]
    fn what_was_not_asked_for_is_a_mistake() {
        let _ = QueryResult::<u64>::new("parked").get();
    }
}
