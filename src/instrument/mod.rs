//! Instruments on serial links: what they say, how they are driven.
//!
//! [`Instrument`] is the seam: a driver behind it takes bytes and times and gives back what to send and
//! what was learned, without I/O and without a clock.

mod error;
mod job;
pub mod method_script;
pub mod port;
mod range;

pub use error::InstrumentError;
pub use job::{
    CellSwitch, Done, Instrument, InstrumentIdentity, Job, OpenCircuit, Outcome, Output, SweepJob,
};
pub use port::PortError;
pub use range::{LARGEST_FILL, RangeError, choose_range, peak_current_a};
