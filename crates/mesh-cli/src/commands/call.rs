//! `mesh call`: one signed call through the client, with every attempt on request.

use std::time::Duration;

use mesh_client::{CallError, ServiceRequest, ServiceResponse, driver::AttemptRecord};
use serde_json::{Map, Value, json};

use super::{client, method, sign};
use crate::{
    args::Call,
    exit::{Exit, Failure},
    output::Output,
    settings::Settings,
    stores::Stores,
};

/// How long the store has to take what the call reports.
const REPORTED: Duration = Duration::from_secs(1);

pub(crate) fn run(call: &Call, settings: &Settings, verbose: u8, output: &Output) -> Result<Exit, Failure> {
    settings.keyring.as_ref().map_err(|errors| Failure::settings(errors.clone()))?;
    let stores = Stores::from_settings(settings)?;
    let answer = client::runtime()?.block_on(async {
        let client = client::builder(settings, &stores, settings.services.clone())?
            .build()
            .map_err(|error| Failure::usage(error.to_string()))?;
        let method = method(&call.method)?;
        let request =
            request(call, client.service(call.service.as_str()).request(method, call.path.as_str()))?;
        // The call begins with what others know of the instances; that a store is silent is logged by the background.
        drop(client.learn().await);
        let answer = request.send().await;
        // Others hear of the instances' health before this process is gone, unless the store does not answer.
        drop(tokio::time::timeout(REPORTED, client.finish()).await);
        Ok(answer)
    })?;
    match answer {
        Ok(response) => Ok(print(&response, verbose, output)),
        Err(CallError::Unavailable { last: Some(response), .. }) => Ok(print(&response, verbose, output)),
        Err(error) => Err(unanswered(&error, verbose, output)),
    }
}

fn request(call: &Call, mut request: ServiceRequest) -> Result<ServiceRequest, Failure> {
    if call.body.is_some() {
        request = request.with_body(sign::body(call.body.as_deref())?);
    }
    let mut headers = Vec::new();
    for header in &call.headers {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| Failure::usage(format!("-H {header:?}: a header is written as 'Name: value'")))?;
        headers.push((name.trim(), value.trim()));
    }
    let mut query = Vec::new();
    for pair in &call.query {
        query.push(pair.split_once('=').ok_or_else(|| {
            Failure::usage(format!("--query {pair:?}: a parameter is written as name=value"))
        })?);
    }
    request = request.with_headers(headers).with_query(query);
    if let Some(seconds) = call.timeout {
        let timeout = Duration::try_from_secs_f64(seconds).ok().filter(|timeout| !timeout.is_zero());
        request = request
            .timeout(timeout.ok_or_else(|| Failure::usage("--timeout is a number of seconds above 0"))?);
    }
    if let Some(retries) = call.retries {
        request = request.retries(retries);
    }
    Ok(request)
}

fn print(response: &ServiceResponse, verbose: u8, output: &Output) -> Exit {
    if output.json {
        let mut headers = Map::new();
        for name in response.headers().keys() {
            let values: Vec<_> = response
                .headers()
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
                .collect();
            headers.insert(name.to_string(), values.join(", ").into());
        }
        let body = serde_json::from_slice(response.bytes()).unwrap_or_else(|_| Value::from(response.text()));
        output.document(&json!({
            "status": response.status().as_u16(),
            "headers": headers,
            "body": body,
            "attempts": attempts(response.attempts()),
        }));
    } else {
        if verbose > 0 {
            for line in lines(response.attempts()) {
                output.message(line);
            }
        }
        output.message(response.status());
        output.bytes(response.bytes());
    }
    if response.status().as_u16() >= 400 { Exit::Problem } else { Exit::Ok }
}

/// Nothing answered, or the call could not be made at all.
fn unanswered(error: &CallError, verbose: u8, output: &Output) -> Failure {
    if output.json {
        output.document(&json!({
            "status": null, "headers": {}, "body": null, "attempts": attempts(error.attempts()),
        }));
    }
    if let CallError::Unavailable { service, attempts, .. } = error
        && verbose > 0
        && !attempts.is_empty()
    {
        for line in lines(attempts) {
            output.message(line);
        }
        return Failure::unreachable(format!("the service [{service}] is unavailable"));
    }
    let exit = match error {
        CallError::Invalid { .. } => Exit::Usage,
        CallError::Unavailable { .. } => Exit::Unreachable,
        _ => Exit::Problem,
    };
    Failure::new(exit, error.to_string())
}

fn attempts(records: &[AttemptRecord]) -> Vec<Value> {
    records
        .iter()
        .map(|record| {
            json!({
                "url": record.url.as_str(),
                "outcome": record.outcome,
                "ms": u64::try_from(record.elapsed.as_millis()).unwrap_or(u64::MAX),
            })
        })
        .collect()
}

fn lines(records: &[AttemptRecord]) -> impl Iterator<Item = String> {
    records.iter().enumerate().map(|(number, record)| {
        format!(
            "attempt {}: {} {} ({} ms)",
            number + 1,
            record.url,
            record.outcome,
            record.elapsed.as_millis()
        )
    })
}
