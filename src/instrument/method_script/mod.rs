//! MethodSCRIPT, the line protocol of PalmSens' EmStat Pico, EmStat4 and Nexus.
//!
//! The codec here does no I/O and serves both sides of the wire: the driver reads with [`Decoder`] what
//! the simulator writes with [`Line`]'s `Display`.

mod capabilities;
mod cell_off;
mod channel;
mod connect;
mod decoder;
mod direct;
mod driver;
mod error_code;
mod grid;
mod line;
mod measurement;
mod outbox;
mod package;
mod points;
mod range;
mod run;
mod script;
mod settings;
mod value;

pub use capabilities::Capabilities;
pub use decoder::{Decoder, MAX_LINE_BYTES};
pub use driver::MethodScript;
pub use error_code::ErrorCode;
pub use line::{Echo, Firmware, Line, ScriptPosition};
pub use package::{Package, PackageError, Variable, VariableType, status};
pub use points::point as point_of_package;
pub use range::{EMSTAT4_POTENTIAL_RANGES, NEXUS_POTENTIAL_RANGES, PotentialRange};
pub use script::{MAX_SCRIPT_LINE_BYTES, Script, ScriptError};
pub use settings::DriverSettings;
pub use value::{Literal, LiteralError, Value, ValueError, literal, parse_literal};

#[cfg(test)]
mod scenario;
