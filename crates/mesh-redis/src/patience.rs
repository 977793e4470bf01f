//! How long somebody waits for the server, and that a busy process of our own is not taken for a silent server.

use std::{future::Future, pin::pin, time::Duration};

use tokio::time::timeout;

/// The last quarter of a wait is cut into so many looks. Where our own runtime is behind, everything that is ready runs once
/// between two of them: an answer that lies in the socket is read before anybody gives up.
const LAST_LOOKS: u32 = 10;

/// What `work` gives, if it is done within `limit`; longer where the process itself is too busy to look.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let last_quarter = limit / 4;
    if let Ok(done) = timeout(limit - last_quarter, work.as_mut()).await {
        return Some(done);
    }
    for _ in 0..LAST_LOOKS {
        if let Ok(done) = timeout(last_quarter / LAST_LOOKS, work.as_mut()).await {
            return Some(done);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use tokio::{sync::oneshot, time::sleep};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_its_limit_is_given_up() {
        let done = async |millis: u64| within(LIMIT, sleep(Duration::from_millis(millis))).await.is_some();
        assert!(done(1_900).await);
        assert!(!done(2_200).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_ready_after_a_long_stall_is_taken() {
        let (answer, waiting) = oneshot::channel();
        tokio::spawn(async move {
            // The clock jumps over every limit while nobody is looked at; then the answer is read.
            tokio::time::advance(10 * LIMIT).await;
            answer.send(7)
        });
        assert_eq!(within(LIMIT, waiting).await, Some(Ok(7)));
    }
}
