//! What is known to a group of changes, and what they make of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Answered, Check, CheckNumber, Closed, Command, Counts, Diff, Envelope, Failure, Fault,
    GapEvents, Head, IpSnapshot, Job, KeptDelivery, ListingBegun, ListingDone, Member, NullList,
    OtlpState, PersonChange, Poll, Reason, Reasons, RefusedRow, Repeat, ServiceState, Subject,
    Table, TitleChange, Touched, UserSnapshot,
};
use crate::domain::{
    CheckDefinition, CheckId, Event, IpAddress, ListField, Login, Timestamp, WatchSource,
    WatchSubject, WebhookTarget, failure, null_list::FieldMemory,
};

/// The rows that a group of changes asked for, and what became of them.
///
/// Public fields are tables of rows that stand for themselves; what concerns
/// several at once has a method here, so that totals cannot be forgotten.
#[derive(Debug)]
pub struct Facts {
    /// Envelopes by id.
    pub envelopes: Table<String, Envelope>,
    /// Refused deliveries by number.
    pub refused: Table<i64, RefusedRow>,
    checks: Table<CheckId, Check>,
    /// The ids of the checks that are known.
    ids: BTreeMap<CheckNumber, CheckId>,
    titles: Table<String, BTreeSet<CheckId>>,
    failures: Table<(Login, CheckNumber), Failure>,
    /// Whose open failures are all known.
    complete: BTreeSet<Login>,
    /// How far answers about users have got.
    pub answered: Table<Login, Answered>,
    /// Whether the last complete listing told the failing checks of its users.
    pub told_members: Table<Login, bool>,
    /// Snapshots of users.
    pub users: Table<Login, UserSnapshot>,
    /// Snapshots of addresses.
    pub ips: Table<IpAddress, IpSnapshot>,
    watched: Table<WatchSubject, Reasons>,
    /// How asking about subjects ended.
    pub polls: Table<WatchSubject, Poll>,
    /// How jobs ended.
    pub jobs: Table<&'static str, Job>,
    /// Lists that are null for users.
    pub nulls: Table<(Login, ListField), NullList>,
    /// What the service gave for each list.
    pub list_memory: Table<ListField, FieldMemory>,
    /// The listing that is under way; the key is always `()`.
    pub listing: Table<(), ListingBegun>,
    /// The last complete one.
    pub listing_done: Table<(), ListingDone>,
    /// Users of the listing under way.
    pub members: Table<Login, Member>,
    /// The users of a [slice](super::keys::Slice), in order.
    pub slice: Vec<Login>,
    /// The service itself.
    pub service: Table<(), ServiceState>,
    /// The delivery by OTLP.
    pub otlp: Table<(), OtlpState>,
    /// How many events are parked.
    pub parked: u64,
    /// Events of gaps since the moment that was asked for.
    pub gap_events: Option<GapEvents>,
    /// Registered webhook targets.
    pub targets: Table<String, WebhookTarget>,
    /// What is watched for a reason that was asked for, or was to expire.
    pub sought: BTreeSet<WatchSubject>,
    effects: Effects,
    mark: Mark,
}

/// What changes do apart from writing rows.
#[derive(Debug, Default)]
struct Effects {
    head: Head,
    counts: Counts,
    deliveries: Vec<KeptDelivery>,
    repeats: Vec<Repeat>,
    titles: Vec<TitleChange>,
    closed: Vec<Closed>,
    events: Vec<Event>,
    commands: Vec<Command>,
    subjects: Vec<Subject>,
    people: Vec<PersonChange>,
}

/// How far [`Effects`] had got when a change began.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    head: Head,
    counts: Counts,
    lengths: [usize; 8],
}

impl Effects {
    fn mark(&self) -> Mark {
        let Self {
            deliveries, repeats, titles, closed, events, commands, subjects, people, ..
        } = self;
        let lengths = [
            deliveries.len(),
            repeats.len(),
            titles.len(),
            closed.len(),
            events.len(),
            commands.len(),
            subjects.len(),
            people.len(),
        ];
        Mark { head: self.head, counts: self.counts, lengths }
    }

    fn cut(&mut self, mark: Mark) {
        self.head = mark.head;
        self.counts = mark.counts;
        let [deliveries, repeats, titles, closed, events, commands, subjects, people] =
            mark.lengths;
        self.deliveries.truncate(deliveries);
        self.repeats.truncate(repeats);
        self.titles.truncate(titles);
        self.closed.truncate(closed);
        self.events.truncate(events);
        self.commands.truncate(commands);
        self.subjects.truncate(subjects);
        self.people.truncate(people);
    }
}

/// Calls a method of every table: one that is forgotten would not be undone.
macro_rules! each_table {
    ($facts:ident, $method:ident) => {
        $facts.envelopes.$method();
        $facts.refused.$method();
        $facts.checks.$method();
        $facts.titles.$method();
        $facts.failures.$method();
        $facts.answered.$method();
        $facts.told_members.$method();
        $facts.users.$method();
        $facts.ips.$method();
        $facts.watched.$method();
        $facts.polls.$method();
        $facts.jobs.$method();
        $facts.nulls.$method();
        $facts.list_memory.$method();
        $facts.listing.$method();
        $facts.listing_done.$method();
        $facts.members.$method();
        $facts.service.$method();
        $facts.otlp.$method();
        $facts.targets.$method();
    };
}

impl Facts {
    /// Nothing but the numbers that were given last, and how much is watched.
    #[must_use]
    pub fn new(head: Head, counts: Counts) -> Self {
        let effects = Effects { head, counts, ..Effects::default() };
        Self {
            envelopes: Table::new("delivery"),
            refused: Table::new("delivery"),
            checks: Table::new("check"),
            ids: BTreeMap::new(),
            titles: Table::new("check_title"),
            failures: Table::new("failure"),
            complete: BTreeSet::new(),
            answered: Table::new("failure_answer"),
            told_members: Table::new("listing_member"),
            users: Table::new("user_snapshot"),
            ips: Table::new("ip_snapshot"),
            watched: Table::new("watch"),
            polls: Table::new("poll"),
            jobs: Table::new("job_state"),
            nulls: Table::new("list_null"),
            list_memory: Table::new("list_memory"),
            listing: Table::new("listing"),
            listing_done: Table::new("listing"),
            members: Table::new("listing_member"),
            slice: Vec::new(),
            service: Table::new("service"),
            otlp: Table::new("otlp"),
            parked: 0,
            gap_events: None,
            targets: Table::new("webhook_target"),
            sought: BTreeSet::new(),
            mark: effects.mark(),
            effects,
        }
    }

    /// Keeps everything done so far when the next change is undone.
    pub fn checkpoint(&mut self) {
        each_table!(self, checkpoint);
        self.mark = self.effects.mark();
    }

    /// Undoes what was done since the last checkpoint.
    pub fn roll_back(&mut self) {
        each_table!(self, roll_back);
        self.effects.cut(self.mark);
    }

    /// What is to be saved.
    #[must_use]
    pub fn diff(&self) -> Diff<'_> {
        Diff {
            head: self.effects.head,
            counts: self.effects.counts,
            deliveries: &self.effects.deliveries,
            repeats: &self.effects.repeats,
            refused: self.refused.differences().collect(),
            checks: self.checks.differences().collect(),
            titles: &self.effects.titles,
            failures: self.failures.differences().collect(),
            closed: &self.effects.closed,
            answered: self.answered.differences().collect(),
            users: self.users.differences().collect(),
            ips: self.ips.differences().collect(),
            watched: self.watched.differences().collect(),
            polls: self.polls.differences().collect(),
            jobs: self.jobs.differences().collect(),
            nulls: self.nulls.differences().collect(),
            list_memory: self.list_memory.differences().collect(),
            listing: self.listing.differences().collect(),
            listing_done: self.listing_done.differences().collect(),
            members: self.members.differences().collect(),
            service: self.service.differences().collect(),
            otlp: self.otlp.differences().collect(),
            targets: self.targets.differences().collect(),
            events: &self.effects.events,
            commands: &self.effects.commands,
        }
    }

    /// What was touched, for whoever shows it.
    #[must_use]
    pub fn touched(&mut self) -> Touched {
        Touched {
            subjects: std::mem::take(&mut self.effects.subjects).into_iter().collect(),
            people: std::mem::take(&mut self.effects.people),
        }
    }

    /// The numbers that were given last.
    #[must_use]
    pub fn head(&self) -> Head {
        self.effects.head
    }

    /// Notes that something is to be shown anew.
    pub fn touch(&mut self, subject: Subject) {
        // A delivery speaks of one check thousands of times.
        if self.effects.subjects.last() != Some(&subject) {
            self.effects.subjects.push(subject);
        }
    }

    /// Appends an event to the log.
    pub fn append(&mut self, event: Event) {
        let head = &mut self.effects.head;
        head.event += 1;
        head.public_events += i64::from(event.name.is_public());
        self.effects.events.push(event);
    }

    /// Has something done about rows that no change knows one by one.
    pub fn command(&mut self, command: Command) {
        self.effects.commands.push(command);
    }
}

/// Deliveries.
impl Facts {
    /// The number of the next delivery.
    pub fn next_delivery(&mut self) -> i64 {
        self.effects.head.delivery += 1;
        self.effects.head.delivery
    }

    /// Keeps a delivery under its number.
    pub fn keep_delivery(&mut self, delivery: KeptDelivery) {
        if let (Some(id), 200) = (&delivery.id, delivery.status) {
            let is_filtered = delivery.outcome == "filtered";
            let envelope = Envelope { number: delivery.number, is_filtered };
            self.envelopes.put(id.clone(), envelope);
        }
        self.effects.deliveries.push(delivery);
        self.touch(Subject::Webhook);
    }

    /// Notes that a delivery came again.
    pub fn repeat_delivery(&mut self, number: i64, at: Timestamp) {
        self.effects.repeats.push(Repeat { number, at });
    }
}

/// Checks.
impl Facts {
    /// Puts in what a store found for a check.
    pub fn load_check(&mut self, id: CheckId, check: Option<Check>) {
        if let Some(check) = &check {
            self.ids.entry(check.number).or_insert_with(|| id.clone());
        }
        self.checks.load(id, check);
    }

    /// Notes that a check cannot be understood.
    pub fn load_unreadable_check(&mut self, id: CheckId, reason: &str) {
        self.checks.load_unreadable(id, reason);
    }

    /// Puts in which checks have a folded title.
    pub fn load_title(&mut self, folded: String, checks: BTreeSet<CheckId>) {
        self.titles.load(folded, Some(checks));
    }

    /// A check.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn check(&self, id: &CheckId) -> Result<Option<&Check>, Fault> {
        self.checks.get(id)
    }

    /// The id of a check that was loaded, or made.
    #[must_use]
    pub fn check_id(&self, number: CheckNumber) -> Option<CheckId> {
        self.ids.get(&number).cloned()
    }

    /// The checks that a text in an answer can mean, whether by id or by title.
    ///
    /// # Errors
    /// When a row cannot be understood, or was not asked for.
    pub fn checks_named(&self, text: &str) -> Result<BTreeSet<CheckId>, Fault> {
        let titled = self.titles.get(&failure::fold_title(text))?;
        Ok(CheckId::new(text).into_iter().chain(titled.into_iter().flatten().cloned()).collect())
    }

    /// Gives a check these words, and notes that something of it was learnt.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn define_check(
        &mut self,
        id: &CheckId,
        definition: &Arc<CheckDefinition>,
        at: Timestamp,
    ) -> Result<CheckNumber, Fault> {
        let known = self.checks.get(id)?.cloned();
        let title_before = known.as_ref().map(|check| failure::fold_title(&check.definition.title));
        let mut check = known.unwrap_or_else(|| {
            self.effects.head.check += 1;
            Check {
                number: self.effects.head.check,
                definition: definition.clone(),
                version: 1,
                last_event_at: at,
                open: 0,
                totals: BTreeMap::new(),
            }
        });
        if has_other_words(&check.definition, definition) {
            check.version += 1;
        }
        check.definition = definition.clone();
        check.last_event_at = at;
        let number = check.number;
        self.checks.put(id.clone(), check);
        self.ids.insert(number, id.clone());
        let title = failure::fold_title(&definition.title);
        if title_before.as_ref() != Some(&title) {
            self.retitle(id, number, title_before, title, at)?;
        }
        self.touch(Subject::Check(id.clone()));
        Ok(number)
    }

    /// Later changes of the group find the check by its new title, and not by its
    /// old one.
    fn retitle(
        &mut self,
        id: &CheckId,
        number: CheckNumber,
        before: Option<String>,
        folded: String,
        since: Timestamp,
    ) -> Result<(), Fault> {
        if let Some(before) = before.filter(|before| self.titles.is_loaded(before)) {
            let mut checks = self.titles.get(&before)?.cloned().unwrap_or_default();
            checks.remove(id);
            self.titles.put(before, checks);
        }
        if self.titles.is_loaded(&folded) {
            let mut checks = self.titles.get(&folded)?.cloned().unwrap_or_default();
            checks.insert(id.clone());
            self.titles.put(folded.clone(), checks);
        }
        self.effects.titles.push(TitleChange { number, folded, since });
        Ok(())
    }

    fn change_check(&mut self, id: &CheckId, change: impl FnOnce(&mut Check)) -> Result<(), Fault> {
        self.checks.update(id, change)?;
        self.touch(Subject::Check(id.clone()));
        Ok(())
    }
}

/// Failures.
impl Facts {
    /// Puts in what a store found for a failure.
    pub fn load_failure(&mut self, login: Login, check: CheckNumber, failure: Option<Failure>) {
        self.failures.load((login, check), failure);
    }

    /// Notes that an open failure cannot be understood.
    pub fn load_unreadable_failure(&mut self, login: Login, check: CheckNumber, reason: &str) {
        self.failures.load_unreadable((login, check), reason);
    }

    /// Notes that all open failures of a user were loaded.
    pub fn load_complete(&mut self, login: Login) {
        self.complete.insert(login);
    }

    /// An open failure of a user whose failures were asked for.
    ///
    /// # Errors
    /// When it cannot be understood, or the user was not asked for.
    pub fn failure(&self, login: &Login, check: CheckNumber) -> Result<Option<&Failure>, Fault> {
        self.asked_for(login)?;
        let key = (login.clone(), check);
        // All of the user's are loaded: what is absent is not there.
        if self.failures.is_loaded(&key) { self.failures.get(&key) } else { Ok(None) }
    }

    /// All open failures of a user whose failures were asked for.
    ///
    /// # Errors
    /// When one cannot be understood, or the user was not asked for.
    pub fn failures_of(&self, login: &Login) -> Result<Vec<(CheckNumber, &Failure)>, Fault> {
        self.asked_for(login)?;
        let of_login = (login.clone(), CheckNumber::MIN)..=(login.clone(), CheckNumber::MAX);
        self.failures
            .range(of_login)
            .map(|row| row.map(|((_, check), failure)| (*check, failure)))
            .collect()
    }

    fn asked_for(&self, login: &Login) -> Result<(), Fault> {
        if self.complete.contains(login) {
            return Ok(());
        }
        debug_assert!(false, "the failures of {login:?} were not asked for");
        Err(Fault::NotAsked { table: "failure" })
    }

    /// Opens a failure of a check that is defined.
    ///
    /// # Errors
    /// When the check's row cannot be understood, or was not asked for.
    pub fn open_failure(
        &mut self,
        id: &CheckId,
        login: &Login,
        failure: Failure,
    ) -> Result<(), Fault> {
        let Some(number) = self.check(id)?.map(|check| check.number) else { return Ok(()) };
        let counted = u64::from(failure.is_announced);
        let is_first = self.failures_of(login)?.is_empty();
        self.effects.counts.failing_people += u64::from(is_first);
        self.failures.put((login.clone(), number), failure);
        self.change_check(id, |check| {
            check.open += 1;
            let severity = check.definition.severity.label();
            check.totals.entry(severity).or_default().failures += counted;
        })?;
        self.effects.people.push(PersonChange {
            login: login.clone(),
            check: id.clone(),
            is_open: true,
        });
        Ok(())
    }

    /// Notes that the service said once more that a failure is open.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn confirm_failure(
        &mut self,
        id: &CheckId,
        login: &Login,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let Some(number) = self.check(id)?.map(|check| check.number) else { return Ok(()) };
        let Some(mut failure) = self.failure(login, number)?.cloned() else { return Ok(()) };
        failure.reported_at = failure.reported_at.max(at);
        failure.opened_at = failure.opened_at.min(at);
        self.failures.put((login.clone(), number), failure);
        Ok(())
    }

    /// Ends a failure.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn close_failure(
        &mut self,
        id: &CheckId,
        login: &Login,
        closed_at: Timestamp,
        reason: &'static str,
    ) -> Result<(), Fault> {
        let Some(number) = self.check(id)?.map(|check| check.number) else { return Ok(()) };
        let Some(failure) = self.failure(login, number)?.cloned() else { return Ok(()) };
        self.failures.remove(&(login.clone(), number));
        if self.failures_of(login)?.is_empty() {
            let people = &mut self.effects.counts.failing_people;
            *people = people.saturating_sub(1);
        }
        self.change_check(id, |check| {
            check.open = check.open.saturating_sub(1);
            check.last_event_at = closed_at;
            let severity = check.definition.severity.label();
            check.totals.entry(severity).or_default().resolutions += 1;
        })?;
        let login = login.clone();
        self.effects.people.push(PersonChange {
            login: login.clone(),
            check: id.clone(),
            is_open: false,
        });
        self.effects.closed.push(Closed { check: number, login, failure, closed_at, reason });
        Ok(())
    }

    /// When the newest word on a user's failing checks was asked for: that of an
    /// answer, or that of the last complete listing.
    ///
    /// # Errors
    /// When a row cannot be understood, or was not asked for.
    pub fn newest_word(&self, login: &Login) -> Result<Option<Timestamp>, Fault> {
        let answered = self.answered.get(login)?.map(|answered| answered.as_of);
        Ok(answered.max(self.listed_as_of(login)?))
    }

    /// When the last complete listing began, if it told of this user's failing
    /// checks: whoever it does not name failed none then, unless it has rows that
    /// could not be read.
    ///
    /// # Errors
    /// When a row cannot be understood, or was not asked for.
    pub fn listed_as_of(&self, login: &Login) -> Result<Option<Timestamp>, Fault> {
        let Some(done) = self.listing_done.get(&())?.filter(|done| done.is_verdict) else {
            return Ok(None);
        };
        let is_told = self.told_members.get(login)?.copied().unwrap_or(done.skipped == 0);
        Ok(is_told.then_some(done.begun_at))
    }
}

/// The listing of the tenant.
impl Facts {
    /// The number of the next listing. Members carry it, and those of a listing that
    /// was given up may still be there.
    pub fn next_listing(&mut self) -> i64 {
        self.effects.head.listing += 1;
        self.effects.head.listing
    }
}

/// The watch list.
impl Facts {
    /// Puts in what a store found for a subject.
    pub fn load_watched(&mut self, subject: WatchSubject, reasons: Option<Reasons>) {
        self.watched.load(subject, reasons);
    }

    /// Notes that why a subject is watched cannot be understood.
    pub fn load_unreadable_watched(&mut self, subject: WatchSubject, reason: &str) {
        self.watched.load_unreadable(subject, reason);
    }

    /// Why a subject is watched; nothing when it is not.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn reasons(&self, subject: &WatchSubject) -> Result<Option<&Reasons>, Fault> {
        self.watched.get(subject)
    }

    /// How many users are watched.
    #[must_use]
    pub fn watched_users(&self) -> usize {
        usize::try_from(self.effects.counts.users).unwrap_or(usize::MAX)
    }

    /// Adds a reason to watch, unless it is there; tells whether the subject was not
    /// watched before.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn add_reason(
        &mut self,
        subject: &WatchSubject,
        source: WatchSource,
        at: Timestamp,
    ) -> Result<bool, Fault> {
        let mut reasons = self.watched.get(subject)?.cloned().unwrap_or_default();
        let is_new = reasons.is_empty();
        if reasons.contains_key(&source) {
            return Ok(false);
        }
        reasons.insert(source, Reason { added_at: at, expires_at: None, note: None });
        self.watched.put(subject.clone(), reasons);
        if is_new {
            self.count_watched(subject, 1);
            self.append(Event::watch_changed(subject, true, at));
        }
        Ok(is_new)
    }

    /// Says anew why and until when a command has a subject watched.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn note_reason(
        &mut self,
        subject: &WatchSubject,
        source: WatchSource,
        note: Option<String>,
        expires_at: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let Some(mut reasons) = self.watched.get(subject)?.cloned() else { return Ok(()) };
        if let Some(reason) = reasons.get_mut(&source) {
            *reason = Reason { added_at: reason.added_at, expires_at, note };
            self.watched.put(subject.clone(), reasons);
        }
        Ok(())
    }

    /// Takes a reason away; tells whether it was there and none is left.
    ///
    /// # Errors
    /// When it cannot be understood, or was not asked for.
    pub fn remove_reason(
        &mut self,
        subject: &WatchSubject,
        source: WatchSource,
        at: Timestamp,
    ) -> Result<bool, Fault> {
        let Some(mut reasons) = self.watched.get(subject)?.cloned() else { return Ok(false) };
        if reasons.remove(&source).is_none() {
            return Ok(false);
        }
        if !reasons.is_empty() {
            self.watched.put(subject.clone(), reasons);
            return Ok(false);
        }
        self.watched.remove(subject);
        self.count_watched(subject, -1);
        self.append(Event::watch_changed(subject, false, at));
        Ok(true)
    }

    fn count_watched(&mut self, subject: &WatchSubject, by: i64) {
        let counts = &mut self.effects.counts;
        let total = match subject {
            WatchSubject::User(_) => &mut counts.users,
            WatchSubject::Ip(_) => &mut counts.ips,
        };
        *total = total.saturating_add_signed(by);
        self.touch(Subject::Watched);
        self.touch(match subject {
            WatchSubject::User(login) => Subject::User(login.clone()),
            WatchSubject::Ip(ip) => Subject::Ip(*ip),
        });
    }
}

/// Whether description or advice differ, which are kept once for each version.
fn has_other_words(before: &CheckDefinition, now: &CheckDefinition) -> bool {
    before.description != now.description || before.recommended_actions != now.recommended_actions
}
