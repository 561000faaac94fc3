//! Rows of one kind: as loaded, and as changed.

use std::{collections::BTreeMap, fmt::Debug, ops::RangeBounds, rc::Rc};

use super::Fault;

/// Rows that were loaded, by key, with the changes made to them.
///
/// A key without a row was looked for and not found, which is a fact. A key that is absent was not
/// loaded: reading it is a bug.
#[derive(Debug)]
pub struct Table<K, V> {
    name: &'static str,
    slots: BTreeMap<K, Slot<V>>,
    /// The slots that the current change replaced, in order.
    undo: Vec<(K, Slot<V>)>,
    /// The number of the current change: a row that it wrote already is overwritten in place.
    change: u64,
}

#[derive(Debug, Clone)]
enum Slot<V> {
    /// A stored row that no change wrote. It is shared, because a change that replaces it keeps it
    /// twice: to undo, and to compare.
    Stored(Rc<V>),
    /// A row that a change wrote or removed. It is boxed: most keys that a large delivery loads
    /// have no row, and must not take as much memory as one.
    Written(Box<Written<V>>),
    /// No row is stored, and no change wrote one.
    None,
    Unreadable(Box<Fault>),
    /// The key was not loaded; the current change was the first to write it.
    Absent,
}

#[derive(Debug, Clone)]
struct Written<V> {
    stored: Before<V>,
    /// The current row.
    current: Option<V>,
    /// The number of the change that wrote it last.
    by: u64,
}

/// The row as it was loaded.
#[derive(Debug)]
enum Before<V> {
    None,
    Row(Rc<V>),
    /// A row is stored that cannot be decoded.
    Unreadable,
}

impl<V> Clone for Before<V> {
    fn clone(&self) -> Self {
        match self {
            Self::None => Self::None,
            Self::Row(row) => Self::Row(row.clone()),
            Self::Unreadable => Self::Unreadable,
        }
    }
}

impl<V> Written<V> {
    /// Whether a row is stored.
    const fn is_stored(&self) -> bool {
        !matches!(self.stored, Before::None)
    }
}

impl<V> Slot<V> {
    /// The current row.
    fn row(&self) -> Option<&V> {
        match self {
            Self::Stored(row) => Some(row),
            Self::Written(written) => written.current.as_ref(),
            Self::None | Self::Unreadable(_) | Self::Absent => None,
        }
    }
}

/// A row that differs from what is stored.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a, K, V> {
    /// Its key.
    pub key: &'a K,
    /// The stored row; none also when it cannot be decoded.
    pub stored: Option<&'a V>,
    /// The row to store; none when the row is to be deleted.
    pub row: Option<&'a V>,
}

impl<K: Ord + Clone + Debug, V: Clone> Table<K, V> {
    /// An empty table; the name is for errors.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, slots: BTreeMap::new(), undo: Vec::new(), change: 1 }
    }

    /// Records what the store loaded for a key. A key that is loaded already stays: a second round
    /// of loading must not undo changes.
    pub fn load(&mut self, key: K, row: Option<V>) {
        self.slots
            .entry(key)
            .or_insert_with(|| row.map_or(Slot::None, |row| Slot::Stored(Rc::new(row))));
    }

    /// Records that the row of a key cannot be decoded.
    pub fn load_unreadable(&mut self, key: K, reason: &str) {
        let fault = Fault::unreadable(self.name, &key, reason);
        self.slots.entry(key).or_insert_with(|| Slot::Unreadable(Box::new(fault)));
    }

    /// Whether the key was loaded.
    #[must_use]
    pub fn is_loaded(&self, key: &K) -> bool {
        self.slots.contains_key(key)
    }

    /// The row of a key that was loaded.
    ///
    /// # Errors
    /// When the row cannot be decoded, or was not loaded.
    ///
    /// # Panics
    /// In a build with debug assertions, when the key was not loaded: a test must not pass with it.
    pub fn get(&self, key: &K) -> Result<Option<&V>, Fault> {
        match self.slots.get(key) {
            Some(Slot::Unreadable(fault)) => Err((**fault).clone()),
            Some(slot) => Ok(slot.row()),
            None => {
                debug_assert!(false, "{} {key:?} was not asked for", self.name);
                Err(Fault::NotAsked { table: self.name })
            }
        }
    }

    /// Whether a row is stored that cannot be decoded.
    #[must_use]
    pub fn is_unreadable(&self, key: &K) -> bool {
        matches!(self.slots.get(key), Some(Slot::Unreadable(_)))
    }

    /// The keys of a range that have a row, decoded or not.
    pub fn keys(&self, keys: impl RangeBounds<K>) -> impl Iterator<Item = &K> {
        let has_row = |slot: &Slot<V>| matches!(slot, Slot::Unreadable(_)) || slot.row().is_some();
        self.slots.range(keys).filter(move |(_, slot)| has_row(slot)).map(|(key, _)| key)
    }

    /// The rows of a range of keys, all of which were loaded.
    ///
    /// # Errors
    /// When one of the rows cannot be decoded.
    pub fn range(
        &self,
        keys: impl RangeBounds<K>,
    ) -> impl Iterator<Item = Result<(&K, &V), Fault>> {
        self.slots.range(keys).filter_map(|(key, slot)| match slot {
            Slot::Unreadable(fault) => Some(Err((**fault).clone())),
            slot => slot.row().map(|row| Ok((key, row))),
        })
    }

    /// Writes a row.
    pub fn put(&mut self, key: K, row: V) {
        self.set(key, Some(row));
    }

    /// Removes a row.
    pub fn remove(&mut self, key: &K) {
        self.set(key.clone(), None);
    }

    /// Changes a row in place; does nothing where there is none.
    ///
    /// # Errors
    /// When the row cannot be decoded, or was not loaded.
    pub fn update(&mut self, key: &K, change: impl FnOnce(&mut V)) -> Result<(), Fault> {
        if let Some(written) = self.written_row(key) {
            if let Some(row) = &mut written.current {
                change(row);
            }
        } else if let Some(mut row) = self.get(key)?.cloned() {
            change(&mut row);
            self.set(key.clone(), Some(row));
        }
        Ok(())
    }

    /// The row that the current change wrote already.
    fn written_row(&mut self, key: &K) -> Option<&mut Written<V>> {
        match self.slots.get_mut(key) {
            Some(Slot::Written(written)) if written.by == self.change => Some(written),
            _ => None,
        }
    }

    fn set(&mut self, key: K, row: Option<V>) {
        let slot = self.slots.entry(key.clone()).or_insert(Slot::Absent);
        let stored = match slot {
            Slot::Written(written) if written.by == self.change => {
                written.current = row;
                return;
            }
            Slot::Written(written) => written.stored.clone(),
            Slot::Stored(row) => Before::Row(row.clone()),
            Slot::Unreadable(_) => Before::Unreadable,
            Slot::None | Slot::Absent => Before::None,
        };
        let written = Written { stored, current: row, by: self.change };
        let before = std::mem::replace(slot, Slot::Written(Box::new(written)));
        self.undo.push((key, before));
    }

    /// Keeps everything done so far when the next change is undone.
    pub fn checkpoint(&mut self) {
        self.undo.clear();
        // Frees the memory that one large change needed before its diff is saved.
        self.undo.shrink_to(1024);
        self.change += 1;
    }

    /// Undoes what was done since the last checkpoint.
    pub fn roll_back(&mut self) {
        for (key, slot) in std::mem::take(&mut self.undo).into_iter().rev() {
            if matches!(slot, Slot::Absent) {
                self.slots.remove(&key);
            } else {
                self.slots.insert(key, slot);
            }
        }
        self.change += 1;
    }

    /// Each key that has or had a row: whether one is stored, and whether there is one now.
    pub fn presence(&self) -> impl Iterator<Item = (&K, bool, bool)> {
        self.slots.iter().filter_map(|(key, slot)| match slot {
            Slot::Stored(_) | Slot::Unreadable(_) => Some((key, true, true)),
            Slot::Written(written) => {
                let (was, is) = (written.is_stored(), written.current.is_some());
                (was || is).then_some((key, was, is))
            }
            Slot::None | Slot::Absent => None,
        })
    }

    /// The rows that were written or removed, by key.
    pub fn differences(&self) -> impl Iterator<Item = Difference<'_, K, V>> {
        self.slots.iter().filter_map(|(key, slot)| match slot {
            Slot::Written(written) if written.is_stored() || written.current.is_some() => {
                let stored = match &written.stored {
                    Before::Row(row) => Some(&**row),
                    Before::None | Before::Unreadable => None,
                };
                Some(Difference { key, stored, row: written.current.as_ref() })
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table<&'static str, u8> {
        let mut table = Table::new("number");
        table.load("one", Some(1));
        table.load("none", None);
        table
    }

    fn differences(table: &Table<&'static str, u8>) -> Vec<(&'static str, Option<u8>, Option<u8>)> {
        let plain = |d: Difference<'_, _, _>| (*d.key, d.stored.copied(), d.row.copied());
        table.differences().map(plain).collect()
    }

    #[test]
    fn what_was_written_differs_and_nothing_else() {
        let mut table = table();
        assert_eq!(differences(&table), []);
        table.put("none", 3);
        table.put("none", 4);
        table.remove(&"one");
        assert_eq!(differences(&table), [("none", None, Some(4)), ("one", Some(1), None)]);
    }

    #[test]
    fn a_second_loading_undoes_nothing() {
        let mut table = table();
        table.put("one", 7);
        table.load("one", Some(1));
        assert_eq!(table.get(&"one"), Ok(Some(&7)));
    }

    #[test]
    fn a_change_that_fails_leaves_what_was_before_it() {
        let mut table = table();
        table.put("one", 7);
        table.checkpoint();
        table.put("one", 8);
        table.put("new", 9);
        table.remove(&"one");
        table.roll_back();
        assert_eq!(differences(&table), [("one", Some(1), Some(7))]);
        assert!(!table.is_loaded(&"new"));
    }

    #[test]
    fn a_row_that_cannot_be_understood_fails_who_asks_for_it() {
        let mut table = table();
        table.load_unreadable("bad", "no number");
        let error = table.get(&"bad").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the row of number with the key \"bad\" cannot be understood: no number"
        );
        assert_eq!(table.get(&"one"), Ok(Some(&1)));
    }

    #[test]
    fn a_row_that_cannot_be_understood_can_be_written_anew_or_removed() {
        let mut table = table();
        table.load_unreadable("bad", "no number");
        table.load_unreadable("worse", "no number");
        assert!(table.is_unreadable(&"bad") && !table.is_unreadable(&"one"));
        assert_eq!(table.keys(..).copied().collect::<Vec<_>>(), ["bad", "one", "worse"]);
        table.put("bad", 7);
        table.remove(&"worse");
        assert_eq!(differences(&table), [("bad", None, Some(7)), ("worse", None, None)]);
        let presence: Vec<_> = table.presence().map(|(key, was, is)| (*key, was, is)).collect();
        assert_eq!(presence, [("bad", true, true), ("one", true, true), ("worse", true, false)]);
        assert_eq!(table.keys(..).copied().collect::<Vec<_>>(), ["bad", "one"]);
    }

    #[test]
    #[should_panic(expected = "was not asked for")]
    fn a_row_that_was_not_asked_for_is_a_mistake() {
        let _ = table().get(&"other");
    }
}
