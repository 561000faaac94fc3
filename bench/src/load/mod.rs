//! A generator of webhook deliveries that takes as little CPU as it can, since it
//! shares the machine with what it measures: requests are rendered once and patched in place,
//! and one thread serves all connections.

mod at_once;
mod body;
mod connection;
mod small;

pub(crate) use at_once::send_at_once;
pub(crate) use body::large;
pub(crate) use small::{Load, Pace};

use std::net::SocketAddr;

use crate::Result;

/// Where deliveries are taken.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) secret: String,
}

impl Endpoint {
    /// Everything of a request before its body.
    fn head(&self, length: usize) -> String {
        format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\nx-api-client-token: {}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n",
            self.path, self.address, self.secret
        )
    }
}

/// Runs on this thread until it is done.
fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
