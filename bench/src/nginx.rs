//! nginx with one file and a compressed one beside it.

use std::{
    env, fs,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};

use crate::{
    Result,
    bench::{Bench, progress},
    http,
    process::Process,
};

/// A running nginx; dropping it ends it.
pub(crate) struct Nginx {
    // Held so that it is ended.
    _process: Process,
    pub(crate) address: SocketAddr,
}

impl Nginx {
    /// Serves this text at `/metrics`; `None` where nginx is not installed.
    pub(crate) fn start(bench: &Bench, text: &[u8]) -> Result<Option<Self>> {
        let Some(program) = find() else {
            progress("nginx is not installed (apt-get install nginx): no reference for scrapes");
            return Ok(None);
        };
        let folder = bench.new_folder()?;
        fs::write(folder.join("metrics"), text)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(text)?;
        fs::write(folder.join("metrics.gz"), encoder.finish()?)?;
        let address = http::free_address();
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration(&folder, address))?;
        let mut command = Command::new(program);
        command.arg("-c").arg(&file).arg("-e").arg(folder.join("error.log"));
        let process = Process::start(command, &folder.join("nginx.log"))?;
        http::until_listening(address, Duration::from_secs(10))?;
        Ok(Some(Self { _process: process, address }))
    }
}

/// One process in the foreground, which writes nothing outside of the folder.
fn configuration(folder: &Path, address: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\n\
         events {{}}\n\
         http {{\n\
         access_log off;\nsendfile on;\ntcp_nopush on;\n\
         client_body_temp_path {folder};\nproxy_temp_path {folder};\n\
         fastcgi_temp_path {folder};\nuwsgi_temp_path {folder};\nscgi_temp_path {folder};\n\
         default_type text/plain;\n\
         server {{ listen {address}; root {folder}; gzip_static on; }}\n\
         }}\n"
    )
}

/// Where nginx is installed; Debian puts it where only root looks.
fn find() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the exporter reads its own; this is not it")]
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("nginx")).find(|program| program.is_file())
}
