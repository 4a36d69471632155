//! Profiles: TOML files that say what stands on the bench, what is measured, and what to do.
//!
//! A profile that is wrong is refused with file, line, field and a way out; nothing is guessed.

mod amendment;
mod cell;
mod document;
mod error;
mod instrument;
mod library;
pub mod line;
mod plan;

pub use amendment::{AmendedCell, amend};
pub use cell::{AgeingLaw, Cell, CellCircuit, CellSimulation, Noise};
pub use error::ProfileError;
pub use instrument::{
    CurrentRange, FlowControl, Instrument, InstrumentLimits, LinkSettings, ModemLine, Parity, PointTiming,
    Protocol,
};
pub use library::{Kind, Listed, Loaded, find, list, shipped_text};
pub use plan::{Bias, Plan, PlanLimits, SweepStep};

#[cfg(test)]
mod tests;
