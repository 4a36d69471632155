//! Lines between panels: neighbours share a border, and where borders meet they join.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Line, Scene};

const UP: u8 = 1;
const RIGHT: u8 = 2;
const DOWN: u8 = 4;
const LEFT: u8 = 8;

/// Borders over an area, gathered before they are painted.
pub struct Frames {
    area: Rect,
    reach: Vec<u8>,
}

impl Frames {
    /// No borders yet.
    #[must_use]
    pub fn new(area: Rect) -> Self {
        let reach = vec![0; usize::from(area.width) * usize::from(area.height)];
        Self { area, reach }
    }

    /// Adds the border of a rectangle and returns what is within it.
    pub fn add(&mut self, rect: Rect) -> Rect {
        let rect = rect.intersection(self.area);
        if rect.width < 2 || rect.height < 2 {
            return Rect::default();
        }
        let (left, right, top, bottom) = (rect.x, rect.right() - 1, rect.y, rect.bottom() - 1);
        for x in left..right {
            for y in [top, bottom] {
                self.join(x, y, RIGHT);
                self.join(x + 1, y, LEFT);
            }
        }
        for y in top..bottom {
            for x in [left, right] {
                self.join(x, y, DOWN);
                self.join(x, y + 1, UP);
            }
        }
        Rect {
            x: rect.x + 1,
            y: rect.y + 1,
            width: rect.width - 2,
            height: rect.height - 2,
        }
    }

    fn join(&mut self, x: u16, y: u16, direction: u8) {
        let index =
            usize::from(y - self.area.y) * usize::from(self.area.width) + usize::from(x - self.area.x);
        if let Some(reach) = self.reach.get_mut(index) {
            *reach |= direction;
        }
    }

    /// Paints all borders.
    pub fn paint(&self, scene: &Scene<'_>, buffer: &mut Buffer) {
        for (position, reach) in self.area.positions().zip(&self.reach) {
            if *reach != 0
                && let Some(cell) = buffer.cell_mut(position)
            {
                cell.set_char(scene.glyphs.lines[usize::from(*reach)]);
                cell.set_style(scene.theme.quiet);
            }
        }
    }
}

/// Writes a title into the upper border of the panel whose inside is `inner`.
pub fn title(scene: &Scene<'_>, inner: Rect, line: &Line, buffer: &mut Buffer) {
    if inner.y == 0 || inner.width < 4 {
        return;
    }
    let blank = ratatui::style::Style::new();
    let mut whole = Line::new().with(" ", blank);
    whole.extend(line);
    whole.push(" ", blank);
    let width = (whole.width() as u16).min(inner.width - 1);
    whole.write(scene, inner.x, inner.y - 1, width, buffer);
}
