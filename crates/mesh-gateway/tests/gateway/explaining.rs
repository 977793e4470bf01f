//! `mesh explain` equals what the gateway does: random manifests, 10,000 random requests over real sockets.

mod street;
mod world;

use http::Method;
use mesh_gateway::documents;
use serde_json::Value;

use self::{
    street::{Got, Street, echo},
    world::{Dice, World},
};
use crate::support::Node;

const WORLDS: u64 = 25;
const REQUESTS: usize = 400;

/// How often each kind of answer was seen: a test that only saw one kind has shown little.
#[derive(Debug, Default)]
struct Seen {
    forwarded: usize,
    not_found: usize,
    not_allowed: usize,
    options: usize,
    refused: usize,
}

impl Seen {
    fn count(&mut self, status: u16) {
        *match status {
            200 => &mut self.forwarded,
            404 => &mut self.not_found,
            405 => &mut self.not_allowed,
            204 => &mut self.options,
            _ => &mut self.refused,
        } += 1;
    }
}

#[tokio::test]
async fn explain_says_of_ten_thousand_random_requests_what_the_gateway_does() {
    let mut upstreams = Vec::new();
    for name in world::SERVICES {
        upstreams.push(echo(name).await);
    }
    let mut seen = Seen::default();
    for seed in 1..=WORLDS {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let node = Node::start(world.settings(&upstreams), &world.manifests).await;
        let table = world.table();
        let mut street = Street::new(node.running.public());
        for number in 0..REQUESTS {
            let (method, target) = world.request(&mut dice);
            let said = documents::explain(&table, &[], &method.parse().unwrap(), &target).document;
            let got = street.ask(&method, &target).await;
            if let Err(difference) = compare(&method, &target, &said, &got) {
                panic!(
                    "seed {seed}, request {number}: {method} {target}: {difference}\n{said:#}\n{got:?}\n{world:#?}"
                );
            }
            seen.count(got.status);
            if number % 20 == 0 {
                let asked =
                    node.admin(&format!("/admin/explain?method={method}&path={}", encoded(&target))).await;
                for part in ["matched", "answer", "candidates"] {
                    assert_eq!(asked.json()[part], said[part], "seed {seed}: {part} of {method} {target}");
                }
            }
        }
        drop(street);
        node.stop().await;
    }
    assert!(seen.forwarded > 3_000 && seen.not_found > 500 && seen.not_allowed > 500, "{seen:?}");
    assert!(seen.options > 50 && seen.refused > 50, "{seen:?}");
}

/// Whether the gateway did what was said.
fn compare(method: &str, target: &str, said: &Value, got: &Got) -> Result<(), String> {
    let differ = |what: &str, said: &str, got: &str| match said == got {
        true => Ok(()),
        false => Err(format!("{what}: {said:?} was said, {got:?} was done")),
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let matched = &said["matched"];
    if matched.is_null() {
        let answer = &said["answer"];
        differ("status", &answer["status"].to_string(), &got.status.to_string())?;
        differ("Allow", &text(&answer["allow"]), &got.header("allow"))?;
        let shows_code = method != Method::HEAD && got.status != 204;
        return if shows_code { differ("code", &text(&answer["code"]), &got.code()) } else { Ok(()) };
    }
    differ("status", "200", &got.status.to_string())?;
    differ("service", &text(&matched["service"]), &got.header("x-upstream"))?;
    differ("method", method, &got.header("x-method"))?;
    let query = target.find('?').map_or("", |at| &target[at..]);
    let path = text(&matched["service_path"]);
    differ("target", &format!("{path}{query}"), &got.header("x-target"))?;
    differ("parameters", &filled(matched), &normal(&path))
}

/// The service's path, put together of its URI and the parameters that were said.
fn filled(matched: &Value) -> String {
    let mut uri = matched["service_uri"].as_str().unwrap_or_default().to_owned();
    for (name, value) in matched["parameters"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        uri = uri.replace(&format!("{{{name}}}"), value).replace(&format!("{{{name}?}}"), value);
    }
    if let Some(left_out) = uri.rfind("/{").filter(|_| uri.ends_with("?}")) {
        uri.truncate(left_out);
    }
    normal(&uri)
}

/// A path without trailing slashes, its encoded unreserved characters decoded.
fn normal(path: &str) -> String {
    let mut normal = String::new();
    let mut rest = path.trim_end_matches('/');
    while let Some(at) = rest.find('%') {
        let (code, after) =
            (rest.get(at + 1..at + 3).unwrap_or_default(), rest.get(at + 3..).unwrap_or_default());
        normal.push_str(&rest[..at]);
        match u8::from_str_radix(code, 16).map(char::from) {
            Ok(plain) if plain.is_ascii_alphanumeric() || "-._~".contains(plain) => normal.push(plain),
            _ => normal.push_str(&format!("%{}", code.to_ascii_uppercase())),
        }
        rest = after;
    }
    normal + rest
}

fn encoded(target: &str) -> String {
    target.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
