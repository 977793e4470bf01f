//! The command line: commands and flags as the README and `--help` name them.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

/// Services that call each other over HTTP: signed, retried, failed over, discovered.
#[derive(Debug, Parser)]
#[command(name = "mesh", version, max_term_width = 110)]
pub(crate) struct Args {
    /// The settings; else the file that `MESH_CONFIG` names, else ./mesh.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Data as one JSON document.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more; twice: everything.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Say nothing but errors and data.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// How logs on stderr are written.
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The main job with nothing installed: a gateway, two demo services with two instances each.
    Dev(Dev),
    /// Run an edge node.
    Gateway(Listen),
    /// Build, check and register a manifest.
    Register(Register),
    /// The health of every configured or registered instance.
    Health(Health),
    /// Every route of every manifest.
    Routes(Routes),
    /// Which route wins for a request, and why.
    Explain(Explain),
    /// Make one signed call through the client.
    Call(Call),
    /// Print the headers that a call would carry.
    Sign(Sign),
    /// Whether a signature holds, and which part is wrong.
    Verify(Verify),
    /// Make a fresh secret: 32 random bytes, base64.
    Keygen,
    /// Check the settings, or show them.
    Config(Config),
    /// Print the completions of a shell, e.g. for bash: source <(mesh completions bash)
    Completions(Completions),
    #[command(hide = true)]
    DevService(DevService),
}

impl Command {
    /// Flags of the command that stand for settings: key, value, flag.
    pub(crate) fn setting_flags(&self) -> Vec<(&'static str, String, &'static str)> {
        let (Self::Gateway(listen) | Self::Config(Config { action: ConfigAction::Show(listen) })) = self
        else {
            return Vec::new();
        };
        let public = listen.listen.clone().map(|value| ("gateway.listen", value, "--listen"));
        let admin =
            listen.admin_listen.clone().map(|value| ("gateway.admin_listen", value, "--admin-listen"));
        public.into_iter().chain(admin).collect()
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Dev {
    /// Where the gateway listens.
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDR")]
    pub(crate) listen: std::net::SocketAddr,
    /// Play a script instead, print each step, and end.
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DevService {
    #[arg(long)]
    pub(crate) name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Listen {
    /// The public listener, instead of `gateway.listen` (0.0.0.0:8000).
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// The admin listener, instead of `gateway.admin_listen` (127.0.0.1:9000).
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin_listen: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Register {
    /// The manifest, JSON or TOML.
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    pub(crate) manifest: Option<PathBuf>,
    /// A running service's own manifest, e.g. `http://127.0.0.1:8001/microservice/manifest`.
    #[arg(long, value_name = "URL")]
    pub(crate) from: Option<String>,
    /// Build and check only.
    #[arg(long, conflicts_with = "every")]
    pub(crate) dry_run: bool,
    /// Register again every so many seconds, at most half of manifest.ttl.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) every: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Some service has no healthy instance.
    Unhealthy,
    /// Some instance is not healthy.
    Degraded,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Health {
    /// Ask every second until Ctrl-C: a table that is drawn anew on a terminal, else what changed, with the time.
    /// Ends with the exit code of the last answer.
    #[arg(long)]
    pub(crate) watch: bool,
    /// When to exit with 1.
    #[arg(long, value_name = "STATE", value_enum, default_value_t = FailOn::Unhealthy)]
    pub(crate) fail_on: FailOn,
    #[command(flatten)]
    pub(crate) from: From,
}

/// Where state is read from.
#[derive(Debug, clap::Args)]
pub(crate) struct From {
    /// The admin listener of a running gateway; else the store where `[redis]` is set, else `gateway.admin_listen`.
    #[arg(long, value_name = "URL")]
    pub(crate) admin: Option<String>,
}

/// What is read instead of a gateway's or store's manifests.
#[derive(Debug, clap::Args)]
pub(crate) struct Files {
    /// Offline: the routes of this manifest, JSON or TOML, by these settings alone; may be given again.
    #[arg(long = "manifest", value_name = "FILE", conflicts_with = "admin")]
    pub(crate) manifests: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Routes {
    /// Only this service's.
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    #[command(flatten)]
    pub(crate) from: From,
    #[command(flatten)]
    pub(crate) files: Files,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// E.g. GET.
    pub(crate) method: String,
    /// The path on the gateway, e.g. /api/products/1.
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) from: From,
    #[command(flatten)]
    pub(crate) files: Files,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Call {
    /// The service to call.
    pub(crate) service: String,
    /// E.g. GET.
    pub(crate) method: String,
    /// The path, e.g. /api/orders/1.
    pub(crate) path: String,
    /// A JSON body, or @FILE for a file's content.
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) body: Option<String>,
    /// A header; may be given again.
    #[arg(short = 'H', long = "header", value_name = "K: V")]
    pub(crate) headers: Vec<String>,
    /// A query parameter; may be given again.
    #[arg(long, value_name = "K=V")]
    pub(crate) query: Vec<String>,
    /// The limit of one attempt, in seconds.
    #[arg(long, value_name = "S")]
    pub(crate) timeout: Option<f64>,
    /// Further attempts per instance.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10))]
    pub(crate) retries: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sign {
    /// E.g. GET.
    pub(crate) method: String,
    /// The target as it goes on the wire.
    pub(crate) path: String,
    /// The body, or @FILE for a file's content.
    #[arg(long, value_name = "@FILE|TEXT")]
    pub(crate) body: Option<String>,
    /// Unix seconds instead of now.
    #[arg(long, value_name = "N")]
    pub(crate) timestamp: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// E.g. GET.
    pub(crate) method: String,
    /// The target as it came on the wire.
    pub(crate) path: String,
    /// The value of X-Signature.
    #[arg(long, value_name = "HEX", allow_hyphen_values = true)]
    pub(crate) signature: String,
    /// The value of X-Timestamp: Unix seconds.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) timestamp: String,
    /// The body, or @FILE for a file's content.
    #[arg(long, value_name = "@FILE|TEXT")]
    pub(crate) body: Option<String>,
    /// The clock of the one who verifies, Unix seconds, instead of this machine's.
    #[arg(long, value_name = "N")]
    pub(crate) now: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Report every mistake with file, line and suggestion.
    Check,
    /// The settings that hold and where each came from, secrets masked; as `mesh gateway` with these flags has them.
    Show(Listen),
    /// Print docs/settings.md.
    #[command(hide = true)]
    Docs,
}
