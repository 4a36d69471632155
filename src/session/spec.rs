//! What a session process is told by the command that starts it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::profile::{Cell, Instrument, Plan, ProfileError};

/// A profile's text and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileText {
    /// Path, or name of a shipped profile.
    pub origin: String,
    /// The TOML.
    pub text: String,
}

/// A simulator that the session starts for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnSimulator {
    /// Instrument profile: a name or a path.
    pub instrument: String,
    /// Cell profile: a name or a path.
    pub cell: String,
    /// Seed of its noise.
    pub seed: u64,
}

/// Everything that a session process needs to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionSpec {
    /// Name of the session.
    pub name: String,
    /// Where it records; must not exist, unless it is gone on with.
    pub recording: PathBuf,
    /// Whether a session that was cut off goes on in its recording.
    #[serde(default)]
    pub resume: bool,
    /// The port; none where the session starts a simulator for itself.
    pub port: Option<PathBuf>,
    /// The simulator it starts for itself.
    pub own_simulator: Option<OwnSimulator>,
    /// Instrument profile.
    pub instrument: ProfileText,
    /// Cell profile.
    pub cell: ProfileText,
    /// Plan profile.
    pub plan: ProfileText,
    /// Whether the instrument is simulated.
    pub simulated: bool,
    /// How much faster than the wall clock the session's clock runs.
    pub time_scale: f64,
    /// Whether a script that runs on the instrument may be aborted.
    pub take_over: bool,
}

/// The profiles of a session, parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Profiles {
    /// What stands on the bench.
    pub instrument: Instrument,
    /// What is measured.
    pub cell: Cell,
    /// What to do.
    pub plan: Plan,
}

impl SessionSpec {
    /// Parses the profiles.
    ///
    /// # Errors
    /// With file, line and field where one is wrong.
    pub fn profiles(&self) -> Result<Profiles, ProfileError> {
        Ok(Profiles {
            instrument: Instrument::parse(&self.instrument.origin, &self.instrument.text)?,
            cell: Cell::parse(&self.cell.origin, &self.cell.text)?,
            plan: Plan::parse(&self.plan.origin, &self.plan.text)?,
        })
    }
}

/// What a session process says once it runs, or why it does not: one line on its standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Readiness {
    /// It measures.
    Ready {
        /// Name of the session.
        name: String,
        /// Where it records.
        recording: PathBuf,
    },
    /// It could not begin, and leaves nothing behind.
    Failed {
        /// Why, and what to do.
        why: String,
    },
}
