//! `mesh gateway` and `mesh dev` as processes: ports, signals, settings that change, a script that fails.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Stdio,
};

use super::{fails, write};
use crate::{
    house::{House, Process, SECRET, python_service, signal_pid, wait_for},
    wire,
};

#[test]
fn a_port_in_use_ends_with_2_on_either_listener() {
    let house = House::new("[gateway]\nsnapshot = \"\"\n");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address").to_string();
    let gateway = house.gateway();
    for address in [&taken, &gateway.public, &gateway.admin] {
        let says = format!("cannot listen on {address}");
        fails(&house, &["gateway", "--listen", address, "--admin-listen", "127.0.0.1:0"], 2, &says);
        fails(&house, &["gateway", "--listen", "127.0.0.1:0", "--admin-listen", address], 2, &says);
        fails(&house, &["dev", "--listen", address], 2, &says);
        fails(&house, &["dev", "--once", "--listen", address], 2, &says);
    }
    fails(&house, &["gateway", "--listen", "here"], 2, "flag --listen: gateway.listen");
    fails(&house, &["gateway", "--admin-listen", "here"], 2, "flag --admin-listen: gateway.admin_listen");
}

#[test]
fn a_gateway_ends_with_0_when_it_is_told_to() {
    let house = House::new("[gateway]\nsnapshot = \"\"\n");
    for signal in ["TERM", "INT"] {
        let mut gateway = house.gateway();
        gateway.process.signal(signal);
        assert_eq!(gateway.process.exit_code(), Some(0), "{signal}");
    }
}

#[test]
fn settings_are_read_again_when_told_or_changed_and_a_mistake_keeps_the_old_ones() {
    let (_service, port) = python_service("pim");
    let settings = |more: &str| {
        format!(
            "name = \"gateway\"\nsecret = \"{SECRET}\"\n[services.pim]\nbase_urls = [\"http://127.0.0.1:{port}\"]\n\
                 [gateway]\nsnapshot = \"\"\n{more}"
        )
    };
    let house = House::new("");
    write(&house, "mesh.toml", settings(""));
    let mut gateway = house.gateway();
    let push = House::new(&format!(
        "[services.street]\nbase_urls = [\"http://{}\"]\n[manifest]\ngateway = \"street\"\n",
        gateway.public
    ));
    push.register("pim", &[("GET", "/api/products")]);
    let status = |target| wire::get(&gateway.public, target).map_or(0, |answer| answer.status);
    wait_for("the route", || (status("/api/products") == 200).then_some(()));

    write(&house, "mesh.toml", settings("nonsense = 1\n"));
    gateway.process.line("the mistake", |line| line.contains("gateway.nonsense: unknown key").then_some(()));
    gateway.process.line("what holds", |line| line.contains("the old ones stay").then_some(()));
    assert_eq!(status("/api/products"), 200);

    write(&house, "mesh.toml", settings("workers = 1\n[gateway.prefixes]\npim = \"catalog\"\n"));
    gateway.process.line("the reload", |line| (line == "settings were read again").then_some(()));
    gateway
        .process
        .line("what waits", |line| (line == "gateway.workers applies after a restart").then_some(()));
    wait_for("the new prefix", || (status("/api/catalog/products") == 200).then_some(()));
    assert_eq!(status("/api/products"), 404);

    std::fs::remove_file(house.folder.path().join("mesh.toml")).expect("a file can be removed");
    gateway.process.signal("HUP");
    gateway.process.line("the mistake", |line| line.contains("the secret is empty").then_some(()));
    assert_eq!(status("/api/catalog/products"), 200);
    gateway.process.signal("TERM");
    assert_eq!(gateway.process.exit_code(), Some(0));
}

#[test]
fn the_script_of_dev_plays_every_step_whatever_the_settings_are() {
    let house = House::new("nonsense = 1\n");
    let ran: super::Ran = house
        .command(&["dev", "--once", "--listen", "127.0.0.1:0"])
        .env("MESH__NONSENSE", "1")
        .env("SERVICE_SECRET", "x")
        .output()
        .expect("the binary runs")
        .into();
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    for part in ["200 OK", "401 Unauthorized", "kill -9 ", "20 of 20", "X-Idempotency-Cache-Hit: true"] {
        assert!(ran.out.contains(part), "no {part:?} in {ran:#?}");
    }
    let left: Vec<_> = std::fs::read_dir(house.folder.path()).expect("a folder").flatten().collect();
    assert_eq!(left.len(), 1, "dev writes no snapshot: {left:?}");
}

#[test]
fn dev_tells_programs_where_everything_is_and_ends_with_all_of_it() {
    let house = House::new("");
    let ran: super::Ran = house
        .command(&["dev", "--once", "--listen", "127.0.0.1:0", "--json"])
        .output()
        .expect("the binary runs")
        .into();
    assert_eq!((ran.code, &ran.json()["ok"]), (Some(0), &true.into()), "{ran:#?}");
    assert_eq!(ran.json()["instances"].as_array().map(Vec::len), Some(4));
    assert!(ran.err.contains("Every step did what it says."), "{ran:#?}");

    for signal in ["INT", "TERM"] {
        let mut demo = Process::start(&mut house.command(&["dev", "--listen", "127.0.0.1:0"]));
        let gateway = demo.line("the gateway", |line| {
            line.strip_prefix("gateway  listening on http://").map(str::to_owned)
        });
        demo.line("the end of what to try", |line| (line == "Ctrl-C ends all.").then_some(()));
        let services = children(demo.pid());
        assert_eq!(services.len(), 4, "{services:?}");
        assert_eq!(wire::get(&gateway, "/api/orders/1").expect("an answer").status, 200);
        demo.signal(signal);
        assert_eq!(demo.exit_code(), Some(0), "{signal}");
        for (pid, _) in services {
            wait_for("the end of a service", || {
                let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                line.is_empty().then_some(())
            });
        }
    }
}

/// The processes that `parent` started, with their command lines.
fn children(parent: u32) -> Vec<(u32, String)> {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    processes
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let of: u32 = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
            let line = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
            (of == parent).then_some((pid, line))
        })
        .collect()
}

/// The addresses on which a process listens.
fn listening(pid: u32) -> Vec<String> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let sockets: Vec<_> =
        open.filter_map(|entry| Some(std::fs::read_link(entry.path()).ok()?.to_str()?.to_owned())).collect();
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the table of sockets");
    table
        .lines()
        .filter_map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let port = u16::from_str_radix(fields[1].rsplit_once(':')?.1, 16).ok()?;
            let is_ours = sockets.contains(&format!("socket:[{}]", fields[9]));
            (fields[3] == "0A" && is_ours).then(|| format!("127.0.0.1:{port}"))
        })
        .collect()
}

#[test]
fn a_step_of_the_script_that_fails_ends_it_with_1() {
    let house = House::new("");
    // A pipe that is full: the demo stands before its first line, until somebody reads.
    let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&[b'\n'; 65_536]).expect("a pipe holds 64 KiB");
    let mut command = house.command(&["dev", "--once", "--listen", "127.0.0.1:0"]);
    let mut demo =
        command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::null()).spawn().expect("it runs");
    drop(command);
    wait_for("the demo's routes", || {
        listening(demo.id())
            .iter()
            .find(|address| {
                let is_served = |target| wire::get(address, target).is_ok_and(|answer| answer.status == 200);
                is_served("/api/orders/1") && is_served("/api/products/1")
            })
            .map(drop)
    });
    let services = children(demo.id());
    let orders: Vec<_> = services.iter().filter(|(_, line)| line.contains("orders")).collect();
    assert_eq!(orders.len(), 2, "{services:?}");
    orders.iter().for_each(|(pid, _)| signal_pid(*pid, "KILL"));
    let mut said = String::new();
    reader.read_to_string(&mut said).expect("what it says");
    assert_eq!(demo.wait().expect("it ends").code(), Some(1), "{said}");
    assert!(said.contains("FAILED: "), "{said}");
}
