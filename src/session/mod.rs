//! A session: the only place that wires plan, instrument, analysis, recording and control socket. It runs
//! in a process of its own, without a terminal.

pub mod check;
pub mod client;
pub mod clock;
pub mod control;
mod conversation;
mod direct_progress;
mod direct_run;
mod fitter;
pub mod follow;
mod journal;
pub mod launch;
pub mod lifeline;
mod line_preflight;
mod own_simulator;
mod plan_run;
pub mod preflight;
pub mod probe;
pub mod process;
mod reach;
pub mod resume;
mod runner;
pub mod runtime;
pub mod sequence;
mod server;
pub mod signals;
pub mod spec;
pub mod sweep_parts;
mod sweep_run;
pub mod validity;

pub use runner::{CELL_MAY_BE_ON, DATA_INVALID};
