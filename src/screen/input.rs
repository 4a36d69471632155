//! What a key means: in a line being typed, at a question, and everywhere else.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::actions::{Action, Keymap};
use super::line_editor::Edit;
use super::view::View;

/// The action that a key asks for, given what is on the screen.
#[must_use]
pub fn interpret(key: KeyEvent, view: &View, keymap: &Keymap) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if view.note.is_some() {
        return edit(key).map(Action::Edit);
    }
    if view.confirm_stop {
        return match key.code {
            KeyCode::Char('y' | 'Y') => Some(Action::Answer(true)),
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Action::Quit),
            KeyCode::Char('n' | 'N') | KeyCode::Esc | KeyCode::Enter => Some(Action::Answer(false)),
            _ => None,
        };
    }
    if view.help && key.code == KeyCode::Esc {
        return Some(Action::Help);
    }
    keymap.action(key)
}

fn edit(key: KeyEvent) -> Option<Edit> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Enter => Edit::Accept,
        KeyCode::Esc => Edit::Cancel,
        KeyCode::Char('c') if control => Edit::Cancel,
        KeyCode::Char('w') if control => Edit::EraseWord,
        KeyCode::Char('a') if control => Edit::Home,
        KeyCode::Char('e') if control => Edit::End,
        KeyCode::Char(_) if control || key.modifiers.contains(KeyModifiers::ALT) => return None,
        KeyCode::Char(character) => Edit::Insert(character),
        KeyCode::Backspace => Edit::Backspace,
        KeyCode::Delete => Edit::Delete,
        KeyCode::Left => Edit::Left,
        KeyCode::Right => Edit::Right,
        KeyCode::Home => Edit::Home,
        KeyCode::End => Edit::End,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::LineEditor;

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    #[test]
    fn a_key_types_while_a_note_is_written_and_acts_otherwise() {
        let keymap = Keymap::default();
        let mut view = View::default();
        assert_eq!(
            interpret(key(KeyCode::Char('q')), &view, &keymap),
            Some(Action::Quit)
        );
        view.note = Some(LineEditor::new());
        assert_eq!(
            interpret(key(KeyCode::Char('q')), &view, &keymap),
            Some(Action::Edit(Edit::Insert('q')))
        );
    }

    #[test]
    fn only_a_plain_yes_stops() {
        let keymap = Keymap::default();
        let view = View {
            confirm_stop: true,
            ..View::default()
        };
        assert_eq!(
            interpret(key(KeyCode::Char('y')), &view, &keymap),
            Some(Action::Answer(true))
        );
        assert_eq!(
            interpret(key(KeyCode::Enter), &view, &keymap),
            Some(Action::Answer(false))
        );
        assert_eq!(interpret(key(KeyCode::Char('s')), &view, &keymap), None);
    }

    #[test]
    fn the_release_of_a_key_does_nothing() {
        let release = KeyEvent::new_with_kind(KeyCode::Char('s'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(interpret(release, &View::default(), &Keymap::default()), None);
    }
}
