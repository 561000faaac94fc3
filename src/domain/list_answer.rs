//! A list in an answer, which can be null or missing.

/// A list in an answer.
///
/// In AWS `AppSync`, a null list can mean that there are no items or that the field was not
/// resolved; no public document says which. Null is therefore a case of its own, and
/// [`null_list::judge`](super::null_list::judge) decides from other answers what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListAnswer<T> {
    /// The service gave the list, which may be empty.
    Given(T),
    /// The service gave null, without an error on the path.
    Null,
    /// The field is missing, or there is an error on its path.
    Missing,
}
