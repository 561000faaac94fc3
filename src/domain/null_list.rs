//! What a list that is null, without an error, means.
//!
//! AWS `AppSync` resolvers commonly give null for an attribute that is absent,
//! so null can mean none as well as not told. What the service gives to others,
//! and gave before, decides.

use chrono::TimeDelta;
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{Timestamp, UserField};

/// How long a list that anybody was given speaks for the field, and how long a
/// user's null is not told before it means none.
const MEMORY: TimeDelta = TimeDelta::hours(24);

/// A list that the service can give as null.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "camelCase")]
pub enum ListField {
    /// `ipAddresses`
    IpAddresses,
    /// `unusedApplications`
    UnusedApplications,
    /// `usedApplications`
    UsedApplications,
    /// `usedFactors`
    UsedFactors,
    /// `workingLocationDetails`
    #[strum(serialize = "workingLocationDetails")]
    WorkingLocations,
    /// `employeeId`
    #[strum(serialize = "employeeId")]
    EmployeeIds,
    /// `failingChecks`, of a poll or of the listing.
    FailingChecks,
}

impl ListField {
    /// The field's name in the published schema; the store writes it, too.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The field with this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// The list of a snapshot's field; nothing of a field that is no list.
    #[must_use]
    pub const fn of(field: UserField) -> Option<Self> {
        Some(match field {
            UserField::IpAddresses => Self::IpAddresses,
            UserField::UnusedApplications => Self::UnusedApplications,
            UserField::UsedApplications => Self::UsedApplications,
            UserField::UsedFactors => Self::UsedFactors,
            UserField::WorkingLocations => Self::WorkingLocations,
            UserField::EmployeeIds => Self::EmployeeIds,
            _ => return None,
        })
    }

    /// The snapshot's field that holds the list.
    #[must_use]
    pub const fn user_field(self) -> Option<UserField> {
        Some(match self {
            Self::IpAddresses => UserField::IpAddresses,
            Self::UnusedApplications => UserField::UnusedApplications,
            Self::UsedApplications => UserField::UsedApplications,
            Self::UsedFactors => UserField::UsedFactors,
            Self::WorkingLocations => UserField::WorkingLocations,
            Self::EmployeeIds => UserField::EmployeeIds,
            Self::FailingChecks => return None,
        })
    }
}

/// The operator's choice, `api.null_lists`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NullLists {
    /// What others were given decides.
    #[default]
    Auto,
    /// Null is never told.
    Untold,
    /// Null is always none.
    Empty,
}

/// What the service gave for a field so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FieldMemory {
    /// When anybody was last given a list, empty or not.
    pub last_list_at: Option<Timestamp>,
    /// Whether an empty list was ever given.
    pub gave_empty: bool,
}

/// What a null means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum NullMeaning {
    /// There is none.
    Empty,
    /// Not told to this user, while others are told.
    Untold,
    /// Not told to anybody.
    UntoldForAll,
}

impl NullMeaning {
    /// The meaning as the store writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The meaning of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Decides what a null means that a user was given since `null_since` without a
/// break.
#[must_use]
pub fn judge(
    choice: NullLists,
    memory: &FieldMemory,
    null_since: Timestamp,
    now: Timestamp,
) -> NullMeaning {
    if choice == NullLists::Empty {
        return NullMeaning::Empty;
    }
    let is_given = memory.last_list_at.is_some_and(|at| now - at < MEMORY);
    if !is_given {
        return NullMeaning::UntoldForAll;
    }
    // Who gives `[]` for none has no need of null for it.
    let may_be_empty = choice == NullLists::Auto && !memory.gave_empty;
    if may_be_empty && now - null_since >= MEMORY {
        NullMeaning::Empty
    } else {
        NullMeaning::Untold
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    fn memory(last_list: Option<i64>, gave_empty: bool) -> FieldMemory {
        FieldMemory { last_list_at: last_list.map(at), gave_empty }
    }

    #[test]
    fn what_others_were_given_decides() {
        use NullLists::{Auto, Empty, Untold};
        let all = NullMeaning::UntoldForAll;
        for (choice, last_list, gave_empty, null_since, now, expected) in [
            // Nobody was ever given a list, or not in the last 24 hours.
            (Auto, None, false, 0, 100, all),
            (Auto, Some(0), false, 0, 24, all),
            (Auto, Some(0), true, 0, 24, all),
            // Others are given lists: a day of grace, then none.
            (Auto, Some(100), false, 100, 100, NullMeaning::Untold),
            (Auto, Some(100), false, 77, 100, NullMeaning::Untold),
            (Auto, Some(100), false, 76, 100, NullMeaning::Empty),
            (Auto, Some(80), false, 0, 100, NullMeaning::Empty),
            // The service says [] for none, so null is something else.
            (Auto, Some(100), true, 0, 100, NullMeaning::Untold),
            // The operator knows better.
            (Untold, Some(100), false, 0, 100, NullMeaning::Untold),
            (Untold, None, false, 0, 100, all),
            (Empty, None, true, 100, 100, NullMeaning::Empty),
            (Empty, Some(100), false, 100, 100, NullMeaning::Empty),
        ] {
            let found = judge(choice, &memory(last_list, gave_empty), at(null_since), at(now));
            assert_eq!(
                found, expected,
                "{choice:?} list at {last_list:?}, [] {gave_empty}, null {null_since}, now {now}"
            );
        }
    }

    #[test]
    fn names_are_those_of_the_schema_and_come_back() {
        for &field in ListField::VARIANTS {
            assert_eq!(ListField::parse(field.as_str()), Some(field));
            let back = field.user_field().and_then(ListField::of);
            assert_eq!(back, Some(field).filter(|field| *field != ListField::FailingChecks));
        }
    }

    proptest! {
        /// Null is none only to who waited a day, and while others are given
        /// lists; never once `[]` was given, and never against the operator.
        #[test]
        fn null_is_never_none_too_early(
            last_list in proptest::option::of(0_i64..200),
            gave_empty in any::<bool>(),
            null_since in 0_i64..200,
            after in 0_i64..200,
        ) {
            let now = at(null_since + after);
            let memory = memory(last_list, gave_empty);
            let found = judge(NullLists::Auto, &memory, at(null_since), now);
            if found == NullMeaning::Empty {
                prop_assert!(!gave_empty && after >= 24);
                prop_assert!(memory.last_list_at.is_some_and(|at| now - at < MEMORY));
            }
            let kept = judge(NullLists::Untold, &memory, at(null_since), now);
            prop_assert_ne!(kept, NullMeaning::Empty);
        }
    }
}
