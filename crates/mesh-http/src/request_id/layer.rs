//! The layer that makes [`RequestId`].

use std::sync::Arc;

use mesh_core::entropy::{Entropy, SystemEntropy};
use tower::Layer;

use super::RequestId;

/// Makes [`RequestId`] services.
#[derive(Clone, Debug)]
pub struct RequestIdLayer {
    entropy: Arc<dyn Entropy>,
}

impl RequestId<()> {
    /// Gives every request one id.
    #[must_use]
    pub fn layer() -> RequestIdLayer {
        RequestIdLayer { entropy: Arc::new(SystemEntropy::new()) }
    }
}

impl RequestIdLayer {
    /// Where new ids are drawn from; the system's generator unless set.
    #[must_use]
    pub fn entropy(self, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy }
    }
}

impl<S> Layer<S> for RequestIdLayer {
    type Service = RequestId<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestId::new(inner, self.entropy.clone())
    }
}
