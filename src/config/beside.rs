//! Loads the daemon's configuration for commands that run beside it, which may not be able to read
//! all secrets.

use std::path::Path;

use super::{
    Config, ConfigError, Environment, Needs, Problem, describe_missing_file,
    environment::UNIT,
    needs::Excuses,
    secret::CREDENTIALS,
    unit::{NAME, Unit},
};

/// Loads it; `usual` is the conventional path.
pub(super) fn load(
    file: Option<&Path>,
    usual: &Path,
    environment: &Environment,
    needs: Needs,
) -> Result<Config, ConfigError> {
    // Credentials that systemd passed to this process are read without the unit.
    let is_handed_over = environment.get(CREDENTIALS).is_some();
    let unit = if is_handed_over { None } else { Unit::find(environment.unit()) };
    let named = file.map(Path::to_owned).or_else(|| environment.config_file());
    let of_unit = unit.as_ref().and_then(|unit| unit.config_file.clone());
    let usual_one = || Some(usual.to_owned()).filter(|path| path.exists());
    let path = named.or_else(|| of_unit.clone()).or_else(usual_one);
    // The unit counts only if it runs the daemon with this configuration.
    let is_its = match (&path, &of_unit) {
        (Some(path), Some(of_unit)) => is_same_file(path, of_unit),
        (path, _) => path.is_none(),
    };
    let unit = unit.filter(|_| is_its);
    let looked_at = describe_places(is_handed_over, unit.as_ref());
    let all = match &unit {
        Some(unit) => environment.with_fallback(&unit.variables),
        None => environment.clone(),
    };
    let is_noted = needs == Needs::ALL;
    let excuses = Excuses { needs, unit, is_noted, ..Excuses::NONE };
    let loaded = match &path {
        Some(path) => Config::from_file(path, &all, excuses),
        None => Config::from_layers("", "", &all, excuses)
            .map_err(|error| error.with_note(describe_missing_file(usual))),
    };
    loaded.map_err(|error| {
        let lacks = |problem: &Problem| problem.message.contains("is missing");
        if error.problems().iter().any(lacks) { error.with_note(looked_at) } else { error }
    })
}

/// Names the places that were searched besides the configuration and the environment.
fn describe_places(is_handed_over: bool, unit: Option<&Unit>) -> String {
    match unit {
        Some(unit) => {
            let unread = unit.unread.iter().map(|reason| format!("; cannot read {reason}"));
            format!(
                "besides, the unit {} was looked at{}",
                unit.path.display(),
                unread.collect::<String>()
            )
        }
        None if is_handed_over => {
            format!("besides, the credentials in {CREDENTIALS} were looked at")
        }
        None => format!(
            "besides, no unit of systemd was looked at: none runs with this configuration; the \
             usual one is {NAME}, and {UNIT} names the file of another"
        ),
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    real(one) == real(other)
}
