//! `/-/reload`: reads the configuration again.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::Ops;
use crate::domain::Timestamp;

/// The result of a reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReloadReply {
    /// The new configuration is in force, except for these settings.
    Applied {
        /// Changed settings that take effect only after a restart.
        needs_restart: Vec<&'static str>,
    },
    /// The new configuration is invalid; the old one stays in force. The text says why.
    Refused(String),
}

/// The result of the last reload, by request or by SIGHUP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastReload {
    /// When it ended.
    pub at: Timestamp,
    /// The result.
    pub reply: ReloadReply,
}

/// A reload request and the channel for its reply.
pub type ReloadRequest = oneshot::Sender<ReloadReply>;

/// The channel for reload requests.
pub type ReloadDesk = mpsc::Sender<ReloadRequest>;

pub(super) async fn reload(State(ops): State<Arc<Ops>>) -> Response {
    let (reply, answer) = oneshot::channel();
    if ops.sources.reload.send(reply).await.is_err() {
        return stopping_response();
    }
    match answer.await {
        Ok(ReloadReply::Applied { needs_restart }) => {
            Json(json!({ "result": "applied", "needs_restart": needs_restart })).into_response()
        }
        Ok(ReloadReply::Refused(reason)) => {
            let body = json!({ "result": "refused", "detail": reason });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
        }
        Err(_) => stopping_response(),
    }
}

fn stopping_response() -> Response {
    let body = json!({ "result": "refused", "detail": "the daemon is stopping" });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}
