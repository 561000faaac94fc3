//! A minimal HTTP/1.1 client that sends the bytes of an input unchanged.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that is opened again when the server closed it.
#[derive(Debug)]
pub(super) struct Connection {
    to: SocketAddr,
    header: &'static str,
    stream: Option<BufReader<TcpStream>>,
}

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The content type, in lower case.
    pub(super) content_type: String,
    /// The body; empty for a stream, which may have no end.
    pub(super) body: Vec<u8>,
}

impl Connection {
    pub(super) const fn new(to: SocketAddr) -> Self {
        Self { to, header: "accept: */*", stream: None }
    }

    /// Sends this header with each request.
    pub(super) const fn with_header(mut self, header: &'static str) -> Self {
        self.header = header;
        self
    }

    /// Sends a request; once more when the connection was closed meanwhile.
    ///
    /// # Panics
    /// When there is no answer.
    pub(super) fn send(&mut self, method: &[u8], target: &[u8], body: &[u8]) -> Answer {
        let mut answer = self.try_send(method, target, body);
        if answer.is_err() {
            self.stream = None;
            answer = self.try_send(method, target, body);
        }
        let error = answer.as_ref().err();
        let target = String::from_utf8_lossy(target);
        assert!(error.is_none(), "no answer to {target}: {error:?}");
        answer.unwrap_or_default()
    }

    fn try_send(&mut self, method: &[u8], target: &[u8], body: &[u8]) -> io::Result<Answer> {
        let mut stream = if let Some(stream) = self.stream.take() {
            stream
        } else {
            let stream = TcpStream::connect(self.to)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_nodelay(true)?;
            BufReader::new(stream)
        };
        let rest = format!(
            " HTTP/1.1\r\nhost: {}\r\n{}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            self.to,
            self.header,
            body.len()
        );
        stream.get_mut().write_all(&[method, b" ", target, rest.as_bytes(), body].concat())?;
        let head = Head::read(&mut stream)?;
        let mut answer =
            Answer { status: head.status, content_type: head.content_type, body: Vec::new() };
        match head.length {
            _ if method == b"HEAD" || [204, 304].contains(&head.status) => {}
            Some(length) => {
                answer.body.resize(length, 0);
                stream.read_exact(&mut answer.body)?;
            }
            // The stream ends when the connection is dropped.
            None => return Ok(answer),
        }
        if !head.is_last {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

#[derive(Debug, Default)]
struct Head {
    status: u16,
    content_type: String,
    length: Option<usize>,
    is_last: bool,
}

impl Head {
    fn read(stream: &mut impl BufRead) -> io::Result<Self> {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.trim().parse().ok());
        let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut head = Self { status, ..Self::default() };
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            match line.split_once(':') {
                None if line.is_empty() => return Ok(head),
                Some(("content-length", length)) => head.length = length.trim().parse().ok(),
                Some(("content-type", value)) => value.trim().clone_into(&mut head.content_type),
                Some(("connection", value)) => head.is_last = value.contains("close"),
                _ => {}
            }
        }
    }
}
