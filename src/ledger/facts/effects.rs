//! The effects of changes other than rows of tables, and how they are undone.

use crate::{
    domain::Event,
    ledger::{Closed, Command, Counts, DeliveryRow, EventHour, Head, Repeat, Subject, TitleChange},
};

/// The effects of changes other than rows of tables.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) head: Head,
    pub(super) counts: Counts,
    pub(super) deliveries: Vec<DeliveryRow>,
    pub(super) repeats: Vec<Repeat>,
    pub(super) titles: Vec<TitleChange>,
    pub(super) closed: Vec<Closed>,
    pub(super) events: Vec<Event>,
    pub(super) hours: Vec<EventHour>,
    pub(super) commands: Vec<Command>,
    pub(super) subjects: Vec<Subject>,
    /// Whether checks changed in a way that concerns every user who fails them.
    pub(super) is_anew: bool,
}

/// The state of [`Effects`] when a change began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark {
    head: Head,
    counts: Counts,
    lengths: [usize; 8],
    is_anew: bool,
}

impl Effects {
    /// Gives an event its number, and begins a new run when it was observed in another hour than
    /// the event before.
    pub(super) fn count(&mut self, event: &Event) {
        let head = &mut self.head;
        head.event += 1;
        head.public_events += i64::from(event.name.is_public());
        let hour = EventHour::hour_at(event.observed_at);
        if head.event_hour != hour || head.event == 1 {
            head.event_hour = hour;
            self.hours.push(EventHour { first: head.event, hour });
        }
    }

    pub(super) fn mark(&self) -> Mark {
        let Self { deliveries, repeats, titles, closed, events, hours, commands, subjects, .. } =
            self;
        let lengths = [
            deliveries.len(),
            repeats.len(),
            titles.len(),
            closed.len(),
            events.len(),
            hours.len(),
            commands.len(),
            subjects.len(),
        ];
        Mark { head: self.head, counts: self.counts, lengths, is_anew: self.is_anew }
    }

    pub(super) fn undo_to(&mut self, mark: Mark) {
        self.head = mark.head;
        self.counts = mark.counts;
        self.is_anew = mark.is_anew;
        let [deliveries, repeats, titles, closed, events, hours, commands, subjects] = mark.lengths;
        self.deliveries.truncate(deliveries);
        self.repeats.truncate(repeats);
        self.titles.truncate(titles);
        self.closed.truncate(closed);
        self.events.truncate(events);
        self.hours.truncate(hours);
        self.commands.truncate(commands);
        self.subjects.truncate(subjects);
    }
}
