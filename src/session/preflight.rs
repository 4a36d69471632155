//! What can be known before a cell is switched on: whether instrument, cell and plan fit together, the
//! currents to expect, and how long it will take.

use super::spec::Profiles;
use crate::profile::{Bias, CurrentRange, Instrument, Plan, SweepStep};
use crate::spectrum::Point;

/// Share of a current range that the predicted peak current may fill.
pub const RANGE_FILL: f64 = 0.7;
/// Distance of a bias from the open-circuit potential in V from which on it counts as polarising.
pub const POLARISATION_V: f64 = 0.020;

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
    /// The current would be too large.
    #[error(
        "a peak current of {peak_a:.3e} A is expected (|Z| is about {smallest_ohm:.3e} ohm at its smallest), \
         more than {limit}; lower amplitude_vrms in the plan"
    )]
    TooMuchCurrent {
        /// Predicted peak current in A.
        peak_a: f64,
        /// Smallest |Z| in ohm that was expected.
        smallest_ohm: f64,
        /// The limit that it breaks, in words.
        limit: String,
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
    #[error("the potential would be {potential_v:.4} V, out of {low_v} to {high_v} V of the {whose}; {advice}")]
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
        if step.amplitude_vrms > limits.amplitude_max_vrms {
            let what = format!("amplitude_vrms = {}", step.amplitude_vrms);
            return Err(beyond(what, format!("at most {} V rms", limits.amplitude_max_vrms)));
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
        return Err(Refusal::Polarises { bias_v, ocp_v, distance_mv: 1e3 * distance_v });
    }
    check_potential(instrument, plan, step, bias_v)?;
    Ok(bias_v)
}

fn check_potential(instrument: &Instrument, plan: &Plan, step: &SweepStep, bias_v: f64) -> Result<(), Refusal> {
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
    let moduli = step.frequencies_hz().into_iter().map(|f| circuit.impedance(&values, f).norm());
    moduli.fold(f64::INFINITY, f64::min)
}

/// Smallest |Z| in ohm that was measured; none where nothing usable was.
#[must_use]
pub fn smallest_measured_ohm(points: &[Point]) -> Option<f64> {
    let moduli = points.iter().filter(|point| point.is_usable()).map(|point| point.impedance().norm());
    moduli.reduce(f64::min)
}

/// Largest current of a sweep in A: the peak of the excitation over the smallest |Z|, and the direct
/// current of a bias away from the open-circuit potential.
#[must_use]
pub fn peak_current_a(step: &SweepStep, distance_v: f64, smallest_ohm: f64) -> f64 {
    (step.amplitude_vrms * std::f64::consts::SQRT_2 + distance_v.abs()) / smallest_ohm
}

/// The current range for a sweep: the smallest of which the predicted peak fills at most seven tenths.
///
/// # Errors
/// Where no range is large enough, or the instrument's or the plan's largest current would be passed.
pub fn current_range<'a>(
    instrument: &'a Instrument,
    plan: &Plan,
    peak_a: f64,
    smallest_ohm: f64,
) -> Result<&'a CurrentRange, Refusal> {
    let too_much = |limit: String| Refusal::TooMuchCurrent { peak_a, smallest_ohm, limit };
    if let Some(most_a) = plan.limits.current_max_a.filter(|most_a| peak_a > *most_a) {
        return Err(too_much(format!("current_max_a = {most_a} of plan {}", plan.name)));
    }
    if !peak_a.is_finite() || peak_a > instrument.limits.current_max_a {
        let limit = format!("the {} A of the {}", instrument.limits.current_max_a, instrument.label);
        return Err(too_much(limit));
    }
    instrument.range_for(peak_a, RANGE_FILL).ok_or_else(|| {
        let largest = instrument.current_ranges.last().map_or("none", |range| range.label.as_str());
        too_much(format!(
            "{:.0} % of the largest range ({largest}) of the {}",
            100.0 * RANGE_FILL,
            instrument.label
        ))
    })
}

/// How long a sweep takes in s by the instrument's profile.
#[must_use]
pub fn sweep_duration_s(instrument: &Instrument, step: &SweepStep) -> f64 {
    let timing = instrument.timing;
    let frequencies = step.frequencies_hz();
    frequencies.iter().map(|f| timing.point_overhead_s + timing.point_periods / f).sum()
}

/// How long a plan takes in s by the instrument's profile.
#[must_use]
pub fn plan_duration_s(instrument: &Instrument, plan: &Plan) -> f64 {
    let round: f64 = plan.steps.iter().map(|step| sweep_duration_s(instrument, step)).sum();
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
        assert!((plan_duration_s(&profiles.instrument, &profiles.plan) - (19.0 * 600.0 + expected)).abs() < 2.0);
    }

    #[test]
    fn the_predicted_peak_fills_at_most_seven_tenths_of_the_range() {
        let profiles = profiles();
        let smallest = smallest_impedance_ohm(&profiles, &profiles.plan.steps[0]);
        assert!((20.0..22.0).contains(&smallest), "{smallest}");
        let peak = peak_current_a(&profiles.plan.steps[0], 0.0, smallest);
        let range = current_range(&profiles.instrument, &profiles.plan, peak, smallest).unwrap();
        assert!(peak <= RANGE_FILL * range.limit_a);
        // 0.65 mA peak fits the 1 mA range, 0.75 mA would not.
        assert_eq!(range.label, "1 mA");
        let wider = current_range(&profiles.instrument, &profiles.plan, 0.75e-3, smallest).unwrap();
        assert_eq!(wider.label, "10 mA");
    }

    #[test]
    fn a_current_that_no_range_can_carry_is_refused() {
        let profiles = profiles();
        let refused = current_range(&profiles.instrument, &profiles.plan, 0.09, 0.15).unwrap_err();
        assert!(refused.to_string().contains("70 % of the largest range (100 mA)"), "{refused}");
        let mut plan = profiles.plan.clone();
        plan.limits.current_max_a = Some(1e-4);
        let refused = current_range(&profiles.instrument, &plan, 2e-4, 50.0).unwrap_err();
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
