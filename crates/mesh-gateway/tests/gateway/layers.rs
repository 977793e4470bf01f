//! Layers of the embedding code before routes: which run, in which order, what they see, what outlives them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    extract::{Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode};
use mesh_gateway::{GatewayBuilder, GatewaySettings, RouteMeta, RouteService};
use mesh_testkit::upstream::FakeUpstream;
use tower::{Layer, util::MapRequest};

use crate::support::{Node, keyring, manifest, manifest_with, put, service, until};

/// Leaves a word in the request.
pub(crate) async fn mark(State(word): State<&'static str>, mut request: Request, next: Next) -> Response {
    request.headers_mut().append("trail", HeaderValue::from_static(word));
    next.run(request).await
}

fn settings(upstream: &FakeUpstream) -> GatewaySettings {
    GatewaySettings {
        configured: vec![service("oms", &[upstream.url()]), service("pim", &[upstream.url()])],
        ..GatewaySettings::default()
    }
}

fn shop() -> Vec<String> {
    vec![
        manifest("oms", &[("GET", "/api/orders"), ("POST", "/api/orders")]),
        manifest_with(
            "pim",
            &[(
                "GET",
                "/api/products/{product}",
                r#","name":"products.show","permissions":["products.view"]"#,
            )],
        ),
    ]
}

async fn node(upstream: &FakeUpstream, build: impl FnOnce(GatewayBuilder) -> GatewayBuilder) -> Node {
    Node::built(settings(upstream), &shop(), build).await
}

/// The words that the last request carried when it arrived.
fn trail(upstream: &FakeUpstream) -> Vec<String> {
    let request = upstream.requests().pop().unwrap();
    request.header("trail").into_iter().map(|word| String::from_utf8(word.to_vec()).unwrap()).collect()
}

#[tokio::test]
async fn layers_stand_before_a_service_or_before_one_route_and_the_services_run_first() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node(&upstream, |builder| {
        builder.routes(|r| {
            r.service("oms")
                .layer(from_fn_with_state("service 1", mark))
                .layer(from_fn_with_state("service 2", mark));
            r.service("oms")
                .post("/api/orders")
                .layer(from_fn_with_state("route 1", mark))
                .layer(from_fn_with_state("route 2", mark));
        })
    })
    .await;
    assert_eq!(node.post("/api/orders", "", b"{}").await.status, 200);
    assert_eq!(trail(&upstream), ["service 2", "service 1", "route 2", "route 1"], "added last, runs first");
    assert_eq!(&upstream.requests()[0].body[..], b"{}");
    assert_eq!(node.get("/api/orders").await.status, 200);
    assert_eq!(trail(&upstream), ["service 2", "service 1"], "only the service's");
    assert_eq!(node.get("/api/products/1").await.status, 200);
    assert!(trail(&upstream).is_empty(), "another service has none");
    node.stop().await;
}

async fn tell(meta: RouteMeta) -> Response {
    let text = serde_json::json!({
        "service": meta.service(),
        "name": meta.name(),
        "service_uri": meta.service_uri(),
        "gateway_uri": meta.gateway_uri(),
        "path": meta.path(),
        "service_path": meta.service_path(),
        "parameters": meta.parameters(),
        "decoded": meta.decoded_parameter("product"),
        "metadata": meta.metadata(),
    });
    (StatusCode::FORBIDDEN, text.to_string()).into_response()
}

#[tokio::test]
async fn a_layer_sees_the_route_with_its_metadata_and_may_answer_itself() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node(&upstream, |builder| {
        builder.routes(|r| {
            r.service("pim")
                .prefix("catalog")
                .get("/api/products/{id}")
                .layer(from_fn(async |meta: RouteMeta, _: Request, _: Next| tell(meta).await));
        })
    })
    .await;
    let answer = node.get("/api/catalog/products/a%20b/?x=1").await;
    assert_eq!(answer.status, 403);
    assert_eq!(
        answer.json(),
        serde_json::json!({
            "service": "pim",
            "name": "products.show",
            "service_uri": "/api/products/{product}",
            "gateway_uri": "/api/catalog/products/{product}",
            "path": "/api/catalog/products/a%20b/",
            "service_path": "/api/products/a%20b/",
            "parameters": [["product", "a%20b"]],
            "decoded": "a b",
            "metadata": { "permissions": ["products.view"] },
        })
    );
    assert_eq!(upstream.count(), 0);
    let figures = node.admin("/microservice/metrics").await.text();
    let line = r#"mesh_requests_total{service="pim",method="GET",route="/api/catalog/products/{product}",class="4xx"} 1"#;
    assert!(figures.contains(line), "{figures}");
    node.stop().await;
}

/// Counts its requests; a new one counts from the start.
#[derive(Clone)]
struct Counted(Arc<AtomicUsize>);

impl Layer<RouteService> for Counted {
    type Service = MapRequest<RouteService, Box<dyn Counts>>;

    fn layer(&self, inner: RouteService) -> Self::Service {
        self.0.fetch_add(1, Ordering::SeqCst);
        let count = Arc::new(AtomicUsize::new(0));
        let counts = move |mut request: Request| {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            request.headers_mut().insert("trail", HeaderValue::from(number));
            request
        };
        MapRequest::new(inner, Box::new(counts))
    }
}

trait Counts: Fn(Request) -> Request + Send + Sync {
    fn again(&self) -> Box<dyn Counts>;
}

impl<F: Fn(Request) -> Request + Clone + Send + Sync + 'static> Counts for F {
    fn again(&self) -> Box<dyn Counts> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Counts> {
    fn clone(&self) -> Self {
        (**self).again()
    }
}

#[tokio::test]
async fn layers_and_what_they_remember_outlive_new_manifests_and_settings() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let made = Arc::new(AtomicUsize::new(0));
    let node = node(&upstream, |builder| {
        builder.routes(|r| {
            r.service("oms").get("/api/orders").layer(Counted(Arc::clone(&made)));
        })
    })
    .await;
    assert_eq!(node.get("/api/orders").await.status, 200);
    let more = manifest("oms", &[("GET", "/api/more"), ("GET", "/api/orders"), ("POST", "/api/orders")]);
    put(&node.store, &more).await;
    until("the new manifest is served", async || node.get("/api/more").await.status == 200).await;
    assert_eq!(node.get("/api/orders").await.status, 200);
    assert_eq!(trail(&upstream), ["2"]);

    let changed = GatewaySettings { body_limit: 1, ..settings(&upstream) };
    node.running.gateway().reload(changed, keyring()).await.unwrap();
    until("the settings apply", async || node.post("/api/orders", "", b"ok").await.status == 413).await;
    assert_eq!(node.get("/api/orders").await.status, 200);
    assert_eq!(trail(&upstream), ["3"]);
    assert_eq!(made.load(Ordering::SeqCst), 1, "made once for the route");
    node.stop().await;
}

async fn only_ann(request: Request, next: Next) -> Response {
    if request.headers().get("authorization").is_some_and(|value| value == "ann") {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

#[tokio::test]
async fn layers_run_before_an_answer_is_taken_from_memory() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let orders = manifest_with("oms", &[("POST", "/api/orders", r#","idempotency":true"#)]);
    let node = Node::built(settings(&upstream), &[orders], |builder| {
        builder.routes(|r| {
            r.service("oms").layer(from_fn_with_state("seen", mark)).layer(from_fn(only_ann));
        })
    })
    .await;
    let ann = "Authorization: ann\r\nIdempotency-Key: k1\r\n";
    assert_eq!(node.post("/api/orders", ann, b"{}").await.status, 200);
    let again = node.post("/api/orders", ann, b"{}").await;
    assert_eq!((again.status, again.header("x-idempotency-cache-hit")), (200, vec!["true"]));
    assert_eq!(node.post("/api/orders", "Idempotency-Key: k1\r\n", b"{}").await.status, 401);
    assert_eq!(upstream.count(), 1);
    assert_eq!(trail(&upstream), ["seen"]);
    node.stop().await;
}

async fn introduce(mut request: Request, next: Next) -> Response {
    assert!(!request.headers().contains_key("x-user-id"), "the client's own word is taken out");
    request.headers_mut().insert("x-user-id", HeaderValue::from_static("7"));
    request.headers_mut().insert("x-service-name", HeaderValue::from_static("ops"));
    next.run(request).await
}

#[tokio::test]
async fn a_layer_may_say_for_whom_a_request_is_made_and_a_client_may_not() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node(&upstream, |builder| {
        builder.routes(|r| {
            r.service("oms").layer(from_fn(introduce));
        })
    })
    .await;
    let spoofed = "X-User-Id: 1\r\nX-Role: admin\r\n";
    assert_eq!(node.post("/api/orders", spoofed, b"{}").await.status, 200);
    let request = upstream.requests().pop().unwrap();
    assert_eq!(request.header("x-user-id"), [b"7"]);
    assert!(request.header("x-role").is_empty());
    assert_eq!(request.header("x-service-name"), [b"gateway"], "nobody speaks for the gateway itself");
    node.stop().await;
}

async fn lead_astray(mut request: Request, next: Next) -> Response {
    if let Some(to) = request.headers_mut().remove("to") {
        *request.uri_mut() = to.to_str().unwrap().parse().unwrap();
    }
    next.run(request).await
}

#[tokio::test]
async fn a_layer_may_change_the_target_but_not_to_that_of_another_route() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node(&upstream, |builder| {
        builder.routes(|r| {
            r.service("pim").layer(from_fn(lead_astray));
        })
    })
    .await;
    let to = async |path: &str| {
        let head = format!("GET /api/products/1 HTTP/1.1\r\nHost: street\r\nConnection: close\r\nTo: {path}");
        node.send(&head, b"").await
    };
    assert_eq!(to("/api/products/2?page=3").await.status, 200);
    assert_eq!(upstream.requests()[0].target, "/api/products/2?page=3");
    to("/api/private").await.is_refusal(500, "internal");
    to("/api/products/%2e%2e").await.is_refusal(400, "path_not_canonical");
    assert_eq!(upstream.count(), 1);
    node.stop().await;
}

#[tokio::test]
async fn a_panic_in_a_layer_is_500_and_the_gateway_goes_on() {
    let upstream = FakeUpstream::scripted([]).await.unwrap();
    let node = node(&upstream, |builder| {
        builder.routes(|r| {
            r.service("oms").layer(from_fn(async |request: Request, next: Next| {
                assert!(request.uri().query().is_none(), "as told");
                next.run(request).await
            }));
        })
    })
    .await;
    node.get("/api/orders?panic").await.is_refusal(500, "internal");
    assert_eq!(node.get("/api/orders").await.status, 200);
    node.stop().await;
}
