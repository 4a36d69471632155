//! MethodSCRIPT, the line protocol of PalmSens' EmStat Pico, EmStat4 and Nexus.
//!
//! The codec here does no I/O and serves both sides of the wire: the driver reads with [`Decoder`] what
//! the simulator writes with [`Line`]'s `Display`.

mod decoder;
mod error_code;
mod line;
mod package;
mod range;
mod value;

pub use decoder::{Decoder, MAX_LINE_BYTES};
pub use error_code::ErrorCode;
pub use line::{Echo, Firmware, Line, ScriptPosition};
pub use package::{Package, PackageError, Variable, VariableType, status};
pub use range::{CurrentRange, EMSTAT4_CURRENT_RANGES, EMSTAT4_POTENTIAL_RANGES, PotentialRange};
pub use value::{Literal, LiteralError, Value, ValueError, literal, parse_literal};
