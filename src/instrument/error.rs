//! What can go wrong with an instrument, in words that say what to do next.

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InstrumentError {
    /// Nothing understandable came back.
    #[error(
        "the instrument did not answer {asked} within {waited_s:.1} s: check that it has power, that the port is \
         the right one and that no other program holds it"
    )]
    NoAnswer {
        /// What was asked.
        asked: String,
        /// How long an answer was waited for in s.
        waited_s: f64,
    },
    /// Another type of device than the profile's.
    #[error(
        "a device of type `{found}` answered, the profile is for `{expected}`: choose the profile of this \
         device or the port of the other"
    )]
    WrongDevice {
        /// Device type of the profile.
        expected: String,
        /// Device type that answered.
        found: String,
    },
    /// The instrument is in the middle of somebody's measurement.
    #[error(
        "the instrument is running a script that this session did not start: wait for its end, or end it \
         with --take-over (the cell is then switched off)"
    )]
    ScriptRunning,
    /// The job itself cannot be done; nothing was sent.
    #[error("the job cannot be sent to the instrument: {0}")]
    ImpossibleJob(String),
    /// The instrument refused a script before running it.
    #[error("the instrument refused the script: {reason} ({place}); nothing was measured")]
    ScriptRefused {
        /// The instrument's reason in words.
        reason: String,
        /// The line of the script at fault, as sent.
        place: String,
    },
    /// The script stopped at a run-time error.
    #[error("the measurement stopped: {reason} ({place})")]
    ScriptFailed {
        /// The instrument's reason in words.
        reason: String,
        /// The line of the script at fault, as sent.
        place: String,
    },
    /// The instrument ended the measurement by itself before everything was measured.
    #[error(
        "the instrument ended after {points} of {expected} points: see the last lines on the wire for why"
    )]
    EndedEarly {
        /// Points that arrived.
        points: u32,
        /// Points asked for.
        expected: u32,
    },
    /// The instrument measured all of a sweep, and not all of it arrived.
    #[error(
        "{points} of {expected} points arrived as they were sent, the others were lost or damaged on the line: check \
         cable and line rate"
    )]
    PointsLost {
        /// Points that arrived.
        points: u32,
        /// Points asked for.
        expected: u32,
    },
    /// The cell was not where it had been when its open-circuit potential was read.
    #[error(
        "just before the cell was to be switched on, its potential was more than 5 mV from the open-circuit potential \
         that had been read: it is still off; check the leads, and let the cell rest"
    )]
    CellMoved,
    /// The potential left its limits between two parts of a sweep.
    #[error(
        "the potential of the cell left the plan's limits during the sweep: it is off now; look at the cell"
    )]
    LeftLimits,
    /// A constant current moved the potential the wrong way.
    #[error(
        "{current_a} A has moved the potential from {open_circuit_v:.4} V to {potential_v:.4} V, the wrong way: the \
         leads are swapped, or the sign of the current is; the cell is off now"
    )]
    WrongSign {
        /// Current in A, positive when the working electrode is oxidised.
        current_a: f64,
        /// Potential of the resting cell in V.
        open_circuit_v: f64,
        /// Potential under current in V.
        potential_v: f64,
    },
    /// The instrument went on beyond a bound at which it should have ended.
    #[error(
        "the instrument went on although {0} had been passed, so it was ended from here: look at the cell"
    )]
    BoundIgnored(String),
    /// The instrument is alive, but its measurement makes no progress.
    #[error(
        "the instrument answers, but no point came for {waited_s:.0} s, far longer than one takes: it may have \
         restarted; check the cell, then start again"
    )]
    Stalled {
        /// How long no point came in s.
        waited_s: f64,
    },
    /// An open-circuit measurement without a usable reading.
    #[error(
        "no usable open-circuit potential was read: check the leads, and that the cell's potential is within \
         the instrument's range"
    )]
    NoPotential,
    /// `cell_off` was not confirmed.
    #[error("the instrument did not confirm that the cell is off: disconnect the cell by hand")]
    CellOffUnconfirmed,
}
