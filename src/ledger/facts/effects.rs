//! What changes do apart from writing rows, and how it is undone.

use crate::{
    domain::Event,
    ledger::{Closed, Command, Counts, DeliveryRow, Head, Repeat, Subject, TitleChange},
};

/// What changes do apart from writing rows.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) head: Head,
    pub(super) counts: Counts,
    pub(super) deliveries: Vec<DeliveryRow>,
    pub(super) repeats: Vec<Repeat>,
    pub(super) titles: Vec<TitleChange>,
    pub(super) closed: Vec<Closed>,
    pub(super) events: Vec<Event>,
    pub(super) commands: Vec<Command>,
    pub(super) subjects: Vec<Subject>,
    /// Whether checks changed in a way that concerns everybody who fails them.
    pub(super) is_anew: bool,
}

/// How far [`Effects`] had got when a change began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark {
    head: Head,
    counts: Counts,
    lengths: [usize; 7],
    is_anew: bool,
}

impl Effects {
    pub(super) fn mark(&self) -> Mark {
        let Self { deliveries, repeats, titles, closed, events, commands, subjects, .. } = self;
        let lengths = [
            deliveries.len(),
            repeats.len(),
            titles.len(),
            closed.len(),
            events.len(),
            commands.len(),
            subjects.len(),
        ];
        Mark { head: self.head, counts: self.counts, lengths, is_anew: self.is_anew }
    }

    pub(super) fn cut(&mut self, mark: Mark) {
        self.head = mark.head;
        self.counts = mark.counts;
        self.is_anew = mark.is_anew;
        let [deliveries, repeats, titles, closed, events, commands, subjects] = mark.lengths;
        self.deliveries.truncate(deliveries);
        self.repeats.truncate(repeats);
        self.titles.truncate(titles);
        self.closed.truncate(closed);
        self.events.truncate(events);
        self.commands.truncate(commands);
        self.subjects.truncate(subjects);
    }
}
