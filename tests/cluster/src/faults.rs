//! A server that hangs.

use rustix::process::Signal;

use crate::Cluster;

impl Cluster {
    /// Stops all processes of the server where they are: connections stay open, and nothing answers,
    /// as with a machine or a network that hangs.
    pub fn pause(&self) {
        self.keeper().signal_all(Signal::STOP);
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        self.keeper().signal_all(Signal::CONT);
    }
}
