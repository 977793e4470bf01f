//! The command line itself: help, wrong words, and the commands that need nobody else.

use std::{fs::File, process::Command};

use super::{fails, fails_with, good, run, write};
use crate::house::{House, mesh_binary};

const COMMANDS: [&str; 12] = [
    "dev",
    "gateway",
    "register",
    "health",
    "routes",
    "explain",
    "call",
    "sign",
    "verify",
    "keygen",
    "config",
    "completions",
];

#[test]
fn help_names_every_command_and_every_flag_of_the_surface() {
    let house = House::new("");
    let help = good(&house, &["--help"]).out;
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command} in {help}");
    }
    for (command, flags) in [
        ("dev", &["--listen", "--once"][..]),
        ("gateway", &["--listen", "--admin-listen"]),
        ("register", &["--manifest", "--from", "--dry-run", "--every"]),
        ("health", &["--watch", "--fail-on", "--admin"]),
        ("routes", &["--service", "--admin", "--manifest"]),
        ("explain", &["<METHOD>", "<PATH>", "--admin", "--manifest"]),
        ("call", &["<SERVICE>", "<METHOD>", "<PATH>", "--body", "-H", "--query", "--timeout", "--retries"]),
        ("sign", &["<METHOD>", "<PATH>", "--body", "--timestamp"]),
        ("verify", &["<METHOD>", "<PATH>", "--signature", "--timestamp", "--body", "--now"]),
        ("config", &["check", "show"]),
        ("completions", &["bash", "zsh", "fish", "elvish", "powershell"]),
        ("keygen", &["--config", "--json", "--verbose", "--quiet", "--log-format"]),
    ] {
        let help = good(&house, &[command, "--help"]).out;
        for flag in flags {
            assert!(help.contains(flag), "mesh {command} --help has no {flag}: {help}");
        }
    }
    assert!(!help.contains('\u{1b}'), "no colour without a terminal");
}

#[test]
fn wrong_usage_ends_with_2_and_prints_no_data() {
    let house = House::new("");
    fails(&house, &[], 2, "Usage: mesh");
    fails(&house, &["config"], 2, "check");
    for arguments in [
        &["nosuch"][..],
        &["keygen", "extra"],
        &["-q", "-v", "keygen"],
        &["sign", "GET"],
        &["sign", "GET", "/x", "--timestamp", "soon"],
        &["health", "--fail-on", "sometimes"],
        &["register", "--manifest", "a.json", "--from", "http://127.0.0.1:1"],
        &["register", "--every", "0"],
        &["call", "pim", "GET", "/x", "--retries", "11"],
        &["call", "pim", "GET", "/x", "--timeout", "soon"],
        &["dev", "--listen", "everywhere"],
        &["keygen", "--log-format", "xml"],
    ] {
        fails(&house, arguments, 2, "error: ");
    }
    fails(&house, &["sign", "G T", "/x"], 2, "is no method");
    fails(&house, &["sign", "GET", "x"], 2, "begins with '/'");
    fails(&house, &["sign", "GET", "/x#y"], 2, "begins with '/'");
    fails(&house, &["sign", "POST", "/x", "--body", "@none"], 2, "cannot read none");
    fails(&house, &["sign", "POST", "/x", "--body", "@."], 2, "cannot read .");
    fails(&house, &["explain", "GET", "x"], 2, "begins with '/'");
    fails(&house, &["explain", "G T", "/x"], 2, "is no method");
    for command in [&["health"][..], &["routes"], &["explain", "GET", "/x"]] {
        let with = |url| [command, &["--admin", url]].concat();
        fails(&house, &with("127.0.0.1:9000"), 2, "--admin");
        fails(&house, &with("ftp://x"), 2, "--admin");
    }
}

#[test]
fn keygen_makes_a_fresh_secret_of_32_bytes_that_the_settings_take() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let house = House::new("");
    let (first, second) = (good(&house, &["keygen"]).out, good(&house, &["keygen"]).out);
    assert_ne!(first, second);
    assert_eq!(STANDARD.decode(first.trim_end()).map(|bytes| bytes.len()), Ok(32));
    assert!(good(&house, &["keygen", "--json"]).json()["secret"].is_string());
    write(&house, "fresh.toml", format!("secret = \"{}\"\n", first.trim_end()));
    good(&house, &["--config", "fresh.toml", "sign", "GET", "/"]);
}

#[test]
fn sign_prints_the_headers_that_a_call_would_carry() {
    // HMAC-SHA256 of "POST\n/api/x\n1700000000\n{\"a\":1}", computed with Python's hmac.
    const SIGNATURE: &str = "af5541d7b7d92b0171bf73b530835e004e416c23dbec5b0a32ddd17c3c0c917f";
    let house = House::new("");
    write(&house, "body", "{\"a\":1}");
    for (path, body) in [("/api/x", "{\"a\":1}"), ("/api/x/?page=2", "@body")] {
        let sign = ["sign", "post", path, "--timestamp", "1700000000", "--body", body];
        let lines = good(&house, &sign).out;
        let of = |name: &str| {
            let found = lines.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            found.unwrap_or_else(|| panic!("no {name} in {lines}")).to_owned()
        };
        assert_eq!(of("X-Signature"), SIGNATURE);
        assert_eq!(of("X-Timestamp"), "1700000000");
        assert_eq!(of("X-Service-Name"), "gateway");
        assert_eq!(of("Content-Type"), "application/json");
        assert_eq!(of("X-Request-Id").len(), 36);
        let json = good(&house, &[&sign[..], &["--json"]].concat()).json();
        assert_eq!(json["X-Signature"], SIGNATURE);
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(5));
    }
}

#[test]
fn completions_of_every_shell_name_the_commands_and_nothing_that_help_hides() {
    let house = House::new("nonsense = 1\n");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = good(&house, &["completions", shell]).out;
        for word in COMMANDS.iter().chain(&["--fail-on", "--manifest", "show"]) {
            // fish writes long flags without their dashes.
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: no {word}");
        }
        assert!(!script.contains("dev-service"), "{shell}");
    }
    fails(&house, &["completions", "tcsh"], 2, "error: ");
    let bash = good(&house, &["completions", "bash"]).out;
    let checked = Command::new("bash").args(["-n", "-c", &bash]).output().expect("bash runs");
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_fault_and_a_full_disk_is_one() {
    let house = House::new("");
    for arguments in [&["--help"][..], &["keygen"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = house.command(arguments).stdout(writer).output().expect("it runs");
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    }

    let full = File::options().write(true).open("/dev/full").expect("the full device");
    let output = Command::new(mesh_binary()).arg("keygen").stdout(full).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to stdout"));
}

#[test]
fn logs_go_to_stderr_as_text_or_json_and_quiet_leaves_data_and_errors() {
    let house = House::new(
        "[services.pim]\nbase_urls = [\"http://127.0.0.1:1\"]\n[redis]\nurl = \"redis://127.0.0.1:1\"\n",
    );
    let call = ["health"];
    let json = run(&house, &[], &[&["--log-format", "json"], &call[..]].concat());
    let first = json.err.lines().next().unwrap_or_default();
    assert!(
        serde_json::from_str::<serde_json::Value>(first).is_ok_and(|line| line["level"] == "WARN"),
        "{json:#?}"
    );
    assert!(run(&house, &[], &call).err.contains("WARN"));
    let quiet = run(&house, &[], &[&["-q"], &call[..]].concat());
    assert!(!quiet.err.contains("WARN") && quiet.err.contains("mesh: "), "{quiet:#?}");
    fails_with(&house, &[("NO_COLOR", "1")], &call, 3, "cannot be reached");
    assert!(!quiet.err.contains('\u{1b}'));
}
