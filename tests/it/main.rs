//! Whole sessions with the real binary, simulator, session and screen as processes of their own; and the
//! driver against the simulated device. One program, so that it is linked once.

#![allow(missing_docs)]
// The allowance for tests does not reach their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod amend;
mod chaos;
mod check;
mod circuit_commands;
mod command_line;
mod device;
mod digests;
mod direct;
mod driver;
mod drt_command;
mod export;
mod files_alike;
mod fit_command;
mod fit_more;
mod fit_names;
mod fit_oddities;
mod headless;
mod judgement;
mod kill;
mod lab;
mod line_direct;
mod line_profiles;
mod other_user;
mod overload;
mod plot;
mod ports;
mod recover_command;
mod resume;
mod safety;
mod screen;
mod serve;
mod spectra;
mod unplug;
mod validate_command;
mod wire;
