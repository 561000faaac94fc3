//! `/api/v1/webhook`: where deliveries are taken, for `cii-exporter webhook test`.

use std::sync::Arc;

use axum::{Json, extract::State, http::Uri};
use serde_json::{Value, json};

use crate::web::{Ops, problem::Problem, query::Fields};

/// The listener's URL on this machine and the header of the secret; never the
/// secret itself.
pub(super) async fn show(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Json<Value>, Problem> {
    Fields::parse(&uri)?.finish()?;
    let rules = ops.sources.rules.borrow().clone();
    Ok(Json(json!({
        "url": ops.sources.webhook.url,
        "header": rules.header,
        "max_body_bytes": ops.sources.webhook.max_body_bytes,
    })))
}
