//! Scripts for direct current.
//!
//! A script outlives the program that sent it, so what protects the cell stands in the script itself: every
//! bound as a condition on every sample, and a time after which the device switches the cell off unless it
//! hears from the program. For that the technique is measured in pieces within one script. While a piece of
//! constant potential or current runs, the program sends `Y`, which ends the piece and begins the next with
//! the cell on all the while, so that nothing steps; a piece that comes to its own end means that nobody is
//! there, and the script ends. Scans of potential must not be cut short, so after each piece of them the
//! potential is held for a while, and `Y` ends the hold.

use super::sweep::read_back;
use super::{Script, ScriptError, check, check_ranging, direct_bandwidth, finite, positive, set_ranging};
use crate::instrument::DirectJob;
use crate::instrument::method_script::value::literal;
use crate::profile::{Bound, DirectTechnique, Quantity, Side};

/// What a script says before it ends at a bound, followed by the bound's number from 0.
pub(in crate::instrument::method_script) const BOUND_PREFIX: &str = "bound ";

/// How long the potential is held between two pieces of a scan while nobody says to go on, in s.
const HOLD_S: f64 = 10.0;

/// Time between samples of such a hold in s.
const HOLD_INTERVAL_S: f64 = 0.1;

/// Most pieces of a scan whose legs are written out, scan by scan.
const MOST_LEGS: usize = 300;

/// Whether a job is longer than the time for which the device goes on by itself.
pub(in crate::instrument::method_script) fn is_in_pieces(job: &DirectJob) -> bool {
    job.technique.duration_s() > job.piece_s
}

impl Script {
    /// A technique of direct current with its bounds.
    ///
    /// # Errors
    /// Where a number is not finite or has the wrong sign, or the whole is longer than a script may be.
    pub fn direct(job: &DirectJob) -> Result<Self, ScriptError> {
        check_direct(job)?;
        let mut writer = Writer {
            job,
            lines: Vec::new(),
            pieces: is_in_pieces(job),
        };
        writer.begin();
        match job.technique {
            DirectTechnique::ChronoAmperometry {
                potential_v,
                duration_s,
            } => writer.constant("meas_loop_ca", potential_v, duration_s),
            DirectTechnique::ChronoPotentiometry {
                current_a,
                duration_s,
            } => writer.constant("meas_loop_cp", current_a, duration_s),
            technique => writer.scan(technique)?,
        }
        writer.end();
        Self::of(writer.lines)
    }
}

struct Writer<'a> {
    job: &'a DirectJob,
    lines: Vec<String>,
    pieces: bool,
}

impl Writer<'_> {
    fn add(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn add_all(&mut self, lines: &[&str]) {
        self.lines.extend(lines.iter().map(|line| (*line).to_owned()));
    }

    fn sets_current(&self) -> bool {
        matches!(self.job.technique, DirectTechnique::ChronoPotentiometry { .. })
    }

    fn begin(&mut self) {
        let job = self.job;
        self.add_all(&["var p", "var c", "var t"]);
        if self.counts_charge() {
            self.add_all(&["var q", "store_var q 0 ja"]);
        }
        if self.pieces {
            // g: go on; n: samples of the running piece.
            self.add_all(&["var g", "var n", "store_var g 1i ja"]);
        }
        self.add(format!("set_pgstat_chan {}", job.channel));
        self.add(format!("set_pgstat_mode {}", job.pgstat_mode));
        let bandwidth = direct_bandwidth(job.interval_s, job.max_bandwidth_hz);
        self.add(format!("set_max_bandwidth {}", literal(bandwidth)));
        if let Some((low_v, high_v)) = job.technique.potentials_v() {
            self.add(format!(
                "set_range_minmax da {} {}",
                literal(low_v),
                literal(high_v)
            ));
        }
        set_ranging(&mut self.lines, job.ranging);
        if let Some(open_circuit_v) = job.open_circuit_v {
            read_back(&mut self.lines, open_circuit_v);
        }
        let first = match job.technique {
            DirectTechnique::ChronoAmperometry { potential_v, .. } => {
                format!("set_e {}", literal(potential_v))
            }
            DirectTechnique::LinearSweep { start_v, .. }
            | DirectTechnique::CyclicVoltammetry { start_v, .. } => {
                format!("set_e {}", literal(start_v))
            }
            DirectTechnique::ChronoPotentiometry { .. } => "set_i 0".to_owned(),
        };
        self.add(first);
        self.add_all(&["cell_on", "timer_start"]);
    }

    fn end(&mut self) {
        self.add("on_finished:");
        if self.sets_current() {
            self.add("set_i 0");
        }
        self.add("cell_off");
    }

    fn counts_charge(&self) -> bool {
        let of_charge = |bound: &Bound| bound.quantity == Quantity::Charge;
        self.job.bounds.iter().any(of_charge)
    }

    /// Constant potential or current, in pieces where it is long.
    fn constant(&mut self, command: &str, value: f64, duration_s: f64) {
        let interval_s = self.job.interval_s;
        let interval = literal(interval_s);
        let value = literal(value);
        if !self.pieces {
            self.add(format!(
                "{command} p c {value} {interval} {}",
                literal(duration_s)
            ));
            self.body(interval_s, false, None);
            return;
        }
        let samples = (self.job.piece_s / interval_s).round().max(1.0);
        self.add("loop g == 1i");
        self.add("store_var n 0i ja");
        let piece_s = samples * interval_s;
        self.add(format!("{command} p c {value} {interval} {}", literal(piece_s)));
        self.body(interval_s, false, Some(duration_s));
        self.nobody_is_there(samples);
        self.add("endloop");
    }

    /// What stands in a measurement loop: the sample is sent, then every bound is looked at. The short hold
    /// between two pieces of a scan, of another interval, is left out of the sum that stands for the charge.
    fn body(&mut self, interval_s: f64, is_hold: bool, duration_s: Option<f64>) {
        self.add("timer_get t");
        if self.pieces {
            self.add("add_var n 1i");
        }
        self.add_all(&["pck_start", "pck_add p", "pck_add c", "pck_add t", "pck_end"]);
        if self.counts_charge() && !is_hold {
            self.add("add_var q c");
        }
        for (index, bound) in self.job.bounds.iter().enumerate() {
            let sign = match bound.side {
                Side::Above => ">",
                Side::Below => "<",
            };
            let conditions = match bound.quantity {
                Quantity::Potential => vec![format!("p {sign} {}", literal(bound.value))],
                Quantity::Current => vec![format!("c {sign} {}", literal(bound.value))],
                Quantity::CurrentModulus => vec![
                    format!("c < {}", literal(bound.value)),
                    format!("c > {}", literal(-bound.value)),
                ],
                // The sum of the currents, so that nothing needs to be multiplied for each sample.
                Quantity::Charge => vec![format!("q {sign} {}", literal(bound.value / interval_s))],
            };
            for condition in &conditions {
                self.add(format!("if {condition}"));
            }
            self.add(format!("send_string \"{BOUND_PREFIX}{index}\""));
            self.leave();
            for _ in &conditions {
                self.add("endif");
            }
        }
        if let Some(duration_s) = duration_s {
            // Half an interval early, so that rounding does not cost a sample more.
            self.add(format!("if t >= {}", literal(duration_s - interval_s / 2.0)));
            self.leave();
            self.add("endif");
        }
        self.add("endloop");
    }

    fn leave(&mut self) {
        if self.pieces {
            self.add("store_var g 0i ja");
        }
        self.add("breakloop");
    }

    fn nobody_is_there(&mut self, samples: f64) {
        self.add(format!("if n >= {samples}i"));
        self.add("store_var g 0i ja");
        self.add("endif");
    }

    /// A scan of potential.
    fn scan(&mut self, technique: DirectTechnique) -> Result<(), ScriptError> {
        let (vertices, step_v, rate_v_per_s, scans) = match technique {
            DirectTechnique::LinearSweep {
                start_v,
                end_v,
                step_v,
                rate_v_per_s,
            } => (vec![start_v, end_v], step_v, rate_v_per_s, 1),
            DirectTechnique::CyclicVoltammetry {
                start_v,
                vertex1_v,
                vertex2_v,
                step_v,
                rate_v_per_s,
                scans,
            } => (
                vec![start_v, vertex1_v, vertex2_v, start_v],
                step_v,
                rate_v_per_s,
                scans,
            ),
            _ => return Ok(()),
        };
        let interval_s = step_v / rate_v_per_s;
        let (step, rate) = (literal(step_v), literal(rate_v_per_s));
        if !self.pieces {
            let potentials: Vec<String> = vertices.iter().take(3).map(|v| literal(*v)).collect();
            let (command, optional) = match technique {
                DirectTechnique::LinearSweep { .. } => ("meas_loop_lsv", String::new()),
                _ if scans > 1 => ("meas_loop_cv", format!(" nscans({scans})")),
                _ => ("meas_loop_cv", String::new()),
            };
            self.add(format!(
                "{command} p c {} {step} {rate}{optional}",
                potentials.join(" ")
            ));
            self.body(interval_s, false, None);
            return Ok(());
        }
        let legs = scans as usize * (vertices.len() - 1);
        check(
            "scans",
            f64::from(scans),
            legs <= MOST_LEGS,
            "at most 100 in a plan's step",
        )?;
        self.add_all(&["var a", "var b", "var k"]);
        // A piece of whole steps, at least one.
        let piece_v = step_v * (self.job.piece_s / interval_s).floor().max(1.0);
        for _ in 0..scans {
            for leg in vertices.windows(2) {
                self.leg(leg[0], leg[1], piece_v, (&step, &rate), interval_s);
            }
        }
        Ok(())
    }

    /// One direction of a scan in pieces, with a hold after each.
    fn leg(&mut self, from_v: f64, to_v: f64, piece_v: f64, (step, rate): (&str, &str), interval_s: f64) {
        let pieces = ((to_v - from_v).abs() / piece_v * (1.0 - 1e-9)).ceil();
        if pieces < 1.0 {
            return;
        }
        let piece_v = piece_v * (to_v - from_v).signum();
        let (end, piece) = (literal(to_v), literal(piece_v));
        self.add(format!("store_var a {} da", literal(from_v)));
        self.add(format!("store_var b {} da", literal(from_v + piece_v)));
        self.add("store_var k 0i ja");
        self.add(format!("loop k < {pieces}i"));
        self.add("if g == 0i");
        self.add("breakloop");
        self.add("endif");
        self.add(format!("if b {} {end}", if to_v > from_v { ">" } else { "<" }));
        self.add(format!("store_var b {end} da"));
        self.add("endif");
        self.add(format!("meas_loop_lsv p c a b {step} {rate}"));
        self.body(interval_s, false, None);
        self.add("if g == 0i");
        self.add("breakloop");
        self.add("endif");
        let samples = HOLD_S / HOLD_INTERVAL_S;
        self.add("store_var n 0i ja");
        let (interval, hold) = (literal(HOLD_INTERVAL_S), literal(HOLD_S));
        self.add(format!("meas_loop_ca p c b {interval} {hold}"));
        self.body(interval_s, true, None);
        self.nobody_is_there(samples);
        self.add(format!("add_var a {piece}"));
        self.add(format!("add_var b {piece}"));
        self.add("add_var k 1i");
        self.add("endloop");
    }
}

fn check_direct(job: &DirectJob) -> Result<(), ScriptError> {
    positive("interval_s", job.interval_s)?;
    positive("piece_s", job.piece_s)?;
    positive("max_bandwidth_hz", job.max_bandwidth_hz)?;
    check_ranging(job.ranging)?;
    for bound in &job.bounds {
        finite("a limit", bound.value)?;
    }
    let duration_s = job.technique.duration_s();
    positive("duration_s", duration_s)?;
    match job.technique {
        DirectTechnique::ChronoAmperometry { potential_v, .. } => finite("potential_v", potential_v)?,
        DirectTechnique::ChronoPotentiometry { current_a, .. } => finite("current_a", current_a)?,
        DirectTechnique::LinearSweep {
            step_v, rate_v_per_s, ..
        }
        | DirectTechnique::CyclicVoltammetry {
            step_v, rate_v_per_s, ..
        } => {
            positive("step_v", step_v)?;
            positive("scan_rate_v_per_s", rate_v_per_s)?;
            let (low_v, high_v) = job.technique.potentials_v().unwrap_or((0.0, 0.0));
            finite("a potential", low_v)?;
            finite("a potential", high_v)?;
            check(
                "step_v",
                step_v,
                step_v <= high_v - low_v,
                "at most the way of the scan",
            )?;
        }
    }
    check(
        "interval_s",
        job.interval_s,
        job.interval_s <= duration_s,
        "at most the duration",
    )?;
    check(
        "piece_s",
        job.piece_s,
        job.piece_s >= 4.0 * job.interval_s,
        "at least four intervals",
    )
}
