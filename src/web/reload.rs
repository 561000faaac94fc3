//! `/-/reload`: the configuration is read again.

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

/// What became of a reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReloadReply {
    /// The new configuration holds; these settings wait for a restart.
    Applied {
        /// Settings that differ and cannot change while running.
        needs_restart: Vec<&'static str>,
    },
    /// The new configuration is wrong; the old one goes on to hold.
    Refused(String),
}

/// What became of a reload, and when; a SIGHUP is one, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastReload {
    /// When it ended.
    pub at: Timestamp,
    /// What became of it.
    pub reply: ReloadReply,
}

/// A reload request and the channel for its reply.
pub type ReloadRequest = oneshot::Sender<ReloadReply>;

/// Where reload requests are handed in.
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
