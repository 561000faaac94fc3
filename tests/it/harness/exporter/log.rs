//! What a daemon logs.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::ChildStderr,
    task::JoinHandle,
};

/// What a daemon logged; a test that fails prints it.
pub struct Log {
    text: Arc<Mutex<String>>,
    /// Until its end was waited for.
    reading: Option<JoinHandle<()>>,
}

impl Log {
    /// Reads what a daemon writes.
    pub fn of(stderr: ChildStderr) -> Self {
        let text = Arc::<Mutex<String>>::default();
        let reading = Some(tokio::spawn(collect(stderr, text.clone())));
        Self { text, reading }
    }

    /// What was logged so far.
    pub fn text(&self) -> String {
        self.text.lock().expect("no panic").clone()
    }

    /// Waits until nothing more can come.
    pub async fn end(&mut self) {
        if let Some(reading) = self.reading.take() {
            reading.await.expect("no panic");
        }
    }

    /// The address that a line ends with.
    pub fn address(&self, marker: &str) -> Option<String> {
        let text = self.text();
        let line = text.lines().find(|line| line.contains(marker))?;
        // In JSON, a quote ends it.
        line.split_once(marker)?.1.split('"').next().map(|address| address.trim().to_owned())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(log) = self.text.lock()
        {
            eprintln!("the daemon's log:\n{log}");
        }
    }
}

async fn collect(stderr: ChildStderr, log: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut log = log.lock().expect("no panic");
        log.push_str(&line);
        log.push('\n');
    }
}
