//! Where and when a user was seen, from the snapshot and the log.

use std::collections::BTreeMap;

use super::Place;
use crate::domain::Timestamp;

/// What an entry of the log says about an address of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// The user was seen there for the first time.
    Came,
    /// The user was seen there again.
    CameBack,
    /// It is the first address in its country.
    NewCountry,
    /// The user was no longer seen there.
    Went,
}

/// An entry of the log about an address of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressMove {
    /// The address, in canonical form.
    pub ip: String,
    /// Where it is.
    pub place: Place,
    /// What the entry says.
    pub what: Move,
    /// When the exporter learnt of it.
    pub at: Timestamp,
}

/// An address that a user was seen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The address, in canonical form.
    pub ip: String,
    /// Where it is.
    pub place: Place,
    /// When the user was first seen there; none when that was before the first snapshot, or before
    /// the entries that the log still has.
    pub first: Option<Timestamp>,
    /// When the user was last seen there; for an address that disappeared, when that was found.
    pub last: Timestamp,
    /// Whether the newest answer has it.
    pub is_current: bool,
    /// When it became the first address in its country.
    pub new_country_at: Option<Timestamp>,
}

/// The addresses of a user: those of the snapshot, which was observed at `observed_at`, and those
/// that disappeared, as far as the moves show. The newest come first, and those that disappeared
/// last. The order of the moves does not matter.
#[must_use]
pub fn sightings(
    current: &BTreeMap<String, Place>,
    observed_at: Timestamp,
    moves: &[AddressMove],
) -> Vec<Sighting> {
    let mut by_ip: BTreeMap<&str, Vec<&AddressMove>> = BTreeMap::new();
    for told in moves {
        by_ip.entry(&told.ip).or_default().push(told);
    }
    let first_of = |what: Move, told: &[&AddressMove]| {
        told.iter().filter(|told| told.what == what).map(|told| told.at).min()
    };
    let mut found: Vec<_> = current
        .iter()
        .map(|(ip, place)| {
            let told = by_ip.remove(ip.as_str()).unwrap_or_default();
            Sighting {
                ip: ip.clone(),
                place: place.clone(),
                first: first_of(Move::Came, &told),
                last: observed_at,
                is_current: true,
                new_country_at: first_of(Move::NewCountry, &told),
            }
        })
        .collect();
    found.extend(by_ip.into_iter().filter_map(|(ip, told)| {
        let went = told.iter().filter(|told| told.what == Move::Went).max_by_key(|told| told.at)?;
        Some(Sighting {
            ip: ip.to_owned(),
            place: went.place.clone(),
            first: first_of(Move::Came, &told),
            last: went.at,
            is_current: false,
            new_country_at: first_of(Move::NewCountry, &told),
        })
    }));
    found.sort_by(|a, b| {
        let order = |seen: &Sighting| {
            (seen.is_current, if seen.is_current { seen.first } else { Some(seen.last) })
        };
        order(b).cmp(&order(a)).then_with(|| a.ip.cmp(&b.ip))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn an_address_is_first_seen_when_it_came_and_gone_when_it_was_missed() {
        let place = |country: &str| Place { country: Some(country.to_owned()), ..Place::default() };
        let told = |ip: &str, what, second| AddressMove {
            ip: ip.to_owned(),
            place: place("DE"),
            what,
            at: at(second),
        };
        let current: BTreeMap<_, _> =
            ["old", "new", "back"].map(|ip| (ip.to_owned(), place("FR"))).into();
        let moves = [
            told("back", Move::Went, 20),
            told("back", Move::Came, 10),
            told("back", Move::CameBack, 30),
            told("new", Move::Came, 40),
            told("new", Move::NewCountry, 40),
            told("gone", Move::Came, 5),
            told("gone", Move::Went, 6),
            told("earlier", Move::Went, 4),
            // An address that is neither current nor recorded as gone proves nothing.
            told("lost", Move::Came, 7),
        ];
        let found = sightings(&current, at(50), &moves);
        let seen: Vec<_> = found
            .iter()
            .map(|seen| {
                let second = |at: Timestamp| at.timestamp();
                (seen.ip.as_str(), seen.first.map(second), second(seen.last), seen.is_current)
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("new", Some(40), 50, true),
                ("back", Some(10), 50, true),
                ("old", None, 50, true),
                ("gone", Some(5), 6, false),
                ("earlier", None, 4, false),
            ]
        );
        assert_eq!(found[0].new_country_at, Some(at(40)));
        assert_eq!(found[3].place, place("DE"));
    }
}
