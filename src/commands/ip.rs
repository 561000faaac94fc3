//! `ip`: requests the card "Get End Users By IP".

use std::process::ExitCode;

use cii_exporter::{config::Needs, domain::IpAddress};
use clap::Args;
use serde_json::{Value, json};

use super::{
    api,
    card::{exit_code, format_value, print_errors},
    config_file::ConfigFile,
    error::CommandError,
    finish::finish,
    table::table,
};

/// What to ask about, and how to tell.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A single address, in any spelling.
    address: String,
    /// Print JSON, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> ExitCode {
    finish(async {
        let ip: IpAddress = options.address.parse().map_err(usage_error)?;
        let (_, api, client) = api::load_client(&options.file, Needs::API)?;
        let card = client.fetch_ip_card(ip, api.page_size).await?;
        if options.json {
            say!("{:#}", json!(card));
            return Ok(exit_code(&card));
        }
        say!("status code  {}", card.status_code);
        if let Value::Array(users) = &card.data {
            say!("users        {}", users.len());
            let fields = ["login", "displayName", "id", "referenceUrl"];
            // The documentation of the Okta Workflows connector writes `referenceURL`.
            let row = |user: &Value| {
                let is_second = |field: &str| field == "referenceUrl" && user[field].is_null();
                let value =
                    |field| if is_second(field) { &user["referenceURL"] } else { &user[field] };
                fields.map(|field| format_value(value(field))).to_vec()
            };
            let header = ["login", "name", "id", "page"];
            if !users.is_empty() {
                say!("{}", table(&header, users.iter().map(row)));
            }
        }
        print_errors(&card);
        Ok(exit_code(&card))
    })
}

fn usage_error(error: impl std::fmt::Display) -> CommandError {
    CommandError::Usage(error.to_string())
}
