//! The screen as a whole, on made-up sessions.

mod behaviour;
mod bytes;
mod roundness;
mod session;
mod snapshots;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::{GlyphSet, Theme, View, render};
use crate::state::State;

/// The cells of one frame.
fn cells(state: &State, view: &View, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let theme = Theme::terminal();
    terminal.draw(|frame| render(state, view, &theme, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// One frame as text.
fn text(state: &State, view: &View, width: u16, height: u16) -> String {
    let buffer = cells(state, view, width, height);
    let row = |y| -> String {
        let symbols = (0..width).map(|x| buffer[(x, y)].symbol());
        symbols.collect::<String>().trim_end().to_owned()
    };
    (0..height).map(row).collect::<Vec<_>>().join("\n")
}

/// A view that has followed a session from its beginning, point by point.
fn followed(session: &session::Session, glyphs: GlyphSet) -> View {
    let mut view = View {
        glyphs,
        ..View::default()
    };
    let mut state = State::new();
    for event in &session.events {
        state.apply(event);
        view.observe(&state);
    }
    view.left_s = session.state.head().ended.is_none().then_some(72.0);
    view
}
