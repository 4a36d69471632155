//! The state at any moment of a recording, however long it is.
//!
//! Wire, readings and points are nearly all of a recording and stay there. What is left, the outline, is learned once
//! while nothing else is to be done; from then on another moment is another head, a few thousand events folded from
//! the last stored one, and the outline up to there. Before that, the sweeps shortly before a moment are known.

use std::path::Path;
use std::time::{Duration, Instant};

use super::error::ReadError;
use super::reader::Reader;
use crate::state::{Head, PointRow, Rows, State};

/// Events between two moments to which one can go back without beginning anew, where the recording has no heads.
const CHECKPOINT_EVENTS: u64 = 5_000;
/// Events that are folded at once at most.
const CHUNK: usize = 20_000;
/// Events that are read at once.
const READ: u64 = 4_096;
/// How far is read in which way.
#[derive(Clone, Copy, Debug)]
struct Reach {
    /// So many events ahead are folded rather than jumped over.
    near: u64,
    /// Events before a moment of which the outline is read at once.
    window: u64,
    /// Events of which the outline is learned before the clock is looked at.
    lesson: u64,
}

const REACH: Reach = Reach {
    near: 12_000,
    window: 200_000,
    lesson: 50_000,
};

/// How long is learned at once.
const PATIENCE: Duration = Duration::from_millis(10);
/// Sweeps that have their points: the one looked at, and so many before it.
const WITH_POINTS: usize = 3;

/// Goes to moments of a recording.
pub struct Playback {
    reader: Reader,
    last_seq: u64,
    /// Heads come by, where the recording has none stored.
    checkpoints: Vec<Head>,
    /// The outline, as far as it is learned; none once it is in the state.
    outline: Option<State>,
    outline_until: u64,
    /// The columns of the state know nothing of what was before.
    known_from: u64,
    reach: Reach,
}

impl Playback {
    /// Opens a recording.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(recording: &Path) -> Result<Self, ReadError> {
        let mut reader = Reader::open(recording)?;
        Ok(Self {
            last_seq: reader.last_seq()?,
            reader,
            checkpoints: Vec::new(),
            outline: Some(State::outline()),
            outline_until: 0,
            known_from: 0,
            reach: REACH,
        })
    }

    /// The recording.
    pub fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// Number of the last event when it was opened.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Whether there is something to learn while nothing else is to be done ([`Playback::learn`]).
    #[must_use]
    pub fn is_learning(&self) -> bool {
        self.outline.is_some()
    }

    /// Brings the state, which began as [`State::outline`], to just after an event, or a good part of the way there;
    /// true when it is there.
    ///
    /// # Errors
    /// The recording cannot be read.
    pub fn move_to(&mut self, state: &mut State, target: u64) -> Result<bool, ReadError> {
        let target = target.min(self.last_seq);
        let at = state.head().last_seq;
        if target < at || target - at > self.reach.near {
            self.jump(state, target)?;
        }
        let mut folded = 0;
        while state.head().last_seq < target && folded < CHUNK {
            let missing = (target - state.head().last_seq).min(READ);
            let events = self.reader.read(state.head().last_seq, missing as usize)?;
            if events.is_empty() {
                break;
            }
            folded += events.len();
            state.apply_all(&events);
            let due = self.checkpoints.last().map_or(0, |head| head.last_seq) + CHECKPOINT_EVENTS;
            if state.head().last_seq >= due {
                self.checkpoints.push(state.checkpoint());
            }
        }
        Ok(folded < CHUNK)
    }

    /// Goes to the last head before the target, unless the state is between the two already.
    fn jump(&mut self, state: &mut State, target: u64) -> Result<(), ReadError> {
        let at = state.head().last_seq;
        let passed = self.checkpoints.partition_point(|head| head.last_seq <= target);
        let passed = passed.checked_sub(1).and_then(|last| self.checkpoints.get(last));
        let mut head = match passed {
            Some(head) if target - head.last_seq <= self.reach.near => head.clone(),
            _ => self.reader.head_before(target)?,
        };
        if let Some(passed) = passed.filter(|passed| passed.last_seq > head.last_seq) {
            head = passed.clone();
        }
        if (head.last_seq..=target).contains(&at) {
            return Ok(());
        }
        if target > state.known() || (target < self.known_from + self.reach.window / 2 && self.known_from > 0)
        {
            self.known_from = target.saturating_sub(self.reach.window);
            let begin = Head {
                last_seq: self.known_from,
                ..Head::default()
            };
            *state = State::outline_from(begin);
            state.apply_all(&self.reader.read_outline(self.known_from, target)?);
            state.know_until(target);
        }
        state.rewind(head);
        Ok(())
    }

    /// Learns some of the outline; true where the state has learned all of it now.
    ///
    /// # Errors
    /// The recording cannot be read.
    pub fn learn(&mut self, state: &mut State) -> Result<bool, ReadError> {
        let Some(outline) = &mut self.outline else {
            return Ok(false);
        };
        let began = Instant::now();
        while self.outline_until < self.last_seq && began.elapsed() < PATIENCE {
            let until = self.last_seq.min(self.outline_until + self.reach.lesson);
            outline.apply_all(&self.reader.read_outline(self.outline_until, until)?);
            outline.know_until(until);
            self.outline_until = until;
        }
        if self.outline_until < self.last_seq {
            return Ok(false);
        }
        if let Some(outline) = self.outline.take() {
            state.learn(outline);
            self.known_from = 0;
        }
        Ok(true)
    }

    /// Gives the sweep that is looked at, the last where none is named, and those shortly before it their points.
    ///
    /// # Errors
    /// The recording cannot be read.
    pub fn show_points(&mut self, state: &mut State, sweep: Option<u32>) -> Result<(), ReadError> {
        let sweeps = state.sweeps();
        let looked_at =
            sweep.and_then(|number| sweeps.iter().rposition(|sweep| sweep.started.sweep == number));
        let end = looked_at.map_or(sweeps.len(), |place| place + 1);
        let mut shown: Vec<(u64, Vec<PointRow>)> = Vec::new();
        for place in end.saturating_sub(WITH_POINTS)..end {
            let (number, begin) = (sweeps[place].started.sweep, sweeps[place].seq);
            let again = sweeps[place + 1..]
                .iter()
                .find(|later| later.started.sweep == number);
            let until = again.map_or(state.head().last_seq, |later| later.seq - 1);
            shown.push((begin, self.reader.points(number, begin, until)?));
        }
        state.set_points(shown);
        Ok(())
    }
}

#[cfg(test)]
impl Playback {
    /// The same where a few events are many.
    pub(super) fn short_sighted(recording: &Path) -> Self {
        let reach = Reach {
            near: 3,
            window: 12,
            lesson: 5,
        };
        Self {
            reach,
            ..Self::open(recording).unwrap()
        }
    }
}
