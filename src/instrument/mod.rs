//! Instruments on serial links: what they say, how they are driven.
//!
//! [`Instrument`] is the seam: a driver behind it takes bytes and times and gives back what to send and
//! what was learned, without I/O and without a clock.

mod error;
mod job;
pub mod line_profile;
pub mod method_script;
mod open_circuit;
pub mod port;
mod range;

pub use error::InstrumentError;
pub use job::{
    CellSwitch, DirectEnd, DirectJob, Done, Instrument, InstrumentIdentity, Job, Outcome, Output, Ranging,
    SweepJob, SweepPart,
};
pub use open_circuit::OpenCircuit;
pub use port::PortError;
pub use range::{LARGEST_FILL, RangeError, choose_range, peak_current_a};

/// The driver of the instrument that a profile describes, for one of its channels; `time_scale` is 1 for a real
/// instrument.
#[must_use]
pub fn driver_for(
    profile: &crate::profile::Instrument,
    channel: u32,
    time_scale: f64,
) -> Box<dyn Instrument> {
    use line_profile::{LineDriver, LineSettings};
    use method_script::{DriverSettings, MethodScript};
    match LineSettings::new(profile, time_scale) {
        Some(settings) => Box::new(LineDriver::new(settings)),
        None => Box::new(MethodScript::new(DriverSettings {
            channel,
            ..DriverSettings::new(profile, time_scale)
        })),
    }
}
