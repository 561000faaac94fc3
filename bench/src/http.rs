//! A GET request over a connection of its own.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use cii_test_cluster::free_port;

use crate::Result;

/// What was answered, and how long it took from the connect to the last byte.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) is_gzip: bool,
    pub(crate) body: Vec<u8>,
    pub(crate) took: Duration,
}

impl Answer {
    /// The answer, if its status is 200.
    pub(crate) fn ok(self) -> Result<Self> {
        if self.status == 200 {
            return Ok(self);
        }
        Err(format!("answered {}: {}", self.status, String::from_utf8_lossy(&self.body)).into())
    }

    /// Seconds that it took.
    pub(crate) fn seconds(&self) -> f64 {
        self.took.as_secs_f64()
    }
}

/// Gets a page; with `gzip`, a compressed one is accepted and handed back as it came.
pub(crate) fn get(address: SocketAddr, path: &str, gzip: bool) -> Result<Answer> {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let encoding = if gzip { "Accept-Encoding: gzip\r\n" } else { "" };
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\n{encoding}Connection: close\r\n\r\n"
    )?;
    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    let took = begun.elapsed();
    let head_end = end_of_head(&received).ok_or("an answer without an end of its head")?;
    let head = String::from_utf8_lossy(&received[..head_end]).to_ascii_lowercase();
    let status = head.get(9..12).ok_or("an answer without a status")?.parse()?;
    let body = received.split_off(head_end);
    let body = if head.contains("\r\ntransfer-encoding: chunked") { joined(&body)? } else { body };
    Ok(Answer { status, is_gzip: head.contains("\r\ncontent-encoding: gzip"), body, took })
}

/// Where the body begins.
pub(crate) fn end_of_head(received: &[u8]) -> Option<usize> {
    received.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|position| position + 4)
}

/// A body out of its chunks.
fn joined(mut chunked: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = chunked.windows(2).position(|bytes| bytes == b"\r\n").ok_or("a cut chunk")?;
        let size = usize::from_str_radix(std::str::from_utf8(&chunked[..line])?.trim(), 16)?;
        chunked = &chunked[line + 2..];
        if size == 0 {
            return Ok(body);
        }
        body.extend(chunked.get(..size).ok_or("a cut chunk")?);
        chunked = chunked.get(size + 2..).ok_or("a cut chunk")?;
    }
}

/// A loopback address with a port that is free now, and that no other call gets.
pub(crate) fn free_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

/// Waits until the page is answered with 200.
pub(crate) fn until_ready(address: SocketAddr, path: &str, limit: Duration) -> Result<()> {
    let begun = Instant::now();
    loop {
        if get(address, path, false).is_ok_and(|answer| answer.status == 200) {
            return Ok(());
        }
        if begun.elapsed() > limit {
            return Err(format!("http://{address}{path} is not ready after {limit:?}").into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until connections are accepted.
pub(crate) fn until_listening(address: SocketAddr, limit: Duration) -> Result<()> {
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        if begun.elapsed() > limit {
            return Err(format!("nothing listens at {address} after {limit:?}").into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
