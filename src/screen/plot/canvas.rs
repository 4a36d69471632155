//! A grid of dots finer than characters, painted into the terminal's buffer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::figure::Stroke;
use crate::screen::glyphs::{DotCell, Glyphs};

/// What one cell holds: dots by number, and the style and character of the stroke drawn last.
#[derive(Clone, Copy, Default)]
struct Cell {
    dots: u8,
    stroke: Option<(Stroke, Style)>,
}

/// Dots over an area of cells. Coordinates are shares of width and height, the height upwards.
pub struct Canvas<'a> {
    area: Rect,
    glyphs: &'a Glyphs,
    cells: Vec<Cell>,
}

/// The dot pattern of a braille cell: bit of the code point by column and row.
const BRAILLE_BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

impl<'a> Canvas<'a> {
    /// An empty canvas over an area.
    pub fn new(area: Rect, glyphs: &'a Glyphs) -> Self {
        let cells = vec![Cell::default(); usize::from(area.width) * usize::from(area.height)];
        Self { area, glyphs, cells }
    }

    /// Dots across and down.
    fn resolution(&self) -> (i32, i32) {
        let (across, down) = match self.glyphs.dots {
            DotCell::Braille => (2, 4),
            DotCell::HalfBlock => (1, 2),
            DotCell::Whole => (1, 1),
        };
        (
            i32::from(self.area.width) * across,
            i32::from(self.area.height) * down,
        )
    }

    /// The cell at a share of width and height; none outside.
    pub fn cell_at(&self, x: f64, y: f64) -> Option<(u16, u16)> {
        let column = index_at(x, i32::from(self.area.width))?;
        let row = index_at(y, i32::from(self.area.height))?;
        let row = i32::from(self.area.height) - 1 - row;
        Some((self.area.x + column as u16, self.area.y + row as u16))
    }

    /// Draws a straight line between two points within the unit square. `drawn` counts dots along the
    /// whole curve, so that dashes run on over its segments.
    pub fn line(&mut self, from: [f64; 2], to: [f64; 2], stroke: Stroke, style: Style, drawn: &mut usize) {
        let (width, height) = self.resolution();
        let dot = |point: [f64; 2]| {
            Some((
                index_at(point[0], width)?,
                height - 1 - index_at(point[1], height)?,
            ))
        };
        let (Some((mut x, mut y)), Some((x_end, y_end))) = (dot(from), dot(to)) else {
            return;
        };
        // Bresenham 1965, 10.1147/sj.41.0025.
        let (dx, dy) = ((x_end - x).abs(), -(y_end - y).abs());
        let (step_x, step_y) = ((x_end - x).signum(), (y_end - y).signum());
        let mut error = dx + dy;
        loop {
            if (x, y) == (x_end, y_end) {
                // The next segment begins with this dot; the painter adds the very last one.
                break;
            }
            self.dot(x, y, stroke, style, *drawn);
            *drawn += 1;
            let doubled = 2 * error;
            if doubled >= dy {
                error += dy;
                x += step_x;
            }
            if doubled <= dx {
                error += dx;
                y += step_y;
            }
        }
    }

    /// Draws one dot of a stroke, unless its dashes leave it out.
    pub fn end(&mut self, at: [f64; 2], stroke: Stroke, style: Style, drawn: usize) {
        let (width, height) = self.resolution();
        if let (Some(x), Some(y)) = (index_at(at[0], width), index_at(at[1], height)) {
            self.dot(x, height - 1 - y, stroke, style, drawn);
        }
    }

    fn dot(&mut self, x: i32, y: i32, stroke: Stroke, style: Style, drawn: usize) {
        let (on, period) = match (stroke, self.glyphs.dots) {
            (Stroke::Fitted, _) => (1, 1),
            (Stroke::Foretold, DotCell::Braille) => (3, 6),
            (Stroke::Foretold, DotCell::HalfBlock) => (2, 4),
            (Stroke::Foretold | Stroke::Guide, DotCell::Whole) => (1, 2),
            (Stroke::Guide, _) => (1, 4),
        };
        if drawn % period >= on {
            return;
        }
        let (across, down) = match self.glyphs.dots {
            DotCell::Braille => (2, 4),
            DotCell::HalfBlock => (1, 2),
            DotCell::Whole => (1, 1),
        };
        let index = (y / down) as usize * usize::from(self.area.width) + (x / across) as usize;
        if let Some(cell) = self.cells.get_mut(index) {
            cell.dots |= match self.glyphs.dots {
                DotCell::Braille => BRAILLE_BITS[(x % 2) as usize][(y % 4) as usize],
                DotCell::HalfBlock => 1 << (y % 2),
                DotCell::Whole => 1,
            };
            cell.stroke = Some((stroke, style));
        }
    }

    /// Paints the dots into the buffer.
    pub fn paint(&self, buffer: &mut Buffer) {
        let width = usize::from(self.area.width);
        for (index, cell) in self.cells.iter().enumerate() {
            let Some((stroke, style)) = cell.stroke else {
                continue;
            };
            let symbol = match (self.glyphs.dots, stroke) {
                (DotCell::Braille, _) => char::from_u32(0x2800 + u32::from(cell.dots)).unwrap_or(' '),
                (DotCell::HalfBlock, Stroke::Guide) => self.glyphs.guide,
                (DotCell::HalfBlock, _) => [' ', '▀', '▄', '█'][usize::from(cell.dots & 3)],
                (DotCell::Whole, Stroke::Fitted) => self.glyphs.fitted,
                (DotCell::Whole, Stroke::Foretold) => self.glyphs.foretold,
                (DotCell::Whole, Stroke::Guide) => self.glyphs.guide,
            };
            let column = self.area.x + (index % width) as u16;
            let row = self.area.y + (index / width) as u16;
            if let Some(target) = buffer.cell_mut((column, row)) {
                target.set_char(symbol).set_style(Style::reset().patch(style));
            }
        }
    }
}

/// The index of a share among `count` equal parts; none outside 0..=1.
fn index_at(share: f64, count: i32) -> Option<i32> {
    // Ends of clipped segments may miss the border by a rounding error.
    if !(-1e-9..=1.0 + 1e-9).contains(&share) || count <= 0 {
        return None;
    }
    Some(((share * f64::from(count)).floor() as i32).clamp(0, count - 1))
}
