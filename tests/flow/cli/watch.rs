//! `mesh health --watch`: what changed, with the time, whatever becomes of the store.

use super::{fails, rows, run};
use crate::{
    house::{House, Process},
    store::Store,
};

/// MD5 of `http://127.0.0.1:1`.
const KEY: &str = "microservice:health:pim:c92ec682fd2c22e8bca73bc3e786143c";
const OPEN: &str = "{\"failures\":3,\"last_failure\":4102444800}";

fn house(redis: &Store) -> House {
    House::new(&format!(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:1\"]\n[redis]\nurl = \"{}\"\n",
        redis.url()
    ))
}

#[test]
fn without_a_terminal_a_watch_appends_what_changed_with_the_time_and_ends_with_the_last_answers_code() {
    let redis = Store::start();
    let house = house(&redis);
    for (record, code) in [(None, 0), (Some(OPEN), 1)] {
        redis.command(&["DEL", KEY]);
        let mut watch = Process::start(&mut house.command(&["health", "--watch"]));
        watch.line("the time", |line| (line.len() == 23 && line.ends_with(" UTC")).then_some(()));
        watch.line("a healthy row", |line| (line.contains("pim") && line.contains("healthy")).then_some(()));
        if let Some(record) = record {
            redis.command(&["SET", KEY, record]);
            watch.line("the row that changed", |line| line.contains(" unhealthy ").then_some(()));
        }
        watch.signal("INT");
        assert_eq!(watch.exit_code(), Some(code), "{record:?}");
    }
}

#[test]
fn a_watch_survives_a_store_that_is_away_for_a_moment() {
    let mut redis = Store::start();
    let house = house(&redis);
    let mut watch = Process::start(&mut house.command(&["-q", "health", "--watch", "--json"]));
    let status = |line: &str| -> Option<String> {
        let document: serde_json::Value = serde_json::from_str(line).ok()?;
        assert!(document["time"].is_u64(), "{document}");
        Some(document["services"][0]["status"].as_str()?.to_owned())
    };
    watch.line("a healthy row", |line| (status(line)? == "healthy").then_some(()));
    redis.kill();
    let mut told = Process::start(&mut house.command(&["health", "--watch"]));
    assert_eq!(told.exit_code(), Some(3), "nobody answered the first question");
    redis.restart();
    redis.command(&["SET", KEY, OPEN]);
    watch.line("the row that changed", |line| (status(line)? == "unhealthy").then_some(()));
    watch.signal("TERM");
    assert_eq!(watch.exit_code(), Some(1));
}

#[test]
fn a_watch_tells_once_that_nobody_answers_and_ends_with_3_while_nobody_does() {
    let mut redis = Store::start();
    let house = house(&redis);
    let mut watch = Process::start(&mut house.command(&["health", "--watch"]));
    watch.line("a healthy row", |line| line.contains("pim").then_some(()));
    redis.kill();
    watch.line("the message", |line| line.contains("it is asked again every second").then_some(()));
    watch.signal("INT");
    assert_eq!(watch.exit_code(), Some(3));

    let mut watch = {
        redis.restart();
        Process::start(&mut house.command(&["health", "--watch"]))
    };
    watch.line("a healthy row", |line| line.contains("pim").then_some(()));
    redis.kill();
    watch.line("the message", |line| line.contains("it is asked again every second").then_some(()));
    redis.restart();
    watch.line("the other message", |line| line.ends_with("it answers again").then_some(()));
    watch.signal("INT");
    assert_eq!(watch.exit_code(), Some(0));
}

#[test]
fn a_watch_ends_when_its_reader_goes_away() {
    let redis = Store::start();
    let house = house(&redis);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = house.command(&["health", "--watch"]).stdout(writer).output().expect("it runs");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn health_without_any_settings_finds_no_services_and_with_some_nobody_who_answers() {
    let bare = House::new("");
    let ran = run(&bare, &[], &["health"]);
    // Another process of this machine may be a gateway at the default address: then its answer holds.
    if ran.err.contains("127.0.0.1:9000") {
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "No services configured.\n"), "{ran:#?}");
    }
    assert_eq!(rows(&ran.out).len(), 0, "{ran:#?}");
    let admin = "[gateway]\nadmin_listen = \"127.0.0.1:1\"\n";
    fails(&House::new(admin), &["health"], 3, "cannot reach the admin listener http://127.0.0.1:1");
    let services = format!("[services.pim]\nbase_urls = [\"http://127.0.0.1:1\"]\n{admin}");
    fails(&House::new(&services), &["health"], 3, "cannot reach the admin listener http://127.0.0.1:1");
}
