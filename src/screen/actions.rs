//! The one table of what can be done: keys, footer and help come from it.

use std::collections::HashMap;

use crokey::KeyCombination;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::line_editor::Edit;
use super::view::{Connection, Tab, View};
use crate::state::State;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Show that view.
    Show(Tab),
    /// Show or hide the help.
    Help,
    /// Leave the screen; a running session goes on without it.
    Quit,
    /// End the measurement: asks first.
    Stop,
    /// Hold or go on: the plan when live, the clock in a replay.
    PlayPause,
    /// Write a remark into the recording.
    Note,
    /// Say that the oldest alarm has been seen.
    Acknowledge,
    /// Replay faster.
    Faster,
    /// Replay slower.
    Slower,
    /// A little forward in the replay.
    SeekForward,
    /// A little back in the replay.
    SeekBackward,
    /// One event forward in the replay.
    StepForward,
    /// One event back in the replay.
    StepBackward,
    /// To the end of the next sweep in the replay.
    SweepForward,
    /// To the end of the sweep before in the replay.
    SweepBackward,
    /// To the beginning of the replay.
    First,
    /// To the end of the replay.
    Last,
    /// Look at the sweep before.
    PreviousSweep,
    /// Look at the sweep after.
    NextSweep,
    /// Look at the newest sweep, and stay with it.
    FollowNewest,
    /// The next set of characters.
    CycleGlyphs,
    /// Hold the picture while measuring goes on.
    Freeze,
    /// A line up.
    ScrollUp,
    /// A line down.
    ScrollDown,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// A key for the line being typed.
    Edit(Edit),
    /// Yes or no to the question that is asked.
    Answer(bool),
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct ActionEntry {
    /// What it asks for.
    pub action: Action,
    /// Its name, as a key file would call it.
    pub name: &'static str,
    /// One line of help.
    pub doc: &'static str,
    /// Its keys, the first being the one that footer and help show first.
    pub keys: &'static [&'static str],
    /// Heading in the help under which it stands.
    pub group: &'static str,
}

const fn entry(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    group: &'static str,
    doc: &'static str,
) -> ActionEntry {
    ActionEntry {
        action,
        name,
        doc,
        keys,
        group,
    }
}

/// Everything that can be done, in the order of the help.
pub const TABLE: &[ActionEntry] = &[
    entry(
        Action::Show(Tab::Sweep),
        "show-sweep",
        &["1"],
        "Views",
        "Nyquist plot and fit",
    ),
    entry(
        Action::Show(Tab::History),
        "show-history",
        &["2"],
        "Views",
        "parameters over the sweeps",
    ),
    entry(
        Action::Show(Tab::Bode),
        "show-bode",
        &["3"],
        "Views",
        "modulus, phase, residuals",
    ),
    entry(
        Action::Show(Tab::Points),
        "show-points",
        &["4"],
        "Views",
        "table of the points",
    ),
    entry(
        Action::Show(Tab::Wire),
        "show-wire",
        &["5"],
        "Views",
        "event log, traffic",
    ),
    entry(Action::Help, "help", &["?", "f1"], "Views", "this help"),
    entry(
        Action::PreviousSweep,
        "previous-sweep",
        &["["],
        "Looking",
        "the sweep before",
    ),
    entry(
        Action::NextSweep,
        "next-sweep",
        &["]"],
        "Looking",
        "the sweep after",
    ),
    entry(
        Action::FollowNewest,
        "follow-newest",
        &["f"],
        "Looking",
        "follow the newest sweep",
    ),
    entry(
        Action::ScrollUp,
        "scroll-up",
        &["up", "k"],
        "Looking",
        "a line up",
    ),
    entry(
        Action::ScrollDown,
        "scroll-down",
        &["down", "j"],
        "Looking",
        "a line down",
    ),
    entry(Action::PageUp, "page-up", &["pageup"], "Looking", "a page up"),
    entry(
        Action::PageDown,
        "page-down",
        &["pagedown"],
        "Looking",
        "a page down",
    ),
    entry(
        Action::Freeze,
        "freeze",
        &["z"],
        "Looking",
        "hold the picture only",
    ),
    entry(
        Action::CycleGlyphs,
        "cycle-glyphs",
        &["g"],
        "Looking",
        "braille, blocks, ascii",
    ),
    entry(
        Action::Acknowledge,
        "acknowledge",
        &["a"],
        "Session",
        "the alarm has been seen",
    ),
    entry(
        Action::PlayPause,
        "play-pause",
        &["space"],
        "Session",
        "hold or go on",
    ),
    entry(Action::Stop, "stop", &["s"], "Session", "end it, cell off (asks)"),
    entry(
        Action::Note,
        "note",
        &["n"],
        "Session",
        "a note into the recording",
    ),
    entry(
        Action::Quit,
        "quit",
        &["q", "ctrl-c"],
        "Session",
        "leave; the session goes on",
    ),
    entry(Action::Faster, "faster", &["+", ">", "="], "Replay", "faster"),
    entry(Action::Slower, "slower", &["-", "<"], "Replay", "slower"),
    entry(
        Action::SeekForward,
        "seek-forward",
        &["right"],
        "Replay",
        "a little forward",
    ),
    entry(
        Action::SeekBackward,
        "seek-backward",
        &["left"],
        "Replay",
        "a little back",
    ),
    entry(
        Action::StepForward,
        "step-forward",
        &["."],
        "Replay",
        "one event forward",
    ),
    entry(
        Action::StepBackward,
        "step-backward",
        &[","],
        "Replay",
        "one event back",
    ),
    entry(
        Action::SweepForward,
        "sweep-forward",
        &["}"],
        "Replay",
        "one sweep forward",
    ),
    entry(
        Action::SweepBackward,
        "sweep-backward",
        &["{"],
        "Replay",
        "one sweep back",
    ),
    entry(Action::First, "first", &["home"], "Replay", "to the beginning"),
    entry(Action::Last, "last", &["end"], "Replay", "to the end"),
];

impl Action {
    /// Whether it can be done now.
    #[must_use]
    pub fn is_available(self, state: &State, view: &View) -> bool {
        let head = state.head();
        let replay = matches!(view.connection, Connection::Replay(_));
        let running =
            !replay && head.session.is_some() && head.ended.is_none() && view.connection.is_linked();
        let shown = view.shown_sweep(state).map(|sweep| sweep.started.sweep);
        match self {
            Self::Show(_) | Self::Help | Self::Quit | Self::CycleGlyphs => true,
            Self::Stop => running && !head.stopping,
            Self::PlayPause => replay || (running && !head.stopping),
            Self::Note => running,
            Self::Acknowledge => running && !head.alarms.is_empty(),
            Self::Faster
            | Self::Slower
            | Self::SeekForward
            | Self::SeekBackward
            | Self::StepForward
            | Self::StepBackward
            | Self::SweepForward
            | Self::SweepBackward
            | Self::First
            | Self::Last => replay,
            Self::PreviousSweep => shown.is_some_and(|shown| {
                state
                    .sweeps()
                    .first()
                    .is_some_and(|first| first.started.sweep < shown)
            }),
            Self::NextSweep => shown.is_some_and(|shown| {
                state
                    .sweeps()
                    .last()
                    .is_some_and(|last| last.started.sweep > shown)
            }),
            Self::FollowNewest => view.selected.is_some(),
            Self::Freeze => view.frozen || running,
            Self::ScrollUp | Self::ScrollDown | Self::PageUp | Self::PageDown => {
                view.help || matches!(view.tab, Tab::History | Tab::Points | Tab::Wire)
            }
            Self::Edit(_) => view.note.is_some(),
            Self::Answer(_) => view.confirm_stop,
        }
    }

    /// The word in the footer; none for what is only in the help.
    #[must_use]
    pub fn label(self, state: &State, view: &View) -> Option<&'static str> {
        let replay = match &view.connection {
            Connection::Replay(replay) => Some(replay),
            _ => None,
        };
        Some(match self {
            Self::Help => "help",
            Self::Acknowledge => "acknowledge",
            Self::PlayPause => match replay {
                Some(replay) if replay.playing => "pause",
                Some(_) => "play",
                None if state.head().paused => "resume",
                None => "pause",
            },
            Self::Stop => "stop",
            Self::Note => "note",
            Self::Quit if replay.is_some() => "quit",
            Self::Quit if state.head().session.is_some() && state.head().ended.is_none() => "leave running",
            Self::Quit => "quit",
            Self::Faster | Self::Slower => "speed",
            Self::SeekForward | Self::SeekBackward => "seek",
            Self::PreviousSweep | Self::NextSweep => "sweep",
            Self::FollowNewest => "newest",
            Self::Freeze if view.frozen => "go on",
            Self::Freeze => "freeze",
            Self::CycleGlyphs => "glyphs",
            _ => return None,
        })
    }
}

/// Order in which the footer takes what fits, pairs together; help always has its place.
const FOOTER_ORDER: [&[Action]; 10] = [
    &[Action::Acknowledge],
    &[Action::PlayPause],
    &[Action::Stop],
    &[Action::Note],
    &[Action::SeekBackward, Action::SeekForward],
    &[Action::Slower, Action::Faster],
    &[Action::Quit],
    &[Action::FollowNewest],
    &[Action::PreviousSweep, Action::NextSweep],
    &[Action::Freeze],
];

/// Keys and word of what can be done now, the most important first.
#[must_use]
pub fn footer(state: &State, view: &View) -> Vec<(String, &'static str)> {
    let key = |action: &Action| TABLE.iter().find(|entry| entry.action == *action)?.keys.first();
    FOOTER_ORDER
        .into_iter()
        .filter(|actions| actions.iter().any(|action| action.is_available(state, view)))
        .filter_map(|actions| {
            let keys: Vec<&str> = actions.iter().filter_map(key).copied().collect();
            Some((keys.join("/"), actions.first()?.label(state, view)?))
        })
        .collect()
}

/// Which key asks for what.
#[derive(Clone, Debug)]
pub struct Keymap {
    actions: HashMap<KeyCombination, Action>,
}

impl Default for Keymap {
    /// The keys of [`TABLE`].
    fn default() -> Self {
        let keys = TABLE
            .iter()
            .flat_map(|entry| entry.keys.iter().map(|key| (*key, entry.action)));
        Self {
            actions: keys
                .filter_map(|(key, action)| Some((parse_key(key)?, action)))
                .collect(),
        }
    }
}

impl Keymap {
    /// What a key asks for.
    #[must_use]
    pub fn action(&self, key: KeyEvent) -> Option<Action> {
        self.actions.get(&combination(key)).copied()
    }
}

/// A key by its name; signs that are part of the names' grammar stand for themselves.
fn parse_key(name: &str) -> Option<KeyCombination> {
    let mut characters = name.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Some(combination(KeyEvent::new(
            KeyCode::Char(character),
            KeyModifiers::NONE,
        ))),
        _ => crokey::parse(name).ok(),
    }
}

/// The combination of an event. Terminals differ in whether they report the shift key that it took to
/// type a sign; the sign itself says it all.
fn combination(key: KeyEvent) -> KeyCombination {
    let shiftless = matches!(key.code, KeyCode::Char(_)) && key.modifiers == KeyModifiers::SHIFT;
    let modifiers = if shiftless {
        KeyModifiers::NONE
    } else {
        key.modifiers
    };
    KeyCombination::one_key(key.code, modifiers)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers) -> Option<Action> {
        Keymap::default().action(KeyEvent::new(code, modifiers))
    }

    #[test]
    fn every_key_of_the_table_is_understood_and_means_one_thing() {
        let mut seen = HashSet::new();
        for entry in TABLE {
            for key in entry.keys {
                let key = parse_key(key).unwrap_or_else(|| panic!("{key} is not a key"));
                assert!(seen.insert(key), "{} has a key that is taken", entry.name);
                assert_eq!(Keymap::default().actions[&key], entry.action);
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let names: HashSet<_> = TABLE.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), TABLE.len());
    }

    #[test]
    fn signs_are_found_with_and_without_the_shift_that_types_them() {
        assert_eq!(press(KeyCode::Char('?'), KeyModifiers::SHIFT), Some(Action::Help));
        assert_eq!(press(KeyCode::Char('?'), KeyModifiers::NONE), Some(Action::Help));
        assert_eq!(
            press(KeyCode::Char('c'), KeyModifiers::CONTROL),
            Some(Action::Quit)
        );
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::NONE), None);
        assert_eq!(
            press(KeyCode::Char(' '), KeyModifiers::NONE),
            Some(Action::PlayPause)
        );
        assert_eq!(
            press(KeyCode::Char('-'), KeyModifiers::NONE),
            Some(Action::Slower)
        );
    }

    #[test]
    fn what_the_footer_shows_can_be_done() {
        let (state, view) = (State::new(), View::default());
        for (_, label) in footer(&state, &view) {
            assert_ne!(label, "stop", "nothing runs");
        }
    }
}
