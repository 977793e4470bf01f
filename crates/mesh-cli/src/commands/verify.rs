//! `mesh verify`: whether a signature holds, and which part is wrong.

use mesh_core::{
    clock::{Clock as _, SystemClock, UnixMillis},
    signature::{
        Algorithm,
        diagnosis::{Claim, Diagnosis, Hint, Which, diagnose},
    },
};
use serde_json::{Value, json};

use super::{
    method,
    sign::{body, check_target},
};
use crate::{
    args::Verify,
    exit::{Exit, Failure},
    output::Output,
    settings::Settings,
};

pub(crate) fn run(verify: &Verify, settings: &Settings, output: &Output) -> Result<Exit, Failure> {
    let keyring = settings.keyring.clone().map_err(Failure::settings)?;
    let method = method(&verify.method)?;
    check_target(&verify.path)?;
    let body = body(verify.body.as_deref())?;
    let claim = Claim {
        method: method.as_str(),
        target: &verify.path,
        body: &body,
        signature: &verify.signature,
        timestamp: &verify.timestamp,
    };
    let now = verify.now.map_or_else(|| SystemClock.unix(), UnixMillis::from_seconds);
    let said = Said::of(&diagnose(&keyring, settings.timestamp_tolerance, &claim, now), keyring.algorithm);
    if output.json {
        output.document(&said.document());
    } else {
        output.line(said.verdict());
        for hint in &said.hints {
            output.line(format_args!("  {}", says(*hint)));
        }
    }
    Ok(if said.wrong.is_none() { Exit::Ok } else { Exit::Problem })
}

/// What is said of a signature.
#[derive(Debug)]
struct Said {
    /// `signature`, `timestamp`, `window` or `mac`; `None`: it holds.
    wrong: Option<&'static str>,
    reason: Option<String>,
    secret: Option<String>,
    hints: Vec<Hint>,
}

impl Said {
    fn of(diagnosis: &Diagnosis, algorithm: Algorithm) -> Self {
        let wrong = |part, reason: String, hints: &[Hint]| Self {
            wrong: Some(part),
            reason: Some(reason),
            secret: None,
            hints: hints.to_vec(),
        };
        match diagnosis {
            Diagnosis::Verified(which) => {
                Self { wrong: None, reason: None, secret: Some(named(*which)), hints: Vec::new() }
            }
            Diagnosis::SignatureNotHex(hints) => {
                let reason = format!("it is not {} lower-case hex digits", algorithm.hex_digits());
                wrong("signature", reason, hints)
            }
            Diagnosis::TimestampMalformed => {
                wrong("timestamp", "it is not Unix seconds: 1 to 19 decimal digits".to_owned(), &[])
            }
            Diagnosis::SignatureLength { digits, expected, hints } => {
                let reason = format!("it has {digits} digits, and {algorithm} makes {expected}");
                wrong("signature", reason, hints)
            }
            Diagnosis::OutsideWindow { off, is_past, tolerance, mac, hints } => {
                let side = if *is_past { "before" } else { "after" };
                let rest = match mac {
                    Some(which) => format!("the MAC itself holds, by {}", named(*which)),
                    None => "the MAC differs as well".to_owned(),
                };
                let reason =
                    format!("the timestamp is {off} s {side} now, and may be {tolerance} s off; {rest}");
                Self { secret: mac.map(named), ..wrong("window", reason, hints) }
            }
            Diagnosis::Mismatch(hints) => wrong(
                "mac",
                "no secret of the settings makes it over this method, path, timestamp and body".to_owned(),
                hints,
            ),
        }
    }

    fn verdict(&self) -> String {
        let (part, reason) = (self.wrong.unwrap_or_default(), self.reason.as_deref().unwrap_or_default());
        match &self.secret {
            Some(secret) if self.wrong.is_none() && secret != ACTIVE => {
                format!("verified with {secret}: whoever signed has not changed to the new secret yet")
            }
            Some(secret) if self.wrong.is_none() => format!("verified with {secret}"),
            _ => format!("not verified: {part}: {reason}"),
        }
    }

    fn document(&self) -> Value {
        json!({
            "verified": self.wrong.is_none(),
            "wrong": self.wrong,
            "reason": self.reason,
            "secret": self.secret,
            "hints": self.hints.iter().map(|hint| says(*hint)).collect::<Vec<_>>(),
        })
    }
}

/// The setting that holds the secret that signs.
const ACTIVE: &str = "secret";

/// The setting that holds the secret.
fn named(which: Which) -> String {
    match which {
        Which::Active => ACTIVE.to_owned(),
        Which::Previous(at) => format!("previous_secrets[{at}]"),
    }
}

fn says(hint: Hint) -> String {
    match hint {
        Hint::UpperCase => "it holds in lower case: the digits were made upper case".to_owned(),
        Hint::Algorithm(algorithm) => format!("it holds with {algorithm}: the other side signs with that"),
        Hint::WithQuery => "it holds with the query in the path: only the path is signed".to_owned(),
        Hint::WithoutLeadingSlash => "it holds without the path's leading slash".to_owned(),
        Hint::LowerCaseMethod => {
            "it holds with the method in lower case: it is signed in upper case".to_owned()
        }
        Hint::NewlineAdded => "it holds with a line's end after the body".to_owned(),
        Hint::NewlineRemoved => "it holds without the line's end after the body".to_owned(),
        Hint::EmptyBody => "it holds with an empty body: the body was not signed".to_owned(),
    }
}
