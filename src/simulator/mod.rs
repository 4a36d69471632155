//! A simulated instrument: a cell that ages, a potentiostat that measures it, and the wire protocol it
//! speaks on a pty.
//!
//! [`Device`] does no I/O and reads no clock: bytes and times go in, bytes come out. [`Server`] puts it on
//! a pty.

mod cell;
mod device;
mod execution;
mod faults;
mod impedance_sweep;
mod instrument;
mod line;
mod measurement;
mod persona;
mod potential_scan;
mod potentiostat;
mod pty;
mod recorded;
mod script;
mod server;
mod set_up;
mod truth;
mod variables;

#[cfg(test)]
mod tests;

pub use cell::{CellError, CellModel, Growth};
pub use device::{Device, DeviceSettings};
pub use faults::{Action, Fault, FaultError, FaultKind, FaultScriptError, FaultyLine, When, read_faults};
pub use instrument::SimulatedInstrument;
pub use line::{LineDevice, LineDeviceSettings};
pub use persona::{Persona, UnknownPersona};
pub use pty::{Pty, PtyError};
pub use recorded::{Conversation, ConversationError, RecordedDevice};
pub use server::{FaultSettings, Server, ServerError, ServerSettings};
pub use truth::{CellSwitched, SweepTruth, TrueValue};
