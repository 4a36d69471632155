//! The clock of a replay: where in a recording the viewer stands, and how fast it moves.
//!
//! It reads no clock itself: the caller says how much real time has passed.

use std::time::Duration;

/// A place in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Elapsed nanoseconds of the session.
    pub elapsed_ns: i64,
    /// The event after which the clock stands, where it was put there rather than got there by time: several events
    /// may share one moment.
    pub seq: Option<u64>,
}

/// The slowest replay: as fast as it happened.
pub const SPEED_MIN: f64 = 1.0;

/// The fastest replay: a day in less than a second.
pub const SPEED_MAX: f64 = 100_000.0;

/// With [`ReplayClock::skip_gaps`], the longest real time for which nothing happens on the screen.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The clock of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayClock {
    position: Position,
    begin_ns: i64,
    end_ns: i64,
    playing: bool,
    speed: f64,
    skip_gaps: bool,
}

impl ReplayClock {
    /// A paused clock at the beginning of a recording that spans from `begin_ns` to `end_ns` of elapsed time.
    #[must_use]
    pub fn new(begin_ns: i64, end_ns: i64) -> Self {
        Self {
            position: Position {
                elapsed_ns: begin_ns,
                seq: None,
            },
            begin_ns,
            end_ns: end_ns.max(begin_ns),
            playing: false,
            speed: SPEED_MIN,
            skip_gaps: false,
        }
    }

    /// Where the clock stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Where the recording begins, in elapsed nanoseconds.
    #[must_use]
    pub fn begin_ns(&self) -> i64 {
        self.begin_ns
    }

    /// Where the recording ends, in elapsed nanoseconds.
    #[must_use]
    pub fn end_ns(&self) -> i64 {
        self.end_ns
    }

    /// Takes note that the recording has grown.
    pub fn extend(&mut self, end_ns: i64) {
        self.end_ns = self.end_ns.max(end_ns);
    }

    /// Whether time passes.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.playing
    }

    /// Whether the clock has come to the end.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.position.seq.is_none() && self.position.elapsed_ns >= self.end_ns
    }

    /// How much faster than it happened.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Lets time pass; from the beginning again where the clock stands at the end.
    pub fn play(&mut self) {
        if self.is_at_end() {
            self.seek(self.begin_ns);
        }
        self.playing = true;
    }

    /// Stops time.
    pub fn pause(&mut self) {
        self.playing = false;
    }

    /// Plays where paused, pauses where playing.
    pub fn toggle(&mut self) {
        if self.playing { self.pause() } else { self.play() }
    }

    /// Sets how much faster than it happened, within [`SPEED_MIN`] to [`SPEED_MAX`]; NaN changes nothing.
    pub fn set_speed(&mut self, speed: f64) {
        if !speed.is_nan() {
            self.speed = speed.clamp(SPEED_MIN, SPEED_MAX);
        }
    }

    /// The next faster step of 1, 2, 5, 10, 20, 50, ...
    pub fn faster(&mut self) {
        self.set_speed(next_step(self.speed));
    }

    /// The next slower step of ..., 50, 20, 10, 5, 2, 1.
    pub fn slower(&mut self) {
        self.set_speed(previous_step(self.speed));
    }

    /// Whether stretches in which nothing happens are cut short to a second of real time.
    #[must_use]
    pub fn skips_gaps(&self) -> bool {
        self.skip_gaps
    }

    /// Sets [`ReplayClock::skips_gaps`].
    pub fn skip_gaps(&mut self, skip: bool) {
        self.skip_gaps = skip;
    }

    /// Moves to a time; every event of that moment has then happened. Playing or paused stays as it is.
    pub fn seek(&mut self, elapsed_ns: i64) {
        self.position = Position {
            elapsed_ns: elapsed_ns.clamp(self.begin_ns, self.end_ns),
            seq: None,
        };
    }

    /// Moves by a span of the session's time, back where it is negative.
    pub fn seek_by(&mut self, delta_ns: i64) {
        self.seek(self.position.elapsed_ns.saturating_add(delta_ns));
    }

    /// Moves to just after an event, whatever else happened in the same moment, and pauses there: a step to the next
    /// point, or the beginning of a sweep.
    pub fn stop_after(&mut self, seq: u64, elapsed_ns: i64) {
        self.playing = false;
        self.position = Position {
            elapsed_ns: elapsed_ns.clamp(self.begin_ns, self.end_ns),
            seq: Some(seq),
        };
    }

    /// Lets `real` time pass, and says where the clock stands then. It pauses at the end. `next_event_ns` is when
    /// the next event happens that is not shown yet, where the caller knows it; only skipping gaps needs it.
    pub fn advance(&mut self, real: Duration, next_event_ns: Option<i64>) -> Position {
        if !self.playing {
            return self.position;
        }
        let from = self.position.elapsed_ns;
        let mut to = from.saturating_add(self.scaled(real));
        if let Some(next) = next_event_ns.filter(|_| self.skip_gaps) {
            to = to.max(next.saturating_sub(self.scaled(LONGEST_WAIT)));
        }
        self.seek(to);
        if self.position.elapsed_ns >= self.end_ns {
            self.playing = false;
        }
        self.position
    }

    /// The session's nanoseconds in a span of real time.
    fn scaled(&self, real: Duration) -> i64 {
        // A float keeps a microsecond over centuries, and the conversion saturates.
        (real.as_nanos() as f64 * self.speed) as i64
    }
}

/// The power of ten at or below a speed, and the speed in units of it. The tolerance is for steps that the
/// arithmetic itself made.
fn decade_and_digit(speed: f64) -> (f64, f64) {
    let decade = 10_f64.powf((speed * (1.0 + 1e-9)).log10().floor());
    (decade, speed / decade)
}

fn next_step(speed: f64) -> f64 {
    let (decade, digit) = decade_and_digit(speed);
    let step = [2.0, 5.0, 10.0]
        .into_iter()
        .find(|step| *step > digit * (1.0 + 1e-9));
    decade * step.unwrap_or(10.0)
}

fn previous_step(speed: f64) -> f64 {
    let (decade, digit) = decade_and_digit(speed);
    let step = [5.0, 2.0, 1.0]
        .into_iter()
        .find(|step| *step < digit * (1.0 - 1e-9));
    decade * step.unwrap_or(0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn playing(speed: f64) -> ReplayClock {
        let mut clock = ReplayClock::new(0, 1000 * SECOND);
        clock.set_speed(speed);
        clock.play();
        clock
    }

    #[test]
    fn a_paused_clock_stands_still() {
        let mut clock = ReplayClock::new(0, 1000 * SECOND);
        assert_eq!(clock.advance(Duration::from_secs(5), None).elapsed_ns, 0);
    }

    #[test]
    fn session_time_passes_at_the_chosen_speed() {
        let mut clock = playing(20.0);
        for _ in 0..100 {
            clock.advance(Duration::from_millis(10), None);
        }
        assert_eq!(clock.position().elapsed_ns, 20 * SECOND);
    }

    #[test]
    fn the_clock_pauses_at_the_end_and_plays_from_the_beginning_again() {
        let mut clock = playing(SPEED_MAX);
        assert_eq!(
            clock.advance(Duration::from_secs(60), None).elapsed_ns,
            1000 * SECOND
        );
        assert!(clock.is_at_end() && !clock.is_playing());
        clock.play();
        assert_eq!((clock.position().elapsed_ns, clock.is_playing()), (0, true));
    }

    #[test]
    fn seeking_stays_within_the_recording() {
        let mut clock = playing(1.0);
        clock.seek_by(-5 * SECOND);
        assert_eq!(clock.position().elapsed_ns, 0);
        clock.seek(i64::MAX);
        assert_eq!(clock.position().elapsed_ns, 1000 * SECOND);
    }

    #[test]
    fn after_a_step_the_clock_stands_behind_one_event_until_time_passes_again() {
        let mut clock = playing(1.0);
        clock.stop_after(17, 30 * SECOND);
        let stepped = clock.advance(Duration::from_secs(1), None);
        assert_eq!((stepped.seq, stepped.elapsed_ns), (Some(17), 30 * SECOND));
        clock.play();
        let moved = clock.advance(Duration::from_secs(1), None);
        assert_eq!((moved.seq, moved.elapsed_ns), (None, 31 * SECOND));
    }

    #[test]
    fn a_gap_is_cut_to_a_second_only_when_asked() {
        let mut clock = playing(2.0);
        let next = Some(600 * SECOND);
        assert_eq!(clock.advance(Duration::from_secs(1), next).elapsed_ns, 2 * SECOND);
        clock.skip_gaps(true);
        assert_eq!(
            clock.advance(Duration::from_millis(1), next).elapsed_ns,
            598 * SECOND
        );
    }

    #[test]
    fn speeds_step_by_one_two_five_and_keep_to_their_range() {
        let mut clock = ReplayClock::new(0, 1);
        let mut speeds = Vec::new();
        for _ in 0..17 {
            clock.faster();
            speeds.push(clock.speed().round() as i64);
        }
        assert_eq!(speeds[..7], [2, 5, 10, 20, 50, 100, 200]);
        assert_eq!(speeds[14..], [100_000; 3]);
        clock.set_speed(30.0);
        clock.slower();
        assert!((clock.speed() - 20.0).abs() < 1e-9);
        for _ in 0..9 {
            clock.slower();
        }
        assert_eq!(clock.speed(), SPEED_MIN);
        clock.set_speed(f64::NAN);
        assert_eq!(clock.speed(), SPEED_MIN);
    }
}
