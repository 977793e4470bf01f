//! Settings as a user writes them: what holds over what, and what every mistake is told.

use std::time::Duration;

use tempfile::TempDir;

use super::*;

const SECRET: &str = "a secret of 32 bytes, or somewhat";

/// Reads a file with `text` under `environment`.
fn read_text(text: &str, environment: &[(&str, &str)]) -> Result<Settings, Vec<SettingError>> {
    let folder = TempDir::new().map_err(|_| Vec::new())?;
    let path = folder.path().join("mesh.toml");
    std::fs::write(&path, text).map_err(|_| Vec::new())?;
    let environment =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    read(&Flags { config: Some(path), values: Vec::new() }, &environment)
}

#[track_caller]
fn mistakes(text: &str, expected: &[&str]) {
    let errors = read_text(text, &[]).map(|settings| settings.keyring.err().unwrap_or_default());
    let errors = errors.unwrap_or_else(|errors| errors);
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.contains(expected), "{said:?} has no {expected:?}");
    }
}

#[test]
fn the_example_of_the_documentation_is_read() {
    let settings = read_text(
        &format!(
            "name = \"gateway\"\nsecret = \"{SECRET}\"\n[services.oms]\nbase_urls = [\"http://127.0.0.1:8001\"]\n\
             timeout = \"500ms\"\n[defaults]\nretry_methods = \"all\"\n[redis]\nurl = \"redis://127.0.0.1:6379/0\"\n\
             [gateway]\nlisten = \"127.0.0.1:8000\"\nbody_limit = \"2MiB\"\n[gateway.prefixes]\npim = \"catalog\"\n"
        ),
        &[],
    )
    .unwrap();
    assert!(settings.keyring.is_ok());
    assert_eq!(settings.services[0].timeout, Some(Duration::from_millis(500)));
    assert_eq!(settings.gateway.body_limit, 2 * 1024 * 1024);
    assert_eq!(settings.health, HealthPolicy::default());
    assert_eq!(settings.gateway.prefixes.values().next().map(String::as_str), Some("catalog"));
}

#[test]
fn flag_over_variable_over_the_packages_name_over_file_over_default() {
    let name = |environment: &[(&str, &str)]| {
        read_text("name = \"file\"", environment).unwrap().name.as_str().to_owned()
    };
    assert_eq!(name(&[]), "file");
    assert_eq!(name(&[("SERVICE_NAME", "package")]), "package");
    assert_eq!(name(&[("SERVICE_NAME", "package"), ("MESH__NAME", "mesh")]), "mesh");
    let environment = Environment::from([("MESH__GATEWAY__LISTEN".to_owned(), "127.0.0.1:1".to_owned())]);
    let values = vec![("gateway.listen", "127.0.0.1:2".to_owned(), "--listen")];
    let settings = read(&Flags { config: None, values }, &environment).unwrap();
    assert_eq!(settings.gateway.listen.port(), 2);
    assert_eq!(read(&Flags::default(), &Environment::new()).unwrap().name.as_str(), "app");
}

#[test]
fn every_mistake_is_reported_at_once_with_its_line_and_a_suggestion() {
    mistakes(
        &format!(
            "secret = \"{SECRET}\"\nnmae = \"x\"\n[defaults]\ntimeuot = 5\nretries = \"two\"\n[servces.x]\n\
             base_urls = []\n[health]\nfailure_threshold = 0\n"
        ),
        &[
            "mesh.toml:2: nmae: unknown key; did you mean \"name\"?",
            "mesh.toml:4: defaults.timeuot: unknown key; did you mean \"timeout\"?",
            "mesh.toml:6: servces: unknown key; did you mean \"services\"?",
            "mesh.toml:5: defaults.retries: ",
            "mesh.toml:9: health.failure_threshold: ",
        ],
    );
}

#[test]
fn broken_toml_is_told_with_its_line() {
    mistakes(&format!("secret = \"{SECRET}\"\nname = \n"), &["mesh.toml:2: "]);
}

#[test]
fn a_weak_secret_is_named_and_never_shown() {
    mistakes("secret = \"hush-hush\"", &["mesh.toml:1: secret: the secret is shorter than 16 bytes"]);
    mistakes("", &["default: secret: the secret is empty"]);
    let text = format!("secret = \"{SECRET}\"\nprevious_secrets = [\"hush-hush\"]");
    mistakes(&text, &["mesh.toml:2: previous_secrets: the secret is shorter than 16 bytes"]);
    let errors = read_text("secret = \"hush-hush\"", &[]).unwrap().keyring.unwrap_err();
    assert!(!errors[0].to_string().contains("hush"));
}

#[test]
fn numbers_that_contradict_each_other_are_refused() {
    let with = |rest: &str| format!("secret = \"{SECRET}\"\n{rest}");
    mistakes(&with("[defaults]\ntimeout = 5\ndeadline = 4"), &["defaults.deadline: "]);
    mistakes(
        &with("name = \"a\"\n[manifest]\ngateway = \"a\""),
        &["manifest.gateway: names this service itself"],
    );
    mistakes(&with("[manifest]\ngateway = \"b\""), &["manifest.gateway: \"b\" is not in [services]"]);
    mistakes(
        &with("[manifest]\ngateway = \"http://b:1\""),
        &["'{' or '}': a URL stands in base_urls of [services.X], and X here"],
    );
    mistakes(&with("[defaults]\ntimeout = 0"), &["defaults.timeout: "]);
    mistakes(&with("[health]\nrecovery_timeout = \"10ms\""), &["health.recovery_timeout: "]);
    mistakes(&with("algorithm = \"md5\""), &["algorithm: \"md5\" is not one of"]);
    mistakes(&with("[services.\"a b\"]\nbase_urls = []"), &["a service name holds"]);
    mistakes(&with("[services.a]\nbase_urls = [\"ftp://x\"]"), &["services.a.base_urls: \"ftp://x\": "]);
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let flags = Flags { config: Some("no/such/mesh.toml".into()), values: Vec::new() };
    let errors = read(&flags, &Environment::new()).unwrap_err();
    assert!(errors[0].to_string().contains("cannot be read"), "{}", errors[0]);
}
