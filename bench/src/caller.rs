//! One client under load: calls in a closed loop, on one thread, and the CPU time that they cost this very process.

mod hyper_util;
mod mesh;
mod reqwest;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::load::in_slices;
use crate::run::own_cpu_time;
use crate::{clock, output, payload};

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Contender {
    /// `mesh-client` as it is by default: signed, with an id, a deadline and health.
    Mesh,
    /// reqwest as it is by default, but for proxies of the environment.
    Reqwest,
    /// hyper-util's client with a pool.
    HyperUtil,
}

/// What a client is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Who calls.
    #[arg(long, value_name = "NAME")]
    by: Contender,
    /// Where the service listens.
    #[arg(long)]
    target: SocketAddr,
    /// What is asked for.
    #[arg(long)]
    path: String,
    /// The secret that signs calls, where they are signed.
    #[arg(long)]
    secret: String,
    /// Calls that are under way at the same time, each over a connection that is kept.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// How long calls are begun.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Call only when a line of stdin says for how many seconds; the outcome of all these slices is printed when stdin ends.
    #[arg(long, conflicts_with_all = ["seconds", "calls"])]
    sliced: bool,
    /// Make at least so many calls, however long it takes.
    #[arg(long, default_value_t = 0)]
    calls: u64,
    /// Calls before the clock runs, so that there are connections.
    #[arg(long, default_value_t = 500)]
    warm: u64,
    /// POST so many bytes instead of GET.
    #[arg(long)]
    post: Option<usize>,
}

/// What a client reports.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Outcome {
    /// Good answers: 200, with the body that the backend has for all.
    pub(crate) calls: u64,
    /// All the others.
    pub(crate) wrong: u64,
    /// From the first call to the last answer.
    pub(crate) seconds: f64,
    /// What the process used in that time.
    pub(crate) cpu_seconds: f64,
}

/// A client of one of the libraries.
trait Client: Send + Sync + 'static {
    /// One call to its end: GET, or POST of this body.
    fn call(&self, post: Option<Bytes>) -> impl Future<Output = anyhow::Result<(u16, Bytes)>> + Send;
}

/// Calls, and prints an [`Outcome`] as one line of JSON.
///
/// # Errors
///
/// When the client cannot be made. Answers that are wrong are counted.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let outcome = match arguments.by {
        Contender::Mesh => measure(&runtime, mesh::Calls::new(arguments)?, arguments),
        Contender::Reqwest => measure(&runtime, reqwest::Calls::new(arguments)?, arguments),
        Contender::HyperUtil => measure(&runtime, hyper_util::Calls::new(arguments), arguments),
    }?;
    drop(entered);
    output::line(&serde_json::to_string(&outcome)?)?;
    Ok(0)
}

fn measure<C: Client>(runtime: &Runtime, client: C, arguments: &Arguments) -> anyhow::Result<Outcome> {
    let length = Duration::try_from_secs_f64(arguments.seconds).context("--seconds is no length of time")?;
    let client = Arc::new(client);
    let post = arguments.post.map(|bytes| Bytes::from(payload::body(bytes)));
    let call = |length, calls| runtime.block_on(all(&client, arguments, post.as_ref(), length, calls));
    let (_, wrong) = call(Duration::ZERO, arguments.warm)?;
    let mut outcome = Outcome { calls: 0, wrong, seconds: 0.0, cpu_seconds: 0.0 };
    let mut add = |length, calls| -> anyhow::Result<bool> {
        let (begun, before) = (clock::now(), own_cpu_time()?);
        let (good, wrong) = call(length, calls)?;
        outcome.cpu_seconds += (own_cpu_time()? - before).as_secs_f64();
        outcome.seconds += begun.elapsed().as_secs_f64();
        outcome.calls += good;
        outcome.wrong += wrong;
        Ok(outcome.wrong == 0)
    };
    if arguments.sliced {
        in_slices(|length| add(length, 0))?;
    } else {
        add(length, arguments.calls)?;
    }
    ensure!(outcome.calls + outcome.wrong > 0, "no call was made");
    Ok(outcome)
}

/// Good and wrong answers of all connections, for so long and at least so many.
async fn all<C: Client>(
    client: &Arc<C>,
    arguments: &Arguments,
    post: Option<&Bytes>,
    length: Duration,
    calls: u64,
) -> anyhow::Result<(u64, u64)> {
    let end = clock::now() + length;
    let each = calls.div_ceil(u64::from(arguments.connections));
    let mut tasks = JoinSet::new();
    for _ in 0..arguments.connections {
        let (client, post) = (Arc::clone(client), post.cloned());
        tasks.spawn(async move {
            let (mut good, mut wrong) = (0, 0);
            while good + wrong < each || clock::now() < end {
                match client.call(post.clone()).await {
                    Ok((200, body)) if body == payload::ANSWER[..] => good += 1,
                    _ => wrong += 1,
                }
            }
            (good, wrong)
        });
    }
    let mut sum = (0, 0);
    while let Some(done) = tasks.join_next().await {
        let (good, wrong) = done?;
        sum = (sum.0 + good, sum.1 + wrong);
    }
    Ok(sum)
}
