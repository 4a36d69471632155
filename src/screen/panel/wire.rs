//! Recent traffic on the line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Line, Scene, title};
use crate::event::{Direction, escape};

/// Paints the end of the traffic.
pub fn wire(scene: &Scene<'_>, inner: Rect, scroll: usize, buffer: &mut Buffer) {
    let theme = scene.theme;
    let head = scene.state.head();
    let rows = usize::from(inner.height);
    let lines = &head.wire;
    let end = lines
        .len()
        .saturating_sub(scroll.min(lines.len().saturating_sub(rows)));
    let from = end.saturating_sub(rows);
    for (line, row) in lines.range(from..end).zip(inner.y..inner.bottom()) {
        let [sent, received] = scene.glyphs.direction;
        let (arrow, style) = match line.direction {
            Direction::Tx => (sent, theme.strong),
            Direction::Rx => (received, theme.text),
        };
        let text = Line::new()
            .with(format!("{:>10.3} ", line.stamp.elapsed_s()), theme.quiet)
            .with(arrow, theme.quiet)
            .with(" ", Style::new())
            .with(escape(&line.bytes), style);
        scene.write(&text, inner.x + 1, row, inner.width.saturating_sub(2), buffer);
    }
    let heading = Line::new().with("Wire", theme.strong).with(
        format!(
            "  sent {} received {}",
            bytes(head.tx_bytes),
            bytes(head.rx_bytes)
        ),
        theme.text,
    );
    title(scene, inner, &heading, buffer);
}

fn bytes(count: u64) -> String {
    if count < 1000 {
        format!("{count} B")
    } else {
        crate::units::engineering(count as f64, "B", crate::units::Script::Ascii)
    }
}
