//! A server that hangs, and a disk that has little room.

use std::{fs, path::PathBuf, process::Command};

use rustix::process::Signal;

use crate::{
    Cluster,
    programs::{give_away, try_run},
};

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

    /// Creates a tablespace on a file system of its own, of so many MiB; returns where that is.
    /// Nothing where this user may not mount one.
    pub fn small_tablespace(&self, name: &str, mebibytes: u32) -> Option<PathBuf> {
        let disk = self.folder().join(name);
        fs::create_dir(&disk).expect("writable");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"]).arg(&disk);
        try_run(&mut mount).ok()?;
        give_away(&disk);
        let folder = disk.join("tablespace");
        fs::create_dir(&folder).expect("writable");
        give_away(&folder);
        let location = folder.display();
        self.sql("postgres", &format!("CREATE TABLESPACE {name} LOCATION '{location}'"));
        Some(disk)
    }
}
