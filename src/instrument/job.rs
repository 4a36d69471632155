//! What an instrument is asked to do and what comes of it: the seam between a session and a driver.
//!
//! A driver does no I/O and reads no clock. It is given bytes and times and gives back bytes to send and
//! what it learned, so one loop drives the port, a test drives a scenario file, and both run the same code.

use super::error::InstrumentError;
use crate::spectrum::{Point, Sample};

/// A driver of one instrument.
///
/// `now_s` is the session's elapsed time in s; it never goes back. The order of calls in a loop: take all
/// outputs, wait for bytes or for [`Instrument::deadline_s`], call [`Instrument::receive`] or
/// [`Instrument::tick`], take all outputs again. Exactly one [`Output::Done`] answers each [`Instrument::start`].
pub trait Instrument {
    /// Begins a job. Only when idle: a job given while another runs is answered with a remark and dropped.
    fn start(&mut self, job: Job, now_s: f64);

    /// Takes bytes from the port, in any pieces.
    fn receive(&mut self, bytes: &[u8], now_s: f64);

    /// A deadline has passed. Calling it too early or too often does nothing.
    fn tick(&mut self, now_s: f64);

    /// When [`Instrument::tick`] must be called next; none while nothing is waited for.
    fn deadline_s(&self) -> Option<f64>;

    /// Ends the running job now, the running point included; the cell is off afterwards.
    fn abort(&mut self, now_s: f64);

    /// Ends the running job after the running point; the cell is off afterwards.
    fn end_after_point(&mut self, now_s: f64);

    /// The port is gone: partial lines are forgotten and the running job ends as [`Outcome::LinkLost`].
    fn link_lost(&mut self);

    /// What there is to send or to report, oldest first.
    fn take_output(&mut self) -> Option<Output>;

    /// Whether no job runs.
    fn is_idle(&self) -> bool;

    /// How long the running sweep will still take in s, from what its points took so far.
    fn remaining_s(&self, now_s: f64) -> Option<f64>;
}

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// Come into step with the instrument and ask who it is.
    Connect {
        /// Whether a script that is running is aborted. The cell is then switched off as well.
        take_over: bool,
    },
    /// Read the open-circuit potential with the cell off.
    OpenCircuit {
        /// How long in s.
        duration_s: f64,
        /// Time between readings in s.
        interval_s: f64,
    },
    /// Measure a sweep of impedance.
    Sweep(SweepJob),
    /// Switch the cell off.
    CellOff,
}

/// A potentiostatic sweep of impedance from high to low frequency, evenly spaced in the logarithm.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepJob {
    /// Highest frequency in Hz, measured first.
    pub f_max_hz: f64,
    /// Lowest frequency in Hz.
    pub f_min_hz: f64,
    /// Points, both ends included.
    pub n_points: u32,
    /// Excitation in V rms.
    pub amplitude_vrms: f64,
    /// Potential of the cell against which the excitation is applied in V. It is set before the cell is
    /// switched on.
    pub bias_v: f64,
    /// Current range in A; the instrument keeps it for the whole sweep.
    pub current_range_a: f64,
    /// Potentiostat mode of the instrument for impedance.
    pub pgstat_mode: u32,
    /// Bandwidth of the instrument for impedance in Hz.
    pub max_bandwidth_hz: f64,
}

impl SweepJob {
    /// The frequency of a point in Hz; points count from 0.
    #[must_use]
    pub fn frequency_hz(&self, index: u32) -> f64 {
        let last = self.n_points.saturating_sub(1).max(1);
        let share = f64::from(index.min(last)) / f64::from(last);
        self.f_max_hz * (self.f_min_hz / self.f_max_hz).powf(share)
    }
}

/// What a driver has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Bytes for the port.
    Send(Vec<u8>),
    /// Who the instrument is.
    Identity(InstrumentIdentity),
    /// A reading of the open-circuit potential.
    Sample(Sample),
    /// The instrument has begun the sweep that it was asked for.
    SweepBegan,
    /// A point of the sweep; they come in the order measured.
    Point(Point),
    /// Something worth a line in the log.
    Remark(String),
    /// The job has ended.
    Done(Done),
}

/// Who an instrument says it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstrumentIdentity {
    /// Device type (`es4_hr`).
    pub device: String,
    /// Firmware version and build.
    pub firmware: String,
    /// Serial number; empty where the instrument gave none.
    pub serial: String,
}

/// The end of a job: what came of it, and what is known about the cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// What came of the job.
    pub outcome: Outcome,
    /// What is known about the cell afterwards.
    pub cell: CellSwitch,
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The instrument is in step and idle.
    Connected,
    /// The open-circuit potential was read.
    OpenCircuit(OpenCircuit),
    /// All points were measured.
    SweepComplete {
        /// How many.
        points: u32,
    },
    /// The job was ended on request, at once or after a point.
    Aborted {
        /// Points or readings that had arrived.
        points: u32,
    },
    /// The cell was switched off, as the job was.
    CellOff,
    /// The job failed; points that had arrived were reported.
    Failed(InstrumentError),
    /// The port went away while the job ran.
    LinkLost,
}

/// Whether current can flow through the cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellSwitch {
    /// The instrument confirmed that the cell is off.
    Off,
    /// The job did not touch the cell, so nothing new is known.
    Untouched,
    /// The instrument has no switch that it could confirm: the leads stay connected, and it has ended, or
    /// was never asked, to measure.
    NoSwitch,
    /// Nothing confirmed that the cell is off: somebody must look.
    MayBeOn {
        /// Why that is not known, in words.
        why: String,
    },
}

/// An open-circuit potential.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenCircuit {
    /// Potential in V: mean over the last quarter of the readings.
    pub potential_v: f64,
    /// Readings that were usable.
    pub readings: u32,
    /// Slope over all readings in V/s; none for fewer than three.
    pub drift_v_per_s: Option<f64>,
}
