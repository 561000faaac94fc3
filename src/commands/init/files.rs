//! Creates the files: existing ones are never overwritten, and only the owner can read secrets.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use super::super::error::CommandError;

/// The paths of all files.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) config: PathBuf,
    pub(super) secrets: PathBuf,
    pub(super) webhook_secrets: PathBuf,
    pub(super) client_secret: PathBuf,
    pub(super) store_password: PathBuf,
}

impl Places {
    /// The paths in this folder, as the systemd unit expects them.
    pub(super) fn in_folder(folder: &Path) -> Self {
        let secrets = folder.join("secrets");
        Self {
            config: folder.join("config.toml"),
            webhook_secrets: secrets.join("webhook-secrets"),
            client_secret: secrets.join("client-secret"),
            store_password: secrets.join("store-password"),
            secrets,
        }
    }

    /// Checks that no file exists yet, and that the folder is not in a git checkout, where secrets
    /// could be committed.
    pub(super) fn check_free(&self, may_be_checkout: bool) -> Result<(), CommandError> {
        let files =
            [&self.config, &self.webhook_secrets, &self.client_secret, &self.store_password];
        for path in files {
            if path.symlink_metadata().is_ok() {
                return Err(CommandError::Usage(format!(
                    "{} exists, and nothing is overwritten: name another folder by --dir, or move \
                     it away",
                    path.display()
                )));
            }
        }
        self.check_writable()?;
        let checkout = self.secrets.ancestors().find(|folder| folder.join(".git").exists());
        match checkout {
            Some(checkout) if !may_be_checkout => Err(CommandError::Usage(format!(
                "{} is in the checkout {}: secrets there end in a commit; name another folder by \
                 --dir, or add --in-checkout",
                self.secrets.display(),
                checkout.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Checks that the folder can be created or written to.
    fn check_writable(&self) -> Result<(), CommandError> {
        let folder = self.config.ancestors().skip(1).find(|folder| folder.exists());
        let folder = folder.unwrap_or(Path::new("/"));
        access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
            CommandError::Usage(format!(
                "cannot write into {}: {error}; run the command as root, or name a folder of your \
                 own, such as --dir ~/cii",
                folder.display()
            ))
        })
    }

    /// Creates the folders.
    pub(super) fn make_folders(&self) -> Result<(), CommandError> {
        let folder = self.config.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(write_error(folder))?;
        make_private_folder(&self.secrets)
    }
}

/// Creates a folder that only its owner can enter, unless it exists.
pub(super) fn make_private_folder(path: &Path) -> Result<(), CommandError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(write_error(path))
}

/// Creates a file with this mode; fails if it exists.
pub(super) fn make_file(path: &Path, mode: u32, text: &str) -> Result<(), CommandError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(write_error(path))
}

fn write_error(path: &Path) -> impl Fn(io::Error) -> CommandError {
    move |source| CommandError::Output { target: path.display().to_string(), source }
}
