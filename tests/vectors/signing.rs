//! Signature v1: the package's signatures are ours, byte for byte (tests/vectors/README.md).

use std::{error::Error, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mesh_core::{
    clock::UnixMillis,
    forward::Target,
    secret::Secret,
    signature::{Algorithm, Keyring, Presented, Signer, Verifier, mac::mac},
};
use serde_json::Value;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const TOLERANCE: Duration = Duration::from_secs(60);
const OTHER_SECRET: &str = "not what anything was signed with";

/// One recorded signature.
struct Vector {
    name: String,
    method: String,
    path: Vec<u8>,
    timestamp: String,
    body: Vec<u8>,
    secret: String,
    algorithm: String,
    signature: String,
}

/// A request as it goes on the wire.
struct Request<'a> {
    method: &'a str,
    target: &'a str,
    timestamp: u64,
    body: &'a [u8],
}

fn vectors() -> Outcome<Vec<Vector>> {
    let document: Value = serde_json::from_str(include_str!("signing.json"))?;
    document["vectors"].as_array().ok_or("no vectors")?.iter().map(vector).collect()
}

fn vector(value: &Value) -> Outcome<Vector> {
    let text =
        |field: &str| value[field].as_str().map(str::to_owned).ok_or_else(|| format!("no {field}: {value}"));
    Ok(Vector {
        name: text("name")?,
        method: text("method")?,
        path: bytes(&value["path_given"])?,
        timestamp: text("timestamp")?,
        body: bytes(&value["body"])?,
        secret: text("secret")?,
        algorithm: text("algorithm")?,
        signature: text("signature")?,
    })
}

/// Text as it is, `{"b64": ...}` decoded, nothing for `null`.
fn bytes(value: &Value) -> Outcome<Vec<u8>> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(text.clone().into_bytes()),
        other => Ok(BASE64_STANDARD.decode(other["b64"].as_str().ok_or("neither text nor b64")?)?),
    }
}

fn keyring(algorithm: Algorithm, active: &str, previous: &[&str]) -> Outcome<Keyring> {
    let previous = previous.iter().map(|secret| Secret::try_new(*secret)).collect::<Result<_, _>>()?;
    Ok(Keyring { algorithm, active: Secret::try_new(active)?, previous })
}

/// Whether a receiver with `keyring` accepts `signature` on `request`.
fn accepts(keyring: Keyring, request: &Request<'_>, signature: &str) -> Outcome<bool> {
    let timestamp = request.timestamp.to_string();
    let presented = Presented::parse(&[signature.as_bytes()], &[timestamp.as_bytes()])?;
    let now = UnixMillis::from_seconds(request.timestamp);
    let verifier = Verifier::new(keyring, TOLERANCE);
    Ok(verifier.verify(&presented, request.method, request.target, request.body, now).is_ok())
}

/// The request of a vector, if its path is a wire target without a query and its timestamp a number.
fn on_the_wire(vector: &Vector) -> Option<Request<'_>> {
    let target = str::from_utf8(&vector.path).ok()?;
    Target::parse(target).ok().filter(|target| target.query().is_none())?;
    http::Method::from_bytes(vector.method.as_bytes()).ok()?;
    let timestamp = vector.timestamp.parse().ok()?;
    (vector.timestamp == format!("{timestamp}")).then_some(())?;
    Some(Request { method: &vector.method, target, timestamp, body: &vector.body })
}

#[test]
fn every_sha2_signature_of_the_package_is_what_the_mac_function_gives() -> Outcome {
    let vectors = vectors()?;
    let mut ran = 0;
    for vector in &vectors {
        let Ok(algorithm) = vector.algorithm.parse::<Algorithm>() else { continue };
        let ours = mac(
            algorithm,
            vector.secret.as_bytes(),
            &vector.method,
            &vector.path,
            &vector.timestamp,
            &vector.body,
        );
        assert_eq!(ours, vector.signature, "{}", vector.name);
        ran += 1;
    }
    assert_eq!((ran, vectors.len()), (86, 98));
    Ok(())
}

#[test]
fn a_signature_of_the_package_over_a_wire_target_is_made_by_our_signer_and_accepted_by_our_verifier()
-> Outcome {
    let (mut with_its_secret, mut with_a_longer_one, mut trimmed) = (0, 0, 0);
    for vector in &vectors()? {
        let Ok(algorithm) = vector.algorithm.parse::<Algorithm>() else { continue };
        let Some(request) = on_the_wire(vector) else { continue };
        let is_long_enough = Secret::try_new(vector.secret.as_str()).is_ok();
        let secret = if is_long_enough { vector.secret.clone() } else { format!("{:=<16}", vector.secret) };
        let sent = if is_long_enough {
            with_its_secret += 1;
            vector.signature.clone()
        } else {
            with_a_longer_one += 1;
            mac(algorithm, secret.as_bytes(), request.method, request.target, &vector.timestamp, request.body)
        };
        let signer = Signer::new(&keyring(algorithm, &secret, &[])?);
        let ours = signer.sign(request.method, request.target, request.timestamp, request.body);
        if request.target.len() > 1 && request.target.ends_with('/') {
            // Ours is over the trimmed path; the package's own receiver refuses what its client sends here.
            trimmed += 1;
            assert_ne!(ours.as_str(), sent, "{}", vector.name);
        } else {
            assert_eq!(ours.as_str(), sent, "{}", vector.name);
        }
        for signature in [ours.as_str(), &sent] {
            assert!(accepts(keyring(algorithm, &secret, &[])?, &request, signature)?, "{}", vector.name);
            let rotated = keyring(algorithm, OTHER_SECRET, &["another one before it", &secret])?;
            assert!(accepts(rotated, &request, signature)?, "{}, by a previous secret", vector.name);
            let foreign = keyring(algorithm, OTHER_SECRET, &["another one before it"])?;
            assert!(!accepts(foreign, &request, signature)?, "{}, by no secret", vector.name);
        }
    }
    assert_eq!((with_its_secret, with_a_longer_one, trimmed), (17, 38, 1));
    Ok(())
}

#[test]
fn what_the_client_of_the_package_signs_is_accepted_and_a_receiver_of_the_package_accepts_ours() -> Outcome {
    let secret = "the secret of the recording ...";
    let document: Value = serde_json::from_str(include_str!("client.json"))?;
    let (mut accepted, mut refused, mut not_canonical) = (0, 0, 0);
    for case in document["wire"].as_array().ok_or("no cases")? {
        let name = case["case"].as_str().ok_or("no name")?;
        let (Some(line), Some(covers)) = (case["request_line"].as_str(), case["signature_covers"].as_str())
        else {
            continue;
        };
        let mut words = line.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else { return Err(line.into()) };
        let body = case["body"].as_str().ok_or("no body")?.as_bytes();
        let request = Request { method, target, timestamp: 1_700_000_000, body };
        let Ok(parsed) = Target::parse(target) else {
            not_canonical += 1;
            continue;
        };
        // What the package signed: a receiver of ours takes it when it is the path on the wire, trimmed or not.
        let theirs = mac(Algorithm::Sha256, secret.as_bytes(), method, covers, "1700000000", body);
        let is_the_path = parsed.path() == covers;
        let ring = || keyring(Algorithm::Sha256, secret, &[]);
        assert_eq!(accepts(ring()?, &request, &theirs)?, is_the_path, "{name}");
        if is_the_path {
            accepted += 1
        } else {
            refused += 1
        }
        if case["verifies_at_upstream_receiver"] == Value::Bool(true) {
            assert!(is_the_path, "{name}: the package accepts what we refuse");
        }
        // What we sign: the path as a receiver of the package reads it, whatever its own client would have signed.
        let read = format!("/{}", parsed.path().trim_matches('/'));
        let ours = Signer::new(&ring()?).sign(method, target, request.timestamp, body);
        assert_eq!(
            ours.as_str(),
            mac(Algorithm::Sha256, secret.as_bytes(), method, &read, "1700000000", body),
            "{name}"
        );
        assert!(accepts(ring()?, &request, ours.as_str())?, "{name}");
    }
    assert_eq!((accepted, refused, not_canonical), (33, 6, 2));
    Ok(())
}
