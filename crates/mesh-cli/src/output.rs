//! What people and programs read: data on stdout, messages on stderr. The one place that prints.

use std::{
    fmt::Display,
    fs::OpenOptions,
    io::{self, ErrorKind, IsTerminal as _, Write as _},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;
use tracing::level_filters::LevelFilter;

use crate::{
    args::LogFormat,
    exit::{Exit, Failure},
};

/// Where a command writes.
#[derive(Debug)]
pub(crate) struct Output {
    /// `--json`: data is one JSON document.
    pub(crate) json: bool,
    quiet: bool,
    /// The first write to stdout that failed, but for a reader that has gone away.
    lost: Mutex<Option<io::Error>>,
    /// Whether the reader of stdout has gone away.
    gone: AtomicBool,
}

impl Output {
    pub(crate) const fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet, lost: Mutex::new(None), gone: AtomicBool::new(false) }
    }

    /// One line of data. A reader that has gone away ends nothing.
    pub(crate) fn line(&self, line: impl Display) {
        self.write(format!("{line}\n").as_bytes());
    }

    /// Data byte for byte; people get a line's end after it.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        self.write(bytes);
        if io::stdout().is_terminal() && !bytes.is_empty() && !bytes.ends_with(b"\n") {
            self.write(b"\n");
        }
    }

    fn write(&self, bytes: &[u8]) {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.gone.store(true, Ordering::Relaxed),
            Err(error) => {
                self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
    }

    /// Whether there is nobody to write to any more: the reader went away, or stdout cannot be written.
    pub(crate) fn is_over(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
            || self.lost.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Empties the screen; answers whether there is one.
    pub(crate) fn clear_screen(&self) -> bool {
        let is_terminal = io::stdout().is_terminal();
        if is_terminal {
            self.write(b"\x1b[H\x1b[2J");
        }
        is_terminal
    }

    /// Whether all data could be written.
    ///
    /// # Errors
    ///
    /// Why some could not, such as a full disk.
    pub(crate) fn written(&self) -> Result<(), Failure> {
        match self.lost.lock().unwrap_or_else(PoisonError::into_inner).take() {
            None => Ok(()),
            Some(error) => Err(Failure::new(Exit::Problem, format!("cannot write to stdout: {error}"))),
        }
    }

    /// One line of a story: data for people, a message where data is one JSON document.
    pub(crate) fn told(&self, line: impl Display) {
        if self.json { self.message(line) } else { self.line(line) }
    }

    /// A JSON document, indented, on stdout.
    pub(crate) fn document(&self, document: &Value) {
        self.line(format_args!("{document:#}"));
    }

    /// A table with a head, on stdout.
    pub(crate) fn table(&self, head: &[&str], rows: &[Vec<String>]) {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_header(head);
        if io::stdout().is_terminal() {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        for row in rows {
            table.add_row(row);
        }
        self.line(table);
    }

    /// A message for people, on stderr; nothing with `-q`.
    pub(crate) fn message(&self, message: impl Display) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{message}");
        }
    }

    /// Why a command could not do its work, on stderr.
    pub(crate) fn failure(&self, failure: &Failure) {
        for line in &failure.lines {
            let _ = writeln!(anstream::stderr(), "mesh: {line}");
        }
    }
}

/// Where lines go: `stdout`, `stderr`, or a file that they are added to.
///
/// # Errors
///
/// When the file cannot be opened.
pub(crate) fn target(target: &str) -> io::Result<Box<dyn io::Write + Send>> {
    Ok(match target {
        "stdout" => Box::new(io::stdout()),
        "stderr" => Box::new(io::stderr()),
        path => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
    })
}

/// Sends logs to stderr: warnings; with `-v` what happens; with `-vv` everything of ours.
pub(crate) fn log_to_stderr(verbose: u8, quiet: bool, format: LogFormat) {
    let level = match (quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).with_target(false);
    let set = match format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // A second subscriber in one process is a test's: the first one stays.
    drop(set);
}
