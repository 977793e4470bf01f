//! `mesh config check`: every mistake, with file, line and suggestion.

use serde_json::json;

use crate::{
    args::{Config, ConfigAction},
    exit::{Exit, Failure},
    output::Output,
    settings::{self, Environment, Flags, SettingError, document},
};

pub(crate) fn run(
    config: &Config,
    flags: &Flags,
    environment: &Environment,
    output: &Output,
) -> Result<Exit, Failure> {
    match config.action {
        ConfigAction::Check => check(flags, environment, output),
        ConfigAction::Docs => {
            output.line(document::markdown().trim_end());
            Ok(Exit::Ok)
        }
    }
}

fn check(flags: &Flags, environment: &Environment, output: &Output) -> Result<Exit, Failure> {
    let (errors, file) = match settings::read(flags, environment) {
        Ok(settings) => (settings.keyring.err().unwrap_or_default(), settings.file),
        Err(errors) => (errors, None),
    };
    if output.json {
        let problems: Vec<_> = errors.iter().map(problem).collect();
        output.document(&json!({ "ok": errors.is_empty(), "problems": problems }));
    }
    if !errors.is_empty() {
        let failure = Failure::settings(errors);
        return if output.json { Ok(Exit::Usage) } else { Err(failure) };
    }
    if !output.json {
        let what =
            file.map_or("no file; defaults and environment".to_owned(), |file| file.display().to_string());
        output.line(format_args!("settings are good ({what})"));
    }
    Ok(Exit::Ok)
}

fn problem(error: &SettingError) -> serde_json::Value {
    json!({ "origin": error.origin.to_string(), "key": error.key, "message": error.message })
}
