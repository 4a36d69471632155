//! The scripts that the driver sends.
//!
//! Whatever happens, a cell must not be hurt: the potential is set before the cell is switched on, the
//! current range stays where it was put, and `on_finished:` switches the cell off.

use super::value::literal;
use crate::instrument::SweepJob;

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
    /// A sweep of impedance: potentiostatic, with a pinned current range.
    ///
    /// # Errors
    /// Where a number is not finite or has the wrong sign, or the frequencies are in the wrong order.
    pub fn sweep(job: &SweepJob) -> Result<Self, ScriptError> {
        positive("f_max_hz", job.f_max_hz)?;
        positive("f_min_hz", job.f_min_hz)?;
        positive("amplitude_vrms", job.amplitude_vrms)?;
        positive("current_range_a", job.current_range_a)?;
        positive("max_bandwidth_hz", job.max_bandwidth_hz)?;
        finite("bias_v", job.bias_v)?;
        let ordered = job.f_min_hz < job.f_max_hz || (job.f_min_hz == job.f_max_hz && job.n_points == 1);
        check("f_min_hz", job.f_min_hz, ordered, "below f_max_hz")?;
        check(
            "n_points",
            f64::from(job.n_points),
            job.n_points > 0,
            "at least 1",
        )?;

        let (bias, range) = (literal(job.bias_v), literal(job.current_range_a));
        Self::of([
            "var f".to_owned(),
            "var r".to_owned(),
            "var j".to_owned(),
            "set_pgstat_chan 0".to_owned(),
            format!("set_pgstat_mode {}", job.pgstat_mode),
            format!("set_max_bandwidth {}", literal(job.max_bandwidth_hz)),
            format!("set_range_minmax da {bias} {bias}"),
            format!("set_range ba {range}"),
            format!("set_autoranging ba {range} {range}"),
            format!("set_e {bias}"),
            "cell_on".to_owned(),
            format!(
                "meas_loop_eis f r j {} {} {} {} {bias}",
                literal(job.amplitude_vrms),
                literal(job.f_max_hz),
                literal(job.f_min_hz),
                job.n_points
            ),
            "pck_start".to_owned(),
            "pck_add f".to_owned(),
            "pck_add r".to_owned(),
            "pck_add j".to_owned(),
            "pck_end".to_owned(),
            "endloop".to_owned(),
            "on_finished:".to_owned(),
            "cell_off".to_owned(),
        ])
    }

    /// Readings of the open-circuit potential, with the cell off.
    ///
    /// # Errors
    /// Where a time is not finite or not positive, or the interval is longer than the whole.
    pub fn open_circuit(
        duration_s: f64,
        interval_s: f64,
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
        // Six times the data rate, as the device's maker writes it for direct-current techniques.
        let bandwidth = (6.0 / interval_s).min(max_bandwidth_hz);
        Self::of([
            "var p".to_owned(),
            "set_pgstat_chan 0".to_owned(),
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

    fn of<const N: usize>(lines: [String; N]) -> Result<Self, ScriptError> {
        match lines.iter().find(|line| line.len() > MAX_SCRIPT_LINE_BYTES) {
            Some(line) => Err(ScriptError::LineTooLong(line.clone())),
            None => Ok(Self { lines: lines.into() }),
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn job() -> SweepJob {
        SweepJob {
            f_max_hz: 200e3,
            f_min_hz: 0.1,
            n_points: 64,
            amplitude_vrms: 0.01,
            bias_v: 0.620_41,
            current_range_a: 0.01,
            pgstat_mode: 3,
            max_bandwidth_hz: 200e3,
        }
    }

    fn text(script: &Script) -> String {
        String::from_utf8(script.wire_lines().concat()).unwrap()
    }

    #[test]
    fn a_sweep_sets_bias_and_range_before_the_cell_is_on_and_ends_with_the_cell_off() {
        let expected = "e\nvar f\nvar r\nvar j\nset_pgstat_chan 0\nset_pgstat_mode 3\nset_max_bandwidth 200k\n\
            set_range_minmax da 620410u 620410u\nset_range ba 10m\nset_autoranging ba 10m 10m\nset_e 620410u\n\
            cell_on\nmeas_loop_eis f r j 10m 200k 100m 64 620410u\npck_start\npck_add f\npck_add r\npck_add j\n\
            pck_end\nendloop\non_finished:\ncell_off\n\n";
        assert_eq!(text(&Script::sweep(&job()).unwrap()), expected);
    }

    #[test]
    fn the_open_circuit_potential_is_read_with_the_cell_off() {
        let script = text(&Script::open_circuit(5.0, 0.5, 3, 200e3).unwrap());
        let off = script.find("cell_off\nmeas_loop_ocp p 500m 5\n");
        assert!(off.is_some(), "{script}");
        assert!(!script.contains("cell_on"));
    }

    #[test]
    fn a_line_is_named_as_the_device_counts_it() {
        let script = Script::sweep(&job()).unwrap();
        assert_eq!(script.line(1), Some("var f"));
        assert_eq!(script.place(Some(10)), "line 10: `set_e 620410u`");
        assert_eq!(script.line(0), None);
        assert_eq!(script.place(Some(99)), "line 99");
    }

    #[test]
    fn impossible_numbers_are_refused_by_name() {
        let refused = |change: fn(&mut SweepJob)| {
            let mut job = job();
            change(&mut job);
            Script::sweep(&job).unwrap_err().to_string()
        };
        assert!(refused(|job| job.bias_v = f64::NAN).starts_with("bias_v"));
        assert!(refused(|job| job.amplitude_vrms = 0.0).starts_with("amplitude_vrms"));
        assert!(refused(|job| job.f_min_hz = 1e6).starts_with("f_min_hz"));
        assert!(refused(|job| job.n_points = 0).starts_with("n_points"));
        assert!(Script::open_circuit(1.0, 2.0, 3, 1e3).is_err());
    }

    proptest! {
        #[test]
        fn every_script_has_short_lines_without_decimal_points_and_ends_with_one_empty_line(
            decades in (-3.0f64..5.3, 0.1f64..8.0), bias in -10.0f64..10.0, range in -9.0f64..0.0, n in 2u32..1000,
        ) {
            let f_max_hz = 10f64.powf(decades.0);
            let job = SweepJob {
                f_max_hz, f_min_hz: f_max_hz / 10f64.powf(decades.1), n_points: n, bias_v: bias,
                current_range_a: 10f64.powf(range), ..job()
            };
            let text = text(&Script::sweep(&job).unwrap());
            prop_assert!(text.ends_with("cell_off\n\n"));
            prop_assert_eq!(text.matches("\n\n").count(), 1);
            prop_assert!(!text.contains('.') && !text.contains('\r') && text.is_ascii());
            prop_assert!(text.lines().all(|line| line.len() <= MAX_SCRIPT_LINE_BYTES));
        }
    }
}
