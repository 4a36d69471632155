//! Colours: sixteen of them, never a background, so that light and dark terminals both can be read.
//! `NO_COLOR` is respected where the bytes are made. What a colour says, a glyph or a word says too.

use ratatui::style::{Color, Modifier, Style};

/// The styles of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Running text and numbers.
    pub text: Style,
    /// Borders, axes, units: what is there but not looked at.
    pub quiet: Style,
    /// Titles, and what is selected.
    pub strong: Style,
    /// Measured points.
    pub measured: Style,
    /// The newest point.
    pub newest: Style,
    /// Fitted and foretold curves.
    pub fitted: Style,
    /// All is well.
    pub good: Style,
    /// Not as it should be.
    pub warning: Style,
    /// Alarms.
    pub alarm: Style,
    /// Words that stand for numbers: not yet, not determined.
    pub word: Style,
    /// Keys in footer and help.
    pub key: Style,
}

impl Theme {
    /// The sixteen colours of the terminal.
    #[must_use]
    pub fn terminal() -> Self {
        let colour = |colour| Style::new().fg(colour);
        Self {
            text: Style::new(),
            quiet: colour(Color::DarkGray),
            strong: Style::new().add_modifier(Modifier::BOLD),
            measured: colour(Color::Cyan),
            newest: colour(Color::Cyan).add_modifier(Modifier::BOLD),
            fitted: colour(Color::Green),
            good: colour(Color::Green).add_modifier(Modifier::BOLD),
            warning: colour(Color::Magenta).add_modifier(Modifier::BOLD),
            alarm: colour(Color::Red).add_modifier(Modifier::BOLD),
            word: colour(Color::DarkGray),
            key: Style::new().add_modifier(Modifier::BOLD),
        }
    }

    /// No colours, only weight.
    #[must_use]
    pub fn plain() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Self {
            text: plain,
            quiet: plain,
            strong: bold,
            measured: plain,
            newest: bold,
            fitted: plain,
            good: bold,
            warning: bold,
            alarm: bold,
            word: plain,
            key: bold,
        }
    }

    /// The theme of that name, as on the command line: `terminal` or `plain`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "terminal" => Some(Self::terminal()),
            "plain" => Some(Self::plain()),
            _ => None,
        }
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::terminal()
    }
}
