//! `mesh dev`: the main job with nothing installed. A gateway on the in-memory store, two demo services with two
//! instances each, registered, signed, proxied. Ignores mesh.toml and the environment.

mod house;
mod script;
pub(crate) mod service;

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use mesh_core::{
    name::ServiceName,
    secret::Secret,
    service::{BaseUrl, Service},
    signature::Keyring,
};
use mesh_gateway::{
    Gateway, GatewaySettings,
    server::{Listening, Running, serve},
};
use serde_json::{Value, json};

use self::house::{Instance, Neighbours};
use super::{client, gateway, keygen};
use crate::{
    args::Dev,
    exit::{Exit, Failure},
    output::Output,
    stores::Stores,
};

/// The demo services, two instances each.
const SERVICES: [&str; 2] = ["orders", "catalog"];
const INSTANCES: usize = 2;
/// Routes that both services register together.
const ROUTES: usize = 5;
/// How long the whole demo may take to stand.
const PATIENCE: Duration = Duration::from_secs(30);

/// The demo as it runs.
#[derive(Debug)]
pub(crate) struct Demo {
    running: Running,
    instances: Vec<Instance>,
}

pub(crate) fn run(dev: &Dev, output: &Output) -> Result<Exit, Failure> {
    let runtime = client::runtime()?;
    let failed = |error: anyhow::Error| Failure::new(Exit::Problem, format!("{error:#}"));
    let secret = keygen::fresh_secret();
    let mut demo = runtime.block_on(async {
        let started = tokio::time::timeout(PATIENCE, start(dev.listen, &secret)).await;
        started.map_err(|_| Failure::new(Exit::Problem, "the demo services did not register in time"))?
    })?;
    announce(&demo, output);
    let mut document = json(&demo);
    let exit = if dev.once {
        let exit = runtime.block_on(script::play(&mut demo, output)).map_err(failed)?;
        document["ok"] = (exit == Exit::Ok).into();
        if output.json {
            output.document(&document);
        }
        exit
    } else {
        if output.json {
            output.document(&document);
        }
        try_next(&demo, output);
        runtime.block_on(async {
            gateway::told_to_end()?.await;
            Ok::<_, Failure>(())
        })?;
        output.message("ending");
        Exit::Ok
    };
    drop(demo.instances);
    demo.running.shutdown();
    Ok(exit)
}

/// Starts instances and gateway, introduces them to each other, and waits for the routes.
async fn start(listen: SocketAddr, secret: &str) -> Result<Demo, Failure> {
    let failed = |error: anyhow::Error| Failure::new(Exit::Problem, format!("{error:#}"));
    let mut instances = Vec::new();
    for service in SERVICES {
        for _ in 0..INSTANCES {
            instances.push(Instance::start(service, secret).await.map_err(failed)?);
        }
    }
    let gateway = build(&instances, secret).map_err(failed)?;
    let listening =
        Listening { public: listen, admin: Some(SocketAddr::from(([127, 0, 0, 1], 0))), workers: 0 };
    let running = serve(&gateway, listening).map_err(|error| gateway::not_served(&error))?;
    let neighbours =
        Neighbours { gateway: format!("http://{}", running.public()), catalog: urls(&instances, "catalog") };
    for instance in &mut instances {
        instance.introduce(&neighbours).await.map_err(failed)?;
    }
    let admin = running.admin().context("no admin listener").map_err(failed)?;
    let admin = BaseUrl::parse(&format!("http://{admin}")).map_err(|error| failed(error.into()))?;
    loop {
        let document = super::admin::document(&admin, "/admin/routes").await?;
        if document["routes"].as_array().is_some_and(|routes| routes.len() >= ROUTES) {
            return Ok(Demo { running, instances });
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn build(instances: &[Instance], secret: &str) -> anyhow::Result<Gateway> {
    let mut configured = Vec::new();
    for name in SERVICES {
        let urls = urls(instances, name).iter().map(|url| BaseUrl::parse(url)).collect::<Result<_, _>>()?;
        configured.push(Service::new(ServiceName::parse(name)?, urls));
    }
    let stores = Stores::memory();
    let keyring = Keyring::new(Secret::try_new(secret)?);
    let settings = GatewaySettings { configured, snapshot: None, ..GatewaySettings::default() };
    let name = ServiceName::parse("gateway")?;
    Ok(Gateway::builder(name, keyring, stores.manifests, stores.health).settings(settings).build()?)
}

fn urls(instances: &[Instance], service: &str) -> Vec<String> {
    instances.iter().filter(|instance| instance.service == service).map(Instance::url).collect()
}

/// Where everything is, for programs.
fn json(demo: &Demo) -> Value {
    let url = |address: SocketAddr| format!("http://{address}");
    let instances: Vec<_> = demo
        .instances
        .iter()
        .map(|instance| json!({ "service": instance.service, "url": instance.url(), "pid": instance.pid }))
        .collect();
    json!({
        "gateway": url(demo.running.public()), "admin": demo.running.admin().map(url), "instances": instances,
    })
}

fn announce(demo: &Demo, output: &Output) {
    output.told(format_args!("gateway  listening on http://{}", demo.running.public()));
    if let Some(admin) = demo.running.admin() {
        output.told(format_args!("         admin on http://{admin}"));
    }
    for instance in &demo.instances {
        output.told(format_args!("{:<8} {} (pid {})", instance.service, instance.url(), instance.pid));
    }
}

/// What to type next, and what it shows.
fn try_next(demo: &Demo, output: &Output) {
    let gateway = demo.running.public();
    let of = |service: &str| demo.instances.iter().find(|instance| instance.service == service);
    let (Some(orders), Some(catalog)) = (of("orders"), of("catalog")) else { return };
    let tried = [
        (
            "a call through the gateway: signed, and answered by one of two instances (see \"pid\")",
            format!("curl -s http://{gateway}/api/orders/1"),
        ),
        (
            "the same service called past the gateway, without a signature: 401",
            format!("curl -i {}/api/orders/1", orders.url()),
        ),
        (
            "an order: orders asks catalog, with a signed call of its own; repeat it: the same order, not a second one",
            format!(
                "curl -si http://{gateway}/api/orders -H 'Idempotency-Key: order-1' -H 'Content-Type: application/json' \
                 -d '{{\"product_id\":1,\"quantity\":5}}'"
            ),
        ),
        (
            "kill an instance, and call again: the other one answers",
            format!("kill -9 {} && curl -s http://{gateway}/api/products/1", catalog.pid),
        ),
    ];
    output.told("\nTry:");
    for (what, command) in tried {
        output.told(format_args!("\n  # {what}\n  {command}"));
    }
    if let Some(admin) = demo.running.admin() {
        output.told(format_args!(
            "\n  # routes, health, why a route wins\n  mesh routes --admin http://{admin}"
        ));
        output.told(format_args!("  mesh health --admin http://{admin}"));
        output.told(format_args!("  mesh explain GET /api/orders/1 --admin http://{admin}"));
    }
    output.told("\nCtrl-C ends all.");
}
