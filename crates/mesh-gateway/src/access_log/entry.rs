//! What a line says, and the request that it grows with.

use std::{
    io::{self, Write},
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{Method, StatusCode};
use jiff::Timestamp;
use mesh_core::{
    clock::{Clock, Tick, UnixMillis},
    error::Code,
};
use serde::{Serialize, Serializer};

use super::{AccessLog, AccessLogFormat};
use crate::metrics::{Cells, Tally};

/// One line. What is not known is left out.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    #[serde(serialize_with = "utc")]
    time: UnixMillis,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    client: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(flatten)]
    route: Option<Route>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    bytes: u64,
    #[serde(serialize_with = "milliseconds")]
    duration_ms: Duration,
    attempts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// Whether the whole answer was handed over.
    complete: bool,
}

/// Where a request went.
#[derive(Clone, Debug, Serialize)]
struct Route {
    route: String,
    service: String,
}

/// What is known of a request when it comes.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) id: &'a str,
    pub(crate) trace: Option<String>,
    pub(crate) client: IpAddr,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
}

/// A line whose request is under way; it is written when the last who knows of the request is done.
#[derive(Debug)]
pub(crate) struct Pending {
    log: AccessLog,
    clock: Arc<dyn Clock>,
    cells: Arc<Cells>,
    begun: Tick,
    bytes: AtomicU64,
    complete: AtomicBool,
    entry: Mutex<Entry>,
}

impl Pending {
    pub(crate) fn begin(
        log: &AccessLog,
        clock: &Arc<dyn Clock>,
        cells: &Arc<Cells>,
        request: Request<'_>,
    ) -> Arc<Self> {
        let entry = Entry {
            request_id: Some(request.id.to_owned()),
            trace_id: request.trace,
            method: Some(request.method.as_str().to_owned()),
            path: Some(request.path.to_owned()),
            ..Entry::empty(clock.unix(), Some(request.client))
        };
        Arc::new(Self {
            log: log.clone(),
            begun: clock.monotonic(),
            clock: Arc::clone(clock),
            cells: Arc::clone(cells),
            bytes: AtomicU64::new(0),
            complete: AtomicBool::new(false),
            entry: Mutex::new(entry),
        })
    }

    fn note(&self, change: impl FnOnce(&mut Entry)) {
        change(&mut self.entry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The request has this route.
    pub(crate) fn routed(&self, pattern: &str, service: &str) {
        let route = Route { route: pattern.to_owned(), service: service.to_owned() };
        self.note(|entry| entry.route = Some(route));
    }

    /// The service was asked so many times, and the last time this instance.
    pub(crate) fn asked(&self, attempts: usize, instance: Option<&str>) {
        let instance = instance.map(str::to_owned);
        self.note(|entry| (entry.attempts, entry.instance) = (attempts, instance));
    }

    /// The answer's head.
    pub(crate) fn answered(&self, status: StatusCode, code: Option<Code>) {
        self.note(|entry| (entry.status, entry.code) = (Some(status.as_u16()), code.map(Code::as_str)));
    }

    /// So many bytes of the answer's body were handed over.
    pub(crate) fn sent(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// All of the answer was handed over.
    pub(crate) fn completed(&self) {
        self.complete.store(true, Ordering::Relaxed);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let entry = self.entry.get_mut().unwrap_or_else(PoisonError::into_inner);
        entry.bytes = self.bytes.load(Ordering::Relaxed);
        entry.complete = self.complete.load(Ordering::Relaxed);
        entry.duration_ms = self.clock.monotonic().since(self.begun);
        if !self.log.write(entry.clone()) {
            self.cells.count(Tally::LineDropped);
        }
    }
}

impl AccessLog {
    /// Writes down a refusal of what never became a request.
    pub(crate) fn refused(
        &self,
        clock: &dyn Clock,
        cells: &Cells,
        client: Option<IpAddr>,
        refusal: (u16, Code),
    ) {
        let (status, code) = (Some(refusal.0), Some(refusal.1.as_str()));
        if !self.write(Entry { status, code, complete: true, ..Entry::empty(clock.unix(), client) }) {
            cells.count(Tally::LineDropped);
        }
    }
}

impl Entry {
    const fn empty(time: UnixMillis, client: Option<IpAddr>) -> Self {
        Self {
            time,
            request_id: None,
            trace_id: None,
            client,
            method: None,
            path: None,
            route: None,
            instance: None,
            status: None,
            bytes: 0,
            duration_ms: Duration::ZERO,
            attempts: 0,
            code: None,
            complete: false,
        }
    }

    pub(super) fn write(&self, format: AccessLogFormat, out: &mut impl Write) -> io::Result<()> {
        match format {
            AccessLogFormat::Json => {
                serde_json::to_writer(&mut *out, self)?;
                out.write_all(b"\n")
            }
            AccessLogFormat::Text => self.write_text(out),
        }
    }

    fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let client = self.client.map_or_else(|| "-".to_owned(), |client| client.to_string());
        let line = [self.method.as_deref(), self.path.as_deref()];
        let line = line.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let status = self.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let millis = self.duration_ms.as_secs_f64() * 1_000.0;
        write!(out, "{} {client} {line:?} {status} {} {millis:.3}ms", text(self.time), self.bytes)?;
        let words = [
            ("request_id", self.request_id.as_deref()),
            ("trace_id", self.trace_id.as_deref()),
            ("route", self.route.as_ref().map(|route| &*route.route)),
            ("service", self.route.as_ref().map(|route| &*route.service)),
            ("instance", self.instance.as_deref()),
            ("code", self.code),
        ];
        for (name, value) in words {
            if let Some(value) = value {
                write!(out, " {name}={value}")?;
            }
        }
        writeln!(out, " attempts={}{}", self.attempts, if self.complete { "" } else { " incomplete" })
    }
}

/// RFC 3339, in UTC, to the millisecond.
fn text(time: UnixMillis) -> String {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).map_or_else(|_| "-".to_owned(), |time| format!("{time:.3}"))
}

fn utc<S: Serializer>(time: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*time))
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    serializer.serialize_f64(f64::from(micros) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            request_id: Some("7".to_owned()),
            method: Some("GET".to_owned()),
            path: Some("/api/\"x".to_owned()),
            route: Some(Route { route: "/api/{x}".to_owned(), service: "oms".to_owned() }),
            status: Some(200),
            bytes: 12,
            duration_ms: Duration::from_micros(1_234),
            attempts: 1,
            complete: true,
            ..Entry::empty(UnixMillis(1_770_724_800_007), Some(IpAddr::from([10, 0, 0, 1])))
        }
    }

    fn written(format: AccessLogFormat, entry: &Entry) -> String {
        let mut out = Vec::new();
        entry.write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_of_json_is_one_object_without_what_is_not_known() {
        assert_eq!(
            written(AccessLogFormat::Json, &entry()),
            "{\"time\":\"2026-02-10T12:00:00.007Z\",\"request_id\":\"7\",\"client\":\"10.0.0.1\",\"method\":\"GET\",\
             \"path\":\"/api/\\\"x\",\"route\":\"/api/{x}\",\"service\":\"oms\",\"status\":200,\"bytes\":12,\
             \"duration_ms\":1.234,\"attempts\":1,\"complete\":true}\n"
        );
    }

    #[test]
    fn a_line_of_text_is_one_line() {
        assert_eq!(
            written(AccessLogFormat::Text, &entry()),
            "2026-02-10T12:00:00.007Z 10.0.0.1 \"GET /api/\\\"x\" 200 12 1.234ms request_id=7 route=/api/{x} \
             service=oms attempts=1\n"
        );
        let refused = Entry { code: Some("bad_framing"), ..Entry::empty(UnixMillis(0), None) };
        assert_eq!(
            written(AccessLogFormat::Text, &refused),
            "1970-01-01T00:00:00.000Z - \"\" - 0 0.000ms code=bad_framing attempts=0 incomplete\n"
        );
    }
}
