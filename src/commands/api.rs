//! A client of the service's API, for commands that ask it now.

use cii_exporter::{
    cii::{Client, Meters},
    config::{ApiConfig, Config, Needs},
};

use super::config_file::ConfigFile;
use super::error::CommandError;
use crate::logging;

/// Loads the configuration and makes a client of its `[api]`.
pub(super) fn load_client(
    file: &ConfigFile,
    needs: Needs,
) -> Result<(Config, ApiConfig, Client), CommandError> {
    let config = file.load(needs)?;
    logging::start("warn", false);
    let api = config.api.clone().ok_or(CommandError::NoApi)?;
    let client = Client::new(&api, Meters::new()?)?;
    Ok((config, api, client))
}
