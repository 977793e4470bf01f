//! Instances that die, and the gateway that ends: what callers see of it.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use mesh_testkit::redis::Reply;

use crate::store::Store;

use crate::{
    house::{House, Process, mesh_binary, python_service, signal_pid, wait_for},
    wire,
};

#[test]
fn killing_one_of_two_instances_loses_no_get() {
    let redis = Store::start();
    let (first, first_port) = python_service("one");
    let (_second, second_port) = python_service("two");
    let house = House::new(&format!(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:{first_port}\", \"http://127.0.0.1:{second_port}\"]\n\
         [redis]\nurl = \"{}\"\n",
        redis.url()
    ));
    house.register("pim", &[("GET", "/api/x")]);
    let gateway = house.gateway();
    let is_over = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut bad = Vec::new();
                    while !is_over.load(Ordering::Relaxed) {
                        match wire::get(&gateway.public, "/api/x") {
                            Ok(answer) if answer.status == 200 => {}
                            other => bad.push(format!("{other:?}")),
                        }
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    bad
                })
            })
            .collect();
        wait_for("the first hundred", || (answered.load(Ordering::Relaxed) > 100).then_some(()));
        first.signal("KILL");
        let before = answered.load(Ordering::Relaxed);
        wait_for("five hundred more", || (answered.load(Ordering::Relaxed) > before + 500).then_some(()));
        is_over.store(true, Ordering::Relaxed);
        for caller in callers {
            let bad = caller.join().expect("a caller ends");
            assert!(bad.is_empty(), "{bad:?}");
        }
    });
    wait_for("the failures in Redis", || {
        (redis.command(&["KEYS", "microservice:health:pim:*"]) != Reply::Array(Vec::new())).then_some(())
    });
    let health = house.run(&["health", "--json"]);
    assert_eq!(health.status.code(), Some(0), "the service still has a healthy instance");
    assert_eq!(house.run(&["health", "--fail-on", "degraded"]).status.code(), Some(1));
}

#[test]
fn a_gateway_that_is_told_to_end_finishes_what_it_began() {
    let redis = Store::start();
    let (mut service, port) = python_service("pim");
    let house = House::new(&format!(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:{port}\"]\n[redis]\nurl = \"{}\"\n",
        redis.url()
    ));
    house.register("pim", &[("GET", "/api/slow"), ("GET", "/api/x")]);
    let mut gateway = house.gateway();
    wait_for("the routes", || {
        wire::get(&gateway.public, "/api/x").is_ok_and(|answer| answer.status == 200).then_some(())
    });
    let public = gateway.public.clone();
    let slow = thread::spawn(move || wire::get(&public, "/api/slow"));
    service.line("the slow call under way", |line| (line == "slow").then_some(()));
    gateway.process.signal("TERM");
    assert_eq!(slow.join().expect("the call ends").expect("an answer").status, 200);
    assert_eq!(gateway.process.exit_code(), Some(0));
}

#[test]
fn the_demo_loses_no_get_when_an_instance_is_killed() {
    let mut dev =
        Process::start(std::process::Command::new(mesh_binary()).args(["dev", "--listen", "127.0.0.1:0"]));
    let public = dev.line("the gateway's address", |line| {
        let rest = line.split("listening on http://").nth(1)?;
        Some(rest.split_whitespace().next()?.to_owned())
    });
    let pid: u32 = dev.line("the pid of an orders instance", |line| {
        let rest = line.split("orders").nth(1)?.split("pid ").nth(1)?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    });
    wait_for("the first order", || {
        wire::get(&public, "/api/orders/1").is_ok_and(|answer| answer.status == 200).then_some(())
    });
    signal_pid(pid, "KILL");
    for call in 0..200 {
        let answer = wire::get(&public, "/api/orders/1").expect("an answer");
        assert_eq!(answer.status, 200, "call {call}: {}", String::from_utf8_lossy(&answer.body));
    }
    dev.signal("INT");
    assert_eq!(dev.exit_code(), Some(0));
}

#[test]
fn the_scripted_demo_does_what_it_says() {
    let output = std::process::Command::new(mesh_binary())
        .args(["dev", "--once", "--listen", "127.0.0.1:0"])
        .output()
        .expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for step in ["401", "kill -9", "X-Idempotency-Cache-Hit: true"] {
        assert!(said.contains(step), "no {step:?} in:\n{said}");
    }
}
