//! What the benchmark says: results on stdout, progress and problems on stderr. Nothing else here prints.

use std::io::{self, Write};

/// A line of the result, written out at once: whoever started this process may be waiting for it.
///
/// # Errors
///
/// When nobody reads stdout any more.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// A line about how far the run is.
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}

/// A line about something that went wrong.
pub(crate) fn problem(text: &str) {
    eprintln!("{text}");
}
