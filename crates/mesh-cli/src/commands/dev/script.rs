//! `mesh dev --once`: plays the main job step by step, prints each, and ends well only if each did what it says.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use mesh_core::header::{IDEMPOTENCY_KEY, X_IDEMPOTENCY_CACHE_HIT};
use serde_json::Value;

use super::Demo;
use crate::{commands::plain, exit::Exit, output::Output};

/// Calls after an instance was killed; all of them must be answered.
const CALLS: usize = 20;

pub(super) async fn play(demo: &mut Demo, output: &Output) -> anyhow::Result<Exit> {
    let gateway = demo.running.public().to_string();
    let steps = async {
        called_through_the_gateway(&gateway, output).await?;
        refused_without_a_signature(demo, output).await?;
        failed_over(demo, &gateway, output).await?;
        replayed(&gateway, output).await
    };
    match steps.await {
        Ok(()) => {
            output.told("\nEvery step did what it says.");
            Ok(Exit::Ok)
        }
        Err(error) => {
            output.told(format_args!("  FAILED: {error:#}"));
            Ok(Exit::Problem)
        }
    }
}

async fn called_through_the_gateway(gateway: &str, output: &Output) -> anyhow::Result<()> {
    output.told(format_args!("\n1. A call through the gateway\n   GET http://{gateway}/api/orders/1"));
    let answer = get(gateway, "/api/orders/1").await?;
    ensure!(answer.status() == StatusCode::OK, "answered {}", answer.status());
    let document: Value = serde_json::from_slice(answer.body())?;
    ensure!(document["by"]["service"] == "orders", "answered by {}", document["by"]);
    output.told(format_args!("   {} {document}", answer.status()));
    Ok(())
}

async fn refused_without_a_signature(demo: &Demo, output: &Output) -> anyhow::Result<()> {
    let instance = demo.instances.first().context("no instance")?;
    let url = instance.url();
    output.told(format_args!(
        "\n2. The same call past the gateway, without a signature\n   GET {url}/api/orders/1"
    ));
    let answer = get(&instance.address.to_string(), "/api/orders/1").await?;
    ensure!(answer.status() == StatusCode::UNAUTHORIZED, "answered {}", answer.status());
    output.told(format_args!("   {} {}", answer.status(), String::from_utf8_lossy(answer.body())));
    Ok(())
}

async fn failed_over(demo: &mut Demo, gateway: &str, output: &Output) -> anyhow::Result<()> {
    let instance =
        demo.instances.iter_mut().find(|instance| instance.service == "orders").context("no instance")?;
    let pid = instance.pid;
    output
        .told(format_args!("\n3. An instance of orders is killed: the other one answers\n   kill -9 {pid}"));
    instance.kill().await?;
    for call in 1..=CALLS {
        let answer = get(gateway, "/api/orders/1").await?;
        ensure!(answer.status() == StatusCode::OK, "call {call} was answered {}", answer.status());
        let document: Value = serde_json::from_slice(answer.body())?;
        ensure!(document["by"]["pid"] != pid, "call {call} was answered by the dead instance");
    }
    output.told(format_args!("   {CALLS} of {CALLS} calls answered 200 by the other instance"));
    Ok(())
}

async fn replayed(gateway: &str, output: &Output) -> anyhow::Result<()> {
    output.told(format_args!(
        "\n4. An order is placed twice with one key: it runs once\n   POST http://{gateway}/api/orders  (key order-1)"
    ));
    let first = place(gateway).await?;
    ensure!(
        first.status() == StatusCode::CREATED,
        "answered {}: {}",
        first.status(),
        String::from_utf8_lossy(first.body())
    );
    ensure!(!first.headers().contains_key(X_IDEMPOTENCY_CACHE_HIT), "the first answer is a replay");
    output.told(format_args!("   {} {}", first.status(), String::from_utf8_lossy(first.body())));
    let second = place(gateway).await?;
    let is_hit = second.headers().get(X_IDEMPOTENCY_CACHE_HIT).is_some_and(|value| value == "true");
    ensure!(is_hit, "the second answer ({}) is no replay", second.status());
    ensure!(second.body() == first.body() && second.status() == first.status(), "the replay differs");
    output.told(format_args!("   {} X-Idempotency-Cache-Hit: true, the same order", second.status()));
    Ok(())
}

async fn get(authority: &str, path: &str) -> anyhow::Result<Response<Bytes>> {
    plain::send(authority, Request::get(path).body(Full::default())?).await
}

async fn place(gateway: &str) -> anyhow::Result<Response<Bytes>> {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/orders")
        .header(CONTENT_TYPE, "application/json")
        .header(IDEMPOTENCY_KEY, "order-1")
        .body(Full::from("{\"product_id\":1,\"quantity\":5}"))?;
    plain::send(gateway, request).await
}
