//! The axes of all figures, following the state calmly; and the fitted curve that they show.

use std::collections::BTreeMap;

use num_complex::Complex64;

use crate::circuit::Circuit;
use crate::event::Fit;
use crate::figure::{AxisMemory, Curve, HistoryAbscissa, Range, Scale, phase_deg};
use crate::spectrum::Point;
use crate::state::{History, State, SweepRecord};

/// Points of the drawn curve in a decade of frequency.
const CURVE_POINTS_PER_DECADE: f64 = 40.0;
/// How far below the frequencies of an ended sweep the curve is foretold, as a factor.
const FORETOLD_BEYOND: f64 = 10.0;

/// How many times the noise a live fit may differ from the drawn one before it is drawn anew.
const HELD_WITHIN_NOISE: f64 = 0.8;
/// Relative error from which on a parameter of a running sweep is shown.
const SETTLED: f64 = 0.1;
/// The same for an inductance.
const SETTLED_INDUCTANCE: f64 = 0.5;
/// The same for an exponent, as an absolute error.
const SETTLED_EXPONENT: f64 = 0.02;
/// Name under which the noise in per cent is held with the numbers.
pub const NOISE: &str = "noise %";
/// Name under which the time of the fit in microseconds is held.
pub const ELAPSED: &str = "elapsed us";
/// The noise in per cent where a fit does not tell.
const USUAL_NOISE_PERCENT: f64 = 0.3;

/// The axes of all figures, and the live fit whose curve is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Axes {
    /// The fit whose curve is drawn: each new point refits, but a curve that differs by less than
    /// the noise would only flicker.
    held: Option<Fit>,
    /// Value and error of parameters and sums of the live fit as they are shown: they stand until they
    /// are wrong by half an error, or the error by a quarter of itself.
    numbers: BTreeMap<String, (f64, f64)>,
    shown: Option<u32>,
    last_seq: u64,
    /// Z' of the Nyquist plot.
    pub real: AxisMemory,
    /// -Z'' of the Nyquist plot.
    pub imaginary: AxisMemory,
    /// |Z|.
    pub modulus: AxisMemory,
    /// Minus the phase.
    pub phase: AxisMemory,
    /// Residuals in per cent.
    pub residual: AxisMemory,
    /// The abscissa of histories.
    pub history_x: AxisMemory,
    /// The ordinate of each history.
    pub histories: BTreeMap<String, AxisMemory>,
}

impl Default for Axes {
    fn default() -> Self {
        Self {
            held: None,
            numbers: BTreeMap::new(),
            shown: None,
            last_seq: 0,
            real: AxisMemory::default(),
            imaginary: AxisMemory::default(),
            modulus: AxisMemory::new(Scale::Log),
            phase: AxisMemory::default(),
            residual: AxisMemory::default(),
            history_x: AxisMemory::default(),
            histories: BTreeMap::new(),
        }
    }
}

impl Axes {
    /// Takes in the state, of which the sweep of number `shown` is looked at.
    pub fn observe(&mut self, state: &State, shown: Option<u32>) {
        let seq = state.head().last_seq;
        let rewound = seq < self.last_seq;
        let fresh = shown != self.shown || rewound;
        (self.last_seq, self.shown) = (seq, shown);
        if let Some(sweep) = shown.and_then(|number| state.sweep(number)) {
            // A running sweep will look much like the one before it: its extent is known beforehand.
            let before = sweep
                .ended
                .is_none()
                .then(|| sweep_before(state, sweep))
                .flatten();
            let points = || {
                before
                    .iter()
                    .flat_map(|sweep| sweep.points())
                    .chain(sweep.points())
            };
            self.hold(state.fit_of(sweep.started.sweep), sweep, fresh);
            follow(&mut self.real, fresh, points(), |point| point.z_real_ohm);
            follow(&mut self.imaginary, fresh, points(), |point| -point.z_imag_ohm);
            follow(&mut self.modulus, fresh, points(), |point| {
                point.impedance().norm()
            });
            follow(&mut self.phase, fresh, points(), |point| {
                -phase_deg(point.impedance())
            });
            let fits = before
                .into_iter()
                .chain([sweep])
                .filter_map(|sweep| Some(residuals(self.drawn_fit(state, sweep)?, sweep.points())));
            let largest = fits
                .flatten()
                .flat_map(|(_, residual)| [residual.re.abs(), residual.im.abs()])
                .filter(|value| value.is_finite())
                .fold(0.0f64, f64::max);
            if largest > 0.0 {
                let largest = 100.0 * largest;
                self.residual.observe(Range::new(-largest, largest), fresh);
            }
        }
        if fresh || state.sweeps().last().is_some_and(|sweep| sweep.ended.is_some()) {
            self.observe_histories(state, rewound);
        }
    }

    /// Takes a fit to be drawn, unless it is a live one that is the drawn one all but for noise.
    fn hold(&mut self, fit: Option<&Fit>, sweep: &SweepRecord, fresh: bool) {
        let is_held = !fresh
            && match (&self.held, fit) {
                (Some(held), Some(fit)) => {
                    held.sweep == fit.sweep
                        && !fit.is_final
                        && !held.is_final
                        && look_alike(held, fit, sweep.points())
                }
                _ => false,
            };
        if !is_held {
            self.held = fit.cloned();
        }
        self.hold_numbers(fit.filter(|fit| !fit.is_final), fresh);
    }

    fn hold_numbers(&mut self, live: Option<&Fit>, fresh: bool) {
        if fresh || live.is_none() {
            self.numbers.clear();
        }
        let Some(result) = live.map(|fit| &fit.result) else {
            return;
        };
        for parameter in &result.parameters {
            let known = parameter.determined && !parameter.at_bound;
            let limit = match parameter.unit.as_str() {
                "1" => SETTLED_EXPONENT,
                // Leads: what they add to |Z| is known long before they are.
                "H" => SETTLED_INDUCTANCE * parameter.value.abs(),
                _ => SETTLED * parameter.value.abs(),
            };
            self.hold_number(
                &parameter.name,
                parameter.value,
                parameter.std_error.filter(|_| known),
                limit,
            );
        }
        for sum in &result.sums {
            let error = sum.std_error.filter(|_| sum.determined);
            self.hold_number(&sum.name, sum.value, error, SETTLED * sum.value.abs());
        }
        if let Some(noise) = result.noise_percent {
            self.hold_number(NOISE, noise, Some(0.1 * noise), f64::INFINITY);
        }
        self.hold_number(
            ELAPSED,
            result.elapsed_us,
            Some(0.5 * result.elapsed_us),
            f64::INFINITY,
        );
    }

    /// A number appears when its error is below `limit`, and goes when it is above twice that.
    fn hold_number(&mut self, name: &str, value: f64, error: Option<f64>, limit: f64) {
        let shown = self.numbers.get(name).copied();
        let limit = if shown.is_some() { 2.0 * limit } else { limit };
        let Some(error) = error.filter(|error| value.is_finite() && *error <= limit) else {
            self.numbers.remove(name);
            return;
        };
        let stands = shown.is_some_and(|(shown, shown_error)| {
            (value - shown).abs() <= 0.5 * error && (0.8..=1.25).contains(&(error / shown_error))
        });
        if !stands {
            self.numbers.insert(name.to_owned(), (value, error));
        }
    }

    /// Whether the fit that is drawn says something beyond the data: only where they determine every
    /// parameter, and while the sweep runs only where all numbers are shown.
    pub fn foretells(&self, fit: &Fit) -> bool {
        fit.result.parameters.iter().all(|parameter| {
            let known = parameter.determined && !parameter.at_bound && parameter.value.is_finite();
            parameter.fixed || (known && (fit.is_final || self.numbers.contains_key(&parameter.name)))
        })
    }

    /// Value and error of a parameter or sum of the live fit as they are shown.
    pub fn shown_number(&self, name: &str) -> Option<(f64, f64)> {
        self.numbers.get(name).copied()
    }

    /// The fit whose curve is drawn for a sweep.
    pub fn drawn_fit<'a>(&'a self, state: &'a State, sweep: &SweepRecord) -> Option<&'a Fit> {
        let newest = state.fit_of(sweep.started.sweep)?;
        let held = self
            .held
            .as_ref()
            .filter(|held| held.sweep == newest.sweep && held.is_final == newest.is_final);
        Some(held.unwrap_or(newest))
    }

    fn observe_histories(&mut self, state: &State, rewound: bool) {
        for name in history_names(state) {
            let history = state.history(&name);
            let abscissa = HistoryAbscissa::of(&history);
            let first = if abscissa == HistoryAbscissa::Time {
                0.0
            } else {
                1.0
            };
            if let Some(x) = Range::of(history.points.iter().map(|point| abscissa.place(point))) {
                self.history_x.observe(x.with(first), rewound);
            }
            let ends = history.determined().flat_map(|point| {
                // One sweep that says next to nothing must not flatten all others.
                let error = point.std_error.filter(|error| *error < 0.5 * point.value.abs());
                let error = error.unwrap_or(0.0);
                [point.value - error, point.value + error]
            });
            if let Some(y) = Range::of(ends) {
                self.histories.entry(name).or_default().observe(y, rewound);
            }
        }
    }
}

/// Whether two fits of a circuit give the same curve where it was measured, within the noise.
fn look_alike(held: &Fit, fit: &Fit, points: &[Point]) -> bool {
    if held.result.circuit != fit.result.circuit {
        return false;
    }
    let (Some((circuit, before)), Some((_, now))) = (evaluator(held), evaluator(fit)) else {
        return false;
    };
    let noise = fit.result.noise_percent.unwrap_or(USUAL_NOISE_PERCENT) / 100.0;
    points.iter().filter(|point| point.is_usable()).all(|point| {
        let (before, now) = (
            circuit.impedance(&before, point.frequency_hz),
            circuit.impedance(&now, point.frequency_hz),
        );
        (now - before).norm() <= HELD_WITHIN_NOISE * noise * now.norm()
    })
}

/// The usable points' extent, for one coordinate.
fn follow<'a>(
    memory: &mut AxisMemory,
    fresh: bool,
    points: impl Iterator<Item = &'a Point>,
    coordinate: impl Fn(&Point) -> f64,
) {
    let values = points.filter(|point| point.is_usable()).map(coordinate);
    if let Some(extent) = Range::of(values) {
        memory.observe(extent, fresh);
    }
}

/// The last sweep before that one that has points.
pub fn sweep_before<'a>(state: &'a State, sweep: &SweepRecord) -> Option<&'a SweepRecord> {
    let at = state
        .sweeps()
        .iter()
        .rposition(|other| other.started.sweep == sweep.started.sweep)?;
    state.sweeps()[..at]
        .iter()
        .rev()
        .find(|other| !other.points().is_empty())
}

/// What has a history: the followed sums, then the parameters in the circuit's order.
pub fn history_names(state: &State) -> Vec<String> {
    let mut names: Vec<String> = state
        .head()
        .session
        .as_ref()
        .map(|(_, session)| session.track.clone())
        .unwrap_or_default();
    let newest = state.sweeps().iter().rev().find_map(|sweep| sweep.fit.as_ref());
    if let Some((_, fit)) = newest {
        let sums = fit.result.sums.iter().map(|sum| &sum.name);
        for name in sums.chain(fit.result.parameters.iter().map(|parameter| &parameter.name)) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}

/// The frequencies that a sweep is about, with a little room at both ends.
pub fn frequency_range(sweep: &SweepRecord) -> Range {
    let planned = [sweep.started.f_min_hz, sweep.started.f_max_hz];
    let measured = sweep.points().iter().map(|point| point.frequency_hz);
    let range = Range::of(
        planned
            .into_iter()
            .chain(measured)
            .filter(|frequency| *frequency > 0.0),
    );
    let range = range.unwrap_or(Range::new(0.1, 1e5));
    Range::new(range.low / 1.3, range.high * 1.3)
}

/// Circuit and values of a fit, ready to be evaluated.
fn evaluator(fit: &Fit) -> Option<(Circuit, Vec<f64>)> {
    let circuit = Circuit::parse(&fit.result.circuit).ok()?;
    let values = circuit
        .parameters()
        .iter()
        .map(|parameter| Some(fit.result.parameter(&parameter.name)?.value))
        .collect::<Option<Vec<_>>>()?;
    Some((circuit, values))
}

/// The fitted curve over the measured frequencies, and beyond them where the fit can foretell: only
/// where the data determine every parameter.
pub fn curve(fit: Option<&Fit>, sweep: &SweepRecord, foretells: bool) -> Curve {
    let Some(fit) = fit else { return Curve::default() };
    let Some((circuit, values)) = evaluator(fit) else {
        return Curve::default();
    };
    let usable = sweep.points().iter().filter(|point| point.is_usable());
    let Some(measured) = Range::of(usable.map(|point| point.frequency_hz)) else {
        return Curve::default();
    };
    let evaluate = |frequency: f64| (frequency, circuit.impedance(&values, frequency));
    // While the sweep runs, what it will still measure; afterwards what a longer one would.
    let planned = sweep.started.f_min_hz;
    let end = if sweep.ended.is_none() && planned > 0.0 {
        planned.min(measured.low)
    } else {
        measured.low / FORETOLD_BEYOND
    };
    Curve {
        fitted: frequencies(measured).into_iter().map(evaluate).collect(),
        foretold: if foretells {
            // From the far end, which keeps its place, so that dashes keep theirs while the near end moves.
            frequencies(Range::new(end, measured.low))
                .into_iter()
                .rev()
                .map(evaluate)
                .collect()
        } else {
            Vec::new()
        },
    }
}

/// Frequencies from high to low: both ends, and between them those of a grid that does not depend on
/// the ends, so that a curve keeps its dots when a point is added.
fn frequencies(range: Range) -> Vec<f64> {
    let index = |frequency: f64| frequency.log10() * CURVE_POINTS_PER_DECADE;
    let (first, last) = (
        index(range.high).ceil() as i64 - 1,
        index(range.low).floor() as i64 + 1,
    );
    let inner = (last..=first)
        .rev()
        .map(|at| 10f64.powf(at as f64 / CURVE_POINTS_PER_DECADE));
    std::iter::once(range.high)
        .chain(inner)
        .chain(std::iter::once(range.low))
        .collect()
}

/// Measured minus fitted over the fitted modulus, for the points that a fit may use: index of the
/// point, frequency in Hz and residual.
pub fn residuals_by_index(fit: &Fit, points: &[Point]) -> Vec<(usize, f64, Complex64)> {
    let Some((circuit, values)) = evaluator(fit) else {
        return Vec::new();
    };
    points
        .iter()
        .enumerate()
        .filter(|(_, point)| point.is_usable())
        .map(|(index, point)| {
            let fitted = circuit.impedance(&values, point.frequency_hz);
            let residual = (point.impedance() - fitted) / fitted.norm();
            (index, point.frequency_hz, residual)
        })
        .collect()
}

/// Frequency in Hz and residual of the points that a fit may use.
pub fn residuals(fit: &Fit, points: &[Point]) -> Vec<(f64, Complex64)> {
    residuals_by_index(fit, points)
        .into_iter()
        .map(|(_, frequency, residual)| (frequency, residual))
        .collect()
}

/// The history of that name with what it is drawn over.
pub fn history_of(state: &State, name: &str) -> (History, HistoryAbscissa) {
    let history = state.history(name);
    let abscissa = HistoryAbscissa::of(&history);
    (history, abscissa)
}
