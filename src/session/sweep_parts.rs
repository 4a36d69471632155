//! A step of a plan to a sweep: which current range, and where the current spans too much for one, which
//! parts.
//!
//! A pinned range that fits the largest current reads the smallest one badly: over more than 2.5 decades a
//! sweep is measured in parts, each in the range that fits it, which share three points so that a step between
//! ranges shows. A galvanostatic sweep has a part for each decade of frequency, with a current that makes the
//! amplitude of the potential that the plan asks for where |Z| is largest.

use super::preflight::{self, Refusal};
use super::spec::Profiles;
use crate::instrument::{Ranging, SweepJob, SweepPart, choose_range};
use crate::profile::{PointTiming, RangeChoice, SweepStep};
use crate::spectrum::{Point, Technique};

/// Span of currents in decades from which on a sweep is measured in parts.
const SPAN_DECADES: f64 = 2.5;

/// Points that neighbouring parts share.
const OVERLAP: usize = 3;

/// Longest time in s for which an instrument measures a cell under direct current or away from its open circuit
/// without hearing from the session, a single point excepted; and how long it waits to hear.
const ALONE_S: f64 = 60.0;

/// The parts of such a sweep need not be shorter than so many parts of its longest point, so that there are few.
const OF_LONGEST_POINT: f64 = 1.0 / 16.0;

/// Distance of a bias from the open-circuit potential in V up to which a cell counts as resting: within it the
/// potential is read back before the cell is switched on.
const RESTING_V: f64 = 0.005;

/// By what the current of a galvanostatic sweep is divided where the potential is overloaded.
const LESS_CURRENT: f64 = 10.0;

/// The smallest current that is chosen then, as a share of the finest range.
const LEAST_OF_FINEST: f64 = 0.01;

/// Potentiostat mode of a galvanostat.
const GALVANOSTAT: u32 = 6;

/// |Z| over frequency, as it is believed before a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Moduli(Vec<(f64, f64)>);

impl Moduli {
    /// From the cell profile's guess of its circuit, at the frequencies of a step.
    #[must_use]
    pub fn guessed(profiles: &Profiles, step: &SweepStep) -> Self {
        let Ok((circuit, values)) = profiles.cell.start_values() else {
            return Self(Vec::new());
        };
        let frequencies = step.frequencies_hz().into_iter();
        Self(
            frequencies
                .map(|f| (f, circuit.impedance(&values, f).norm()))
                .collect(),
        )
    }

    /// From measured points; none where fewer than three are usable. Each point counts as the median of itself
    /// and its neighbours, so that a single glitch chooses no range.
    #[must_use]
    pub fn measured(points: &[Point]) -> Option<Self> {
        let usable: Vec<&Point> = points.iter().filter(|point| point.is_usable()).collect();
        let medians: Vec<_> = usable
            .windows(3)
            .map(|three| {
                let [a, b, c] = [0, 1, 2].map(|index| three[index].impedance().norm());
                (three[1].frequency_hz, a.min(b).max(a.max(b).min(c)))
            })
            .collect();
        (!medians.is_empty()).then_some(Self(medians))
    }

    /// From the few points of a look at the cell, as they are; none where none is usable.
    #[must_use]
    pub fn seen(points: &[Point]) -> Option<Self> {
        let usable = points.iter().filter(|point| point.is_usable());
        let moduli: Vec<_> = usable
            .map(|point| (point.frequency_hz, point.impedance().norm()))
            .collect();
        (!moduli.is_empty()).then_some(Self(moduli))
    }

    /// Smallest |Z| in ohm.
    #[must_use]
    pub fn smallest_ohm(&self) -> f64 {
        let least = self
            .0
            .iter()
            .map(|(_, modulus)| *modulus)
            .fold(f64::INFINITY, f64::min);
        if least.is_finite() { least } else { f64::NAN }
    }

    /// |Z| in ohm at a frequency in Hz: that of the nearest known one.
    pub(super) fn at(&self, frequency_hz: f64) -> f64 {
        let distance = |(known, _): &&(f64, f64)| (known / frequency_hz).ln().abs();
        let nearest = self.0.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.map_or(f64::NAN, |(_, modulus)| *modulus)
    }
}

/// What a sweep is asked against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circumstances {
    /// Potential of the resting cell in V; none for an instrument that cannot read it.
    pub open_circuit_v: Option<f64>,
    /// Bias in V.
    pub bias_v: f64,
    /// Smallest current range in A that may be used.
    pub least_range_a: f64,
    /// Two seconds of real time in s of the session's clock.
    pub reply_s: f64,
}

/// The job for a step.
///
/// # Errors
/// Where no range is large enough, or a limit would be passed.
pub fn sweep_job(
    profiles: &Profiles,
    step: &SweepStep,
    moduli: &Moduli,
    given: Circumstances,
) -> Result<SweepJob, Refusal> {
    let instrument = &profiles.instrument;
    let galvanostatic = step.technique == Technique::Geis;
    if instrument.line.is_some() {
        return line_job(profiles, step, moduli, given);
    }
    let parts = if galvanostatic {
        galvanostatic_parts(profiles, step, moduli)?
    } else {
        potentiostatic_parts(profiles, step, moduli, given)?
    };
    let bandwidth_hz = step
        .setting
        .max_bandwidth_hz
        .unwrap_or(instrument.max_bandwidth_hz);
    let mode = if galvanostatic {
        GALVANOSTAT
    } else {
        instrument.pgstat_mode
    };
    let limits = &profiles.plan.limits;
    // What an instrument waits with is a technique of direct current.
    let is_driven = is_driven(step, given) && instrument.has(if galvanostatic { "cp" } else { "ca" });
    let parts = if is_driven {
        in_pieces(parts, &instrument.timing)
    } else {
        parts
    };
    Ok(SweepJob {
        f_max_hz: step.f_max_hz,
        f_min_hz: step.f_min_hz,
        n_points: parts.iter().map(|part| part.n_points).sum(),
        amplitude_vrms: step.amplitude_vrms,
        bias_v: given.bias_v,
        current_range_a: largest_range_a(&parts),
        pgstat_mode: step.setting.pgstat_mode.unwrap_or(mode),
        max_bandwidth_hz: bandwidth_hz.min(instrument.max_bandwidth_hz),
        channel: profiles.plan.channel,
        bias_a: galvanostatic.then_some(step.bias_a),
        // A current that is set fits its range; what is overloaded is the potential, which no range of current mends.
        stop_at_overload: galvanostatic || step.setting.ranging == RangeChoice::Pinned,
        hold_s: (is_driven && parts.len() > 1).then_some(ALONE_S.max(given.reply_s)),
        open_circuit_v: given.open_circuit_v,
        potential_limits_v: limits.potential_min_v.zip(limits.potential_max_v),
        parts,
    })
}

/// The job for an instrument that is described by its line: one part, in a range that it may choose itself.
fn line_job(
    profiles: &Profiles,
    step: &SweepStep,
    moduli: &Moduli,
    given: Circumstances,
) -> Result<SweepJob, Refusal> {
    let distance_v = given.open_circuit_v.map_or(0.0, |ocp_v| given.bias_v - ocp_v);
    let (_, range) = preflight::current_range(profiles, step, distance_v, moduli.smallest_ohm())?;
    let range_a = if profiles.instrument.current_ranges.is_empty() {
        range.limit_a
    } else {
        at_least(profiles, range.limit_a, given.least_range_a)
    };
    Ok(SweepJob {
        f_max_hz: step.f_max_hz,
        f_min_hz: step.f_min_hz,
        n_points: step.n_points(),
        amplitude_vrms: step.amplitude_vrms,
        bias_v: given.bias_v,
        current_range_a: range_a,
        pgstat_mode: profiles.instrument.pgstat_mode,
        max_bandwidth_hz: profiles.instrument.max_bandwidth_hz,
        ..SweepJob::default()
    })
}

/// The largest range of parts in A.
#[must_use]
pub fn largest_range_a(parts: &[SweepPart]) -> f64 {
    let range = |part: &SweepPart| match part.ranging {
        Ranging::Pinned(range_a) => range_a,
        Ranging::Auto { high_a, .. } => high_a,
    };
    parts.iter().map(range).fold(0.0, f64::max)
}

/// Whether a sweep drives direct current through the cell, as far as that is known: by itself a cell does not
/// leave its open circuit.
fn is_driven(step: &SweepStep, given: Circumstances) -> bool {
    match step.technique {
        Technique::Geis => step.bias_a != 0.0,
        _ => {
            let distance_v = given
                .open_circuit_v
                .map(|open_circuit_v| (given.bias_v - open_circuit_v).abs());
            distance_v.is_none_or(|distance_v| distance_v > RESTING_V)
        }
    }
}

/// Parts that are short enough to leave an instrument alone with: single points are as long as they are.
fn in_pieces(parts: Vec<SweepPart>, timing: &PointTiming) -> Vec<SweepPart> {
    let time_s =
        |part: &SweepPart, index| timing.point_overhead_s + timing.point_periods / part.frequency_hz(index);
    let longest_s = parts
        .iter()
        .map(|part| time_s(part, part.n_points - 1))
        .fold(0.0, f64::max);
    let most_s = ALONE_S.max(OF_LONGEST_POINT * longest_s);
    let mut pieces = Vec::new();
    for part in parts {
        let (mut first, mut lasts_s) = (0, 0.0);
        for index in 0..part.n_points {
            let point_s = time_s(&part, index);
            if index > first && lasts_s + point_s > most_s {
                pieces.push(piece(&part, first, index));
                (first, lasts_s) = (index, 0.0);
            }
            lasts_s += point_s;
        }
        pieces.push(piece(&part, first, part.n_points));
    }
    pieces
}

fn piece(part: &SweepPart, first: u32, end: u32) -> SweepPart {
    SweepPart {
        f_max_hz: part.frequency_hz(first),
        f_min_hz: part.frequency_hz(end - 1),
        n_points: end - first,
        ..*part
    }
}

/// Longest time in s for which the instrument measures a sweep without hearing from the session.
#[must_use]
pub fn longest_alone_s(job: &SweepJob, timing: &PointTiming) -> f64 {
    let parts = job.all_parts();
    let lasts_s = |part: &SweepPart| -> f64 {
        (0..part.n_points)
            .map(|index| timing.point_overhead_s + timing.point_periods / part.frequency_hz(index))
            .sum()
    };
    match job.hold_s {
        Some(hold_s) => hold_s + parts.iter().map(lasts_s).fold(0.0, f64::max),
        None => parts.iter().map(lasts_s).sum(),
    }
}

/// What is left of a sweep from an overloaded point on: in a larger range of current, or, where the current is set,
/// with less of it; none where there is no larger range, or hardly any current left.
#[must_use]
pub fn rest_from(profiles: &Profiles, job: &SweepJob, index: u32) -> Option<SweepJob> {
    let mut parts = parts_from(job, index)?;
    match job.bias_a {
        Some(bias_a) => with_less_current(profiles, &mut parts, bias_a)?,
        None => in_a_larger_range(profiles, &mut parts)?,
    }
    Some(with_parts(job, parts))
}

/// The same sweep from a point on, through its overloads.
#[must_use]
pub fn through_overload(job: &SweepJob, index: u32) -> SweepJob {
    let parts = parts_from(job, index).unwrap_or_else(|| job.all_parts());
    SweepJob {
        stop_at_overload: false,
        ..with_parts(job, parts)
    }
}

fn with_parts(job: &SweepJob, parts: Vec<SweepPart>) -> SweepJob {
    let is_driven = match (job.bias_a, job.open_circuit_v) {
        (Some(bias_a), _) => bias_a != 0.0,
        (None, Some(open_circuit_v)) => (job.bias_v - open_circuit_v).abs() > RESTING_V,
        (None, None) => false,
    };
    SweepJob {
        f_max_hz: parts[0].f_max_hz,
        n_points: parts.iter().map(|part| part.n_points).sum(),
        current_range_a: largest_range_a(&parts),
        // A cell that was driven until just now does not rest where it did before.
        open_circuit_v: job.open_circuit_v.filter(|_| !is_driven),
        parts,
        ..job.clone()
    }
}

/// The parts of a sweep from a point on; none where it has no such point.
fn parts_from(job: &SweepJob, index: u32) -> Option<Vec<SweepPart>> {
    let mut parts = job.all_parts();
    let mut first = index;
    while parts.first()?.n_points <= first {
        first -= parts.remove(0).n_points;
    }
    parts[0] = piece(&parts[0], first, parts[0].n_points);
    Some(parts)
}

/// A potential that is too large for the instrument means more |Z| than was believed, there and from there on.
fn with_less_current(profiles: &Profiles, parts: &mut [SweepPart], bias_a: f64) -> Option<()> {
    let ranges = &profiles.instrument.current_ranges;
    let limit_a = profiles.instrument.limits.current_max_a;
    let finest_a = ranges.first()?.limit_a;
    for part in &mut *parts {
        part.amplitude /= LESS_CURRENT;
        let peak_a = part.amplitude * std::f64::consts::SQRT_2 + bias_a.abs();
        if let Ranging::Pinned(range_a) = &mut part.ranging {
            *range_a = choose_range(ranges, limit_a, peak_a).ok()?.limit_a;
        }
    }
    (parts[0].amplitude >= LEAST_OF_FINEST * finest_a).then_some(())
}

fn in_a_larger_range(profiles: &Profiles, parts: &mut [SweepPart]) -> Option<()> {
    let Ranging::Pinned(range_a) = parts[0].ranging else {
        return None;
    };
    let ranges = &profiles.instrument.current_ranges;
    let larger = ranges.iter().find(|range| range.limit_a > range_a)?;
    for part in parts {
        if let Ranging::Pinned(range_a) = &mut part.ranging {
            *range_a = range_a.max(larger.limit_a);
        }
    }
    Some(())
}

fn potentiostatic_parts(
    profiles: &Profiles,
    step: &SweepStep,
    moduli: &Moduli,
    given: Circumstances,
) -> Result<Vec<SweepPart>, Refusal> {
    let distance_v = given.open_circuit_v.map_or(0.0, |ocp_v| given.bias_v - ocp_v);
    let frequencies = step.frequencies_hz();
    let expected: Vec<f64> = frequencies.iter().map(|f| moduli.at(*f)).collect();
    let range_a = |smallest_ohm: f64| -> Result<f64, Refusal> {
        let (_, range) = preflight::current_range(profiles, step, distance_v, smallest_ohm)?;
        Ok(range.limit_a)
    };
    let largest_a = at_least(profiles, range_a(moduli.smallest_ohm())?, given.least_range_a);
    if step.setting.ranging == RangeChoice::Auto {
        let finest_a = profiles.instrument.current_ranges[0].limit_a;
        let ranging = Ranging::Auto {
            low_a: finest_a.min(largest_a),
            high_a: largest_a,
        };
        return Ok(vec![part(step, &frequencies, ranging)]);
    }
    let mut parts: Vec<SweepPart> = Vec::new();
    let mut from = 0;
    while from < frequencies.len() {
        let to = from + reach(&expected[from..]);
        let smallest = expected[from..to].iter().copied().fold(f64::INFINITY, f64::min);
        // One part: the range by everything that is known, not only by this grid.
        let pinned_a = if from == 0 && to == frequencies.len() {
            largest_a
        } else {
            range_a(smallest)?
        };
        let ranging = Ranging::Pinned(pinned_a);
        match parts.last_mut() {
            Some(before) if before.ranging == ranging => {
                let begin = frequencies
                    .iter()
                    .position(|f| *f == before.f_max_hz)
                    .unwrap_or(0);
                *before = part(step, &frequencies[begin..to], ranging);
            }
            _ => parts.push(part(step, &frequencies[from..to], ranging)),
        }
        if to == frequencies.len() {
            break;
        }
        from = to.saturating_sub(OVERLAP).max(from + 1);
    }
    Ok(parts)
}

/// How many of the first moduli lie within one span.
fn reach(moduli: &[f64]) -> usize {
    let span = 10f64.powf(SPAN_DECADES);
    let (mut low, mut high) = (f64::INFINITY, 0.0f64);
    for (index, modulus) in moduli.iter().enumerate() {
        (low, high) = (low.min(*modulus), high.max(*modulus));
        if high > span * low && index > OVERLAP {
            return index;
        }
    }
    moduli.len()
}

fn galvanostatic_parts(
    profiles: &Profiles,
    step: &SweepStep,
    moduli: &Moduli,
) -> Result<Vec<SweepPart>, Refusal> {
    let frequencies = step.frequencies_hz();
    let mut parts: Vec<SweepPart> = Vec::new();
    let mut from = 0;
    while from < frequencies.len() {
        let within = |f: &f64| step.amplitude_arms.is_some() || *f > frequencies[from] / 10.0 * (1.0 + 1e-9);
        let mut to = from + frequencies[from..].iter().take_while(|f| within(f)).count();
        // A last point alone belongs to the decade before it.
        if to + 1 == frequencies.len() {
            to += 1;
        }
        let largest_ohm = frequencies[from..to]
            .iter()
            .map(|f| moduli.at(*f))
            .fold(0.0, f64::max);
        let most_a = most_a(profiles);
        // A little less, so that rounding does not pass the limit.
        let most_arms = (1.0 - 1e-9) * (most_a - step.bias_a.abs()) / std::f64::consts::SQRT_2;
        if step.amplitude_arms.is_none() && most_arms <= 0.0 {
            return Err(Refusal::NoCurrentLeft {
                bias_a: step.bias_a,
                most_a,
            });
        }
        let asked_arms = step.amplitude_arms.unwrap_or(step.amplitude_vrms / largest_ohm);
        let amplitude = if step.amplitude_arms.is_some() {
            asked_arms
        } else {
            asked_arms.min(most_arms)
        };
        let peak_a = amplitude * std::f64::consts::SQRT_2 + step.bias_a.abs();
        preflight::check_current(profiles, peak_a)?;
        let ranges = &profiles.instrument.current_ranges;
        let range = choose_range(ranges, profiles.instrument.limits.current_max_a, peak_a)?;
        let pinned_a = range.limit_a;
        let ranging = match step.setting.ranging {
            RangeChoice::Pinned => Ranging::Pinned(pinned_a),
            RangeChoice::Auto => Ranging::Auto {
                low_a: ranges[0].limit_a,
                high_a: pinned_a,
            },
        };
        parts.push(SweepPart {
            amplitude,
            ..part(step, &frequencies[from..to], ranging)
        });
        from = to;
    }
    Ok(parts)
}

/// The largest current in A that instrument and plan allow.
fn most_a(profiles: &Profiles) -> f64 {
    let of_instrument = 0.7 * profiles.instrument.limits.current_max_a;
    let of_plan = profiles.plan.limits.current_max_a.unwrap_or(f64::INFINITY);
    let ranges = profiles.instrument.current_ranges.last();
    of_instrument
        .min(of_plan)
        .min(ranges.map_or(0.0, |range| 0.7 * range.limit_a))
}

fn at_least(profiles: &Profiles, range_a: f64, least_a: f64) -> f64 {
    let ranges = profiles.instrument.current_ranges.iter();
    let mut larger = ranges.filter(|range| range.limit_a >= least_a.max(range_a));
    larger.next().map_or(range_a, |range| range.limit_a)
}

fn part(step: &SweepStep, frequencies: &[f64], ranging: Ranging) -> SweepPart {
    SweepPart {
        f_max_hz: frequencies[0],
        f_min_hz: frequencies[frequencies.len() - 1],
        n_points: frequencies.len() as u32,
        amplitude: step.amplitude_arms.unwrap_or(step.amplitude_vrms),
        ranging,
    }
}

#[cfg(test)]
mod tests;
