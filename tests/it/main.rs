<<<<<<< HEAD
//! Whole sessions with the real binary: simulator, session and screen as processes of their own; and the
//! driver against the simulated device.
=======
//! Integration tests, in one program so that they are linked once.

#![allow(missing_docs)]
// The allowance for tests does not reach their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used)]
>>>>>>> d90843c (Scenario words follow the error table)

mod command_line;
mod driver;
mod headless;
mod kill;
mod lab;
mod screen;
mod unplug;
mod wire;
