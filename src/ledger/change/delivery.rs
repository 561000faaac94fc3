//! A webhook delivery, with all that it changes.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::refusal;
use crate::{
    domain::{
        CheckId, Delivery, DeliveryKind, Login, OtherTenant, ReportedCheck, Timestamp, Unchanged,
        WatchPolicy, WatchSource, WatchStanding, WatchSubject,
        failure::{self, CheckName},
        fold_title, follow_deadline,
    },
    ledger::{
        Body, Change, DeliveryRow, Facts, Failure, Fault, Keys, Member, Report, Subject, WholeTable,
    },
};

/// A delivery to record.
#[derive(Debug, Clone)]
pub struct RecordDelivery {
    /// What it says.
    pub delivery: Delivery,
    /// Its body as received, unpacked, in the form in which it is kept.
    pub body: Body,
    /// Whether the operator admits its check.
    pub admitted: bool,
    /// Whether the users it names are watched from now on.
    pub policy: WatchPolicy,
    /// How far it counts beside answers of the API.
    pub answers: AnswerRules,
    /// When it is recorded: later than it came, when it is replayed.
    pub recorded_at: Timestamp,
    /// The number of the refused delivery that this one replays.
    pub replays: Option<i64>,
}

/// How far a delivery counts beside answers of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerRules {
    /// Whether there is an API to ask.
    pub has_api: bool,
    /// For how long after a delivery was published no answer speaks against it: the API
    /// lags behind the webhook.
    pub settle: TimeDelta,
}

/// A delivery that was recorded, or was recorded before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedDelivery {
    /// Our own number; that of the first one when it is a duplicate.
    pub number: i64,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// Why it opened no failure, when it opened none.
    pub unchanged: Option<Unchanged>,
    /// That it is from another tenant than those before it, when it is. It counts.
    pub other_tenant: Option<OtherTenant>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Recorded, with this many failures opened, and this many users followed without
    /// snapshots because the limit is reached.
    Accepted {
        /// Failures opened.
        opened: usize,
        /// Users of whom no snapshots are taken because of the limit.
        past_limit: usize,
    },
    /// Seen before; nothing changed.
    Duplicate,
    /// The operator filters its check out.
    Filtered,
    /// The console's test message.
    Test,
}

impl DeliveryOutcome {
    /// The outcome's word, as the metric `cii_webhook_requests_total` has it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Duplicate => "duplicate",
            Self::Filtered => "filtered",
            Self::Test => "test",
        }
    }
}

impl Change for RecordDelivery {
    type Outcome = RecordedDelivery;

    fn keys(&self, keys: &mut Keys) {
        if self.delivery.tenant_id().is_some() {
            keys.whole.insert(WholeTable::Tenant);
        }
        keys.envelopes.insert(self.delivery.id.clone());
        if self.replays.is_some() {
            keys.whole.insert(WholeTable::Refused);
        }
        if !self.admitted || self.is_test() {
            return;
        }
        let logins = self.delivery.failing.iter().map(|user| &user.login);
        keys.watched.extend(logins.clone().cloned().map(WatchSubject::User));
        keys.failures_of.extend(logins.clone().cloned());
        keys.spellings.extend(logins.clone().cloned());
        if let Some(check) = &self.delivery.check {
            keys.checks.insert(check.id.clone());
            keys.answered.extend(logins.cloned());
            keys.whole.insert(WholeTable::Listing);
            keys.add_title(&check.definition.title);
        }
    }

    fn further_keys(&self, facts: &Facts, keys: &mut Keys) -> Result<(), Fault> {
        match &self.delivery.check {
            Some(check) if self.admitted && !self.is_test() => {
                facts.keys_to_identify(&check.id, &check.definition.title, keys)
            }
            _ => Ok(()),
        }
    }

    fn work(&self) -> usize {
        1 + self.delivery.failing.len() + self.body.work()
    }

    fn apply(&self, facts: &mut Facts) -> Result<RecordedDelivery, Fault> {
        let other_tenant = self.record_tenant(facts)?;
        let recorded = match facts.envelopes.get(&self.delivery.id)?.copied() {
            // One that was filtered out counts once its check is wanted.
            Some(seen) if seen.is_filtered && self.admitted => {
                self.record(facts, seen.number, true)?
            }
            Some(seen) => {
                facts.repeat_delivery(seen.number, self.recorded_at);
                RecordedDelivery {
                    number: seen.number,
                    outcome: DeliveryOutcome::Duplicate,
                    unchanged: Some(Unchanged::Duplicate(seen.number)),
                    other_tenant: None,
                }
            }
            None => {
                let number = facts.next_delivery();
                self.record(facts, number, false)?
            }
        };
        if let Some(refused) = self.replays {
            refusal::mark_replayed(facts, refused, recorded.number)?;
        }
        Ok(RecordedDelivery { other_tenant, ..recorded })
    }
}

impl RecordDelivery {
    fn is_test(&self) -> bool {
        self.delivery.kind == DeliveryKind::Test
    }

    /// Keeps which tenant deliveries are from, once one tells it; that this one is from
    /// another, when it is.
    fn record_tenant(&self, facts: &mut Facts) -> Result<Option<OtherTenant>, Fault> {
        let Some(told) = self.delivery.tenant_id() else { return Ok(None) };
        let Some(&known) = facts.tenant.get(&())? else {
            facts.tenant.put((), told);
            facts.touch(Subject::Tenant);
            return Ok(None);
        };
        Ok((known != told).then_some(OtherTenant { known, other: told }))
    }

    /// Keeps the delivery under a number, and applies what it changes.
    fn record(
        &self,
        facts: &mut Facts,
        number: i64,
        is_again: bool,
    ) -> Result<RecordedDelivery, Fault> {
        if !self.admitted {
            let unchanged = Some(Unchanged::Filtered);
            let kept = self.build_row(number, "filtered", unchanged);
            facts.keep_delivery(kept);
            facts.append(failure::delivery_filtered(&self.delivery, self.recorded_at));
            let outcome = DeliveryOutcome::Filtered;
            return Ok(RecordedDelivery { number, outcome, unchanged, other_tenant: None });
        }
        self.identify(facts)?;
        let known = self.check_context(facts)?;
        let decision = failure::on_delivery(&self.delivery, &known, self.recorded_at);
        let word = if self.is_test() { "test" } else { "accepted" };
        let opened = decision.opened.len() + decision.announced.len();
        let kept = self.build_row(number, word, decision.unchanged);
        // An event of the log names its check: the check comes first.
        if let (Some(check), Some(definition)) = (&self.delivery.check, &decision.definition) {
            let (id, definition) = (check.id.clone(), definition.clone());
            let name = CheckName { id, definition, is_provisional: false };
            facts.define_check(&name, false, self.recorded_at)?;
            let (opened_at, reported_at) = (self.delivery.happened_at(), self.reported_at());
            let failure = Failure {
                opened_at,
                reported_at,
                named_at: Some(reported_at),
                is_announced: true,
                is_dated: true,
                by_title: false,
            };
            for login in &decision.opened {
                facts.open_failure(&check.id, login, failure.clone(), self.recorded_at)?;
            }
            for login in &decision.announced {
                facts.announce_failure(&check.id, login, self.recorded_at)?;
            }
            for login in known.open.keys() {
                if let Some(check) = facts.check(&check.id)?.map(|check| check.number)
                    && facts.has_unreadable_failure(login, check)
                {
                    facts.restore_failure(login, check, failure.clone());
                }
                facts.confirm_failure(&check.id, login, Report::Named { at: reported_at })?;
                facts.date_failure(&check.id, login, reported_at)?;
            }
        }
        if !self.is_test() {
            for user in &self.delivery.failing {
                facts.record_spelling(&user.login)?;
            }
        }
        facts.append_all(decision.events);
        let outcome = if self.is_test() {
            DeliveryOutcome::Test
        } else {
            DeliveryOutcome::Accepted { opened, past_limit: self.follow_users(facts)? }
        };
        if !self.is_test() {
            self.touch_listed(facts)?;
        }
        facts.keep_delivery(DeliveryRow {
            is_again,
            new_users: opened,
            known_users: known.known_logins(),
            cleared_users: known.acquitted,
            ..kept
        });
        let unchanged = decision.unchanged;
        Ok(RecordedDelivery { number, outcome, unchanged, other_tenant: None })
    }

    fn build_row(
        &self,
        number: i64,
        outcome: &'static str,
        unchanged: Option<Unchanged>,
    ) -> DeliveryRow {
        let delivery = &self.delivery;
        let definition = delivery.check.as_ref().map(|check| &check.definition);
        DeliveryRow {
            number,
            id: Some(delivery.id.clone()),
            detail_id: delivery.detail_id.clone(),
            received_at: delivery.received_at,
            sent_at: delivery.sent_at,
            published_at: delivery.published_at,
            detail_type: Some(delivery.detail_type.clone()),
            source: delivery.source.clone(),
            account: delivery.account.clone(),
            region: delivery.region.clone(),
            check_id: delivery.check.as_ref().map(|check| check.id.to_string()),
            title: definition
                .filter(|definition| definition.told.title.is_some())
                .map(|definition| definition.title.clone()),
            severity: definition
                .and_then(|definition| definition.severity.text())
                .map(str::to_owned),
            outcome,
            status: 200,
            reason: unchanged.map(|unchanged| unchanged.to_string()),
            users: delivery.failing.len(),
            skipped_logins: delivery.skipped.count(),
            notes: delivery.notes.clone(),
            size: Some(self.body.size()),
            body: Some(self.body.clone()),
            ..DeliveryRow::default()
        }
    }

    /// Lets the delivery's check take the place of one that was known by its title alone.
    fn identify(&self, facts: &mut Facts) -> Result<(), Fault> {
        let Some(ReportedCheck { id, definition }) =
            self.delivery.check.as_ref().filter(|_| !self.is_test())
        else {
            return Ok(());
        };
        for former in facts.identify(id, &definition.title, self.recorded_at)? {
            let event = failure::check_identified(&former, id, definition, self.recorded_at);
            facts.append(event);
        }
        Ok(())
    }

    /// What is known of the check, and of the named users.
    fn check_context(&self, facts: &Facts) -> Result<failure::CheckContext, Fault> {
        let mut known = failure::CheckContext {
            has_answers: self.answers.has_api,
            ..failure::CheckContext::default()
        };
        let Some(reported) = self.delivery.check.as_ref().filter(|_| !self.is_test()) else {
            return Ok(known);
        };
        let check = facts.check(&reported.id)?;
        known.definition = check.map(|check| check.definition.clone());
        known.configured = facts.configured_checks()?;
        for user in &self.delivery.failing {
            let login = &user.login;
            // What is known of it cannot be understood, but that it is open.
            if check.is_some_and(|check| facts.has_unreadable_failure(login, check.number)) {
                known.open.insert(login.clone(), true);
                continue;
            }
            let open = match check {
                Some(check) => facts.failure(login, check.number)?,
                None => None,
            };
            if let Some(failure) = open {
                known.open.insert(login.clone(), failure.is_announced);
            } else if self.is_cleared(facts, login, reported)? {
                known.acquitted.insert(login.clone());
            }
        }
        Ok(known)
    }

    /// Whether an answer that knew of the delivery does not list its check for a user.
    fn is_cleared(
        &self,
        facts: &Facts,
        login: &Login,
        reported: &ReportedCheck,
    ) -> Result<bool, Fault> {
        // An answer from the future was dated by a clock that was ahead.
        let latest = self.recorded_at + failure::CLOCK_ERROR;
        let reported_at = self.reported_at();
        let knew = |asked_at: Timestamp| {
            reported_at < asked_at
                && reported_at + self.answers.settle <= asked_at
                && asked_at <= latest
        };
        let title = fold_title(&reported.definition.title);
        // What it lists may mean the check, as far as is known.
        let spares = |texts: &BTreeSet<String>| {
            let is_id =
                |text: &str| CheckId::from_answer_text(text).is_some_and(|id| id == reported.id);
            let means = |text: &String| is_id(text) || fold_title(text) == title;
            !texts.iter().any(means)
        };
        if let Some(answered) = facts.answered.get(login)?
            && answered.listed_at.is_some_and(knew)
        {
            let exchanged = answered.exchange.as_ref().map(|exchange| &exchange.texts);
            return Ok(spares(&answered.shared_texts) && exchanged.is_none_or(spares));
        }
        let Some(looked_at) = facts.listing_asked_at(login)?.filter(|at| knew(*at)) else {
            return Ok(false);
        };
        // Of one that is older than the listing before it, the list is no longer true.
        let is_true = |member: &&Member| member.asked_at >= looked_at;
        let Some(member) = facts.listed.get(login)? else { return Ok(false) };
        let listed = Some(member).filter(is_true).and_then(|member| member.failing.as_ref());
        Ok(listed.is_none_or(spares))
    }

    fn reported_at(&self) -> Timestamp {
        self.delivery.reported_at(self.delivery.received_at)
    }

    /// Follows the named users; returns of how many of them no snapshots are taken,
    /// because as many users are watched as may be.
    fn follow_users(&self, facts: &mut Facts) -> Result<usize, Fault> {
        if !self.policy.failing_users {
            return Ok(0);
        }
        let mut past_limit = 0;
        for user in &self.delivery.failing {
            let subject = WatchSubject::User(user.login.clone());
            if facts.add_reason(&subject, WatchSource::Webhook, self.recorded_at)? {
                past_limit += usize::from(facts.watched_users() > self.policy.max_users);
            }
            // Who was named and fails nothing is followed as if the failure had just ended.
            let is_failing = !facts.failing_checks(&user.login)?.is_empty();
            let until = (!is_failing).then(|| follow_deadline(self.recorded_at));
            facts.follow_until(&user.login, until)?;
        }
        Ok(past_limit)
    }

    /// Whoever is listed has a count of failing checks that is shown.
    fn touch_listed(&self, facts: &mut Facts) -> Result<(), Fault> {
        for user in &self.delivery.failing {
            let subject = WatchSubject::User(user.login.clone());
            if facts.standing(&subject)? == Some(WatchStanding::Listed) {
                facts.touch(Subject::User(user.login.clone()));
            }
        }
        Ok(())
    }
}
