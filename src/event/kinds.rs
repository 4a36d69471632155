//! The kinds of event, with their fields.

use serde::{Deserialize, Serialize};

use crate::analysis::fit::FitResult;
use crate::spectrum::{Point, Sample, Technique};

/// When an event happened, in the session's clock: the cell's time, which with a simulated instrument
/// may run faster than the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Nanoseconds since the Unix epoch, UTC.
    pub utc_ns: i64,
    /// Nanoseconds since the session began, monotonic.
    pub elapsed_ns: i64,
}

impl Stamp {
    /// Seconds since the session began.
    #[must_use]
    pub fn elapsed_s(self) -> f64 {
        self.elapsed_ns as f64 / 1e9
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Position in the session: from 1, without gaps, over all kinds.
    pub seq: u64,
    /// When it happened.
    pub stamp: Stamp,
    /// What happened.
    pub body: EventBody,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum EventBody {
    /// A session began: always the first event.
    Session(SessionStarted),
    /// The serial link changed its state.
    Link(Link),
    /// The instrument said who it is.
    Identity(Identity),
    /// The user or the plan asked for something.
    Command(CommandGiven),
    /// A step of the plan began.
    PlanStep(PlanStep),
    /// Bytes went over the line.
    Wire(Wire),
    /// A sweep began.
    SweepStarted(SweepStarted),
    /// A sweep ended, complete or not.
    SweepEnded(SweepEnded),
    /// A point of impedance was measured.
    Point(PointMeasured),
    /// Potential or current was read.
    Sample(SampleTaken),
    /// A sweep was judged.
    Validity(Validity),
    /// A circuit was fitted.
    Fit(Fit),
    /// Something needs attention.
    Alarm(Alarm),
    /// Somebody has seen an alarm.
    AlarmAcknowledged(AlarmAcknowledged),
    /// A stretch of time about which nothing is known.
    Gap(Gap),
    /// The wall clock jumped.
    ClockJump(Gap),
    /// The session went on in the same file after an interruption.
    Resumed(Gap),
    /// A value of the cell was found wrong and is given anew.
    Amend(Amend),
    /// A remark.
    Note(Note),
    /// The session ended: the last event of a session that was not cut off.
    SessionEnded(SessionEnded),
}

impl EventBody {
    /// The word that names the kind in JSON.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Session(_) => "session",
            Self::Link(_) => "link",
            Self::Identity(_) => "identity",
            Self::Command(_) => "command",
            Self::PlanStep(_) => "plan_step",
            Self::Wire(_) => "wire",
            Self::SweepStarted(_) => "sweep_started",
            Self::SweepEnded(_) => "sweep_ended",
            Self::Point(_) => "point",
            Self::Sample(_) => "sample",
            Self::Validity(_) => "validity",
            Self::Fit(_) => "fit",
            Self::Alarm(_) => "alarm",
            Self::AlarmAcknowledged(_) => "alarm_acknowledged",
            Self::Gap(_) => "gap",
            Self::ClockJump(_) => "clock_jump",
            Self::Resumed(_) => "resumed",
            Self::Amend(_) => "amend",
            Self::Note(_) => "note",
            Self::SessionEnded(_) => "session_ended",
        }
    }
}

/// The beginning of a session: what it takes to understand everything after it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionStarted {
    /// The program that recorded, `interphase`.
    pub program: String,
    /// Its version.
    pub version: String,
    /// Name of the cell profile.
    pub cell: String,
    /// What the cell is made of, in the profile's words.
    pub chemistry: String,
    /// Name of the plan profile.
    pub plan: String,
    /// Name of the instrument profile; `import` where the data come from a file.
    pub instrument: String,
    /// What a person calls the instrument (`EmStat4 HR`).
    pub instrument_label: String,
    /// The circuit that is fitted.
    pub circuit: String,
    /// Sums of parameters that are followed over the sweeps, the first being the headline.
    pub track: Vec<String>,
    /// Sweeps that the plan asks for; none where the plan does not say.
    pub sweeps_planned: Option<u32>,
    /// Point time of the instrument, from its profile: seconds per point beside the periods.
    pub point_overhead_s: f64,
    /// Point time of the instrument, from its profile: periods of the frequency per point.
    pub point_periods: f64,
    /// Whether the instrument is simulated.
    pub simulated: bool,
    /// How much faster than the wall clock the session's clock runs.
    pub time_scale: f64,
    /// Where imported data come from and under which licence; empty for measured sessions.
    pub source: String,
}

/// Condition of the serial link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Bytes can go both ways.
    Connected,
    /// The device is gone.
    #[default]
    Lost,
    /// Trying to open it again.
    Reconnecting,
}

impl LinkState {
    /// The word used in JSON and in the recording.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Lost => "lost",
            Self::Reconnecting => "reconnecting",
        }
    }

    /// The state that [`LinkState::word`] names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Connected, Self::Lost, Self::Reconnecting]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// A change of the serial link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The state from now on.
    pub state: LinkState,
    /// Path of the port.
    pub port: String,
    /// Why, in words; empty where there is nothing to say.
    pub reason: String,
}

/// Who the instrument says it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Device type as the instrument names itself (`es4_hr`).
    pub instrument: String,
    /// Firmware version and build.
    pub firmware: String,
    /// Serial number.
    pub serial: String,
}

/// Something asked for by the user or the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandGiven {
    /// `stop`, `pause`, `resume`, `note`, `acknowledge`.
    pub command: String,
    /// Who or what asked: `user`, `plan`, `signal`.
    pub origin: String,
    /// More about it; empty where there is nothing to say.
    pub text: String,
}

/// A step of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanStep {
    /// Number of the step, from 1.
    pub step: u32,
    /// Number of steps.
    pub of: u32,
    /// Short name of the step (`peis`, `wait`, `ocp`).
    pub name: String,
    /// The step in words.
    pub text: String,
    /// When the step is expected to end, in seconds of elapsed time; none where that is not known.
    pub until_s: Option<f64>,
}

/// Direction of bytes on the line, seen from this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the instrument.
    Tx,
    /// From the instrument.
    Rx,
}

impl Direction {
    /// The word used in JSON and in the recording.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Tx => "tx",
            Self::Rx => "rx",
        }
    }

    /// The direction that [`Direction::word`] names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Tx, Self::Rx]
            .into_iter()
            .find(|direction| direction.word() == word)
    }
}

/// Bytes as they went over the line: the source of truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    /// Which way.
    pub direction: Direction,
    /// The bytes, not interpreted.
    pub bytes: Vec<u8>,
}

/// A sweep began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SweepStarted {
    /// Number of the sweep, from 1.
    pub sweep: u32,
    /// How impedance is excited.
    pub technique: Technique,
    /// Points asked for.
    pub n_points: u32,
    /// Highest frequency in Hz.
    pub f_max_hz: f64,
    /// Lowest frequency in Hz.
    pub f_min_hz: f64,
    /// Potential of the cell against which the excitation is applied, in V; none where unknown.
    pub bias_v: Option<f64>,
    /// Excitation in V rms; none where unknown or not potentiostatic.
    pub amplitude_vrms: Option<f64>,
    /// Current range in words; none where unknown.
    pub range: Option<String>,
}

/// A sweep ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepEnded {
    /// Number of the sweep.
    pub sweep: u32,
    /// Whether all points asked for were measured.
    pub complete: bool,
    /// Why it ended where it is not complete; empty otherwise.
    pub reason: String,
}

/// A point of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct PointMeasured {
    /// Number of the sweep.
    pub sweep: u32,
    /// Number of the point in the sweep, from 0.
    pub index: u32,
    /// The point.
    pub point: Point,
}

/// A reading of potential and current.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleTaken {
    /// The reading.
    pub sample: Sample,
}

/// A judgement of whether a spectrum is that of a linear, causal and stationary cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Validity {
    /// Number of the sweep.
    pub sweep: u32,
    /// How it was judged (`lin-kk`).
    pub method: String,
    /// `pass`, `suspect` or `fail`.
    pub verdict: String,
    /// Largest residual in per cent of |Z|.
    pub max_residual_percent: Option<f64>,
    /// Measure of over-fitting (Schönleber 2014, 10.1016/j.electacta.2014.01.034).
    pub mu: Option<f64>,
    /// Number of RC elements.
    pub m: Option<u32>,
    /// Noise in per cent of |Z|.
    pub noise_percent: Option<f64>,
    /// Where the noise figure comes from: `repeats`, `sigma`, `local`.
    pub noise_source: String,
    /// More about it; none where an earlier version of the program judged.
    #[serde(flatten)]
    pub details: Option<ValidityDetails>,
}

impl Validity {
    /// Whether the sweep had ended, so that this is the last word on it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.details.as_ref().is_none_or(|details| details.is_final)
    }

    /// Whether something speaks against the data.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        self.verdict != "pass"
    }

    /// Why, in words, the strongest reason first.
    #[must_use]
    pub fn reasons(&self) -> &[String] {
        self.details.as_ref().map_or(&[], |details| &details.reasons)
    }

    /// Indices in the sweep of the points that speak against the data.
    #[must_use]
    pub fn doubtful_points(&self) -> &[u32] {
        self.details.as_ref().map_or(&[], |details| &details.doubtful)
    }
}

/// What stands behind a verdict.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ValidityDetails {
    /// Whether all points of the ended sweep were judged, rather than those that had arrived.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// Why, in words, the strongest reason first; of a running sweep only where something speaks against it.
    pub reasons: Vec<String>,
    /// What was fitted: `impedance` or `admittance`.
    pub form: String,
    /// Whether the data need a series capacitance.
    pub series_capacitance: bool,
    /// Whether the data need an inductance.
    pub inductance: bool,
    /// Points that were judged.
    pub n_used: u32,
    /// Indices in the sweep of the points that speak against the data.
    pub doubtful: Vec<u32>,
    /// Change of |Z| over the lowest decade in per cent during the sweep, at the rate since the sweep before; none
    /// where there is no such sweep.
    pub drift_percent: Option<f64>,
    /// Its standard error, from the noise.
    pub drift_std_error_percent: Option<f64>,
}

/// A circuit fitted to a sweep, finished or still running.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Number of the sweep.
    pub sweep: u32,
    /// Whether all points of the ended sweep were used, rather than those that had arrived.
    pub is_final: bool,
    /// The program's fit engine and its version.
    pub engine: String,
    /// What came out.
    pub result: FitResult,
}

/// How bad an alarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// To be known.
    Info,
    /// To be looked at.
    Warning,
    /// To be acted upon.
    Critical,
}

impl Severity {
    /// The word used in JSON and in the recording.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The severity that [`Severity::word`] names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Critical]
            .into_iter()
            .find(|severity| severity.word() == word)
    }
}

/// Something that needs attention; it stays on the screen until it is acknowledged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Short name (`cell_may_be_on`).
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// The value that raised it, where there is one.
    pub value: Option<f64>,
    /// The limit that the value broke, where there is one.
    pub limit: Option<f64>,
    /// The sweep it belongs to, where it belongs to one.
    pub sweep: Option<u32>,
    /// What happened and what to do, in words.
    pub text: String,
}

/// Somebody has seen an alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmAcknowledged {
    /// Name of the alarm.
    pub name: String,
    /// Who or what acknowledged it: `user`, or `session` where the cause is gone.
    pub origin: String,
}

/// A stretch of time with a reason: nothing known, a clock that jumped, a session resumed.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// Beginning in UTC nanoseconds since the Unix epoch.
    pub from_utc_ns: i64,
    /// End in UTC nanoseconds since the Unix epoch.
    pub to_utc_ns: i64,
    /// Why, in words.
    pub reason: String,
}

/// A value of the cell's profile that was found wrong later. Nothing recorded changes; what is derived from the
/// value follows the new one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Amend {
    /// Name of the value in the cell's profile (`area_cm2`).
    pub key: String,
    /// The value that stood there, as TOML has it; none where there was none.
    pub old: Option<String>,
    /// The value that is right, as TOML has it.
    pub new: String,
}

/// A remark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// The remark.
    pub text: String,
}

/// The end of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// Why it ended, in words.
    pub reason: String,
}
