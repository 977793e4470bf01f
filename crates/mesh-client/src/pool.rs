//! Several calls at once, to one service or to many: a cap on how many are under way, a result for each.
//!
//! Refuses to let one part take another along: a part that is slow, fails or panics leaves the others as they are.

use std::{collections::HashSet, fmt, panic::AssertUnwindSafe, vec};

use futures_util::{FutureExt as _, StreamExt as _, stream};

use crate::{
    error::{CallError, InvalidCall},
    request::ServiceRequest,
    response::ServiceResponse,
};

/// How many parts are under way at once, unless [`CallPool::concurrency`] says otherwise.
pub const DEFAULT_CONCURRENCY: usize = 64;

/// What came of one part.
pub type PoolResult = Result<ServiceResponse, CallError>;

/// Named calls that are sent together. See [`ServiceClient::pool`](crate::ServiceClient::pool).
///
/// All parts run inside the future of [`send`](Self::send), without tasks of their own: whoever drops it, drops them all.
#[must_use = "a pool does nothing until it is sent"]
pub struct CallPool {
    parts: Vec<(String, ServiceRequest)>,
    concurrency: usize,
}

impl CallPool {
    pub(crate) const fn new() -> Self {
        Self { parts: Vec::new(), concurrency: DEFAULT_CONCURRENCY }
    }

    /// Adds a part. One whose `name` is taken is not sent: its own result is [`InvalidCall::DoubledName`], the first
    /// part's stays.
    pub fn add(mut self, name: impl Into<String>, request: ServiceRequest) -> Self {
        self.parts.push((name.into(), request));
        self
    }

    /// How many parts are under way at once, at least 1 (0 counts as 1). Absent: [`DEFAULT_CONCURRENCY`].
    pub const fn concurrency(mut self, most: usize) -> Self {
        self.concurrency = if most == 0 { 1 } else { most };
        self
    }

    /// Sends all parts and waits for the last of them. Each keeps its own timeout, retries and deadline, counted from its
    /// own beginning: waiting for a place below the cap costs none of it.
    pub async fn send(self) -> PoolAnswers {
        let mut taken = HashSet::new();
        let mut names = Vec::with_capacity(self.parts.len());
        let mut parts = Vec::with_capacity(self.parts.len());
        for (index, (name, request)) in self.parts.into_iter().enumerate() {
            parts.push(part(index, request, taken.insert(name.clone())));
            names.push(name);
        }
        let mut results: Vec<_> =
            stream::iter(parts).buffer_unordered(self.concurrency).collect::<Vec<_>>().await;
        results.sort_unstable_by_key(|(index, _)| *index);
        PoolAnswers(names.into_iter().zip(results.into_iter().map(|(_, result)| result)).collect())
    }
}

/// One part to its end, whatever its end is.
async fn part(index: usize, request: ServiceRequest, is_first: bool) -> (usize, PoolResult) {
    if !is_first {
        return (index, Err(CallError::Invalid(InvalidCall::DoubledName)));
    }
    let service = request.service().to_owned();
    // What the call shares with others (health, connections, sinks) is behind locks that bear a panic.
    let result = AssertUnwindSafe(request.send()).catch_unwind().await;
    (index, result.unwrap_or(Err(CallError::Panicked { service })))
}

impl fmt::Debug for CallPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.parts.iter().map(|(name, _)| name).collect();
        formatter
            .debug_struct("CallPool")
            .field("parts", &names)
            .field("concurrency", &self.concurrency)
            .finish()
    }
}

/// What came of every part, in the order in which they were added.
#[derive(Debug)]
pub struct PoolAnswers(Vec<(String, PoolResult)>);

impl PoolAnswers {
    /// The result of the part `name`; of the first one, where several had that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&PoolResult> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, result)| result)
    }

    /// Takes the result of the part `name` out; `None` when there is none (any more).
    pub fn take(&mut self, name: &str) -> Option<PoolResult> {
        let at = self.0.iter().position(|(own, _)| own == name)?;
        Some(self.0.remove(at).1)
    }

    /// Names and results, in the order in which the parts were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &PoolResult)> {
        self.0.iter().map(|(name, result)| (name.as_str(), result))
    }

    /// How many results there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for PoolAnswers {
    type Item = (String, PoolResult);
    type IntoIter = vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
