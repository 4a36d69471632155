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
            scale,
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
        self.start.elapsed().as_secs_f64() * self.scale
    }

    /// The moment of the wall clock at which the session's clock shows `at_s`.
    #[must_use]
    pub fn instant_at(&self, at_s: f64) -> Instant {
        let seconds = (at_s / self.scale).clamp(0.0, 1e9);
        self.start + Duration::from_secs_f64(seconds)
    }

    /// A stretch of real time in the session's clock.
    #[must_use]
    pub fn stretch_of_real_s(&self, real_s: f64) -> f64 {
        real_s * self.scale
    }
}
