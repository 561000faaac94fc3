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

/// Records a webhook delivery.
#[derive(Debug, Clone)]
pub struct RecordDelivery {
    /// The parsed delivery.
    pub delivery: Delivery,
    /// Its body as received, in the form in which it is stored.
    pub body: Body,
    /// Whether the operator's filter admits its check.
    pub admitted: bool,
    /// Whether the users it names become watched.
    pub policy: WatchPolicy,
    /// How it is weighed against answers of the API.
    pub answers: AnswerRules,
    /// When it is recorded: later than it was received, when a refused delivery is replayed.
    pub recorded_at: Timestamp,
    /// The number of the refused delivery that this one replays.
    pub replays: Option<i64>,
}

/// How a delivery is weighed against answers of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerRules {
    /// Whether the exporter polls an API.
    pub has_api: bool,
    /// For how long after a delivery was published no answer can contradict it: the API lags behind
    /// the webhook.
    pub settle: TimeDelta,
}

/// The result of recording a delivery; a duplicate changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedDelivery {
    /// The delivery's number; for a duplicate, the number of the first one.
    pub number: i64,
    /// How the delivery counted.
    pub outcome: DeliveryOutcome,
    /// Why it opened no failure; none when it opened one.
    pub unchanged: Option<Unchanged>,
    /// Set when it is from another tenant than the deliveries before it. It still counts.
    pub other_tenant: Option<OtherTenant>,
}

/// How a delivery counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Recorded: how many failures it opened, and how many users are watched without snapshots
    /// because the limit is reached.
    Accepted {
        /// Failures opened.
        opened: usize,
        /// Users without snapshots because of the limit.
        past_limit: usize,
    },
    /// A delivery with this id is recorded already; nothing changed.
    Duplicate,
    /// The operator's filter rejects its check.
    Filtered,
    /// The console's test message.
    Test,
}

impl DeliveryOutcome {
    /// The value of the label `result` of `cii_webhook_requests_total`.
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
            // A delivery that was filtered out is recorded again once the filter admits its check.
            Some(seen) if seen.is_filtered && self.admitted => {
                self.record(facts, seen.number, true)?
            }
            Some(seen) => {
                // A sender repeats a delivery that it got no answer for; it must count once.
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

    /// Stores the tenant id of the first delivery that has one. Returns both ids when this delivery
    /// is from another tenant.
    fn record_tenant(&self, facts: &mut Facts) -> Result<Option<OtherTenant>, Fault> {
        let Some(told) = self.delivery.tenant_id() else { return Ok(None) };
        let Some(&known) = facts.tenant.get(&())? else {
            facts.tenant.put((), told);
            facts.touch(Subject::Tenant);
            return Ok(None);
        };
        Ok((known != told).then_some(OtherTenant { known, other: told }))
    }

    /// Stores the delivery under a number, and applies what it changes.
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
        // A provisional check gets its id first: its open failures decide whether users are new.
        self.identify(facts)?;
        let known = self.check_context(facts)?;
        let decision = failure::on_delivery(&self.delivery, &known, self.recorded_at);
        let word = if self.is_test() { "test" } else { "accepted" };
        let opened = decision.opened.len() + decision.announced.len();
        let kept = self.build_row(number, word, decision.unchanged);
        // Events refer to the check's row, so the check is defined before they are appended.
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

    /// Gives the id of the delivery's check to a provisional check that was known by its title
    /// alone.
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

    /// The state of the check and of the named users, as decisions need it.
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
            // The row cannot be decoded. That it exists says that the failure is open.
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

    /// Whether a newer answer, which must have included the delivery, does not list its check for a
    /// user.
    fn is_cleared(
        &self,
        facts: &Facts,
        login: &Login,
        reported: &ReportedCheck,
    ) -> Result<bool, Fault> {
        // An answer that is dated later than this came from a clock that was ahead; it proves
        // nothing.
        let latest = self.recorded_at + failure::CLOCK_ERROR;
        let reported_at = self.reported_at();
        // The answer was requested after the delivery, late enough for the API to have caught up.
        let knew = |asked_at: Timestamp| {
            reported_at < asked_at
                && reported_at + self.answers.settle <= asked_at
                && asked_at <= latest
        };
        let title = fold_title(&reported.definition.title);
        // Whether no text can mean the check. A text whose meaning is uncertain does not clear the
        // user.
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
        // A row from a page that was asked for before the newest look is outdated: its list does
        // not count.
        let is_true = |member: &&Member| member.asked_at >= looked_at;
        let Some(member) = facts.listed.get(login)? else { return Ok(false) };
        let listed = Some(member).filter(is_true).and_then(|member| member.failing.as_ref());
        Ok(listed.is_none_or(spares))
    }

    fn reported_at(&self) -> Timestamp {
        self.delivery.reported_at(self.delivery.received_at)
    }

    /// Watches the named users; returns for how many of them no snapshots are taken because the
    /// limit is reached.
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
            // A named user without an open failure is watched as long as if the failure had just
            // ended.
            let is_failing = !facts.failing_checks(&user.login)?.is_empty();
            let until = (!is_failing).then(|| follow_deadline(self.recorded_at));
            facts.follow_until(&user.login, until)?;
        }
        Ok(past_limit)
    }

    /// Marks listed users as changed: their number of failing checks is shown.
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
