//! What time does to the service.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{clock, service::Service, tenant::Change, webhook};

/// Lets time pass: a round of changes at every interval, until told to stop.
pub(crate) async fn pass(service: Arc<Service>, interval: Duration, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(interval) => {}
        }
        tick(&service).await;
    }
}

/// One round of random changes, and the deliveries that come of it.
pub(crate) async fn tick(service: &Service) -> Vec<Change> {
    let count = service.options.changes_per_round;
    let changes = service.tenant(|tenant| tenant.change(count, clock::now()));
    webhook::deliver_newly_failing(service).await;
    changes
}
