//! The bare program over PostgreSQL: a statement a table and group, `INSERT … SELECT FROM
//! unnest(…)`. Two groups of one process never meet, so that it takes no lock.

use std::net::SocketAddr;

use tokio::sync::mpsc;
use tokio_postgres::{Client, Error, NoTls, Statement};

use super::{Job, LARGEST_GROUP, WAITING, give_up, receive_at, same_rows};
use crate::Result;

const SCHEMA: &str = "
    CREATE TABLE delivery (id text PRIMARY KEY, body bytea NOT NULL);
    CREATE TABLE failure (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                          check_id text NOT NULL, login text NOT NULL, delivery text NOT NULL);";

/// What is written of a delivery.
enum Rows {
    /// Its body, and those who fail.
    Few(FewRows),
    /// Whatever the exporter writes.
    Same(Box<same_rows::OnServer>),
}

/// Serves until the process is ended.
pub(crate) async fn serve(listen: SocketAddr, url: &str, has_same_rows: bool) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let rows = if has_same_rows {
        Rows::Same(Box::new(same_rows::OnServer::prepare(&client).await?))
    } else {
        Rows::Few(FewRows::prepare(&client).await?)
    };
    let (jobs, queue) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        if let Err(error) = write(&client, queue, rows).await {
            give_up(&error);
        }
    });
    receive_at(listen, jobs).await
}

async fn write(
    client: &Client,
    mut queue: mpsc::Receiver<Job>,
    mut rows: Rows,
) -> Result<(), Error> {
    let mut group = Vec::new();
    while queue.recv_many(&mut group, LARGEST_GROUP).await > 0 {
        client.batch_execute("BEGIN").await?;
        match &mut rows {
            Rows::Few(rows) => rows.write(client, &group).await?,
            Rows::Same(rows) => rows.write(client, &group).await?,
        }
        client.batch_execute("COMMIT").await?;
        group.drain(..).for_each(Job::answer);
    }
    Ok(())
}

struct FewRows {
    delivery: Statement,
    failure: Statement,
}

impl FewRows {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        client.batch_execute(SCHEMA).await?;
        let delivery =
            "INSERT INTO delivery (id, body) SELECT * FROM unnest($1::text[], $2::bytea[])
             ON CONFLICT DO NOTHING";
        let failure = "INSERT INTO failure (check_id, login, delivery)
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[])";
        Ok(Self {
            delivery: client.prepare(delivery).await?,
            failure: client.prepare(failure).await?,
        })
    }

    async fn write(&self, client: &Client, group: &[Job]) -> Result<(), Error> {
        let ids: Vec<_> = group.iter().map(|job| job.envelope.id.as_str()).collect();
        let bodies: Vec<_> = group.iter().map(|job| &job.body[..]).collect();
        let (mut checks, mut logins, mut deliveries) = (Vec::new(), Vec::new(), Vec::new());
        for Job { envelope, .. } in group {
            for login in &envelope.detail.users_failing {
                checks.push(envelope.detail.check_id.as_str());
                logins.push(login.as_str());
                deliveries.push(envelope.id.as_str());
            }
        }
        client.execute(&self.delivery, &[&ids, &bodies]).await?;
        client.execute(&self.failure, &[&checks, &logins, &deliveries]).await?;
        Ok(())
    }
}
