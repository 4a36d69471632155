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

/// Text in rows of at most so many characters, the first row and those after it, broken between words; what goes
/// beyond the last row stays in it, where it is cut when it is written.
#[must_use]
pub fn wrapped(text: &str, [first, others]: [usize; 2], rows: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let is_last = lines.len() >= rows;
        let width = if lines.len() == 1 { first } else { others };
        match lines.last_mut() {
            Some(line) if is_last || line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn text_breaks_between_words_and_no_word_is_lost() {
        let text = "residuals rise below 100 mHz, all of one sign";
        assert_eq!(
            wrapped(text, [20, 20], 5),
            ["residuals rise below", "100 mHz, all of one", "sign"]
        );
        assert_eq!(
            wrapped(text, [9, 20], 2),
            ["residuals", "rise below 100 mHz, all of one sign"]
        );
        assert_eq!(wrapped(text, [4, 4], 9).join(" "), text);
        assert!(wrapped("", [10, 10], 3).is_empty());
    }
}
