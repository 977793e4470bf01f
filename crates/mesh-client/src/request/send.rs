//! Sends a call: settles its numbers by precedence (call, service, default), drives it, and gives the answer.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use mesh_core::{
    call::Ending,
    entropy::uuid_v4_text,
    health::view::ServiceView,
    name::ServiceName,
    retry::{Failure, RetryPolicy},
};

use super::{
    Body, ServiceRequest,
    headers::{self, CallHeaders},
    target,
};
use crate::{
    attempt::{Answer, Prepared, SignedAttempts},
    builder::DEADLINE_TIMEOUTS,
    client::{Configured, Inner},
    driver::{CallFacts, Report},
    error::{CallError, InvalidCall},
    response::{ServiceResponse, StreamingResponse, Watch},
};

/// A call that is ready to be driven.
struct Ready {
    view: Arc<ServiceView>,
    facts: CallFacts,
    prepared: Prepared,
}

impl ServiceRequest {
    /// Sends the call and reads its answer, up to `max_response` bytes.
    ///
    /// # Errors
    ///
    /// [`CallError::Invalid`] before anything is sent; [`CallError::Unavailable`] when no instance answered below 500, also
    /// after one attempt; [`CallError::TooLarge`].
    pub async fn send(self) -> Result<ServiceResponse, CallError> {
        let inner = Arc::clone(&self.client.inner);
        let ready = self.ready(false)?;
        let report = drive(&inner, &ready).await;
        let service = ready.view.name().clone();
        match finish(report, &service, ready.prepared.max_response)? {
            (Answer::Whole(answer), report) => Ok(ServiceResponse::new(service, answer, report.attempts)),
            (Answer::Streaming(_) | Answer::TooLarge, _) => Err(unread(service)),
        }
    }

    /// Sends the call and hands its answer on as soon as the head is there; its body has no limit.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send), but for [`CallError::TooLarge`], which only a 5xx can be.
    pub async fn send_streaming(self) -> Result<StreamingResponse, CallError> {
        let inner = Arc::clone(&self.client.inner);
        let ready = self.ready(true)?;
        let report = drive(&inner, &ready).await;
        let service = ready.view.name().clone();
        match finish(report, &service, ready.prepared.max_response)? {
            (Answer::Streaming(answer), report) => {
                let watch = Watch {
                    pending: report.pending,
                    driver: inner.driver.clone(),
                    view: ready.view,
                    instance: report.instance,
                    pause: ready.facts.attempt_timeout,
                    request_id: ready.prepared.headers.request_id(),
                };
                Ok(StreamingResponse::new(answer, report.attempts, watch))
            }
            (Answer::Whole(_) | Answer::TooLarge, _) => Err(unread(service)),
        }
    }

    fn ready(self, streaming: bool) -> Result<Ready, InvalidCall> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let inner = &self.client.inner;
        let configured = inner.services.get(self.service.as_str());
        let view = view(&self.service, configured)?;
        let target = target::target(&self.path, &self.pairs)?;
        let timeout = self
            .timeout
            .or_else(|| configured.and_then(|service| service.timeout))
            .unwrap_or(inner.defaults.timeout);
        let whole = deadline(self.deadline.or(inner.defaults.deadline), timeout)?;
        let retries = self
            .retries
            .or_else(|| configured.and_then(|service| service.retries))
            .unwrap_or(inner.defaults.retries);
        let policy = RetryPolicy::try_new(retries, inner.defaults.retry_delay, inner.defaults.retry_methods)?;
        let has_key = self.idempotent || headers::has_key(&self.headers);
        let begun = inner.clock.monotonic();
        let facts = CallFacts {
            policy,
            may_repeat: policy.may_repeat(&self.method, has_key),
            attempt_timeout: timeout,
            begun,
            deadline: begun.after(whole),
        };
        let fresh_id = || {
            let mut random = [0; 16];
            inner.entropy.fill(&mut random);
            uuid_v4_text(random)
        };
        let headers = CallHeaders::new(self.headers, &self.body, &inner.name, fresh_id);
        let body = match self.body {
            Body::None => Bytes::new(),
            Body::Json(bytes) | Body::Raw(bytes) => bytes,
        };
        let max_response = inner.defaults.max_response;
        let multipart = configured.map(|service| service.multipart).unwrap_or_default();
        let signs_body = !headers.leave_out(multipart, &self.method) || body.is_empty();
        let prepared =
            Prepared { method: self.method, target, headers, body, signs_body, max_response, streaming };
        Ok(Ready { view, facts, prepared })
    }
}

/// A service that is not configured is one without instances.
fn view(name: &str, configured: Option<&Configured>) -> Result<Arc<ServiceView>, InvalidCall> {
    match configured {
        Some(service) => Ok(Arc::clone(&service.view)),
        None => Ok(Arc::new(ServiceView::new(ServiceName::parse(name)?, &[], None))),
    }
}

fn deadline(explicit: Option<Duration>, timeout: Duration) -> Result<Duration, InvalidCall> {
    match explicit {
        _ if timeout.is_zero() => Err(InvalidCall::ZeroTimeout),
        Some(deadline) if deadline < timeout => Err(InvalidCall::DeadlineBelowTimeout),
        Some(deadline) => Ok(deadline),
        None => Ok(timeout.saturating_mul(DEADLINE_TIMEOUTS)),
    }
}

async fn drive(inner: &Inner, ready: &Ready) -> Report<Answer> {
    let transport = SignedAttempts {
        prepared: &ready.prepared,
        signer: &inner.signer,
        clock: inner.clock.as_ref(),
        transport: inner.transport.as_ref(),
        connect_timeout: inner.connect_timeout,
    };
    let report = inner.driver.drive(&ready.view, &ready.facts, &transport).await.into_owned();
    if !ready.prepared.signs_body {
        inner.unsigned_bodies.fetch_add(report.attempts.len() as u64, Ordering::Relaxed);
    }
    report
}

/// The answer below 500, or the error that the ending is.
fn finish(
    mut report: Report<Answer>,
    service: &ServiceName,
    limit: usize,
) -> Result<(Answer, Report<Answer>), CallError> {
    let service = service.clone();
    match (report.response.take(), report.ending) {
        (Some(Answer::TooLarge), _) => Err(CallError::TooLarge { service, limit, attempts: report.attempts }),
        (Some(answer), Ending::Answered) => Ok((answer, report)),
        (Some(Answer::Whole(answer)), _) => {
            let attempts = report.attempts;
            let last = ServiceResponse::new(service.clone(), answer, attempts.clone());
            Err(CallError::Unavailable { service, attempts, last: Some(Box::new(last)) })
        }
        (Some(Answer::Streaming(_)) | None, _) => {
            Err(CallError::Unavailable { service, attempts: report.attempts, last: None })
        }
    }
}

/// An answer in another form than the one that was asked for: attempts do not give it.
fn unread(service: ServiceName) -> CallError {
    let message = "the body was not read".to_owned();
    CallError::Interrupted { service, failure: Failure::Malformed, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_is_three_timeouts_unless_it_is_said() {
        let second = Duration::from_secs(1);
        assert_eq!(deadline(None, second).ok(), Some(3 * second));
        assert_eq!(deadline(Some(second), second).ok(), Some(second));
        assert_eq!(deadline(Some(5 * second), second).ok(), Some(5 * second));
        assert!(matches!(deadline(Some(second), 2 * second), Err(InvalidCall::DeadlineBelowTimeout)));
        assert!(matches!(deadline(None, Duration::ZERO), Err(InvalidCall::ZeroTimeout)));
    }
}
