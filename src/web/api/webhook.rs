//! `/api/v1/webhook`: the URL for deliveries, used by `cii-exporter webhook test`.

use std::sync::Arc;

use axum::{Json, extract::State, http::Uri};
use serde_json::{Value, json};

use crate::web::{Ops, problem::Problem, query::Fields};

/// Shows the listener's URL on this machine and the name of the secret's header; never the secret.
pub(super) async fn show(State(ops): State<Arc<Ops>>, uri: Uri) -> Result<Json<Value>, Problem> {
    Fields::parse(&uri)?.finish()?;
    let rules = ops.sources.rules.borrow().clone();
    Ok(Json(json!({
        "url": ops.sources.webhook.url,
        "header": rules.header,
        "max_body_bytes": ops.sources.webhook.max_body_bytes,
    })))
}
