//! The parts of the screen, one file each.

mod events;
mod fit;
mod footer;
mod frames;
mod header;
mod help;
mod plots;
mod points;
mod text;
mod wire;

pub use events::events;
pub use fit::{fit, fit_title};
pub use footer::footer;
pub use frames::{Frames, title};
pub use header::{alarm, header};
pub use help::help;
pub use plots::{Plots, histories};
pub use points::points;
pub use text::Line;
pub use wire::wire;

use ratatui::buffer::Buffer;

use super::glyphs::Glyphs;
use super::theme::Theme;
use super::view::View;
use crate::state::State;

/// All that a panel may look at.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// What is known.
    pub state: &'a State,
    /// How it is looked at.
    pub view: &'a View,
    /// The styles.
    pub theme: &'a Theme,
    /// The characters.
    pub glyphs: &'a Glyphs,
}

impl Scene<'_> {
    /// Text that the set of characters can show.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.glyphs.text(text)
    }

    /// Writes a line at a place, cut after `width` columns.
    pub fn write(&self, line: &Line, x: u16, y: u16, width: u16, buffer: &mut Buffer) {
        line.write(self, x, y, width, buffer);
    }
}
