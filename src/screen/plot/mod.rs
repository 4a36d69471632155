//! Figures painted with dots and characters.

mod canvas;
mod paint;

pub use paint::Painter;
