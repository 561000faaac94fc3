//! Identifiers that no other run of the simulator hands out.
//!
//! The tenant comes from a seed and is the same every time; identifiers must not be. An exporter
//! that kept its database over a restart of the simulator would take a repeated envelope id for a
//! repeated delivery.

use std::{
    fmt::Write as _,
    hash::{BuildHasher, Hasher, RandomState},
};

use rand::{Rng, SeedableRng, rngs::SmallRng};

/// A random generator seeded by the operating system, by way of the standard library's hasher.
fn entropy() -> SmallRng {
    SmallRng::seed_from_u64(RandomState::new().build_hasher().finish())
}

/// A random (version 4) UUID.
#[must_use]
pub(crate) fn uuid() -> String {
    uuid_from(&mut entropy())
}

/// A version 4 UUID made of the given generator's numbers.
pub(crate) fn uuid_from(rng: &mut impl Rng) -> String {
    let (high, low) = (rng.next_u64(), rng.next_u64());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0x0fff,
        (low >> 48) & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

/// `length` random hexadecimal digits.
pub(crate) fn hex(length: usize) -> String {
    let mut rng = entropy();
    let mut text = String::with_capacity(length + 16);
    while text.len() < length {
        // Writing to a string cannot fail.
        let _ = write!(text, "{:016x}", rng.next_u64());
    }
    text.truncate(length);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_the_form_of_version_4() {
        let id = uuid();
        let groups: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    }

    #[test]
    fn no_two_ids_are_alike() {
        assert_ne!(uuid(), uuid());
        assert_eq!(hex(40).len(), 40);
    }
}
