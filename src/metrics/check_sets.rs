//! Sets of checks that people fail.

use std::collections::HashMap;

/// Sets of checks, each kept once however many people fail just these: a handful of sets is
/// shared by everybody.
#[derive(Debug, Default)]
pub(super) struct CheckSets {
    sets: Vec<Set>,
    place_of: HashMap<Box<[u32]>, u32>,
    /// Places of sets that nobody has any more.
    free: Vec<u32>,
}

#[derive(Debug, Default)]
struct Set {
    /// In their order.
    checks: Box<[u32]>,
    /// How many people have it.
    people: u64,
}

impl CheckSets {
    /// The place of the set of these checks, for one person more.
    pub(super) fn join(&mut self, mut checks: Vec<u32>) -> u32 {
        checks.sort_unstable();
        checks.dedup();
        if let Some(place) = self.place_of.get(checks.as_slice()) {
            self.sets[*place as usize].people += 1;
            return *place;
        }
        let checks = checks.into_boxed_slice();
        let set = Set { checks: checks.clone(), people: 1 };
        let place = if let Some(place) = self.free.pop() {
            self.sets[place as usize] = set;
            place
        } else {
            self.sets.push(set);
            u32::try_from(self.sets.len() - 1).unwrap_or(u32::MAX)
        };
        self.place_of.insert(checks, place);
        place
    }

    /// Takes one person out of the set at a place; the place means nothing to them any more.
    pub(super) fn leave(&mut self, place: u32) {
        let Some(set) = self.sets.get_mut(place as usize) else { return };
        set.people = set.people.saturating_sub(1);
        if set.people == 0 {
            let set = std::mem::take(set);
            self.place_of.remove(&set.checks);
            self.free.push(place);
        }
    }

    /// The checks of the set at a place.
    pub(super) fn checks(&self, place: u32) -> &[u32] {
        self.sets.get(place as usize).map_or(&[], |set| &set.checks)
    }

    /// Every set, with how many people have it.
    pub(super) fn each(&self) -> impl Iterator<Item = (&[u32], u64)> {
        self.sets.iter().map(|set| (&*set.checks, set.people)).filter(|(_, people)| *people > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_kept_once_and_goes_with_the_last_who_has_it() {
        let mut sets = CheckSets::default();
        let (first, second) = (sets.join(vec![2, 1]), sets.join(vec![1, 2]));
        assert_eq!(first, second);
        let other = sets.join(vec![1]);
        assert_ne!(other, first);
        assert_eq!(sets.each().collect::<Vec<_>>(), [(&[1, 2][..], 2), (&[1][..], 1)]);
        sets.leave(first);
        assert_eq!(sets.checks(first), [1, 2]);
        sets.leave(first);
        assert_eq!(sets.each().collect::<Vec<_>>(), [(&[1][..], 1)]);
        let again = sets.join(vec![7]);
        assert_eq!(again, first, "the place is used again");
        assert_eq!(sets.checks(again), [7]);
    }
}
