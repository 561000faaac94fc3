//! For how long what happened is kept.

/// Something for each kind of row that gets old: for how long it is kept, or since when it is
/// too old. Nothing: it is kept for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention<T> {
    /// Events.
    pub events: Option<T>,
    /// Webhook deliveries and their bodies, those that were refused among them.
    pub deliveries: Option<T>,
    /// Failures that ended.
    pub failures: Option<T>,
    /// Snapshots and polls of what is watched no longer, and what went from a snapshot.
    pub snapshots: Option<T>,
}

impl<T> Retention<T> {
    /// The same for every kind.
    #[must_use]
    pub fn uniform(of_all: Option<T>) -> Self
    where
        T: Copy,
    {
        Self { events: of_all, deliveries: of_all, failures: of_all, snapshots: of_all }
    }

    /// Each in another form.
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
