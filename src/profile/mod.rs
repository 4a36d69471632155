//! Profiles: TOML files that say what stands on the bench, what is measured, and what to do.
//!
//! A profile that is wrong is refused with file, line, field and a way out; nothing is guessed.

mod amendment;
mod cell;
mod direct;
mod document;
mod error;
mod instrument;
mod library;
pub mod line;
mod plan;
mod step;

pub use amendment::{AmendedCell, amend};
pub use cell::{AgeingLaw, Cell, CellCircuit, CellSimulation, Noise};
pub use direct::{Bound, DirectTechnique, Quantity, Side};
pub use error::ProfileError;
pub use instrument::{
    CurrentRange, FlowControl, Instrument, InstrumentLimits, LinkSettings, ModemLine, Parity, PgstatMode,
    PointTiming, Protocol, UsbName,
};
pub use library::{Kind, Listed, Loaded, find, list, shipped_text};
pub use plan::{Bias, DirectStep, Plan, PlanLimits, RangeChoice, RestStep, Setting, Step, SweepStep};

#[cfg(test)]
mod tests;
