//! The scripts that the driver sends.
//!
//! Whatever happens, a cell must not be hurt: the potential is set before the cell is switched on, the
//! current range stays where it was put, and `on_finished:` switches the cell off.

mod direct;
mod sweep;

use super::value::literal;
use crate::instrument::Ranging;

pub(super) use direct::{BOUND_PREFIX, is_in_pieces};
pub(super) use sweep::{BETWEEN_PARTS, NOBODY, READ_BACK};

/// Longest line in bytes without its line end. Sources differ (128 with line end, or 255): the smaller holds.
pub const MAX_SCRIPT_LINE_BYTES: usize = 127;

/// A script, as it stands between `e` and the empty line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    lines: Vec<String>,
}

/// Why a job has no script.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScriptError {
    /// A number that no instrument can be given.
    #[error("{name} = {value} is not usable; it must be {must}")]
    Number {
        /// Which number.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        must: &'static str,
    },
    /// A line longer than devices take.
    #[error("the script line `{0}` is longer than 127 characters")]
    LineTooLong(String),
}

impl Script {
    /// Readings of the open-circuit potential, with the cell off.
    ///
    /// # Errors
    /// Where a time is not finite or not positive, or the interval is longer than the whole.
    pub fn open_circuit(
        duration_s: f64,
        interval_s: f64,
        channel: u32,
        pgstat_mode: u32,
        max_bandwidth_hz: f64,
    ) -> Result<Self, ScriptError> {
        positive("duration_s", duration_s)?;
        positive("interval_s", interval_s)?;
        check(
            "interval_s",
            interval_s,
            interval_s <= duration_s,
            "at most duration_s",
        )?;
        let bandwidth = direct_bandwidth(interval_s, max_bandwidth_hz);
        Self::of(vec![
            "var p".to_owned(),
            format!("set_pgstat_chan {channel}"),
            format!("set_pgstat_mode {pgstat_mode}"),
            format!("set_max_bandwidth {}", literal(bandwidth)),
            "cell_off".to_owned(),
            format!("meas_loop_ocp p {} {}", literal(interval_s), literal(duration_s)),
            "pck_start".to_owned(),
            "pck_add p".to_owned(),
            "pck_end".to_owned(),
            "endloop".to_owned(),
            "on_finished:".to_owned(),
            "cell_off".to_owned(),
        ])
    }

    /// Nothing but switching the cell off: its end is the confirmation.
    #[must_use]
    pub fn cell_off() -> Self {
        Self {
            lines: vec!["cell_off".to_owned()],
        }
    }

    /// A line of the script; lines count from 1, as in the device's errors.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.lines.get(index).map(String::as_str)
    }

    /// Where the device found an error, in words.
    #[must_use]
    pub fn place(&self, number: Option<u32>) -> String {
        match number.map(|number| (number, self.line(number))) {
            Some((number, Some(line))) => format!("line {number}: `{line}`"),
            Some((number, None)) => format!("line {number}"),
            None => "no line given".to_owned(),
        }
    }

    /// What goes over the wire, line by line: `e`, the script, and the empty line that ends it.
    #[must_use]
    pub fn wire_lines(&self) -> Vec<Vec<u8>> {
        std::iter::once("e")
            .chain(self.lines.iter().map(String::as_str))
            .chain([""])
            .map(|line| format!("{line}\n").into_bytes())
            .collect()
    }

    fn of(lines: Vec<String>) -> Result<Self, ScriptError> {
        match lines.iter().find(|line| line.len() > MAX_SCRIPT_LINE_BYTES) {
            Some(line) => Err(ScriptError::LineTooLong(line.clone())),
            None => Ok(Self { lines }),
        }
    }
}

/// Bandwidth in Hz for samples of direct current: six times their rate, as the device's maker writes it.
fn direct_bandwidth(interval_s: f64, max_bandwidth_hz: f64) -> f64 {
    (6.0 / interval_s).min(max_bandwidth_hz)
}

/// Pins the current range, or leaves it to the device between two of them.
fn set_ranging(lines: &mut Vec<String>, ranging: Ranging) {
    let (range_a, low_a, high_a) = match ranging {
        Ranging::Pinned(range_a) => (range_a, range_a, range_a),
        Ranging::Auto { low_a, high_a } => (high_a, low_a, high_a),
    };
    lines.push(format!("set_range ba {}", literal(range_a)));
    lines.push(format!(
        "set_autoranging ba {} {}",
        literal(low_a),
        literal(high_a)
    ));
}

fn check_ranging(ranging: Ranging) -> Result<(), ScriptError> {
    match ranging {
        Ranging::Pinned(range_a) => positive("current_range_a", range_a),
        Ranging::Auto { low_a, high_a } => {
            positive("the finest range", low_a)?;
            positive("the coarsest range", high_a)?;
            check(
                "the finest range",
                low_a,
                low_a <= high_a,
                "at most the coarsest one",
            )
        }
    }
}

fn check(name: &'static str, value: f64, good: bool, must: &'static str) -> Result<(), ScriptError> {
    if good {
        Ok(())
    } else {
        Err(ScriptError::Number { name, value, must })
    }
}

fn finite(name: &'static str, value: f64) -> Result<(), ScriptError> {
    check(name, value, value.abs() < 1e18, "a number")
}

fn positive(name: &'static str, value: f64) -> Result<(), ScriptError> {
    check(name, value, value > 0.0 && value < 1e18, "a positive number")
}

#[cfg(test)]
mod tests;
