//! What xtask says: results on stdout, problems on stderr. Nothing else here prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the one module of xtask that prints")]

/// A line of the result.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// A line about something that went wrong.
pub(crate) fn problem(text: &str) {
    eprintln!("{text}");
}
