//! Ports for programs that cannot say which one they took.

use std::{
    net::TcpListener,
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// The first port that is given, and how many there are. All are below those that Linux gives to
/// outgoing connections (`net.ipv4.ip_local_port_range`): a client of another test cannot take one
/// before its program has it, or while its program is down.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

/// How many ports this process was given.
static GIVEN: AtomicU16 = AtomicU16::new(0);

/// A port of loopback that is free now. No other call in this process gets it.
#[must_use]
pub fn free_port() -> u16 {
    // Processes at the same time begin at different ports.
    let begin = process::id().wrapping_mul(499) % u32::from(COUNT);
    loop {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        assert!(given < COUNT, "no port of loopback is free");
        let offset = (begin + u32::from(given)) % u32::from(COUNT);
        let port = FIRST + u16::try_from(offset).expect("below the count");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
