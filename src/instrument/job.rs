//! What an instrument is asked to do and what comes of it: the seam between a session and a driver.
//!
//! A driver does no I/O and reads no clock. It is given bytes and times and gives back bytes to send and
//! what it learned, so one loop drives the port, a test drives a scenario file, and both run the same code.

use super::error::InstrumentError;
use super::open_circuit::OpenCircuit;
use crate::profile::{Bound, DirectTechnique};
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
    /// Ask who it is and nothing else: whatever it is doing goes on.
    Identify,
    /// Read the open-circuit potential with the cell off.
    OpenCircuit {
        /// How long in s.
        duration_s: f64,
        /// Time between readings in s.
        interval_s: f64,
    },
    /// Measure a sweep of impedance.
    Sweep(SweepJob),
    /// Drive or hold the cell with direct current.
    Direct(DirectJob),
    /// Switch the cell off.
    CellOff,
}

/// A sweep of impedance from high to low frequency, evenly spaced in the logarithm within each of its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepJob {
    /// Highest frequency in Hz, measured first.
    pub f_max_hz: f64,
    /// Lowest frequency in Hz.
    pub f_min_hz: f64,
    /// Points of all parts together.
    pub n_points: u32,
    /// Excitation in V rms of a potentiostatic sweep.
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
    /// Channel of the instrument.
    pub channel: u32,
    /// For a galvanostatic sweep the direct current against which the excitation is applied in A; none for a
    /// potentiostatic one.
    pub bias_a: Option<f64>,
    /// The parts of the sweep, from high to low frequency; empty for a sweep of one part as described above.
    pub parts: Vec<SweepPart>,
    /// The potential that the resting cell must still have within 5 mV just before it is switched on, in V.
    pub open_circuit_v: Option<f64>,
    /// Potentials in V that the cell must keep to; looked at between the parts of a galvanostatic sweep.
    pub potential_limits_v: Option<(f64, f64)>,
    /// Whether the sweep ends with its first overloaded point, so that it can go on in a larger range, or with less
    /// current.
    pub stop_at_overload: bool,
    /// How long in s the instrument waits between two parts to hear that somebody is there, the cell under its bias;
    /// none where it goes on by itself.
    pub hold_s: Option<f64>,
}

/// A part of a sweep with an excitation and a range of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepPart {
    /// Highest frequency in Hz, measured first.
    pub f_max_hz: f64,
    /// Lowest frequency in Hz.
    pub f_min_hz: f64,
    /// Points, both ends included.
    pub n_points: u32,
    /// Excitation in V rms, or in A rms where the sweep is galvanostatic.
    pub amplitude: f64,
    /// The current range.
    pub ranging: Ranging,
}

/// How an instrument chooses its current range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ranging {
    /// One range in A, kept.
    Pinned(f64),
    /// By itself between two ranges in A.
    Auto {
        /// The finest range in A.
        low_a: f64,
        /// The coarsest range in A.
        high_a: f64,
    },
}

impl Default for SweepJob {
    /// One point at 1 kHz with 10 mV rms around 0 V in a range of 1 mA.
    fn default() -> Self {
        Self {
            f_max_hz: 1e3,
            f_min_hz: 1e3,
            n_points: 1,
            amplitude_vrms: 0.01,
            bias_v: 0.0,
            current_range_a: 1e-3,
            pgstat_mode: 3,
            max_bandwidth_hz: 200e3,
            channel: 0,
            bias_a: None,
            parts: Vec::new(),
            open_circuit_v: None,
            potential_limits_v: None,
            stop_at_overload: false,
            hold_s: None,
        }
    }
}

impl SweepPart {
    /// The frequency of a point of the part in Hz; points count from 0.
    #[must_use]
    pub fn frequency_hz(&self, index: u32) -> f64 {
        let last = self.n_points.saturating_sub(1).max(1);
        let share = f64::from(index.min(last)) / f64::from(last);
        self.f_max_hz * (self.f_min_hz / self.f_max_hz).powf(share)
    }
}

impl SweepJob {
    /// The parts of the sweep: at least one.
    #[must_use]
    pub fn all_parts(&self) -> Vec<SweepPart> {
        if self.parts.is_empty() {
            vec![self.whole()]
        } else {
            self.parts.clone()
        }
    }

    /// The sweep as one part.
    fn whole(&self) -> SweepPart {
        SweepPart {
            f_max_hz: self.f_max_hz,
            f_min_hz: self.f_min_hz,
            n_points: self.n_points,
            amplitude: self.amplitude_vrms,
            ranging: Ranging::Pinned(self.current_range_a),
        }
    }

    /// The part that measures a point, and the number of the point in it; points count from 0.
    #[must_use]
    pub fn part_of(&self, index: u32) -> (SweepPart, u32) {
        let mut left = index;
        for (number, part) in self.parts.iter().enumerate() {
            if left < part.n_points || number + 1 == self.parts.len() {
                return (*part, left);
            }
            left -= part.n_points;
        }
        (self.whole(), index)
    }

    /// The frequency of a point in Hz; points count from 0.
    #[must_use]
    pub fn frequency_hz(&self, index: u32) -> f64 {
        let (part, index) = self.part_of(index);
        part.frequency_hz(index)
    }
}

/// A technique of direct current with its bounds.
///
/// The bounds are part of what the instrument itself is told, so that they hold without this program.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectJob {
    /// What is done.
    pub technique: DirectTechnique,
    /// Time between samples in s; for a scan of potential it follows from step and rate.
    pub interval_s: f64,
    /// Longest time in s for which the instrument goes on without hearing from this program.
    pub piece_s: f64,
    /// What ends it early.
    pub bounds: Vec<Bound>,
    /// How the current range is chosen.
    pub ranging: Ranging,
    /// Potentiostat mode of the instrument for the technique.
    pub pgstat_mode: u32,
    /// Highest bandwidth of the instrument in Hz.
    pub max_bandwidth_hz: f64,
    /// Channel of the instrument.
    pub channel: u32,
    /// The potential that the resting cell must still have within 5 mV just before it is switched on, in V.
    pub open_circuit_v: Option<f64>,
    /// Whether the potential must move the way in which a constant current drives it, from
    /// `open_circuit_v`, within the first 5 s.
    pub check_sign: bool,
    /// What of the technique was done before, in s and C, where this job goes on with it: counted in the
    /// samples that are reported.
    pub before_s: f64,
    /// The charge of that in C.
    pub before_c: f64,
}

/// What a driver has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Bytes for the port.
    Send(Vec<u8>),
    /// Who the instrument is.
    Identity(InstrumentIdentity),
    /// A reading of potential and current in time.
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
    /// The techniques that it says it has (`peis`, `cp`); none where it does not say.
    pub techniques: Option<Vec<String>>,
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
    /// A technique of direct current came to its end.
    DirectComplete(DirectEnd),
    /// A sweep was ended because a point was overloaded, as the job asked for.
    Overloaded {
        /// Points that had arrived, the overloaded one included.
        points: u32,
        /// Number of the first overloaded point in the sweep as it was asked for, from 0.
        at: u32,
        /// Points before it that did not arrive.
        lost: u32,
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

/// How a technique of direct current came to its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DirectEnd {
    /// Samples that arrived.
    pub samples: u32,
    /// How long it lasted by the instrument's clock in s.
    pub elapsed_s: f64,
    /// Charge that passed in C.
    pub charge_c: f64,
    /// The bound that was passed; none where it ended after its time.
    pub bound: Option<Bound>,
}
