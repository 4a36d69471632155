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
use crate::profile::{RangeChoice, SweepStep};
use crate::spectrum::{Point, Technique};

/// Span of currents in decades from which on a sweep is measured in parts.
const SPAN_DECADES: f64 = 2.5;

/// Points that neighbouring parts share.
const OVERLAP: usize = 3;

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
    fn at(&self, frequency_hz: f64) -> f64 {
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
        stop_at_overload: step.setting.ranging == RangeChoice::Pinned,
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

/// What is left of a sweep from a point on, in a larger range than the one in which the point was overloaded;
/// none where there is no larger one.
#[must_use]
pub fn rest_from(profiles: &Profiles, job: &SweepJob, index: u32) -> Option<SweepJob> {
    let (overloaded, first) = job.part_of(index);
    let Ranging::Pinned(range_a) = overloaded.ranging else {
        return None;
    };
    let larger = profiles
        .instrument
        .current_ranges
        .iter()
        .find(|range| range.limit_a > range_a)?;
    let mut parts = job.all_parts();
    let position = parts.iter().position(|part| *part == overloaded)?;
    parts.drain(..position);
    let begun = &mut parts[0];
    begun.f_max_hz = begun.frequency_hz(first);
    begun.n_points -= first;
    for part in &mut parts {
        if let Ranging::Pinned(range_a) = &mut part.ranging {
            *range_a = range_a.max(larger.limit_a);
        }
    }
    Some(SweepJob {
        f_max_hz: parts[0].f_max_hz,
        n_points: parts.iter().map(|part| part.n_points).sum(),
        current_range_a: largest_range_a(&parts),
        parts,
        ..job.clone()
    })
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
        let most_arms = most_a(profiles) / std::f64::consts::SQRT_2 - step.bias_a.abs();
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
mod tests {
    use super::*;
    use crate::profile::{Cell, Instrument, Kind, Plan, shipped_text};

    fn profiles(cell: &str, plan: &str) -> Profiles {
        let text = |kind, name| shipped_text(kind, name).unwrap();
        Profiles {
            instrument: Instrument::parse("es4_hr", text(Kind::Instrument, "es4_hr")).unwrap(),
            cell: Cell::parse(cell, text(Kind::Cell, cell)).unwrap(),
            plan: Plan::parse(plan, text(Kind::Plan, plan)).unwrap(),
        }
    }

    fn job_of(profiles: &Profiles) -> SweepJob {
        let step = profiles.plan.steps[0].sweep().unwrap();
        let given = Circumstances {
            open_circuit_v: Some(0.0),
            bias_v: 0.0,
            least_range_a: 0.0,
        };
        sweep_job(profiles, step, &Moduli::guessed(profiles, step), given).unwrap()
    }

    #[test]
    fn a_sweep_within_two_and_a_half_decades_has_one_part() {
        let job = job_of(&profiles("li_lpscl_li", "eis_once"));
        assert_eq!((job.parts.len(), job.n_points), (1, 64));
        assert_eq!(job.parts[0].ranging, Ranging::Pinned(1e-3));
    }

    #[test]
    fn a_blocking_cell_is_measured_in_parts_that_share_three_points() {
        let profiles = profiles("llzo_pellet_blocking", "eis_once");
        let step = profiles.plan.steps[0].sweep().unwrap();
        let grid = step.frequencies_hz();
        let moduli = Moduli::guessed(&profiles, step);
        let job = job_of(&profiles);
        assert!(job.parts.len() > 1, "{:?}", job.parts);
        assert_eq!(
            job.n_points,
            job.parts.iter().map(|part| part.n_points).sum::<u32>()
        );
        for pair in job.parts.windows(2) {
            let at = |f: f64| {
                grid.iter()
                    .position(|known| (known / f - 1.0).abs() < 1e-9)
                    .unwrap()
            };
            assert_eq!(at(pair[0].f_min_hz) + 1, at(pair[1].f_max_hz) + OVERLAP);
            assert!(largest_range_a(&pair[1..]) < largest_range_a(&pair[..1]));
        }
        let mut index = 0;
        for part in &job.parts {
            let within: Vec<f64> = (0..part.n_points)
                .map(|k| moduli.at(part.frequency_hz(k)))
                .collect();
            let (low, high) = within
                .iter()
                .fold((f64::MAX, 0.0f64), |(l, h), z| (l.min(*z), h.max(*z)));
            assert!(high / low <= 10f64.powf(SPAN_DECADES) * 1.001, "{high} {low}");
            // The peak current fills seven tenths of the range at the most, and a part of it that is not lost.
            let peak_a = 0.010 * std::f64::consts::SQRT_2 / low;
            let range_a = largest_range_a(std::slice::from_ref(part));
            assert!(peak_a <= 0.7 * range_a, "{peak_a} {range_a}");
            assert_eq!(job.part_of(index).0, *part);
            index += part.n_points;
        }
        let frequencies: Vec<f64> = (0..job.n_points).map(|index| job.frequency_hz(index)).collect();
        assert_eq!(frequencies[0], grid[0]);
        assert!((frequencies[frequencies.len() - 1] / grid[63] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_galvanostatic_sweep_has_a_current_for_each_decade() {
        let profiles = profiles("li_lpscl_li", "geis_once");
        let step = profiles.plan.steps[0].sweep().unwrap();
        let moduli = Moduli::guessed(&profiles, step);
        let job = job_of(&profiles);
        assert_eq!((job.n_points, job.bias_a, job.pgstat_mode), (64, Some(0.0), 6));
        assert!(job.parts.len() >= 6, "{:?}", job.parts);
        for part in &job.parts {
            let potentials: Vec<f64> = (0..part.n_points)
                .map(|k| part.amplitude * moduli.at(part.frequency_hz(k)))
                .collect();
            let largest = potentials.iter().copied().fold(0.0, f64::max);
            assert!((largest - 0.010).abs() < 1e-6, "{potentials:?}");
            assert!(part.f_max_hz / part.f_min_hz <= 13.0);
        }
        let frequencies: Vec<f64> = (0..64).map(|index| job.frequency_hz(index)).collect();
        for (asked, got) in step.frequencies_hz().iter().zip(&frequencies) {
            assert!((asked / got - 1.0).abs() < 1e-9, "{asked} {got}");
        }
    }

    #[test]
    fn an_overloaded_point_is_measured_again_in_the_next_range() {
        let profiles = profiles("li_lpscl_li", "eis_once");
        let job = job_of(&profiles);
        let rest = rest_from(&profiles, &job, 10).unwrap();
        assert_eq!(rest.n_points, 54);
        assert!((rest.f_max_hz / job.frequency_hz(10) - 1.0).abs() < 1e-12);
        assert_eq!(rest.parts[0].ranging, Ranging::Pinned(1e-2));
        let mut largest = job.clone();
        largest.parts[0].ranging = Ranging::Pinned(0.1);
        assert_eq!(rest_from(&profiles, &largest, 10), None);
    }
}
