//! Every setting: its key, kind, default, the package's name for it in the environment, and what it says.
//!
//! `docs/settings.md` is generated from this table.

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// A text that is never printed.
    Secret,
    /// Several texts that are never printed.
    Secrets,
    /// The name of a service.
    Name,
    /// Names of services.
    Names,
    /// Base URLs.
    Urls,
    /// A URL of Redis.
    RedisUrl,
    /// An address to listen on.
    Address,
    /// Blocks of addresses.
    Cidrs,
    /// Names of headers.
    HeaderNames,
    /// A whole number, at most the one given.
    Count(u64),
    /// A length of time; a plain number is in seconds.
    Seconds,
    /// A length of time; a plain number is in milliseconds.
    Milliseconds,
    /// A number of bytes.
    Size,
    /// A share of all, from 0 to 1.
    Share,
    /// True or false.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// How the kind is described to people.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Secret => "a text of at least 16 bytes".to_owned(),
            Self::Secrets => "a list of texts of at least 16 bytes".to_owned(),
            Self::Name => "the name of a service".to_owned(),
            Self::Names => "a list of names of services".to_owned(),
            Self::Urls => "a list of URLs such as \"http://127.0.0.1:8001\"".to_owned(),
            Self::RedisUrl => "a URL such as \"redis://127.0.0.1:6379/0\"".to_owned(),
            Self::Address => "an address such as \"127.0.0.1:8000\"".to_owned(),
            Self::Cidrs => "a list of blocks such as \"10.0.0.0/8\"".to_owned(),
            Self::HeaderNames => "a list of header names".to_owned(),
            Self::Count(most) => format!("a whole number from 0 to {most}"),
            Self::Seconds => "a length of time: seconds, or a text such as \"500ms\", \"2m\"".to_owned(),
            Self::Milliseconds => "a length of time: milliseconds, or a text such as \"2s\"".to_owned(),
            Self::Size => "a size: bytes, or a text such as \"256KiB\", \"1MiB\"".to_owned(),
            Self::Share => "a number from 0 to 1".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Choice(words) => format!("one of {}", quoted(words)),
        }
    }

    /// Whether a value of this kind may be shown.
    pub(crate) const fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Secrets | Self::RedisUrl)
    }

    /// Whether a comma separates several values in the environment.
    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::Secrets | Self::Names | Self::Urls | Self::Cidrs | Self::HeaderNames)
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// One setting. `*` in a key stands for the name of a service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    /// As it would stand in the file; empty: absent.
    pub(crate) default: &'static str,
    /// The package's name in the environment.
    pub(crate) package_name: Option<&'static str>,
    pub(crate) says: &'static str,
}

const fn setting(key: &'static str, kind: Kind, default: &'static str, says: &'static str) -> Setting {
    Setting { key, kind, default, package_name: None, says }
}

const fn named(
    key: &'static str,
    kind: Kind,
    default: &'static str,
    package_name: &'static str,
    says: &'static str,
) -> Setting {
    Setting { key, kind, default, package_name: Some(package_name), says }
}

const ALGORITHMS: &[&str] = &["sha256", "sha384", "sha512"];
const RETRY_METHODS: &[&str] = &["idempotent", "all"];
const LOG_FORMATS: &[&str] = &["json", "text"];
const MULTIPART: &[&str] = &["signed", "php"];
const PROTOCOLS: &[&str] = &["http1", "http2"];
const REQUEST_BODIES: &[&str] = &["held", "streamed"];
const PREFIX_STYLES: &[&str] = &["after-first", "front"];

/// Every setting, in the order of the documentation.
pub(crate) const SETTINGS: &[Setting] = &[
    named("name", Kind::Name, "\"app\"", "SERVICE_NAME", "What this node is called by others."),
    named("secret", Kind::Secret, "", "SERVICE_SECRET", "Signs and verifies; `mesh keygen` makes one."),
    named(
        "previous_secrets",
        Kind::Secrets,
        "[]",
        "SERVICE_PREVIOUS_SECRETS",
        "Verify only, while a rotation lasts.",
    ),
    setting("algorithm", Kind::Choice(ALGORITHMS), "\"sha256\"", "The hash function of signatures."),
    setting("timestamp_tolerance", Kind::Seconds, "60", "How far a signature's timestamp may be off."),
    setting("services.*.base_urls", Kind::Urls, "[]", "The instances of the service."),
    setting("services.*.timeout", Kind::Seconds, "", "The limit of one attempt, for this service only."),
    setting(
        "services.*.retries",
        Kind::Count(10),
        "",
        "Further attempts per instance, for this service only.",
    ),
    setting(
        "services.*.multipart",
        Kind::Choice(MULTIPART),
        "\"signed\"",
        "How multipart bodies are signed: like any other; \"php\": a POST of multipart/form-data as empty, as a PHP service sees it.",
    ),
    setting(
        "services.*.protocol",
        Kind::Choice(PROTOCOLS),
        "\"http1\"",
        "What the gateway speaks to the instances; \"http2\" (gRPC): by prior knowledge to http://, by ALPN to https://.",
    ),
    setting(
        "services.*.request_bodies",
        Kind::Choice(REQUEST_BODIES),
        "\"held\"",
        "\"held\": the gateway waits for a request's body and signs it; \"streamed\" (gRPC whose clients stream, with protocol = \"http2\"): it passes on as it comes, without a limit, signed as empty.",
    ),
    setting("defaults.timeout", Kind::Seconds, "5", "The limit of one attempt."),
    setting("defaults.retries", Kind::Count(10), "2", "Further attempts per instance."),
    setting(
        "defaults.retry_delay",
        Kind::Milliseconds,
        "100",
        "The bound of the first delay; full jitter, doubling.",
    ),
    setting(
        "defaults.retry_methods",
        Kind::Choice(RETRY_METHODS),
        "\"idempotent\"",
        "Which requests are repeated once they were written; \"all\" may run an unsafe request twice.",
    ),
    setting(
        "defaults.deadline",
        Kind::Seconds,
        "",
        "The limit of the whole call; absent: three times the timeout.",
    ),
    setting("defaults.max_response", Kind::Size, "\"16MiB\"", "What a buffered answer may hold."),
    named(
        "redis.url",
        Kind::RedisUrl,
        "",
        "SERVICE_REDIS_URL",
        "The shared store; absent: the in-memory store.",
    ),
    setting(
        "redis.prefix",
        Kind::Text,
        "\"microservice:\"",
        "Stands before every key; with Laravel its own prefix too, e.g. \"laravel_database_microservice:\".",
    ),
    setting(
        "health.failure_threshold",
        Kind::Count(1_000_000),
        "3",
        "Failures that open an instance's breaker.",
    ),
    setting("health.recovery_timeout", Kind::Seconds, "30", "How long an open instance is left alone."),
    setting("manifest.ttl", Kind::Seconds, "300", "How long a registered manifest is kept."),
    setting("manifest.grace", Kind::Seconds, "30", "How long past its TTL a gateway keeps a manifest."),
    setting("manifest.prefix", Kind::Text, "\"api\"", "Only routes under it are registered; empty: all."),
    named(
        "manifest.gateway",
        Kind::Name,
        "",
        "MANIFEST_GATEWAY_SERVICE",
        "The service that manifests are pushed to; absent: the store.",
    ),
    setting("manifest.base_urls", Kind::Urls, "[]", "Announces all instances of this service."),
    setting("idempotency.ttl", Kind::Seconds, "60", "How long an answer is replayed."),
    setting("idempotency.lock_timeout", Kind::Seconds, "10", "How long a claim lasts without renewal."),
    setting("idempotency.max_body", Kind::Size, "\"256KiB\"", "The largest body that is kept for a replay."),
    setting(
        "idempotency.compat",
        Kind::Flag,
        "false",
        "Services use the PHP package's keys and entries (IdempotencyLayer::compat); the gateway always uses its own.",
    ),
    setting("gateway.listen", Kind::Address, "\"0.0.0.0:8000\"", "The public listener."),
    setting("gateway.admin_listen", Kind::Address, "\"127.0.0.1:9000\"", "The admin listener."),
    setting("gateway.workers", Kind::Count(1_024), "0", "Runtimes; 0: one per available core."),
    setting("gateway.services", Kind::Names, "", "Only these services are served; absent: all."),
    setting(
        "gateway.snapshot",
        Kind::Text,
        "\"mesh-routes.json\"",
        "The last good routes, read at a start without the store; \"\" turns it off.",
    ),
    setting(
        "gateway.prefix_style",
        Kind::Choice(PREFIX_STYLES),
        "\"after-first\"",
        "Where a service's prefix stands: /api/catalog/products, or /catalog/api/products.",
    ),
    setting("gateway.body_limit", Kind::Size, "\"1MiB\"", "The largest request body."),
    setting("gateway.trusted_proxies", Kind::Cidrs, "[]", "Peers whose X-Forwarded-* are believed."),
    setting(
        "gateway.strip_response_headers",
        Kind::HeaderNames,
        "[]",
        "Headers that do not leave the gateway.",
    ),
    setting(
        "gateway.allow_targets",
        Kind::Cidrs,
        "[]",
        "Where announced base URLs may point to, beyond [services].",
    ),
    setting(
        "gateway.trace.create",
        Kind::Flag,
        "true",
        "Whether a request without a valid traceparent begins a trace; one that has it always keeps its own.",
    ),
    setting(
        "gateway.trace.sample",
        Kind::Share,
        "1.0",
        "The share of new traces that services are told to record.",
    ),
    setting(
        "gateway.tls.certificate",
        Kind::Text,
        "",
        "A file in PEM, the chain behind it: what the public listener shows; absent: it is not encrypted.",
    ),
    setting("gateway.tls.key", Kind::Text, "", "A file in PEM: the private key of the certificate."),
    setting(
        "gateway.tls.sni.*.certificate",
        Kind::Text,
        "",
        "The certificate for clients that ask for this name, e.g. `[gateway.tls.sni.\"*.shop.example\"]`.",
    ),
    setting("gateway.tls.sni.*.key", Kind::Text, "", "Its private key."),
    setting(
        "gateway.upstream_tls.roots",
        Kind::Text,
        "",
        "A file in PEM: the authorities that https:// instances are believed by; absent: the public ones.",
    ),
    setting(
        "gateway.upstream_tls.certificate",
        Kind::Text,
        "",
        "A file in PEM: what the gateway shows to instances that ask who it is (mTLS).",
    ),
    setting("gateway.upstream_tls.key", Kind::Text, "", "A file in PEM: its private key."),
    setting(
        "gateway.access_log.format",
        Kind::Choice(LOG_FORMATS),
        "",
        "How a line for each request is written; absent: there is no access log. Never holds a query, a header or a body.",
    ),
    setting("gateway.access_log.sample", Kind::Share, "1.0", "The share of requests that are written down."),
    setting(
        "gateway.access_log.target",
        Kind::Text,
        "\"stdout\"",
        "\"stdout\", \"stderr\", or a file that lines are added to.",
    ),
    setting("gateway.prefixes.*", Kind::Text, "", "The prefix of the service's URIs on the gateway."),
];

/// The setting for a dotted key (`services.oms.timeout`), and the service's name where the key has one.
pub(crate) fn find(path: &[&str]) -> Option<(&'static Setting, Option<String>)> {
    SETTINGS.iter().find_map(|setting| {
        let parts: Vec<_> = setting.key.split('.').collect();
        let fits = parts.len() == path.len()
            && parts.iter().zip(path).all(|(part, given)| *part == "*" || part == given);
        let service = parts
            .iter()
            .position(|part| *part == "*")
            .map(|at| path.get(at).copied().unwrap_or("").to_owned());
        fits.then_some((setting, service))
    })
}

/// Whether some setting lies below `path`: then a table may stand there.
pub(crate) fn is_table(path: &[&str]) -> bool {
    SETTINGS.iter().any(|setting| {
        let parts: Vec<_> = setting.key.split('.').collect();
        parts.len() > path.len() && parts.iter().zip(path).all(|(part, given)| *part == "*" || part == given)
    })
}

/// The names that may stand below `path`, without services' own.
pub(crate) fn names_below(path: &[&str]) -> Vec<&'static str> {
    let mut names: Vec<_> = SETTINGS
        .iter()
        .filter_map(|setting| {
            let parts: Vec<_> = setting.key.split('.').collect();
            let fits = parts.len() > path.len()
                && parts.iter().zip(path).all(|(part, given)| *part == "*" || part == given);
            fits.then(|| parts[path.len()]).filter(|name| *name != "*")
        })
        .collect();
    names.dedup();
    names
}
