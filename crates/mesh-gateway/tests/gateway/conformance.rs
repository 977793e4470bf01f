//! What a client sees of whatever an instance sends: a table of raw answers, each played through a real gateway, whole
//! and in slices. What an instance gets wrong costs its own request only.

mod client;
mod early;
mod instance;
mod oracle;
mod rows;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::join_all};
use mesh_core::{health::HealthPolicy, retry::RetryPolicy};
use mesh_gateway::GatewaySettings;
use tokio::net::TcpStream;

use self::{
    client::{Seen, ask},
    instance::{Instance, Slicing},
    rows::{Row, Sees, Then, rows},
};
use crate::support::{Node, manifest, service, until};

/// A gateway before one instance for each row, each a service of its own.
async fn node_before(instances: &[Arc<Instance>]) -> Node {
    let names: Vec<_> = (0..instances.len()).map(|number| format!("row{number}")).collect();
    let settings = GatewaySettings {
        configured: names
            .iter()
            .zip(instances)
            .map(|(name, instance)| service(name, &[instance.url()]))
            .collect(),
        health: HealthPolicy::try_new(1_000, Duration::from_secs(30)).unwrap(),
        retry: RetryPolicy { retries: 0, ..RetryPolicy::default() },
        timeout: Duration::from_secs(20),
        ..GatewaySettings::default()
    };
    let manifests: Vec<_> =
        names.iter().map(|name| manifest(name, &[("GET", &format!("/api/{name}"))])).collect();
    Node::start(settings, &manifests).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_sees_of_every_answer_what_the_table_says() {
    let rows = rows();
    assert!(rows.len() >= 60, "{} rows", rows.len());
    let mut instances = Vec::new();
    for row in &rows {
        instances.push(Instance::start(row.bytes.clone(), row.closes).await);
    }
    let node = &node_before(&instances).await;
    let playing = rows.iter().zip(&instances).enumerate().map(|(number, (row, instance))| {
        AssertUnwindSafe(async move {
            for slicing in Slicing::all(row.bytes.len()) {
                play(node, number, row, instance, slicing).await;
            }
        })
        .catch_unwind()
    });
    let failed = join_all(playing).await.iter().filter(|played| played.is_err()).count();
    assert_eq!(failed, 0, "rows failed, see above");
}

/// Plays one row, then an ordinary request to the same instance.
async fn play(node: &Node, number: usize, row: &Row, instance: &Instance, slicing: Slicing) {
    let what = format!("{} ({slicing:?})", row.name);
    instance.slice(slicing);
    let mut stream = TcpStream::connect(node.running.public()).await.unwrap();
    let seen = ask(&mut stream, row.method, &format!("/api/row{number}?row")).await;
    check(&what, row, &seen);
    let used = instance.last_used();
    match row.then {
        Then::Reused => {}
        Then::Dropped => {
            until(&format!("{what}: the connection is dropped"), async || instance.has_ended(used)).await;
        }
    }
    if !seen.may_go_on {
        stream = TcpStream::connect(node.running.public()).await.unwrap();
    }
    let next = ask(&mut stream, "GET", &format!("/api/row{number}")).await;
    assert_eq!((next.status, next.body.as_slice()), (200, &b"ok"[..]), "{what}: the next request");
    let is_same = instance.last_used() == used;
    assert_eq!(is_same, row.then == Then::Reused, "{what}: the next request's connection");
}

fn check(what: &str, row: &Row, seen: &Seen) {
    let text = String::from_utf8_lossy(&seen.body);
    match &row.sees {
        Sees::Answer(status, headers, body) => {
            assert_eq!((seen.status, &*text, seen.is_whole), (*status, *body, true), "{what}: {seen:?}");
            for (name, values) in *headers {
                assert_eq!(seen.header(name), *values, "{what}: {name}");
            }
        }
        Sees::Malformed | Sees::Unreachable => {
            let code =
                if row.sees == Sees::Malformed { "bad_upstream_response" } else { "upstream_unreachable" };
            assert_eq!((seen.status, seen.is_whole), (502, true), "{what}: {seen:?}");
            let names_code = text.contains(&format!("\"code\":\"{code}\""));
            assert!(names_code || row.method == "HEAD", "{what}: {text}");
        }
        Sees::Aborted(status, body) => {
            assert_eq!((seen.status, seen.is_whole), (*status, false), "{what}: {seen:?}");
            assert_eq!(&*text, *body, "{what}: what came before the end");
        }
    }
}
