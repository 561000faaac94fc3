//! The same rows over PostgreSQL. Statements are prepared once and sent without waiting for each.

use futures_util::future::try_join_all;
use tokio_postgres::{Client, Error, Statement, types::ToSql};

use super::{Job, PACKED, SHARED};

const SCHEMA: [&str; 3] = [
    include_str!("../../../../src/store/postgres/schema/0001_initial.sql"),
    include_str!("../../../../src/store/postgres/schema/0002_deliveries_go.sql"),
    include_str!("../../../../src/store/postgres/schema/0003_event_hour.sql"),
];

/// In the order in which they are sent: the number of the group's last delivery and of its last
/// event is in the head; of each delivery the numbers, the ids and the bodies come as lists, and
/// of each user the deliveries' numbers and the logins.
const STATEMENTS: [(&str, Given); 7] = [
    ("UPDATE head SET delivery = $1, event = $2, commits = commits + 1", Given::Head),
    (
        "INSERT INTO delivery (seq, id, detail_id, received_at, sent_at, published_at, detail_type,
            source, account, region, check_id, title, severity, outcome, status, users, new_users,
            size, body_form, body)
         SELECT seq, id, id, moment(), moment(), moment(), 'FAILED_CHECK', $4, '988897525199',
            'us-east-2', $5, 'No MFA Configured (bench-check-1)', 'critical', 'accepted', 200, 4, 4,
            2048, 2, body
         FROM unnest($1::bigint[], $2::text[], $3::bytea[]) AS given (seq, id, body)",
        Given::Deliveries,
    ),
    (
        "INSERT INTO failure (login, check_number, opened_at, reported_at, named_at,
            is_announced, by_title, is_dated)
         SELECT login, 1, moment(), moment(), moment(), 1, 0, 1
         FROM unnest($1::bigint[], $2::text[]) AS given (delivery, login)
         ON CONFLICT (login, check_number) DO UPDATE SET named_at = excluded.named_at",
        Given::Users,
    ),
    (
        "INSERT INTO watch (kind, subject, source, added_at)
         SELECT 'user', login, 'webhook', moment()
         FROM unnest($1::bigint[], $2::text[]) AS given (delivery, login)
         ON CONFLICT (kind, subject, source) DO UPDATE SET added_at = excluded.added_at",
        Given::Users,
    ),
    (
        "INSERT INTO event_context (number, attributes)
         SELECT 5 * seq, repeat($2, 10) FROM unnest($1::bigint[]) AS given (seq)",
        Given::Contexts,
    ),
    (
        "INSERT INTO event (seq, name, public, ordinal, check_id, login, happened_at, observed_at,
            severity, body, attributes, context, uid)
         SELECT 5 * delivery + place, 'cii.check.failed', 1, 5 * delivery + place, $3, login,
            moment(), moment(), 'critical', CASE WHEN login IS NULL THEN repeat('a', 87) ELSE '' END,
            repeat('a', 165), 5 * delivery,
            decode(md5(delivery::text), 'hex')
         FROM unnest($1::bigint[], $2::text[], $4::bigint[]) AS given (delivery, login, place)",
        Given::Events,
    ),
    (
        "INSERT INTO commit_log (number, id, replica, touched)
         SELECT commits, md5($1::text), 'a', $2 FROM head",
        Given::Log,
    ),
];

/// What stands for the moment of a delivery, in microseconds.
const MOMENT: &str = "CREATE FUNCTION moment() RETURNS bigint LANGUAGE sql STABLE
    AS 'SELECT (extract(epoch FROM now()) * 1000000)::bigint'";

#[derive(Debug, Clone, Copy)]
enum Given {
    Head,
    Deliveries,
    Users,
    Contexts,
    Events,
    Log,
}

pub(in crate::bare) struct SameRows {
    statements: Vec<(Statement, Given)>,
    /// The number of the delivery that came last.
    last: i64,
}

impl SameRows {
    pub(in crate::bare) async fn prepare(client: &Client) -> Result<Self, Error> {
        for script in SCHEMA {
            client.batch_execute(script).await?;
        }
        client.batch_execute(MOMENT).await?;
        let mut statements = Vec::new();
        for (text, given) in STATEMENTS {
            statements.push((client.prepare(text).await?, given));
        }
        Ok(Self { statements, last: 0 })
    }

    pub(in crate::bare) async fn write(
        &mut self,
        client: &Client,
        group: &[Job],
    ) -> Result<(), Error> {
        let first = self.last + 1;
        self.last += i64::try_from(group.len()).unwrap_or(0);
        let numbers: Vec<_> = (first..=self.last).collect();
        let ids: Vec<_> = group.iter().map(|job| job.envelope.id.as_str()).collect();
        let bodies: Vec<_> =
            group.iter().map(|job| &job.body[..PACKED.min(job.body.len())]).collect();
        let (mut deliveries, mut logins, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (job, number) in group.iter().zip(&numbers) {
            for (login, place) in job.envelope.detail.users_failing.iter().zip(1_i64..) {
                deliveries.push(*number);
                logins.push(login.as_str());
                places.push(place);
            }
        }
        // The delivery has an event of its own, which is about nobody.
        let mut of_events = deliveries.clone();
        of_events.extend(&numbers);
        let mut named: Vec<_> = logins.iter().copied().map(Some).collect();
        named.resize(of_events.len(), None);
        places.resize(of_events.len(), 0);
        let check = group.first().map_or("", |job| job.envelope.detail.check_id.as_str());
        let (last_event, touched) = (5 * self.last + 5, logins.join(","));
        let (last, source) = (self.last, SHARED);
        let sent = self.statements.iter().map(|(statement, given)| {
            let params: Vec<&(dyn ToSql + Sync)> = match given {
                Given::Head => vec![&last, &last_event],
                Given::Deliveries => vec![&numbers, &ids, &bodies, &source, &check],
                Given::Users => vec![&deliveries, &logins],
                Given::Contexts => vec![&numbers, &source],
                Given::Events => vec![&of_events, &named, &check, &places],
                Given::Log => vec![&source, &touched],
            };
            async move { client.execute(statement, &params).await }
        });
        try_join_all(sent).await.map(drop)
    }
}
