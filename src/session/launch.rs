//! Starting a session in a process of its own, without a terminal.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use super::spec::{Readiness, SessionSpec};

/// Why a session could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The process could not be started or spoken to.
    #[error("cannot start the session process: {0}")]
    Process(#[from] std::io::Error),
    /// The process ended without a word.
    #[error("the session process ended before it was ready; its log is {log}")]
    Silent {
        /// Its log file.
        log: String,
    },
    /// The session says why it could not begin.
    #[error("{0}")]
    Failed(String),
}

/// A session that was started: it goes on by itself.
#[derive(Debug)]
pub struct Launched {
    /// Its process. Dropping it does not end it.
    pub child: Child,
    /// Name of the session.
    pub name: String,
    /// Where it records.
    pub recording: std::path::PathBuf,
}

/// Starts this very executable with the hidden `session` argument, hands it the specification on its
/// standard input, and waits until it measures.
///
/// # Errors
/// Where the process cannot be started, or the session cannot begin: with its own words.
pub fn launch(spec: &SessionSpec, log: &std::path::Path) -> Result<Launched, LaunchError> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("session")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        let text = serde_json::to_string(spec).map_err(std::io::Error::from)?;
        // A child that is gone already is noticed by its silence below.
        let _ = stdin.write_all(text.as_bytes());
    }
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    match serde_json::from_str(&line) {
        Ok(Readiness::Ready { name, recording }) => Ok(Launched {
            child,
            name,
            recording,
        }),
        Ok(Readiness::Failed { why }) => {
            child.wait()?;
            Err(LaunchError::Failed(why))
        }
        Err(_) => {
            child.wait()?;
            Err(LaunchError::Silent {
                log: log.display().to_string(),
            })
        }
    }
}
