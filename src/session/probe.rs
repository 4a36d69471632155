//! Asking one port who is there: identity queries and nothing else.

use std::path::Path;
use std::time::Instant;

use super::runtime::RuntimeDirectory;
use crate::instrument::port::Port;
use crate::instrument::{InstrumentError, InstrumentIdentity, Job, Outcome, Output, PortError, driver_for};
use crate::profile::Instrument;

/// Why a port does not say who is there.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It cannot be opened or was lost.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Whoever is there does not answer as the profile says.
    #[error(transparent)]
    Instrument(#[from] InstrumentError),
    /// The profile knows no question of identity.
    #[error("nothing can be asked with the profile {0}: its instrument only talks; read the port with `run`")]
    Silent(String),
    /// The operating system refuses.
    #[error("the port cannot be asked: {0}")]
    System(#[from] std::io::Error),
}

/// Asks the instrument on a port for its identity, in the language of a profile. A script that runs there is left
/// alone. Blocks for some seconds at most.
///
/// # Errors
/// Where the port cannot be opened, or nobody answers as the profile says.
pub fn identity(
    path: &Path,
    instrument: &Instrument,
    runtime: &RuntimeDirectory,
) -> Result<InstrumentIdentity, ProbeError> {
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    executor.block_on(ask(path, instrument, runtime))
}

async fn ask(
    path: &Path,
    instrument: &Instrument,
    runtime: &RuntimeDirectory,
) -> Result<InstrumentIdentity, ProbeError> {
    let mut port = Port::open(path, &instrument.link, runtime.path())?;
    let mut driver = driver_for(instrument, 0, 1.0);
    let began = Instant::now();
    let now_s = || began.elapsed().as_secs_f64();
    let mut found = None;
    let mut buffer = [0; 4096];
    driver.start(Job::Connect { take_over: false }, now_s());
    loop {
        while let Some(output) = driver.take_output() {
            match output {
                Output::Send(bytes) => port.write_all(&bytes).await?,
                Output::Identity(identity) => found = Some(identity),
                Output::Done(done) => {
                    return match (done.outcome, found) {
                        (Outcome::Failed(error), _) => Err(error.into()),
                        (_, Some(identity)) => Ok(identity),
                        (_, None) => Err(ProbeError::Silent(instrument.name.clone())),
                    };
                }
                _ => {}
            }
        }
        let wait_s = driver
            .deadline_s()
            .map_or(1.0, |at_s| (at_s - now_s()).clamp(0.0, 60.0));
        let patience = std::time::Duration::from_secs_f64(wait_s);
        match tokio::time::timeout(patience, port.read(&mut buffer)).await {
            Ok(count) => driver.receive(&buffer[..count?], now_s()),
            Err(_) => driver.tick(now_s()),
        }
    }
}
