//! What can be known before a cell is switched on: whether instrument, cell and plan fit together, the
//! currents to expect, and how long it will take.

use std::sync::LazyLock;

use super::spec::Profiles;
use crate::instrument::{RangeError, choose_range, peak_current_a};
use crate::profile::{Bias, CurrentRange, Instrument, Plan, SweepStep};
use crate::spectrum::Point;

/// Distance of a bias from the open-circuit potential in V from which on it counts as polarising.
pub const POLARISATION_V: f64 = 0.020;

/// What stands for the range of an instrument that chooses by itself.
static OWN_RANGE: LazyLock<CurrentRange> = LazyLock::new(|| CurrentRange {
    code: 0,
    limit_a: f64::INFINITY,
    label: "the instrument's own".to_owned(),
});

/// Why a plan is not begun, or a sweep not made: nothing has been sent for it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The instrument cannot do a step.
    #[error("step {step} of plan {plan}: {what} is beyond the {instrument} ({limit}); change the plan")]
    BeyondInstrument {
        /// The plan.
        plan: String,
        /// The step, from 1.
        step: usize,
        /// What is asked for.
        what: String,
        /// The instrument.
        instrument: String,
        /// What it can do.
        limit: String,
    },
    /// No current range of the instrument will do.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// The current would be larger than the plan allows.
    #[error(
        "a peak current of {peak_a:.3e} A is expected, more than current_max_a = {most_a:.3e} of plan {plan}; lower \
         amplitude_vrms, or raise the limit if the cell can take it"
    )]
    BeyondPlan {
        /// Predicted peak current in A.
        peak_a: f64,
        /// Largest current of the plan in A.
        most_a: f64,
        /// The plan.
        plan: String,
    },
    /// The bias would polarise the cell.
    #[error(
        "the bias of {bias_v:.4} V is {distance_mv:.1} mV from the open-circuit potential of {ocp_v:.4} V, so \
         direct current would flow; use bias = \"ocp\", or say allow_polarisation = true in the plan"
    )]
    Polarises {
        /// The plan's bias in V.
        bias_v: f64,
        /// The potential of the resting cell in V.
        ocp_v: f64,
        /// Their distance in mV.
        distance_mv: f64,
    },
    /// The potential of the cell is out of bounds.
    #[error(
        "the potential would be {potential_v:.4} V, out of {low_v} to {high_v} V of the {whose}; {advice}"
    )]
    PotentialOutOfBounds {
        /// Extreme potential in V.
        potential_v: f64,
        /// Lower bound in V.
        low_v: f64,
        /// Upper bound in V.
        high_v: f64,
        /// Whose bounds.
        whose: String,
        /// What to do.
        advice: String,
    },
}

/// Whether the instrument can do each step of the plan at all.
///
/// # Errors
/// Where it cannot.
pub fn check_plan(instrument: &Instrument, plan: &Plan) -> Result<(), Refusal> {
    let limits = &instrument.limits;
    super::line_preflight::check_plan(instrument, plan)?;
    for (index, step) in plan.steps.iter().enumerate() {
        let beyond = |what: String, limit: String| Refusal::BeyondInstrument {
            plan: plan.name.clone(),
            step: index + 1,
            what,
            instrument: instrument.label.clone(),
            limit,
        };
        if step.f_max_hz > limits.f_max_hz {
            let what = format!("f_max_hz = {}", step.f_max_hz);
            return Err(beyond(what, format!("at most {} Hz", limits.f_max_hz)));
        }
        if step.f_min_hz < limits.f_min_hz {
            let what = format!("f_min_hz = {}", step.f_min_hz);
            return Err(beyond(what, format!("at least {} Hz", limits.f_min_hz)));
        }
        if instrument.sets_amplitude() && step.amplitude_vrms > limits.amplitude_max_vrms {
            let what = format!("amplitude_vrms = {}", step.amplitude_vrms);
            return Err(beyond(
                what,
                format!("at most {} V rms", limits.amplitude_max_vrms),
            ));
        }
        if let Bias::Potential(bias) = step.bias {
            check_potential(instrument, plan, step, bias)?;
        }
    }
    Ok(())
}

/// The bias of a sweep, given the potential of the resting cell in V.
///
/// # Errors
/// Where the plan's bias would polarise the cell without leave, or the potential is out of bounds.
pub fn bias_of(instrument: &Instrument, plan: &Plan, step: &SweepStep, ocp_v: f64) -> Result<f64, Refusal> {
    let bias_v = match step.bias {
        Bias::OpenCircuit => ocp_v,
        Bias::Potential(bias_v) => bias_v,
    };
    let distance_v = (bias_v - ocp_v).abs();
    if distance_v > POLARISATION_V && !step.allow_polarisation {
        return Err(Refusal::Polarises {
            bias_v,
            ocp_v,
            distance_mv: 1e3 * distance_v,
        });
    }
    check_potential(instrument, plan, step, bias_v)?;
    Ok(bias_v)
}

fn check_potential(
    instrument: &Instrument,
    plan: &Plan,
    step: &SweepStep,
    bias_v: f64,
) -> Result<(), Refusal> {
    let peak = step.amplitude_vrms * std::f64::consts::SQRT_2;
    let bounds = [
        (
            instrument.limits.potential_min_v,
            instrument.limits.potential_max_v,
            instrument.label.clone(),
            "use an instrument with a wider range",
        ),
        (
            plan.limits.potential_min_v.unwrap_or(f64::NEG_INFINITY),
            plan.limits.potential_max_v.unwrap_or(f64::INFINITY),
            format!("plan {}", plan.name),
            "check leads and cell, or change its limits",
        ),
    ];
    for (low_v, high_v, whose, advice) in bounds {
        for potential_v in [bias_v - peak, bias_v + peak] {
            if !(low_v..=high_v).contains(&potential_v) {
                return Err(Refusal::PotentialOutOfBounds {
                    potential_v,
                    low_v,
                    high_v,
                    whose,
                    advice: advice.to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// Smallest |Z| in ohm over the frequencies of a step, from the cell profile's guess of its circuit.
#[must_use]
pub fn smallest_impedance_ohm(profiles: &Profiles, step: &SweepStep) -> f64 {
    let Ok((circuit, values)) = profiles.cell.start_values() else {
        return f64::NAN;
    };
    let moduli = step
        .frequencies_hz()
        .into_iter()
        .map(|f| circuit.impedance(&values, f).norm());
    moduli.fold(f64::INFINITY, f64::min)
}

/// Smallest |Z| in ohm that was measured; none where fewer than three points are usable. Each point counts
/// as the median of itself and its neighbours, so that a single glitch does not choose the range.
#[must_use]
pub fn smallest_measured_ohm(points: &[Point]) -> Option<f64> {
    let usable = points.iter().filter(|point| point.is_usable());
    let moduli: Vec<f64> = usable.map(|point| point.impedance().norm()).collect();
    let medians = moduli.windows(3).map(|three| {
        let [a, b, c] = [three[0], three[1], three[2]];
        a.min(b).max(a.max(b).min(c))
    });
    medians.reduce(f64::min)
}

/// The peak current of a sweep in A, and the range for it: the smallest of which the peak fills at most
/// seven tenths. `distance_v` is that of the bias from the open-circuit potential, which draws a direct
/// current of its own.
///
/// # Errors
/// Where no range is large enough, or the instrument's or the plan's largest current would be passed.
pub fn current_range<'a>(
    profiles: &'a Profiles,
    step: &SweepStep,
    distance_v: f64,
    smallest_ohm: f64,
) -> Result<(f64, &'a CurrentRange), Refusal> {
    let Profiles { instrument, plan, .. } = profiles;
    if !instrument.sets_amplitude() {
        return Ok((f64::NAN, &OWN_RANGE));
    }
    let peak_a = peak_current_a(step.amplitude_vrms, smallest_ohm, distance_v / smallest_ohm)?;
    if let Some(most_a) = plan.limits.current_max_a.filter(|most_a| peak_a > *most_a) {
        return Err(Refusal::BeyondPlan {
            peak_a,
            most_a,
            plan: plan.name.clone(),
        });
    }
    if instrument.current_ranges.is_empty() {
        let largest_a = instrument.limits.current_max_a;
        if peak_a > largest_a {
            let range = OWN_RANGE.label.clone();
            return Err(Refusal::Range(RangeError::TooLarge {
                peak_a,
                largest_a,
                range,
            }));
        }
        return Ok((peak_a, &OWN_RANGE));
    }
    let range = choose_range(
        &instrument.current_ranges,
        instrument.limits.current_max_a,
        peak_a,
    )?;
    Ok((peak_a, range))
}

/// How long a sweep takes in s by the instrument's profile.
#[must_use]
pub fn sweep_duration_s(instrument: &Instrument, step: &SweepStep) -> f64 {
    let timing = instrument.timing;
    let frequencies = step.frequencies_hz();
    frequencies
        .iter()
        .map(|f| timing.point_overhead_s + timing.point_periods / f)
        .sum()
}

/// How long a plan takes in s by the instrument's profile.
#[must_use]
pub fn plan_duration_s(instrument: &Instrument, plan: &Plan) -> f64 {
    let round: f64 = plan
        .steps
        .iter()
        .map(|step| sweep_duration_s(instrument, step))
        .sum();
    let repeats = f64::from(plan.repeat.saturating_sub(1));
    repeats * round.max(plan.interval_s) + round
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Cell, Kind, shipped_text};

    fn profiles() -> Profiles {
        let text = |kind, name| shipped_text(kind, name).unwrap();
        Profiles {
            instrument: Instrument::parse("es4_hr", text(Kind::Instrument, "es4_hr")).unwrap(),
            cell: Cell::parse("li_lpscl_li", text(Kind::Cell, "li_lpscl_li")).unwrap(),
            plan: Plan::parse("eis_repeat", text(Kind::Plan, "eis_repeat")).unwrap(),
        }
    }

    #[test]
    fn a_sweep_of_the_shipped_plan_takes_64_points_and_about_130_s() {
        let profiles = profiles();
        let step = &profiles.plan.steps[0];
        assert_eq!(step.n_points(), 64);
        // 64 x 0.43 s, and 2.1 periods of frequencies that end at 0.1 Hz with ten a decade: 4.862 / f_min.
        let expected = 64.0 * 0.43 + 2.1 * 4.862 / 0.1;
        assert!((sweep_duration_s(&profiles.instrument, step) - expected).abs() < 0.01 * expected);
        assert!(
            (plan_duration_s(&profiles.instrument, &profiles.plan) - (19.0 * 600.0 + expected)).abs() < 2.0
        );
    }

    #[test]
    fn the_range_is_chosen_by_the_peak_current_at_the_smallest_modulus() {
        let profiles = profiles();
        let step = &profiles.plan.steps[0];
        let smallest = smallest_impedance_ohm(&profiles, step);
        assert!((20.0..22.0).contains(&smallest), "{smallest}");
        let (peak, range) = current_range(&profiles, step, 0.0, smallest).unwrap();
        // 10 mV rms over 21.4 ohm at its smallest: 0.66 mA peak, below 70 % of 1 mA.
        assert!((peak - 0.010 * 2f64.sqrt() / smallest).abs() < 1e-9);
        assert_eq!(range.label, "1 mA");
        // A bias 5 mV away draws a direct current as well.
        assert_eq!(
            current_range(&profiles, step, 0.005, smallest).unwrap().1.label,
            "10 mA"
        );
    }

    #[test]
    fn a_single_glitch_does_not_choose_the_range() {
        let mut points: Vec<Point> = (0..20)
            .map(|index| Point::new(1.0, 100.0 + f64::from(index), 0.0))
            .collect();
        points[7].z_real_ohm = 0.01;
        assert!(smallest_measured_ohm(&points).is_some_and(|smallest| (100.0..103.0).contains(&smallest)));
        assert_eq!(smallest_measured_ohm(&points[..2]), None);
    }

    #[test]
    fn a_current_beyond_instrument_or_plan_is_refused() {
        let mut profiles = profiles();
        let step = profiles.plan.steps[0].clone();
        assert!(matches!(
            current_range(&profiles, &step, 0.0, 0.15),
            Err(Refusal::Range(_))
        ));
        profiles.plan.limits.current_max_a = Some(1e-4);
        let refused = current_range(&profiles, &step, 0.0, 50.0).unwrap_err();
        assert!(refused.to_string().contains("current_max_a"), "{refused}");
    }

    #[test]
    fn a_bias_is_the_open_circuit_potential_unless_the_plan_gives_one() {
        let profiles = profiles();
        let step = &profiles.plan.steps[0];
        assert_eq!(bias_of(&profiles.instrument, &profiles.plan, step, 3.7), Ok(3.7));
    }

    #[test]
    fn a_bias_more_than_20_mv_from_the_open_circuit_potential_needs_leave() {
        let profiles = profiles();
        let mut step = profiles.plan.steps[0].clone();
        step.bias = Bias::Potential(0.0);
        let bias = |step: &SweepStep, ocp_v| bias_of(&profiles.instrument, &profiles.plan, step, ocp_v);
        assert_eq!(bias(&step, 0.019), Ok(0.0));
        assert!(matches!(bias(&step, 3.7), Err(Refusal::Polarises { .. })));
        step.allow_polarisation = true;
        assert_eq!(bias(&step, 3.7), Ok(0.0));
    }

    #[test]
    fn a_potential_out_of_bounds_is_refused() {
        let profiles = profiles();
        let mut plan = profiles.plan.clone();
        plan.limits.potential_max_v = Some(4.2);
        let refused = bias_of(&profiles.instrument, &plan, &plan.steps[0], 4.195).unwrap_err();
        assert!(refused.to_string().contains("plan eis_repeat"), "{refused}");
        assert!(bias_of(&profiles.instrument, &plan, &plan.steps[0], 6.1).is_err());
    }

    #[test]
    fn what_the_instrument_cannot_do_is_refused_before_anything_is_sent() {
        let profiles = profiles();
        let mut plan = profiles.plan.clone();
        plan.steps[0].f_max_hz = 1e6;
        let refused = check_plan(&profiles.instrument, &plan).unwrap_err();
        assert!(refused.to_string().contains("at most 200000 Hz"), "{refused}");
        assert_eq!(check_plan(&profiles.instrument, &profiles.plan), Ok(()));
    }
}
