//! What an answer says of a list.

/// A list as an answer gives it.
///
/// For AWS `AppSync`, null of a list can mean that there is none or that nobody
/// looked: no public text settles which. So null is kept apart from both, and
/// who knows what other answers said decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told<T> {
    /// The service gave the list, which may be empty.
    Told(T),
    /// The service gave null, without an error on the path.
    Null,
    /// The field is missing, or an error stands on its path.
    Untold,
}
