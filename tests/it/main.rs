//! Whole sessions with the real binary: simulator, session and screen as processes of their own; and the
//! driver against the simulated device.

mod command_line;
mod driver;
mod headless;
mod kill;
mod lab;
mod screen;
mod unplug;
mod wire;
