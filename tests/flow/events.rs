//! What a gateway says of its calls.

use crate::{
    house::{House, wait_for},
    wire,
};

#[test]
fn a_gateway_logs_that_a_service_is_unavailable() {
    let node =
        House::new("[services.gone]\nbase_urls = [\"http://127.0.0.1:1\"]\n[gateway]\nsnapshot = \"\"\n");
    let mut gateway = node.gateway_without_routes();
    let settings = "[services.street]\nbase_urls = [\"http://{}\"]\n[manifest]\ngateway = \"street\"\n";
    let service = House::new(&settings.replace("{}", &gateway.public));
    service.register("gone", &[("GET", "/api/gone")]);
    wait_for("the refusal of a service that is gone", || {
        (wire::get(&gateway.public, "/api/gone").ok()?.status == 502).then_some(())
    });
    gateway.process.line("the event in the log", |line| {
        (line.contains("WARN") && line.contains("ServiceBecameUnavailable") && line.contains("gone"))
            .then_some(())
    });
}
