//! What a driver of a line profile must know of its instrument.

use std::sync::Arc;

use crate::profile::line::LineProfile;
use crate::profile::{CurrentRange, Instrument, PointTiming};

/// The shortest time after which an answer counts as missing, in s of real time.
const SHORTEST_TIMEOUT_S: f64 = 2.0;

/// Settings of a driver.
#[derive(Clone, Debug)]
pub struct LineSettings {
    /// What is said on the line.
    pub line: Arc<LineProfile>,
    /// The device that must answer.
    pub device: String,
    /// How long a point takes before anything was measured, in the session's clock.
    pub timing: PointTiming,
    /// The current ranges, for their codes.
    pub current_ranges: Vec<CurrentRange>,
    /// How much faster than real time the session's clock runs; 1 for a real instrument.
    pub time_scale: f64,
}

impl LineSettings {
    /// Settings from a profile; none where its protocol is another.
    #[must_use]
    pub fn new(profile: &Instrument, time_scale: f64) -> Option<Self> {
        Some(Self {
            line: Arc::new(profile.line.clone()?),
            device: profile.device.clone(),
            timing: profile.timing,
            current_ranges: profile.current_ranges.clone(),
            time_scale,
        })
    }

    /// A time of the session's clock in s, but at least 2 s of real time.
    pub(super) fn timeout_s(&self, seconds: f64) -> f64 {
        seconds.max(SHORTEST_TIMEOUT_S * self.time_scale)
    }
}
