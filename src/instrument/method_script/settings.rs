//! What the driver must know of the instrument that it drives.

use crate::profile::{CurrentRange, Instrument, PointTiming};

/// The shortest time after which an answer counts as missing, in s of real time.
const SHORTEST_TIMEOUT_S: f64 = 2.0;

/// A device ignores what it is sent for over 50 ms after an error reply; PalmSens' own client waits so long.
const ERROR_PAUSE_S: f64 = 0.1;

/// Settings of a MethodSCRIPT driver.
#[derive(Clone, Debug, PartialEq)]
pub struct DriverSettings {
    /// The device type that must answer (`es4_hr`).
    pub device: String,
    /// How long a point takes before anything was measured, in the session's clock.
    pub timing: PointTiming,
    /// The current ranges, to name the one of a point.
    pub current_ranges: Vec<CurrentRange>,
    /// Potentiostat mode for readings of the open-circuit potential.
    pub pgstat_mode: u32,
    /// Highest bandwidth in Hz.
    pub max_bandwidth_hz: f64,
    /// Channel for readings of the open-circuit potential.
    pub channel: u32,
    /// Pause after each line of a script in s of real time.
    pub line_delay_s: f64,
    /// How much faster than real time the session's clock runs; 1 for a real instrument.
    pub time_scale: f64,
}

impl DriverSettings {
    /// Settings from a profile; `time_scale` is 1 for a real instrument.
    #[must_use]
    pub fn new(profile: &Instrument, time_scale: f64) -> Self {
        Self {
            device: profile.device.clone(),
            timing: profile.timing,
            current_ranges: [&profile.current_ranges[..], &profile.direct_current_ranges[..]].concat(),
            pgstat_mode: profile.pgstat_mode,
            max_bandwidth_hz: profile.max_bandwidth_hz,
            channel: 0,
            line_delay_s: profile.link.line_delay_s,
            time_scale,
        }
    }

    /// A time of the session's clock in s, but at least 2 s of real time.
    #[must_use]
    pub fn timeout_s(&self, seconds: f64) -> f64 {
        seconds.max(SHORTEST_TIMEOUT_S * self.time_scale)
    }

    /// Pause after an error reply in s of the session's clock.
    #[must_use]
    pub fn error_pause_s(&self) -> f64 {
        ERROR_PAUSE_S * self.time_scale
    }

    /// Pause after a line of a script in s of the session's clock.
    #[must_use]
    pub fn line_pause_s(&self) -> f64 {
        self.line_delay_s * self.time_scale
    }

    /// The name of the current range with this code.
    #[must_use]
    pub fn range_label(&self, code: u8) -> String {
        // The Nexus adds 32 to the code where it is a galvanostat.
        let known = |code: u8| self.current_ranges.iter().find(|range| range.code == code);
        let galvanostat = || known(code.checked_sub(32)?).filter(|_| self.device.starts_with("nexus"));
        known(code)
            .or_else(galvanostat)
            .map_or_else(|| format!("range {code:02X}"), |range| range.label.clone())
    }
}
