//! What a new point costs on the line to a distant terminal.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::session::{POINTS, Session};
use crate::screen::{GlyphSet, Tab, Theme, View, render};

#[derive(Clone, Default)]
struct Line(Rc<RefCell<Vec<u8>>>);

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes of each frame that shows a new point, over the sweeps after the first.
fn bytes_per_point(width: u16, height: u16, glyphs: GlyphSet, tab: Tab) -> Vec<usize> {
    let line = Line::default();
    let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
    let backend = CrosstermBackend::new(line.clone());
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
    let theme = Theme::terminal();
    let mut view = View {
        glyphs,
        tab,
        ..View::default()
    };
    let mut session = Session::with_true_fits();
    let mut bytes = Vec::new();
    for sweep in 1..=6 {
        session.start(sweep);
        for index in 0..POINTS {
            session.point(sweep, index);
            view.left_s = Some(12_000.0 - session.state.head().last_stamp.elapsed_s());
            view.observe(&session.state);
            line.0.borrow_mut().clear();
            terminal
                .draw(|frame| render(&session.state, &view, &theme, frame))
                .unwrap();
            // The first frame of a sweep takes the old curve away.
            if sweep > 1 && index > 0 {
                bytes.push(line.0.borrow().len());
            }
        }
        session.end(sweep);
        view.observe(&session.state);
        terminal
            .draw(|frame| render(&session.state, &view, &theme, frame))
            .unwrap();
    }
    bytes.sort_unstable();
    bytes
}

#[test]
fn a_new_point_costs_at_most_400_bytes_in_the_median_and_800_at_the_95th_percentile() {
    for (width, height) in [(80, 24), (200, 60)] {
        for glyphs in GlyphSet::ALL {
            for tab in [Tab::Sweep, Tab::History, Tab::Bode, Tab::Points] {
                let bytes = bytes_per_point(width, height, glyphs, tab);
                let (median, high) = (bytes[bytes.len() / 2], bytes[bytes.len() * 95 / 100]);
                println!(
                    "{width}x{height} {glyphs:?} {tab:?}: median {median}, p95 {high}, max {}",
                    bytes[bytes.len() - 1]
                );
                assert!(
                    median <= 400 && high <= 800,
                    "{width}x{height} {glyphs:?} {tab:?}: {median} {high}"
                );
            }
        }
    }
}

#[test]
fn nothing_new_costs_next_to_nothing() {
    let line = Line::default();
    let viewport = Viewport::Fixed(Rect::new(0, 0, 80, 24));
    let mut terminal =
        Terminal::with_options(CrosstermBackend::new(line.clone()), TerminalOptions { viewport }).unwrap();
    let session = Session::after(2, 30);
    let mut view = View::default();
    for _ in 0..2 {
        view.observe(&session.state);
        line.0.borrow_mut().clear();
        let theme = Theme::terminal();
        terminal
            .draw(|frame| render(&session.state, &view, &theme, frame))
            .unwrap();
    }
    // Colour reset and hidden cursor, which the terminal library writes for any frame.
    assert!(line.0.borrow().len() <= 32);
}
