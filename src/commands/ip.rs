//! `ip`: the card "Get End Users By IP".

use std::process::ExitCode;

use cii_exporter::{config::Needs, domain::IpAddress};
use clap::Args;
use serde_json::{Value, json};

use super::{
    api,
    card::{ended, print_errors, shown},
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

/// Asks the service.
pub(crate) fn run(options: &Options) -> ExitCode {
    finish(async {
        let ip: IpAddress = options.address.parse().map_err(usage)?;
        let (_, api, client) = api::client(&options.file, Needs::API)?;
        let card = client.fetch_ip_card(ip, api.page_size).await?;
        if options.json {
            say!("{:#}", json!(card));
            return Ok(ended(&card));
        }
        say!("status code  {}", card.status_code);
        if let Value::Array(users) = &card.data {
            say!("users        {}", users.len());
            let fields = ["login", "displayName", "id", "referenceUrl"];
            // The text of the Okta Workflows connector writes `referenceURL`.
            let row = |user: &Value| {
                let is_second = |field: &str| field == "referenceUrl" && user[field].is_null();
                let value =
                    |field| if is_second(field) { &user["referenceURL"] } else { &user[field] };
                fields.map(|field| shown(value(field))).to_vec()
            };
            let header = ["login", "name", "id", "page"];
            if !users.is_empty() {
                say!("{}", table(&header, users.iter().map(row)));
            }
        }
        print_errors(&card);
        Ok(ended(&card))
    })
}

fn usage(error: impl std::fmt::Display) -> CommandError {
    CommandError::Usage(error.to_string())
}
