//! Rows that are loaded by a condition instead of by key.

use super::Fault;

/// The result of a query by condition, once a change named the condition in its keys. No change
/// writes it. Reading it without having named the condition is a mistake, as with a key of a
/// [`Table`](super::Table).
#[derive(Debug)]
pub struct QueryResult<V> {
    name: &'static str,
    found: Option<V>,
}

impl<V> QueryResult<V> {
    /// A query that was not run; the name is the table's, for errors.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, found: None }
    }

    /// Records the result that the store loaded. A result that is there already stays.
    pub fn load(&mut self, found: V) {
        self.found.get_or_insert(found);
    }

    /// The result.
    ///
    /// # Errors
    /// When the query was not run.
    ///
    /// # Panics
    /// In a build with debug assertions, when the query was not run: a test must not pass with it.
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
