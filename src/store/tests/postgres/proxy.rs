//! A proxy between the exporter and its server, which cuts connections where a test requests it.

use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// What happens to the next COMMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The server does not get it, and both ends see the connection closed.
    Before,
    /// The server gets it, and the client sees the connection closed at once.
    After,
    /// The server does not get it, and the client notices nothing: it has all answers but that one.
    Withheld,
    /// The server gets it, and its answer, and no other, does not arrive.
    Unanswered,
}

/// A proxy on loopback. It runs until the test's process ends.
pub(super) struct Proxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    server: SocketAddr,
    plan: Mutex<Plan>,
    unblocked: Condvar,
    open: AtomicUsize,
}

#[derive(Default)]
struct Plan {
    /// A stack: the last one is next.
    cuts: Vec<Cut>,
    is_blocked: bool,
    is_refusing: bool,
    /// How long each answer is held back.
    delay: Duration,
    /// How often the client of each committed transaction waited for all its answers.
    round_trips: Vec<usize>,
    /// The same for transactions that only read.
    of_reads: Vec<usize>,
}

impl Proxy {
    /// A proxy to a port of loopback.
    pub(super) fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let own = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            server: ([127, 0, 0, 1], port).into(),
            plan: Mutex::default(),
            unblocked: Condvar::new(),
            open: AtomicUsize::new(0),
        });
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().filter_map(Result::ok) {
                let state = shared.clone();
                thread::spawn(move || Passage::serve(client, &state));
            }
        });
        Self { port: own, state }
    }

    /// The URL of a database behind it.
    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Cuts the next COMMITs, one after the other.
    pub(super) fn cut(&self, cuts: &[Cut]) {
        self.state.plan().cuts = cuts.iter().rev().copied().collect();
    }

    /// Whether all requested cuts were done.
    pub(super) fn is_done(&self) -> bool {
        self.state.plan().cuts.is_empty()
    }

    /// Holds back whatever either end sends, or no longer.
    pub(super) fn block(&self, is_blocked: bool) {
        self.state.plan().is_blocked = is_blocked;
        self.state.unblocked.notify_all();
    }

    /// Closes new connections at once, or no longer.
    pub(super) fn refuse(&self, is_refusing: bool) {
        self.state.plan().is_refusing = is_refusing;
    }

    /// Delays each answer, like a network. A client that does not wait has then sent everything
    /// before the first answer arrives.
    pub(super) fn delay(&self, delay: Duration) {
        self.state.plan().delay = delay;
    }

    /// How often the client of each transaction that was committed since the last call waited for
    /// all its answers.
    pub(super) fn round_trips(&self) -> Vec<usize> {
        std::mem::take(&mut self.state.plan().round_trips)
    }

    /// The same for transactions that only read.
    pub(super) fn round_trips_of_reads(&self) -> Vec<usize> {
        std::mem::take(&mut self.state.plan().of_reads)
    }

    /// The number of open connections of clients.
    pub(super) fn open(&self) -> usize {
        self.state.open.load(Ordering::Relaxed)
    }
}

impl State {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while_blocked(&self) {
        let plan = self.plan();
        drop(self.unblocked.wait_while(plan, |plan| plan.is_blocked));
    }
}

/// One connection.
struct Passage<'a> {
    client: TcpStream,
    server: TcpStream,
    /// Set when the client gets nothing more, and does not see the connection closed either.
    is_mute: Arc<AtomicBool>,
    /// Statements without an answer so far.
    unanswered: Arc<AtomicUsize>,
    /// Answers that the client has; the first one is that to the start.
    passed: Arc<AtomicUsize>,
    state: &'a State,
}

/// The server's next message: a type, a length that includes itself, and the rest. The answer to
/// the request for encryption is one letter.
fn answer(server: &mut TcpStream, is_begun: &mut bool) -> io::Result<Vec<u8>> {
    let mut answer = vec![0; 1];
    server.read_exact(&mut answer)?;
    if !*is_begun && matches!(answer[0], b'N' | b'S') {
        return Ok(answer);
    }
    *is_begun = true;
    answer.resize(5, 0);
    server.read_exact(&mut answer[1..])?;
    let length = u32::from_be_bytes(answer[1..].try_into().unwrap());
    answer.resize(1 + usize::try_from(length).unwrap(), 0);
    server.read_exact(&mut answer[5..])?;
    Ok(answer)
}

impl Passage<'_> {
    fn serve(client: TcpStream, state: &Arc<State>) {
        state.open.fetch_add(1, Ordering::Relaxed);
        let is_refusing = state.plan().is_refusing;
        // Without a server, the client sees the connection closed.
        if !is_refusing && let Ok(server) = TcpStream::connect(state.server) {
            // Otherwise each message waits 40 ms for the acknowledgement of the one before.
            for end in [&client, &server] {
                end.set_nodelay(true).unwrap();
            }
            let is_mute = Arc::<AtomicBool>::default();
            let (mut back, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let (mute, shared) = (is_mute.clone(), state.clone());
            let unanswered = Arc::<AtomicUsize>::default();
            let owed = unanswered.clone();
            let passed = Arc::<AtomicUsize>::default();
            let counted = passed.clone();
            let answers = thread::spawn(move || {
                let mut is_begun = false;
                while let Ok(answer) = answer(&mut back, &mut is_begun) {
                    shared.wait_while_blocked();
                    if answer[0] == b'Z' {
                        thread::sleep(shared.plan().delay);
                        // The first one answers the start.
                        let _ = owed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |owed| {
                            owed.checked_sub(1)
                        });
                    }
                    if !mute.load(Ordering::SeqCst) && to.write_all(&answer).is_err() {
                        break;
                    }
                    counted.fetch_add(usize::from(answer[0] == b'Z'), Ordering::SeqCst);
                }
                if !mute.load(Ordering::SeqCst) {
                    let _ = to.shutdown(Shutdown::Both);
                }
            });
            let mut passage = Passage { client, server, is_mute, unanswered, passed, state };
            // Ends when one of the ends closes the connection.
            let _ = passage.pass();
            let _ = passage.server.shutdown(Shutdown::Write);
            let _ = passage.client.shutdown(Shutdown::Both);
            let _ = answers.join();
        }
        state.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Waits until the client has the answers to all statements but the last one.
    fn wait_until_passed(&self, statements: usize) {
        let begun = Instant::now();
        while self.passed.load(Ordering::SeqCst) < statements
            && begun.elapsed() < Duration::from_mins(1)
        {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Passes messages on, each as a whole: a type, which the first ones lack, a length that
    /// includes itself, and the rest.
    fn pass(&mut self) -> io::Result<()> {
        const ENCRYPT: [u8; 4] = 80_877_103_u32.to_be_bytes();
        let mut is_begun = false;
        let (mut round_trips, mut statements) = (0, 0);
        loop {
            let mut message = vec![0; if is_begun { 5 } else { 4 }];
            self.client.read_exact(&mut message)?;
            let head = message.len();
            let length = u32::from_be_bytes(message[head - 4..].try_into().unwrap());
            message.resize(head - 4 + usize::try_from(length).unwrap(), 0);
            self.client.read_exact(&mut message[head..])?;
            self.state.wait_while_blocked();
            let is_query = is_begun && message[0] == b'Q';
            if !is_begun {
                is_begun = message.get(4..8) != Some(&ENCRYPT);
            }
            if is_query && message[5..].starts_with(b"BEGIN") {
                round_trips = 0;
            }
            if is_query && message[5..].starts_with(b"ROLLBACK") {
                // The client does not wait for the answer to a ROLLBACK.
                self.state.plan().of_reads.push(round_trips);
            }
            if is_query || message[0] == b'S' {
                // A client that had every answer has waited for the last one.
                round_trips += usize::from(self.unanswered.fetch_add(1, Ordering::SeqCst) == 0);
                statements += 1;
            }
            if is_query && message[5..].starts_with(b"COMMIT") {
                let cut = {
                    let mut plan = self.state.plan();
                    plan.round_trips.push(round_trips);
                    plan.cuts.pop()
                };
                match cut {
                    Some(Cut::Before) => return Ok(()),
                    Some(Cut::After) => {
                        self.is_mute.store(true, Ordering::SeqCst);
                        self.client.shutdown(Shutdown::Both)?;
                    }
                    Some(Cut::Withheld) => {
                        self.wait_until_passed(statements);
                        self.is_mute.store(true, Ordering::SeqCst);
                        continue;
                    }
                    Some(Cut::Unanswered) => {
                        self.wait_until_passed(statements);
                        self.is_mute.store(true, Ordering::SeqCst);
                    }
                    None => {}
                }
            }
            self.server.write_all(&message)?;
        }
    }
}
