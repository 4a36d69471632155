//! Writing to standard output and standard error without panics.

use std::io::{self, Write};

/// A command line that is wrong in a way that only the command itself can see; the program ends with status 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct UsageError {
    message: String,
}

impl UsageError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// Writes a line to standard output.
pub(super) fn line(text: impl AsRef<str>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_ref().as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Writes a message to standard error; where nobody reads it, it is lost.
pub(super) fn message(text: impl AsRef<str>) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_ref().as_bytes());
    let _ = stderr.write_all(b"\n");
}

/// Whether an error only means that the reader of standard output has had enough (`| head`).
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
