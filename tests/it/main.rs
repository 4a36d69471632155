//! Whole sessions with the real binary: simulator, session and screen as processes of their own.

mod command_line;
mod headless;
mod kill;
mod lab;
mod screen;
mod unplug;
mod wire;
