//! The screen: a pure picture of a [`State`](crate::state::State) and a [`View`].
//!
//! [`render`] paints; [`View`] holds what belongs to the looking alone (tab, scroll, glyphs, axes that
//! keep still) and is never recorded; [`Action`] is the one table from which keys, footer and help come.

mod actions;
mod draw;
mod follow;
mod glyphs;
mod input;
mod line_editor;
mod panel;
mod plot;
pub mod run;
mod terminal;
mod theme;
mod time_left;
mod view;

pub use actions::{Action, ActionEntry, Keymap, TABLE, footer};
pub use draw::{MINIMUM_HEIGHT, MINIMUM_WIDTH, render};
pub use glyphs::{GlyphSet, Glyphs};
pub use input::interpret;
pub use line_editor::{Edit, LineEditor};
pub use theme::Theme;
pub use view::{Connection, Replay, ReplayRequest, Request, Tab, View};

#[cfg(test)]
mod tests;
