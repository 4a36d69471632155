//! The last line: views, and what can be done now; or the question, or the remark being typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Line, Scene};
use crate::screen::actions;
use crate::screen::view::Tab;

/// Paints the footer into one line.
pub fn footer(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let (theme, view) = (scene.theme, scene.view);
    let (x, room) = (area.x + 1, area.width.saturating_sub(2));
    let blank = Style::new();
    if let Some(note) = &view.note {
        return typing(
            scene,
            &note.text(),
            note.cursor(),
            Rect {
                x,
                width: room,
                ..area
            },
            buffer,
        );
    }
    if view.confirm_stop {
        let line = Line::new()
            .with(
                "Stop the measurement? After this point the cell is off.  ",
                theme.strong,
            )
            .with("y", theme.key)
            .with(" stop  ", blank)
            .with("n", theme.key)
            .with(" go on", blank);
        return scene.write(&line, x, area.y, room, buffer);
    }
    if let Some(message) = &view.message {
        return scene.write(
            &Line::new().with(message.clone(), theme.strong),
            x,
            area.y,
            room,
            buffer,
        );
    }
    let mut line = Line::new();
    for (index, tab) in Tab::ALL.into_iter().enumerate() {
        if index > 0 {
            line.push(" ", blank);
        }
        let active = tab == view.tab;
        line.push(
            (index + 1).to_string(),
            if active { theme.strong } else { theme.quiet },
        );
        line.push(" ", blank);
        line.push(tab.name(), if active { theme.strong } else { theme.quiet });
    }
    let mut actions = vec![("?".to_owned(), if view.help { "close help" } else { "help" })];
    let length = |(key, label): &(String, &str)| key.len() + label.len() + 3;
    let mut width = line.width() + length(&actions[0]);
    for action in actions::footer(scene.state, view) {
        if width + length(&action) > usize::from(room) {
            break;
        }
        width += length(&action);
        actions.insert(actions.len() - 1, action);
    }
    let mut right = Line::new();
    for (index, (key, label)) in actions.into_iter().enumerate() {
        right.push(if index > 0 { "  " } else { "" }, blank);
        right.push(key, theme.key);
        right.push(format!(" {label}"), blank);
    }
    scene.write(&line, x, area.y, room, buffer);
    let from = (x + room).saturating_sub(right.width() as u16).max(x);
    scene.write(&right, from, area.y, room, buffer);
}

/// The remark being typed, with the part around the cursor in sight.
fn typing(scene: &Scene<'_>, text: &str, cursor: usize, area: Rect, buffer: &mut Buffer) {
    let prompt = "note: ";
    let hint = "  enter write  esc forget";
    let theme = scene.theme;
    let room = usize::from(area.width).saturating_sub(prompt.len() + hint.len() + 1);
    let characters: Vec<char> = text.chars().collect();
    let from = cursor.saturating_sub(room.saturating_sub(1));
    let visible: String = characters.iter().skip(from).take(room).collect();
    let mut line = Line::new().with(prompt, theme.key).with(visible, theme.text);
    line.pad_to(prompt.len() + room + 1);
    line.push(hint, theme.quiet);
    scene.write(&line, area.x, area.y, area.width, buffer);
    let column = area.x + (prompt.len() + cursor - from) as u16;
    if let Some(cell) = buffer.cell_mut((column, area.y)) {
        cell.set_style(Style::new().add_modifier(ratatui::style::Modifier::REVERSED));
    }
}
