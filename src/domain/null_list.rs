//! The meaning of a list that is null without an error.
//!
//! AWS `AppSync` resolvers commonly return null for an absent attribute, so null can mean an empty
//! list as well as an unknown one. The lists that the service gives for other users, and gave
//! before, decide which.

use chrono::TimeDelta;
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{Timestamp, UserField};

/// How long a list given for any user proves that the field works, and how long a user's null stays
/// unknown before it means an empty list.
const MEMORY: TimeDelta = TimeDelta::hours(24);

/// A list that the service can return as null.
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

    /// The list in a field of a snapshot; none for a field that is not a list.
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

/// The operator's choice of what null means, `api.null_lists`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NullLists {
    /// The lists of other users decide.
    #[default]
    Auto,
    /// Null means unknown.
    Untold,
    /// Null means an empty list.
    Empty,
}

/// Which lists the service gave for a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FieldMemory {
    /// When a list was last given for any user, empty or not.
    pub last_list_at: Option<Timestamp>,
    /// Whether an empty list was ever given.
    pub gave_empty: bool,
}

/// The meaning of a null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum NullMeaning {
    /// The list is empty.
    Empty,
    /// Unknown for this user, while other users have lists.
    Untold,
    /// Unknown for every user.
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

/// Decides what a null means that a user has had since `null_since` without interruption.
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
    // A service that returns `[]` for an empty list does not use null for it.
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
            // No user has a list, or none had one in the last 24 hours.
            (Auto, None, false, 0, 100, all),
            (Auto, Some(0), false, 0, 24, all),
            (Auto, Some(0), true, 0, 24, all),
            // Other users have lists: unknown for a day, then empty.
            (Auto, Some(100), false, 100, 100, NullMeaning::Untold),
            (Auto, Some(100), false, 77, 100, NullMeaning::Untold),
            (Auto, Some(100), false, 76, 100, NullMeaning::Empty),
            (Auto, Some(80), false, 0, 100, NullMeaning::Empty),
            // The service returns [] for an empty list, so null means something else.
            (Auto, Some(100), true, 0, 100, NullMeaning::Untold),
            // The operator's choice wins.
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
        /// Null means an empty list only after a day and while other users have lists, never after
        /// `[]` was given, and never against the operator's choice.
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
