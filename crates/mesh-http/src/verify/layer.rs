//! The layers that make [`TrustGateway`] and [`TrustService`].

use std::sync::Arc;

use mesh_core::{clock::Clock, signature::Verifier};
use tower::Layer;

use super::{TrustGateway, TrustService, door::Door};

/// Makes [`TrustGateway`] services.
#[derive(Clone, Debug)]
pub struct TrustGatewayLayer {
    door: Door,
}

/// Makes [`TrustService`] services.
#[derive(Clone, Debug)]
pub struct TrustServiceLayer {
    door: Door,
}

impl TrustGateway<()> {
    /// Lets in what `verifier` verifies.
    #[must_use]
    pub fn layer(verifier: impl Into<Arc<Verifier>>) -> TrustGatewayLayer {
        TrustGatewayLayer { door: Door::new(verifier.into()) }
    }
}

impl TrustService<()> {
    /// Lets in services whose requests `verifier` verifies.
    #[must_use]
    pub fn layer(verifier: impl Into<Arc<Verifier>>) -> TrustServiceLayer {
        TrustServiceLayer { door: Door::new(verifier.into()) }
    }
}

/// A layer that differs from its sibling in what it makes.
macro_rules! makes {
    ($layer:ident, $service:ident) => {
        impl $layer {
            /// The largest body that is read, in bytes; 1 MiB unless set. More is answered 413 `body_too_large`.
            #[must_use]
            pub fn body_limit(mut self, bytes: usize) -> Self {
                self.door.body_limit = bytes;
                self
            }

            /// Where the time comes from; the system's clock unless set.
            #[must_use]
            pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
                self.door.clock = clock;
                self
            }
        }

        impl<S> Layer<S> for $layer {
            type Service = $service<S>;

            fn layer(&self, inner: S) -> Self::Service {
                $service::new(inner, self.door.clone())
            }
        }
    };
}

makes!(TrustGatewayLayer, TrustGateway);
makes!(TrustServiceLayer, TrustService);
