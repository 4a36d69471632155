//! One line of text being typed.

/// What a key does to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// A character at the cursor.
    Insert(char),
    /// The character before the cursor goes.
    Backspace,
    /// The character under the cursor goes.
    Delete,
    /// The cursor moves.
    Left,
    /// The cursor moves.
    Right,
    /// The cursor goes to the beginning.
    Home,
    /// The cursor goes to the end.
    End,
    /// The word before the cursor goes.
    EraseWord,
    /// Done: the line is taken.
    Accept,
    /// Done: the line is forgotten.
    Cancel,
}

/// Longest line in characters: a remark, not an essay.
const LONGEST: usize = 500;

/// A line of text with a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineEditor {
    characters: Vec<char>,
    cursor: usize,
}

impl LineEditor {
    /// An empty line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        self.characters.iter().collect()
    }

    /// Characters before the cursor.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Changes the line; accepting and cancelling are for the owner to see to.
    pub fn apply(&mut self, edit: Edit) {
        match edit {
            Edit::Insert(character) if !character.is_control() && self.characters.len() < LONGEST => {
                self.characters.insert(self.cursor, character);
                self.cursor += 1;
            }
            Edit::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.characters.remove(self.cursor);
            }
            Edit::Delete if self.cursor < self.characters.len() => {
                self.characters.remove(self.cursor);
            }
            Edit::Left => self.cursor = self.cursor.saturating_sub(1),
            Edit::Right => self.cursor = (self.cursor + 1).min(self.characters.len()),
            Edit::Home => self.cursor = 0,
            Edit::End => self.cursor = self.characters.len(),
            Edit::EraseWord => {
                let before = &self.characters[..self.cursor];
                let blanks = before.iter().rev().take_while(|c| c.is_whitespace()).count();
                let word = before
                    .iter()
                    .rev()
                    .skip(blanks)
                    .take_while(|c| !c.is_whitespace())
                    .count();
                let from = self.cursor - blanks - word;
                self.characters.drain(from..self.cursor);
                self.cursor = from;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn typed(text: &str) -> LineEditor {
        let mut editor = LineEditor::new();
        text.chars()
            .for_each(|character| editor.apply(Edit::Insert(character)));
        editor
    }

    #[test]
    fn characters_of_any_script_are_edited_as_characters() {
        let mut editor = typed("Zelle wärmer");
        for _ in 0..4 {
            editor.apply(Edit::Left);
        }
        editor.apply(Edit::Backspace);
        editor.apply(Edit::Insert('ä'));
        assert_eq!(editor.text(), "Zelle wärmer");
        editor.apply(Edit::End);
        editor.apply(Edit::EraseWord);
        assert_eq!(editor.text(), "Zelle ");
    }

    proptest! {
        #[test]
        fn the_cursor_stays_within_the_line(keys in prop::collection::vec(0u8..8, 0..60)) {
            let mut editor = LineEditor::new();
            let edits = [
                Edit::Insert('µ'), Edit::Backspace, Edit::Delete, Edit::Left, Edit::Right, Edit::Home,
                Edit::End, Edit::EraseWord,
            ];
            for key in keys {
                editor.apply(edits[usize::from(key)]);
                prop_assert!(editor.cursor() <= editor.text().chars().count());
            }
        }
    }
}
