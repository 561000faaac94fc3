//! The machine that figures were taken on.

use std::{
    fs::{self, File},
    io::{Seek, Write},
    path::Path,
    time::Instant,
};

use crate::{Result, samples};

/// Writes whose sync is measured.
const SYNCS: usize = 50;

/// Facts about this machine and the disk of a folder, one a line.
pub(crate) fn describe(folder: &Path) -> Result<Vec<String>> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let models: Vec<_> = info.lines().filter(|line| line.starts_with("model name")).collect();
    let model = models.first().and_then(|line| line.split_once(": ")).map_or("unknown", |it| it.1);
    let memory = read("/proc/meminfo");
    let kibibytes: f64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"))
        .and_then(|number| number.parse().ok())
        .unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    Ok(vec![
        format!("processor: {cores} cores, {model}"),
        format!("memory: {:.0} GiB", kibibytes / f64::from(1 << 20)),
        format!("kernel: Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        format!(
            "disk: {}, {:.2} ms to write and sync one page (median of {SYNCS})",
            filesystem(folder),
            sync_seconds(folder)? * 1e3
        ),
    ])
}

/// The type of the file system that holds a folder.
fn filesystem(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let on_the_way = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (fields.next()?, fields.next()?);
        folder.starts_with(point).then(|| (point.len(), kind.to_owned()))
    });
    on_the_way.max_by_key(|(length, _)| *length).map_or("unknown".to_owned(), |(_, kind)| kind)
}

/// Seconds to write a page and have it on the disk.
fn sync_seconds(folder: &Path) -> Result<f64> {
    let path = folder.join("sync");
    let mut file = File::create(&path)?;
    let mut seconds = Vec::new();
    for _ in 0..SYNCS {
        let begun = Instant::now();
        file.rewind()?;
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        seconds.push(begun.elapsed().as_secs_f64());
    }
    fs::remove_file(path)?;
    seconds.sort_by(f64::total_cmp);
    Ok(samples::median(&seconds))
}
