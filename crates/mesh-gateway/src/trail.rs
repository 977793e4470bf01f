//! The ids by which one request is found again: its own, and its trace's.

use std::{borrow::Cow, sync::Arc};

use http::HeaderValue;
use mesh_core::{
    entropy::{Entropy, uuid_v4_text},
    forward::Survey,
    trace::TraceContext,
};

use crate::{access_log::Pending, settings::TraceSettings};

/// What of a client's request id stands in a log.
const LOGGED_BYTES: usize = 255;

/// The ids of one request, and the line it becomes. Cheap to clone; made without an allocation.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    id: Id,
    /// What the service is told; absent: there is no trace, and none is begun.
    trace: Option<TraceContext>,
    /// Whether the request came with a valid `traceparent`.
    pub(crate) is_traced: bool,
    /// The line of the access log that the request becomes, if it becomes one.
    line: Option<Arc<Pending>>,
}

#[derive(Clone, Debug)]
enum Id {
    Given(HeaderValue),
    Made([u8; 36]),
}

impl Trail {
    /// The ids that a request says; those that it does not are made.
    pub(crate) fn of(survey: &Survey<'_>, entropy: &dyn Entropy, settings: &TraceSettings) -> Self {
        let id = survey.request_id.map_or_else(|| made(entropy), |given| Id::Given(given.clone()));
        let given = survey.trace();
        let trace = match given {
            Some(given) => Some(child(&given, entropy)),
            None if settings.create => {
                let mut random = [0; 24];
                entropy.fill(&mut random);
                Some(TraceContext::root(random, settings.sample))
            }
            None => None,
        };
        Self { id, trace, is_traced: given.is_some(), line: None }
    }

    /// The request becomes a line of the access log.
    pub(crate) fn becomes(&mut self, line: Arc<Pending>) {
        self.line = Some(line);
    }

    /// The line that the request becomes.
    pub(crate) const fn line(&self) -> Option<&Arc<Pending>> {
        self.line.as_ref()
    }

    /// The ids after layers had the request: what they said, else what was.
    pub(crate) fn after_layers(&self, survey: &Survey<'_>, entropy: &dyn Entropy) -> Self {
        let id = match (survey.request_id, &self.id) {
            (Some(given), _) => Id::Given(given.clone()),
            // They took the client's out.
            (None, Id::Given(_)) => made(entropy),
            (None, Id::Made(id)) => Id::Made(*id),
        };
        let given = survey.trace();
        let trace = given.map(|given| child(&given, entropy)).or(self.trace);
        Self { id, trace, is_traced: given.is_some(), line: self.line.clone() }
    }

    /// The request id as it goes on.
    pub(crate) fn id(&self) -> &[u8] {
        match &self.id {
            Id::Given(given) => given.as_bytes(),
            Id::Made(made) => made,
        }
    }

    /// The request id for logs: visible ASCII, no longer than an id is.
    pub(crate) fn logged_id(&self) -> Cow<'_, str> {
        let id = self.id();
        let id = id.get(..LOGGED_BYTES).unwrap_or(id);
        match str::from_utf8(id) {
            Ok(text) if id.iter().all(u8::is_ascii_graphic) => Cow::Borrowed(text),
            _ => Cow::Owned(id.escape_ascii().to_string()),
        }
    }

    /// Puts the request id beside every line that is logged within. For ways that wait for more than an instance: the
    /// plain one does without.
    pub(crate) fn span(&self) -> tracing::Span {
        tracing::error_span!("request", request_id = %self.logged_id())
    }

    /// What the service is told of the trace.
    pub(crate) const fn trace(&self) -> Option<&TraceContext> {
        self.trace.as_ref()
    }
}

fn made(entropy: &dyn Entropy) -> Id {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    Id::Made(uuid_v4_text(random))
}

fn child(given: &TraceContext, entropy: &dyn Entropy) -> TraceContext {
    let mut random = [0; 8];
    entropy.fill(&mut random);
    given.child(random)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use mesh_core::{
        entropy::SystemEntropy,
        header::{TRACEPARENT, X_REQUEST_ID},
    };

    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    const OFF: TraceSettings = TraceSettings { create: false, sample: 1.0 };

    fn headers(lines: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_the_client_said_is_kept_and_the_rest_is_made() {
        let entropy = SystemEntropy::new();
        let given = headers(&[(X_REQUEST_ID, "7"), (TRACEPARENT, PARENT)]);
        let trail = Trail::of(&Survey::of(&given), &entropy, &OFF);
        assert_eq!((trail.id(), &*trail.logged_id()), (&b"7"[..], "7"));
        let trace = trail.trace().unwrap();
        assert_eq!(trace.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(trail.is_traced && !trace.is_sampled() && trace.to_string() != PARENT);
        let trail = Trail::of(&Survey::default(), &entropy, &TraceSettings::default());
        assert_eq!(trail.id().len(), 36);
        assert!(!trail.is_traced && trail.trace().unwrap().is_sampled());
        assert!(Trail::of(&Survey::of(&headers(&[(TRACEPARENT, "x")])), &entropy, &OFF).trace().is_none());
    }

    #[test]
    fn an_id_in_a_log_is_one_short_word() {
        let entropy = SystemEntropy::new();
        let trail = Trail::of(&Survey::of(&headers(&[(X_REQUEST_ID, "a b\tc")])), &entropy, &OFF);
        assert_eq!(trail.logged_id(), "a b\\tc");
        let long = HeaderValue::from_bytes(&[b'x'; 999]).unwrap();
        let trail = Trail::of(&Survey::of(&HeaderMap::from_iter([(X_REQUEST_ID, long)])), &entropy, &OFF);
        assert_eq!(trail.logged_id().len(), 255);
    }

    #[test]
    fn layers_have_the_last_word() {
        let entropy = SystemEntropy::new();
        let came =
            Trail::of(&Survey::of(&headers(&[(X_REQUEST_ID, "7")])), &entropy, &TraceSettings::default());
        let went = came.after_layers(&Survey::of(&headers(&[(TRACEPARENT, PARENT)])), &entropy);
        assert_ne!(went.id(), b"7", "they took it out");
        assert_eq!(went.trace().unwrap().trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let went = came.after_layers(&Survey::of(&headers(&[(X_REQUEST_ID, "8")])), &entropy);
        assert_eq!((went.id(), went.trace()), (&b"8"[..], came.trace()));
        let made = Trail::of(&Survey::default(), &entropy, &OFF);
        assert_eq!(made.after_layers(&Survey::default(), &entropy).id(), made.id());
    }
}
