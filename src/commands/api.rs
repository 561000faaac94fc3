//! Creates the API client of commands that call the service.

use cii_exporter::{
    cii::{Client, Meters},
    config::{ApiConfig, Config, Needs},
};

use super::config_file::ConfigFile;
use super::error::CommandError;
use crate::logging;

/// Loads the configuration and creates a client for its `[api]`.
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
