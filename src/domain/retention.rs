//! How long rows are kept.

/// A value for each kind of row that expires: how long it is kept, or the moment before which it is
/// too old. None means for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention<T> {
    /// Events.
    pub events: Option<T>,
    /// Webhook deliveries and their bodies, including refused ones.
    pub deliveries: Option<T>,
    /// Failures that ended.
    pub failures: Option<T>,
    /// Snapshots and polls of subjects that are no longer watched, and past attributes of
    /// snapshots.
    pub snapshots: Option<T>,
}

impl<T> Retention<T> {
    /// The same value for every kind.
    #[must_use]
    pub fn uniform(of_all: Option<T>) -> Self
    where
        T: Copy,
    {
        Self { events: of_all, deliveries: of_all, failures: of_all, snapshots: of_all }
    }

    /// Converts each value.
    #[must_use]
    pub fn map<U>(self, form: impl Fn(T) -> U) -> Retention<U> {
        Retention {
            events: self.events.map(&form),
            deliveries: self.deliveries.map(&form),
            failures: self.failures.map(&form),
            snapshots: self.snapshots.map(&form),
        }
    }
}
