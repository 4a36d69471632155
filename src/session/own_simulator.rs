//! The simulator that a session starts for itself: a process that ends with the session, whatever
//! becomes of it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::spec::OwnSimulator;

/// Why a session has no simulator.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// Its process could not be started or spoken to.
    #[error("cannot start the simulator: {0}")]
    Process(#[from] std::io::Error),
    /// Its process ended without naming a port.
    #[error("the simulator ended before it served a port; try `interphase simulate` alone")]
    Silent,
}

/// A simulator in a process of its own. It serves until its standard input closes, which happens when
/// this is dropped and also when this process is killed.
#[derive(Debug)]
pub struct OwnSimulatorProcess {
    child: Child,
    port: PathBuf,
}

impl OwnSimulatorProcess {
    /// Starts the simulator and waits until it serves a port.
    ///
    /// # Errors
    /// Where it does not come to that.
    pub fn start(own: &OwnSimulator, time_scale: f64) -> Result<Self, SimulatorError> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["simulate", "--until-stdin-closes"])
            .args(["--instrument", &own.instrument, "--cell", &own.cell])
            .args([
                "--seed",
                &own.seed.to_string(),
                "--time-scale",
                &time_scale.to_string(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let port = PathBuf::from(line.trim());
        if port.as_os_str().is_empty() {
            child.wait()?;
            return Err(SimulatorError::Silent);
        }
        Ok(Self { child, port })
    }

    /// The port that it serves.
    #[must_use]
    pub fn port(&self) -> &Path {
        &self.port
    }
}

impl Drop for OwnSimulatorProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
