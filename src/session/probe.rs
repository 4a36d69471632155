//! Asking one port who is there: identity queries and nothing else.

use std::path::Path;

use super::conversation::Conversation;
use super::runtime::RuntimeDirectory;
use crate::instrument::{InstrumentError, InstrumentIdentity, Job, Outcome, PortError};
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
    if instrument
        .line
        .as_ref()
        .is_some_and(|line| line.identify.is_none())
    {
        return Err(ProbeError::Silent(instrument.name.clone()));
    }
    let mut conversation = Conversation::open(path, instrument, 0, 1.0, runtime)?;
    let done = conversation.job(Job::Identify).await;
    match (conversation.lost, done.outcome, conversation.identity) {
        (Some(error), ..) => Err(error.into()),
        (None, Outcome::Failed(error), _) => Err(error.into()),
        (None, _, Some(identity)) => Ok(identity),
        (None, _, None) => Err(ProbeError::Silent(instrument.name.clone())),
    }
}
