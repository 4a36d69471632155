//! A clock over a recording: play, pause, step, seek.

use std::path::Path;
use std::time::Duration;

use super::super::view::{Replay, ReplayRequest};
use crate::recording::{Playback, Position, ReadError, ReplayClock};
use crate::state::State;

/// A small stretch of seeking is this share of the recording, but at least a second.
const SEEK_SHARE: f64 = 0.02;

/// Where a replay begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReplayStart {
    /// How much faster than the session's clock.
    pub speed: f64,
    /// Seconds after the beginning of the session.
    pub from_s: f64,
}

/// A recording that is played.
pub struct Player {
    playback: Playback,
    clock: ReplayClock,
    target: u64,
    /// The last event before each sweep begins, and the last of all: where a sweep and all that was made of it is
    /// whole. Looked for when they are first needed.
    whole: Option<Vec<u64>>,
    /// The sweep that has its points, and the event up to which.
    shown: Option<(Option<u32>, u64)>,
}

impl Player {
    /// Opens a recording and sets the clock going.
    ///
    /// # Errors
    /// Where the recording cannot be read.
    pub fn open(recording: &Path, start: ReplayStart) -> Result<Self, ReadError> {
        let mut playback = Playback::open(recording)?;
        let (first_ns, last_ns) = match playback.reader().span()? {
            Some([(_, first), (_, last)]) => (first.elapsed_ns, last.elapsed_ns),
            None => (0, 0),
        };
        let mut clock = ReplayClock::new(first_ns, last_ns);
        clock.set_speed(start.speed);
        clock.seek((start.from_s * 1e9) as i64);
        if clock.end_ns() > clock.position().elapsed_ns {
            clock.play();
        }
        let target = playback.reader().seq_at(clock.position())?;
        Ok(Self {
            playback,
            clock,
            target,
            whole: None,
            shown: None,
        })
    }

    /// What the header says of the clock.
    #[must_use]
    pub fn status(&self) -> Replay {
        Replay {
            playing: self.clock.is_playing(),
            speed: self.clock.speed(),
            position_s: self.clock.position().elapsed_ns as f64 * 1e-9,
            length_s: self.clock.end_ns() as f64 * 1e-9,
        }
    }

    /// Whether time passes.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.clock.is_playing()
    }

    /// Lets real time pass.
    ///
    /// # Errors
    /// Where the recording cannot be read.
    pub fn advance(&mut self, real: Duration) -> Result<(), ReadError> {
        let position = self.clock.advance(real, None);
        self.aim(position)
    }

    /// Does what was asked for.
    ///
    /// # Errors
    /// Where the recording cannot be read.
    pub fn request(&mut self, request: ReplayRequest) -> Result<(), ReadError> {
        match request {
            ReplayRequest::Play => self.clock.play(),
            ReplayRequest::Pause => self.clock.pause(),
            ReplayRequest::Faster => self.clock.faster(),
            ReplayRequest::Slower => self.clock.slower(),
            ReplayRequest::Seek(places) => {
                let stretch = (self.clock.end_ns() as f64 * SEEK_SHARE).max(1e9);
                self.clock.seek_by((stretch * f64::from(places)) as i64);
            }
            ReplayRequest::Step(places) => {
                self.stop_after(self.target.saturating_add_signed(i64::from(places)))?;
            }
            ReplayRequest::Sweep(places) => {
                let seq = self.sweep_from_here(places)?;
                self.stop_after(seq)?;
            }
            // Where everything happened in one moment, as in an import, the beginning is no time.
            ReplayRequest::First if self.clock.begin_ns() == self.clock.end_ns() => self.stop_after(1)?,
            ReplayRequest::First => self.clock.seek(i64::MIN),
            ReplayRequest::Last => self.clock.seek(i64::MAX),
        }
        let position = self.clock.position();
        self.aim(position)
    }

    fn stop_after(&mut self, seq: u64) -> Result<(), ReadError> {
        let seq = seq.clamp(1, self.playback.last_seq().max(1));
        if let Some(stamp) = self.playback.reader().stamp_of(seq)? {
            self.clock.stop_after(seq, stamp.elapsed_ns);
        }
        Ok(())
    }

    /// The event after which a sweep is whole, so many sweeps from here.
    fn sweep_from_here(&mut self, places: i32) -> Result<u64, ReadError> {
        let whole = match self.whole.take() {
            Some(whole) => whole,
            None => {
                let sweeps = self.playback.reader().sweeps()?;
                let before = sweeps.iter().skip(1).map(|sweep| sweep.started_seq - 1);
                before.chain([self.playback.last_seq()]).collect()
            }
        };
        let here = if places < 0 {
            whole.partition_point(|seq| *seq < self.target)
        } else {
            whole.partition_point(|seq| *seq <= self.target)
        };
        // The first place forward is one away already.
        let at = here as i64 + i64::from(places) - i64::from(places > 0);
        let seq = match usize::try_from(at) {
            Ok(at) => whole.get(at).copied().unwrap_or(self.playback.last_seq()),
            Err(_) => 1,
        };
        self.whole = Some(whole);
        Ok(seq)
    }

    fn aim(&mut self, position: Position) -> Result<(), ReadError> {
        self.target = self.playback.reader().seq_at(position)?;
        Ok(())
    }

    /// Brings the state to where the clock stands, or a good part of the way there; true when it is there. The sweep
    /// that is looked at, the newest where none is selected, has its points.
    ///
    /// # Errors
    /// Where the recording cannot be read.
    pub fn fold(&mut self, state: &mut State, selected: Option<u32>) -> Result<bool, ReadError> {
        let there = self.playback.move_to(state, self.target)?;
        let shown = Some((selected, state.head().last_seq));
        if self.shown != shown {
            self.playback.show_points(state, selected)?;
            self.shown = shown;
        }
        Ok(there)
    }

    /// Whether there is something to be done while nobody wants anything.
    #[must_use]
    pub fn is_learning(&self) -> bool {
        self.playback.is_learning()
    }

    /// Reads more of what was before the moment that is shown.
    ///
    /// # Errors
    /// Where the recording cannot be read.
    pub fn learn(&mut self, state: &mut State) -> Result<(), ReadError> {
        if self.playback.learn(state)? {
            self.shown = None;
        }
        Ok(())
    }
}
