//! Interphase: a terminal workstation for electrochemical impedance spectroscopy of battery cells.
//!
//! A session is a list of [`event`]s; everything else is a fold over it. `ARCHITECTURE.md` names the
//! rooms of this library from the ground up and what each of them may know.

// Sessions made for tests of the screen are made for its benches too, which see the library from outside.
#[cfg(test)]
extern crate self as interphase;

pub mod analysis;
pub mod circuit;
pub mod cli;
pub mod event;
pub mod figure;
pub mod files;
pub mod instrument;
pub mod profile;
pub mod recording;
pub mod screen;
pub mod session;
pub mod simulator;
pub mod spectrum;
pub mod state;
pub mod units;
