//! An address that stays while daemons come and go: the service's webhook target.

use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpStream};

/// Passes connections on to the daemon that runs now.
pub struct Relay {
    pub url: String,
    to: Arc<Mutex<String>>,
}

impl Relay {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks/cii", listener.local_addr().unwrap());
        let to = Arc::new(Mutex::new(String::new()));
        let target = to.clone();
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let address = target.lock().unwrap().clone();
                tokio::spawn(async move {
                    let Ok(mut to) = TcpStream::connect(address).await else { return };
                    // Either side may go at any time: that is what is tried.
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                });
            }
        });
        Self { url, to }
    }

    /// Where connections go from now on.
    pub fn point_to(&self, url: &str) {
        let address = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        address.clone_into(&mut self.to.lock().unwrap());
    }
}
