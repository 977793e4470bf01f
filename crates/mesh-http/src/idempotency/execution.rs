//! The task in which a keyed request runs, and what becomes of it when its client goes: it runs on alone.
//!
//! Refuses to let too many run on alone.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinError, JoinHandle},
};
use tokio_util::task::TaskTracker;

/// How many run on alone, unless a layer was told otherwise.
const ALONE: usize = 1_024;

/// The keyed requests that run. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub(super) struct Executions {
    running: TaskTracker,
    alone: Arc<Semaphore>,
}

impl Default for Executions {
    fn default() -> Self {
        Self::with_alone(ALONE)
    }
}

impl Executions {
    /// No more than `most` run on alone.
    pub(super) fn with_alone(most: usize) -> Self {
        Self {
            running: TaskTracker::new(),
            alone: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Starts `work` in a task of its own, which outlives what is returned.
    pub(super) fn start<F>(&self, work: F) -> Attended<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let place = Arc::<OnceLock<OwnedSemaphorePermit>>::default();
        let held = Arc::clone(&place);
        let task = self.running.spawn(async move {
            let output = work.await;
            drop(held);
            output
        });
        Attended { task, place, alone: Arc::clone(&self.alone) }
    }

    /// Until none runs.
    pub(super) async fn ended(&self) {
        self.running.close();
        self.running.wait().await;
    }
}

/// A running request whose client waits for it. Dropping this is the client's leaving.
#[derive(Debug)]
pub(super) struct Attended<T> {
    task: JoinHandle<T>,
    /// Among those that run on alone; shared with the task, and free again at its end.
    place: Arc<OnceLock<OwnedSemaphorePermit>>,
    alone: Arc<Semaphore>,
}

impl<T> Future for Attended<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(context)
    }
}

impl<T> Drop for Attended<T> {
    fn drop(&mut self) {
        if self.task.is_finished() {
            return;
        }
        match Arc::clone(&self.alone).try_acquire_owned() {
            Ok(permit) => {
                let _never_set_before = self.place.set(permit);
            }
            Err(_) => {
                tracing::warn!("too many keyed requests run on without their clients: one is given up");
                self.task.abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    /// A request that runs until it is told to end; and whether it was given up.
    fn running(executions: &Executions) -> (Attended<()>, oneshot::Sender<()>) {
        let (end, told) = oneshot::channel();
        let attended = executions.start(async move {
            let _told_or_given_up = told.await;
        });
        (attended, end)
    }

    #[tokio::test]
    async fn a_request_outlives_its_client() {
        let executions = Executions::default();
        let (attended, end) = running(&executions);
        drop(attended);
        tokio::task::yield_now().await;
        assert!(!end.is_closed());
        end.send(()).unwrap();
        executions.ended().await;
    }

    #[tokio::test]
    async fn no_more_than_told_run_on_alone_and_a_place_is_free_again_at_the_end() {
        let executions = Executions::with_alone(1);
        let ((first, mut end_first), (second, mut end_second)) = (running(&executions), running(&executions));
        drop(first);
        drop(second);
        end_second.closed().await;
        assert!(!end_first.is_closed());
        end_first.send(()).unwrap();
        executions.ended().await;
        let (third, end_third) = running(&executions);
        drop(third);
        tokio::task::yield_now().await;
        assert!(!end_third.is_closed());
        (_, end_first) = running(&executions);
        assert!(!end_first.is_closed());
    }

    #[tokio::test]
    async fn whose_client_stayed_takes_no_place() {
        let executions = Executions::with_alone(1);
        for _ in 0..3 {
            executions.start(async {}).await.unwrap();
        }
        let (alone, end) = running(&executions);
        drop(alone);
        tokio::task::yield_now().await;
        assert!(!end.is_closed());
    }
}
