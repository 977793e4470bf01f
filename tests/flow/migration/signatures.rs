//! What one side signs holds at the other, and nothing else does.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mesh_core::{
    clock::UnixMillis,
    signature::{Algorithm, Keyring, Presented, Signer, Verifier},
};
use serde_json::{Value, json};

use super::{
    chance::{Chance, Request},
    secret,
};
use crate::{house::SECRET, php::Peer};

pub(super) const NOW: u64 = 1_795_220_372;
const ALGORITHMS: [(&str, Algorithm); 3] =
    [("sha256", Algorithm::Sha256), ("sha384", Algorithm::Sha384), ("sha512", Algorithm::Sha512)];

/// A request as it arrives.
#[derive(Clone, Debug)]
struct Signed {
    request: Request,
    algorithm: usize,
    time: String,
    signature: String,
}

/// Our side, for each algorithm.
struct Ours(Vec<(Signer, Verifier)>);

impl Ours {
    fn new() -> Self {
        let of = |(_, algorithm)| {
            let keyring = Keyring { algorithm, ..Keyring::new(secret(SECRET)) };
            (Signer::new(&keyring), Verifier::new(keyring, std::time::Duration::from_secs(60)))
        };
        Self(ALGORITHMS.into_iter().map(of).collect())
    }

    fn sign(&self, request: &Request, algorithm: usize, time: u64) -> Signed {
        let target = format!("{}{}", request.path, request.query);
        let signature = self.0[algorithm].0.sign(request.method, &target, time, &request.body);
        let signature = signature.as_str().to_owned();
        Signed { request: request.clone(), algorithm, time: time.to_string(), signature }
    }

    fn accepts(&self, signed: &Signed) -> bool {
        let Signed { request, algorithm, time, signature } = signed;
        let target = format!("{}{}", request.path, request.query);
        let presented = Presented::parse(&[signature.as_bytes()], &[time.as_bytes()]);
        let now = UnixMillis::from_seconds(NOW);
        presented
            .and_then(|it| self.0[*algorithm].1.verify(&it, request.method, &target, &request.body, now))
            .is_ok()
    }
}

fn question(verb: &str, request: &Request, algorithm: usize) -> Value {
    json!({
        "do": verb, "method": request.method, "path": request.path, "target": format!("{}{}", request.path, request.query),
        "body": STANDARD.encode(&request.body), "secret": SECRET, "algorithm": ALGORITHMS[algorithm].0,
    })
}

fn php_signs(php: &mut Peer, wanted: &[(Request, usize, u64)]) -> Vec<Signed> {
    let mut questions: Vec<_> =
        wanted.iter().map(|(it, algorithm, _)| question("sign", it, *algorithm)).collect();
    for (question, (_, _, time)) in questions.iter_mut().zip(wanted) {
        question["now"] = json!(time);
    }
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let signed =
        php.ask_all(&questions).into_iter().zip(wanted).map(|(answer, (request, algorithm, _))| Signed {
            request: request.clone(),
            algorithm: *algorithm,
            time: text(&answer[0]),
            signature: text(&answer[1]),
        });
    signed.collect()
}

fn php_accepts(php: &mut Peer, all: &[Signed]) -> Vec<bool> {
    let questions: Vec<_> = all
        .iter()
        .map(|signed| {
            let mut question = question("verify", &signed.request, signed.algorithm);
            question["now"] = json!(NOW);
            question["time"] = json!(signed.time);
            question["signature"] = json!(signed.signature);
            question
        })
        .collect();
    php.ask_all(&questions).iter().map(Value::is_null).collect()
}

/// Whether a request with this timestamp, signed by PHP, is taken by PHP and by us.
pub(super) fn timestamp_is_taken(timestamp: &Value) -> (bool, bool) {
    let request = Request { method: "GET", path: "/api/orders".to_owned(), query: "", body: Vec::new() };
    let mut php = Peer::start();
    let mut wanted = question("sign", &request, 0);
    wanted["now"] = timestamp.clone();
    let answer = php.ask(wanted);
    let text = |at: usize| answer[at].as_str().expect("text").to_owned();
    let signed = Signed { request, algorithm: 0, time: text(0), signature: text(1) };
    (php_accepts(&mut php, std::slice::from_ref(&signed))[0], Ours::new().accepts(&signed))
}

/// The same request with one thing changed on its way.
fn altered(chance: &mut Chance, good: &Signed) -> Vec<Signed> {
    let mut body = good.clone();
    let bytes = &mut body.request.body;
    match chance.below(3) {
        0 => bytes.push(0),
        _ if bytes.is_empty() => bytes.push(b' '),
        _ => {
            let at = chance.below(bytes.len());
            bytes[at] ^= 1 << chance.below(8);
        }
    }
    let mut path = good.clone();
    let at = chance.below(path.request.path.len()) + 1;
    path.request.path.insert(at, 'x');
    let mut method = good.clone();
    let is_post = method.request.method.eq_ignore_ascii_case("POST");
    method.request.method = if is_post { "PUT" } else { "POST" };
    let mut time = good.clone();
    let moved = time.time.parse::<u64>().expect("digits") ^ 1;
    time.time = moved.to_string();
    let mut digit = good.clone();
    let at = chance.below(digit.signature.len());
    let other = if &digit.signature[at..=at] == "0" { "1" } else { "0" };
    digit.signature.replace_range(at..=at, other);
    let mut case = good.clone();
    case.signature = case.signature.to_uppercase();
    let mut short = good.clone();
    short.signature.pop();
    vec![body, path, method, time, digit, case, short]
}

#[test]
fn of_ten_thousand_requests_of_each_side_the_other_refuses_none_and_accepts_none_that_was_altered() {
    let (mut chance, mut php, ours) = (Chance::new(), Peer::start(), Ours::new());
    let wanted: Vec<_> = (0..10_000)
        .map(|_| (chance.request(), chance.below(3), NOW - 60 + chance.below(121) as u64))
        .collect();
    let from_php = php_signs(&mut php, &wanted);
    for signed in &from_php {
        assert!(ours.accepts(signed), "refused: {signed:?}");
    }
    let sign = |(request, algorithm, time): &(Request, usize, u64)| ours.sign(request, *algorithm, *time);
    let from_us: Vec<_> = wanted.iter().map(sign).collect();
    for (accepted, signed) in php_accepts(&mut php, &from_us).into_iter().zip(&from_us) {
        assert!(accepted, "refused: {signed:?}");
    }

    let stale: Vec<_> = wanted
        .iter()
        .map(|(request, algorithm, _)| {
            let beyond = 61 + chance.below(1000) as u64;
            (request.clone(), *algorithm, if chance.below(2) == 0 { NOW - beyond } else { NOW + beyond })
        })
        .collect();
    let mut bad: Vec<_> = php_signs(&mut php, &stale);
    bad.extend(stale.iter().map(sign));
    for good in from_php.iter().chain(&from_us) {
        bad.extend(altered(&mut chance, good));
    }
    assert_eq!(bad.len(), 160_000);
    for (accepted, signed) in php_accepts(&mut php, &bad).into_iter().zip(&bad) {
        assert!(!accepted, "accepted by php: {signed:?}");
        assert!(!ours.accepts(signed), "accepted by us: {signed:?}");
    }
}
