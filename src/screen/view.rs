//! What belongs to the looking alone, and is never recorded.

use super::actions::Action;
use super::follow::{Axes, history_names};
use super::glyphs::GlyphSet;
use super::line_editor::{Edit, LineEditor};
use crate::recording::DiskCondition;
use crate::state::{State, SweepRecord};

/// One of the views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tab {
    /// Nyquist plot, fit, headline history, events.
    #[default]
    Sweep,
    /// Every parameter and sum over the sweeps.
    History,
    /// Modulus, phase, residuals.
    Bode,
    /// Table of the points.
    Points,
    /// Event log and traffic.
    Wire,
}

impl Tab {
    /// All views in the order of their keys.
    pub const ALL: [Self; 5] = [Self::Sweep, Self::History, Self::Bode, Self::Points, Self::Wire];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sweep => "Sweep",
            Self::History => "History",
            Self::Bode => "Bode",
            Self::Points => "Points",
            Self::Wire => "Wire",
        }
    }
}

/// The clock of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Whether it runs.
    pub playing: bool,
    /// How much faster than the session's clock.
    pub speed: f64,
    /// Where it stands, in seconds of the session's elapsed time.
    pub position_s: f64,
    /// Where the session ends.
    pub length_s: f64,
}

/// How the screen is connected to what it shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Connection {
    /// It follows a session and shows its newest event.
    #[default]
    Live,
    /// It follows a session and lies so many sweeps behind.
    Behind(u32),
    /// The session's process does not answer.
    Lost,
    /// It moves a clock over a recording.
    Replay(Replay),
}

impl Connection {
    /// Whether commands reach the session.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        matches!(self, Self::Live | Self::Behind(_))
    }
}

/// What a replay is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReplayRequest {
    /// The clock runs.
    Play,
    /// The clock stands.
    Pause,
    /// The next higher speed.
    Faster,
    /// The next lower speed.
    Slower,
    /// A small stretch forward (+1) or back (-1).
    Seek(i32),
    /// So many events forward or back.
    Step(i32),
    /// So many sweeps forward or back: to where each is whole.
    Sweep(i32),
    /// To the beginning.
    First,
    /// To the end.
    Last,
}

/// What the outside is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Leave the screen.
    Quit,
    /// End the measurement.
    Stop,
    /// Hold the plan.
    Pause,
    /// Go on with the plan.
    Resume,
    /// Write this remark into the recording.
    Note(String),
    /// The alarm of this name has been seen.
    Acknowledge(String),
    /// Something for the replay.
    Replay(ReplayRequest),
}

/// What belongs to the looking alone.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The view that is shown.
    pub tab: Tab,
    /// The sweep that is looked at; none follows the newest.
    pub selected: Option<u32>,
    /// Lines scrolled away from where the view would be by itself.
    pub scroll: usize,
    /// Whether the help covers the view.
    pub help: bool,
    /// The set of characters.
    pub glyphs: GlyphSet,
    /// Height of a character cell over its width.
    pub cell_aspect: f64,
    /// Whether the picture is held: whoever owns the state then leaves it as it is.
    pub frozen: bool,
    /// A remark being typed.
    pub note: Option<LineEditor>,
    /// Whether the question is asked if the measurement shall end.
    pub confirm_stop: bool,
    /// Something to say in the footer, until the next key.
    pub message: Option<String>,
    /// How the screen is connected.
    pub connection: Connection,
    /// How the disk does that the session records on.
    pub disk: DiskCondition,
    /// Seconds until the plan ends, where that can be told.
    pub left_s: Option<f64>,
    /// The session's elapsed seconds now, where the owner knows them better than the last event does.
    pub clock_s: Option<f64>,
    pub(super) axes: Axes,
}

impl Default for View {
    fn default() -> Self {
        Self {
            tab: Tab::default(),
            selected: None,
            scroll: 0,
            help: false,
            glyphs: GlyphSet::default(),
            cell_aspect: 2.0,
            frozen: false,
            note: None,
            confirm_stop: false,
            message: None,
            connection: Connection::default(),
            disk: DiskCondition::default(),
            left_s: None,
            clock_s: None,
            axes: Axes::default(),
        }
    }
}

/// Lines that a page key moves.
const PAGE: usize = 10;

impl View {
    /// The sweep that is looked at: the selected one, or the newest.
    #[must_use]
    pub fn shown_sweep<'a>(&self, state: &'a State) -> Option<&'a SweepRecord> {
        self.selected
            .and_then(|number| state.sweep(number))
            .or_else(|| state.sweeps().last())
    }

    /// Takes in what the state has become, so that axes can follow it calmly. To be called before
    /// every [`render`](super::render).
    pub fn observe(&mut self, state: &State) {
        let shown = self.shown_sweep(state).map(|sweep| sweep.started.sweep);
        self.axes.observe(state, shown);
        let most = if self.help {
            super::actions::TABLE.len()
        } else {
            match self.tab {
                Tab::History => history_names(state).len(),
                Tab::Points => self.shown_sweep(state).map_or(0, |sweep| sweep.points().len()),
                Tab::Wire => state.log().len().max(state.head().wire.len()),
                Tab::Sweep | Tab::Bode => 0,
            }
        };
        self.scroll = self.scroll.min(most);
    }

    /// Does what concerns only the view, and says what must be asked of the outside.
    pub fn apply(&mut self, action: Action, state: &State) -> Option<Request> {
        self.message = None;
        if !action.is_available(state, self) {
            return None;
        }
        let replay = match &self.connection {
            Connection::Replay(replay) => Some(replay.playing),
            _ => None,
        };
        match action {
            Action::Show(tab) => {
                if self.tab != tab {
                    self.scroll = 0;
                }
                self.tab = tab;
                self.help = false;
            }
            Action::Help => {
                self.help = !self.help;
                self.scroll = 0;
            }
            Action::Quit => return Some(Request::Quit),
            Action::Stop => self.confirm_stop = true,
            Action::Answer(yes) => {
                self.confirm_stop = false;
                return yes.then_some(Request::Stop);
            }
            Action::PlayPause => {
                return Some(match replay {
                    Some(true) => Request::Replay(ReplayRequest::Pause),
                    Some(false) => Request::Replay(ReplayRequest::Play),
                    None if state.head().paused => Request::Resume,
                    None => Request::Pause,
                });
            }
            Action::Note => self.note = Some(LineEditor::new()),
            Action::Edit(edit) => return self.edit(edit),
            Action::Acknowledge => {
                let (_, alarm) = state.head().alarms.first()?;
                return Some(Request::Acknowledge(alarm.name.clone()));
            }
            Action::Faster => return Some(Request::Replay(ReplayRequest::Faster)),
            Action::Slower => return Some(Request::Replay(ReplayRequest::Slower)),
            Action::SeekForward => return Some(Request::Replay(ReplayRequest::Seek(1))),
            Action::SeekBackward => return Some(Request::Replay(ReplayRequest::Seek(-1))),
            Action::StepForward => return Some(Request::Replay(ReplayRequest::Step(1))),
            Action::StepBackward => return Some(Request::Replay(ReplayRequest::Step(-1))),
            Action::SweepForward => return Some(Request::Replay(ReplayRequest::Sweep(1))),
            Action::SweepBackward => return Some(Request::Replay(ReplayRequest::Sweep(-1))),
            Action::First => return Some(Request::Replay(ReplayRequest::First)),
            Action::Last => return Some(Request::Replay(ReplayRequest::Last)),
            Action::PreviousSweep => self.select(state, -1),
            Action::NextSweep => self.select(state, 1),
            Action::FollowNewest => self.selected = None,
            Action::CycleGlyphs => self.glyphs = self.glyphs.next(),
            Action::Freeze => self.frozen = !self.frozen,
            Action::ScrollUp => self.scroll_by(1, true),
            Action::ScrollDown => self.scroll_by(1, false),
            Action::PageUp => self.scroll_by(PAGE, true),
            Action::PageDown => self.scroll_by(PAGE, false),
        }
        None
    }

    fn edit(&mut self, edit: Edit) -> Option<Request> {
        match edit {
            Edit::Cancel => self.note = None,
            Edit::Accept => {
                let text = self.note.take()?.text();
                let text = text.trim();
                return (!text.is_empty()).then(|| Request::Note(text.to_owned()));
            }
            other => {
                if let Some(note) = &mut self.note {
                    note.apply(other);
                }
            }
        }
        None
    }

    /// Selects the sweep so many places further; the newest is followed, not held.
    fn select(&mut self, state: &State, places: isize) {
        let sweeps = state.sweeps();
        let shown = self.shown_sweep(state).map(|sweep| sweep.started.sweep);
        let Some(at) = sweeps.iter().position(|sweep| Some(sweep.started.sweep) == shown) else {
            return;
        };
        let to = at.saturating_add_signed(places).min(sweeps.len() - 1);
        self.selected = (to + 1 < sweeps.len()).then(|| sweeps[to].started.sweep);
    }

    /// Tables of what grows lie at their end and are scrolled back from there; histories and help lie
    /// at their top.
    fn scroll_by(&mut self, lines: usize, up: bool) {
        let from_the_end = !self.help && matches!(self.tab, Tab::Points | Tab::Wire);
        self.scroll = if up == from_the_end {
            self.scroll.saturating_add(lines)
        } else {
            self.scroll.saturating_sub(lines)
        };
    }
}
