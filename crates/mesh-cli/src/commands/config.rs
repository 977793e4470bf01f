//! `mesh config`: every mistake with file, line and suggestion; what holds, and where it came from.

use serde_json::json;

use crate::{
    args::{Config, ConfigAction},
    exit::{Exit, Failure},
    output::Output,
    settings::{self, Environment, Flags, Origin, SettingError, document},
};

pub(crate) fn run(
    config: &Config,
    flags: &Flags,
    environment: &Environment,
    output: &Output,
) -> Result<Exit, Failure> {
    match &config.action {
        ConfigAction::Check => check(flags, environment, output),
        ConfigAction::Show(_) => show(flags, environment, output),
        ConfigAction::Docs => {
            output.line(document::markdown().trim_end());
            Ok(Exit::Ok)
        }
    }
}

fn check(flags: &Flags, environment: &Environment, output: &Output) -> Result<Exit, Failure> {
    let (errors, file) = match settings::read(flags, environment) {
        Ok(settings) => {
            let mut errors = settings.keyring.err().unwrap_or_default();
            errors.extend(settings.gateway.tls.read().err().unwrap_or_default());
            (errors, settings.file)
        }
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

fn show(flags: &Flags, environment: &Environment, output: &Output) -> Result<Exit, Failure> {
    let (settings, rows) = settings::read_with_rows(flags, environment).map_err(Failure::settings)?;
    for error in settings.keyring.err().unwrap_or_default() {
        output.message(format_args!("no call can be signed: {error}"));
    }
    if output.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "key": row.key,
                    "value": row.value,
                    "unit": row.unit,
                    "source": source(&row.origin),
                    "from": row.origin.to_string(),
                })
            })
            .collect();
        output.document(&json!({ "settings": rows }));
    } else {
        let rows: Vec<_> =
            rows.into_iter().map(|row| vec![row.key, row.text, row.origin.to_string()]).collect();
        output.table(&["Key", "Value", "From"], &rows);
    }
    Ok(Exit::Ok)
}

/// Which layer a value comes from.
fn source(origin: &Origin) -> &'static str {
    match origin {
        Origin::Default => "default",
        Origin::File(..) | Origin::WholeFile(_) => "file",
        Origin::Environment(name) if settings::env::is_own(name) => "environment",
        Origin::Environment(_) => "package",
        Origin::Flag(_) => "flag",
    }
}

fn problem(error: &SettingError) -> serde_json::Value {
    json!({ "origin": error.origin.to_string(), "key": error.key, "message": error.message })
}
