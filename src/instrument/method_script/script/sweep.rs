//! Scripts for sweeps of impedance.

use super::{Script, ScriptError, check, check_ranging, finite, positive, set_ranging};
use crate::instrument::method_script::value::literal;
use crate::instrument::{SweepJob, SweepPart};

/// What a script says before it ends because the resting cell is not at the potential that was read before.
pub(in crate::instrument::method_script) const READ_BACK: &str = "the cell does not rest where it did";

/// What a script says before it ends because the cell has left its limits between two parts of a sweep.
pub(in crate::instrument::method_script) const BETWEEN_PARTS: &str = "the potential has left its limits";

/// What a script says before it ends because nobody said to go on between two parts of a sweep.
pub(in crate::instrument::method_script) const NOBODY: &str = "nobody says to go on";

/// Time between samples of a hold between two parts in s.
const HOLD_INTERVAL_S: f64 = 0.1;

/// How far the potential of the resting cell may be from what was read before, in V.
const READ_BACK_V: f64 = 0.005;

/// How long the potential is read before the cell is switched on, in s.
const READ_BACK_S: f64 = 0.2;

impl Script {
    /// A sweep of impedance in one or several parts, potentiostatic or galvanostatic.
    ///
    /// # Errors
    /// Where a number is not finite or has the wrong sign, or the frequencies are in the wrong order.
    pub fn sweep(job: &SweepJob) -> Result<Self, ScriptError> {
        let parts = job.all_parts();
        positive("max_bandwidth_hz", job.max_bandwidth_hz)?;
        finite("bias_v", job.bias_v)?;
        finite("bias_a", job.bias_a.unwrap_or(0.0))?;
        for part in &parts {
            check_part(part, job.bias_a.is_some())?;
        }
        let looks_between = job.potential_limits_v.filter(|_| job.bias_a.is_some());
        let mut lines = vec!["var f".to_owned(), "var r".to_owned(), "var j".to_owned()];
        let hold_s = job.hold_s.filter(|_| parts.len() > 1);
        if job.open_circuit_v.is_some() || (looks_between.is_some() && parts.len() > 1) || hold_s.is_some() {
            lines.push("var p".to_owned());
        }
        if let Some(hold_s) = hold_s {
            positive("hold_s", hold_s)?;
            lines.extend(["var c", "var n"].map(str::to_owned));
        }
        lines.push(format!("set_pgstat_chan {}", job.channel));
        lines.push(format!("set_pgstat_mode {}", job.pgstat_mode));
        lines.push(format!("set_max_bandwidth {}", literal(job.max_bandwidth_hz)));
        let bias = literal(job.bias_v);
        if job.bias_a.is_none() {
            lines.push(format!("set_range_minmax da {bias} {bias}"));
        }
        let mut ranging = parts[0].ranging;
        set_ranging(&mut lines, ranging);
        if let Some(open_circuit_v) = job.open_circuit_v {
            read_back(&mut lines, open_circuit_v);
        }
        lines.push(match job.bias_a {
            None => format!("set_e {bias}"),
            // Without it the current of whatever was measured before would flow at once.
            Some(_) => "set_i 0".to_owned(),
        });
        lines.push("cell_on".to_owned());
        for (index, part) in parts.iter().enumerate() {
            if part.ranging != ranging {
                ranging = part.ranging;
                set_ranging(&mut lines, ranging);
            }
            if let Some(limits_v) = looks_between.filter(|_| index > 0) {
                stop_outside(&mut lines, limits_v, BETWEEN_PARTS, "50m");
            }
            let (command, hold, against) = match job.bias_a {
                None => ("meas_loop_eis", "meas_loop_ca", bias.clone()),
                Some(bias_a) => ("meas_loop_geis", "meas_loop_cp", literal(bias_a)),
            };
            if let Some(hold_s) = hold_s.filter(|_| index > 0) {
                wait_for_somebody(&mut lines, hold, &against, hold_s);
            }
            lines.push(format!(
                "{command} f r j {} {} {} {} {against}",
                literal(part.amplitude),
                literal(part.f_max_hz),
                literal(part.f_min_hz),
                part.n_points
            ));
            for line in [
                "pck_start",
                "pck_add f",
                "pck_add r",
                "pck_add j",
                "pck_end",
                "endloop",
            ] {
                lines.push(line.to_owned());
            }
        }
        lines.push("on_finished:".to_owned());
        if job.bias_a.is_some() {
            lines.push("set_i 0".to_owned());
        }
        lines.push("cell_off".to_owned());
        Self::of(lines)
    }
}

fn check_part(part: &SweepPart, galvanostatic: bool) -> Result<(), ScriptError> {
    positive("f_max_hz", part.f_max_hz)?;
    positive("f_min_hz", part.f_min_hz)?;
    let name = if galvanostatic {
        "amplitude_arms"
    } else {
        "amplitude_vrms"
    };
    positive(name, part.amplitude)?;
    check_ranging(part.ranging)?;
    let ordered = part.f_min_hz < part.f_max_hz || (part.f_min_hz == part.f_max_hz && part.n_points == 1);
    check("f_min_hz", part.f_min_hz, ordered, "below f_max_hz")?;
    check(
        "n_points",
        f64::from(part.n_points),
        part.n_points > 0,
        "at least 1",
    )
}

/// Reads the potential of the resting cell and ends the script where it is not what was read before: a lead
/// has come off, or it is another cell. The cell is still off then.
pub(super) fn read_back(lines: &mut Vec<String>, open_circuit_v: f64) {
    let limits_v = (open_circuit_v - READ_BACK_V, open_circuit_v + READ_BACK_V);
    stop_outside(lines, limits_v, READ_BACK, &literal(READ_BACK_S));
}

/// Holds the cell under its bias until the program says `Y`; where it does not, the script ends, cell off.
fn wait_for_somebody(lines: &mut Vec<String>, command: &str, bias: &str, hold_s: f64) {
    let samples = (hold_s / HOLD_INTERVAL_S).round().max(1.0);
    let (interval, hold) = (literal(HOLD_INTERVAL_S), literal(samples * HOLD_INTERVAL_S));
    lines.push("store_var n 0i ja".to_owned());
    lines.push(format!("{command} p c {bias} {interval} {hold}"));
    for line in [
        "add_var n 1i",
        "pck_start",
        "pck_add p",
        "pck_add c",
        "pck_end",
        "endloop",
    ] {
        lines.push(line.to_owned());
    }
    lines.push(format!("if n >= {samples}i"));
    lines.push(format!("send_string \"{NOBODY}\""));
    lines.push("abort".to_owned());
    lines.push("endif".to_owned());
}

fn stop_outside(lines: &mut Vec<String>, (low_v, high_v): (f64, f64), why: &str, duration: &str) {
    lines.push(format!("meas {duration} p ab"));
    for (sign, limit_v) in [(">", high_v), ("<", low_v)] {
        lines.push(format!("if p {sign} {}", literal(limit_v)));
        lines.push(format!("send_string \"{why}\""));
        lines.push("abort".to_owned());
        lines.push("endif".to_owned());
    }
}
