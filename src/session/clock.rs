//! The session's clock: the cell's time, from one anchor, so that it never jumps.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::event::Stamp;

/// `utc = start + scale x elapsed`. With a simulated instrument the scale may be above 1, and plans,
/// waits and stamps are in the cell's time; time-outs, commits and sockets are in real time.
#[derive(Clone, Copy, Debug)]
pub struct SessionClock {
    start: Instant,
    start_utc_ns: i64,
    /// Seconds that had passed at `start` in a session that is gone on with.
    before_s: f64,
    scale: f64,
}

impl SessionClock {
    /// A clock that starts now and runs `scale` times faster than the wall clock.
    #[must_use]
    pub fn start(scale: f64) -> Self {
        let utc_ns = Timestamp::now().as_nanosecond();
        Self {
            start: Instant::now(),
            start_utc_ns: i64::try_from(utc_ns).unwrap_or(i64::MAX),
            before_s: 0.0,
            scale,
        }
    }

    /// The clock of a session that was cut off: what has passed since is what UTC says, and never less than
    /// nothing.
    #[must_use]
    pub fn go_on(scale: f64, last: Stamp) -> Self {
        let now = Self::start(scale);
        let start_utc_ns = last.utc_ns.saturating_sub(last.elapsed_ns);
        // The wall clock showed `start_utc_ns` when the session began, whatever its scale.
        let passed_s = now.start_utc_ns.saturating_sub(start_utc_ns) as f64 / 1e9;
        Self {
            start_utc_ns,
            before_s: (passed_s * scale).max(last.elapsed_s()),
            ..now
        }
    }

    /// How much faster than the wall clock it runs.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The present moment.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        let elapsed_ns = (self.now_s() * 1e9).round() as i64;
        Stamp {
            utc_ns: self.start_utc_ns.saturating_add(elapsed_ns),
            elapsed_ns,
        }
    }

    /// Seconds of the cell's time since the start.
    #[must_use]
    pub fn now_s(&self) -> f64 {
        self.before_s + self.start.elapsed().as_secs_f64() * self.scale
    }

    /// The moment of the wall clock at which the session's clock shows `at_s`.
    #[must_use]
    pub fn instant_at(&self, at_s: f64) -> Instant {
        let seconds = ((at_s - self.before_s) / self.scale).clamp(0.0, 1e9);
        self.start + Duration::from_secs_f64(seconds)
    }

    /// A stretch of real time in the session's clock.
    #[must_use]
    pub fn stretch_of_real_s(&self, real_s: f64) -> f64 {
        real_s * self.scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_goes_on_has_passed_what_utc_says_and_never_runs_back() {
        let utc_ns = i64::try_from(Timestamp::now().as_nanosecond()).unwrap();
        let an_hour_ago = Stamp {
            utc_ns: utc_ns - 3_600_000_000_000,
            elapsed_ns: 60_000_000_000,
        };
        let clock = SessionClock::go_on(1.0, an_hour_ago);
        assert!((clock.now_s() - 3660.0).abs() < 5.0, "{}", clock.now_s());
        let stamp = clock.stamp();
        assert!((stamp.utc_ns - utc_ns).abs() < 5_000_000_000);
        let at = clock.instant_at(clock.now_s() + 10.0);
        assert!((at - Instant::now()).as_secs_f64() > 9.0);

        let ahead = Stamp {
            utc_ns: utc_ns + 3_600_000_000_000,
            elapsed_ns: 60_000_000_000,
        };
        assert!(SessionClock::go_on(1.0, ahead).now_s() >= 60.0);
    }
}
