//! A line made of pieces in different styles.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::Span;

use super::Scene;

/// A line made of pieces in different styles.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pieces: Vec<(String, Style)>,
}

impl Line {
    /// An empty line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more piece.
    #[must_use]
    pub fn with(mut self, text: impl Into<String>, style: Style) -> Self {
        self.push(text, style);
        self
    }

    /// Adds a piece.
    pub fn push(&mut self, text: impl Into<String>, style: Style) {
        self.pieces.push((text.into(), style));
    }

    /// Adds the pieces of another line.
    pub fn extend(&mut self, other: &Self) {
        self.pieces.extend(other.pieces.iter().cloned());
    }

    /// Adds blanks until the line is `width` columns long.
    pub fn pad_to(&mut self, width: usize) {
        let now = self.width();
        if now < width {
            self.push(" ".repeat(width - now), Style::new());
        }
    }

    /// Columns that it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.pieces
            .iter()
            .map(|(text, _)| Span::raw(text.as_str()).width())
            .sum()
    }

    /// Writes it at a place; what goes beyond `width` is cut, and the cut is shown.
    pub fn write(&self, scene: &Scene<'_>, x: u16, y: u16, width: u16, buffer: &mut Buffer) {
        if y >= buffer.area.bottom() || x >= buffer.area.right() {
            return;
        }
        let width = width.min(buffer.area.right() - x);
        let end = x + width;
        let mut at = x;
        for (text, style) in &self.pieces {
            at = buffer
                .set_stringn(at, y, scene.text(text), usize::from(end - at), *style)
                .0;
        }
        if self.width() > usize::from(width)
            && width > 0
            && let Some(cell) = buffer.cell_mut((end - 1, y))
        {
            cell.set_char(scene.glyphs.ellipsis);
        }
    }
}
