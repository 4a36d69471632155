//! What can be known before a cell is switched on: whether instrument, cell and plan fit together, the
//! currents to expect, and how long it will take.

mod refusal;

use std::sync::LazyLock;

use super::spec::Profiles;
use crate::instrument::{InstrumentError, RangeError, choose_range, peak_current_a};
use crate::profile::{Bias, CurrentRange, DirectStep, DirectTechnique, Instrument, Plan, Step, SweepStep};
use crate::spectrum::Technique;
pub use refusal::Refusal;

/// Distance of a bias from the open-circuit potential in V from which on it counts as polarising.
pub const POLARISATION_V: f64 = 0.020;

/// What stands for the range of an instrument that chooses by itself.
static OWN_RANGE: LazyLock<CurrentRange> = LazyLock::new(|| CurrentRange {
    code: 0,
    limit_a: f64::INFINITY,
    label: "the instrument's own".to_owned(),
});

/// Whether the instrument can hold the cell at all.
///
/// # Errors
/// Where the cell's profile says that it may rest beyond the instrument's potentials.
pub fn check_cell(profiles: &Profiles) -> Result<(), Refusal> {
    let Profiles { instrument, cell, .. } = profiles;
    let Some([low_v, high_v]) = cell.potential_window_v else {
        return Ok(());
    };
    let limits = &instrument.limits;
    let reach = limits.potential_min_v..=limits.potential_max_v;
    if reach.contains(&low_v) && reach.contains(&high_v) {
        return Ok(());
    }
    Err(Refusal::CellBeyondInstrument {
        cell: cell.name.clone(),
        low_v,
        high_v,
        instrument: instrument.label.clone(),
        reach: instrument_range(instrument),
    })
}

/// Whether the instrument that answers has every technique of the plan; `techniques` is what it says itself.
///
/// # Errors
/// Where it has not.
pub fn check_capabilities(profiles: &Profiles, techniques: &[String]) -> Result<(), Refusal> {
    let Profiles { instrument, plan, .. } = profiles;
    for (index, step) in plan.steps.iter().enumerate() {
        let technique = technique_of(step);
        if !techniques.iter().any(|known| known == technique) {
            return Err(no_such_technique(instrument, plan, index, technique, techniques));
        }
    }
    Ok(())
}

fn technique_of(step: &Step) -> &'static str {
    match step {
        Step::Sweep(sweep) => sweep.technique.word(),
        Step::Direct(direct) => direct.technique.word(),
        Step::Rest(_) => "ocp",
    }
}

fn no_such_technique(
    instrument: &Instrument,
    plan: &Plan,
    index: usize,
    technique: &str,
    known: &[String],
) -> Refusal {
    Refusal::NoSuchTechnique {
        plan: plan.name.clone(),
        step: index + 1,
        instrument: instrument.label.clone(),
        technique: technique.to_owned(),
        known: known.join(", "),
    }
}

/// Whether the instrument can do each step of the plan at all.
///
/// # Errors
/// Where it cannot.
pub fn check_plan(instrument: &Instrument, plan: &Plan) -> Result<(), Refusal> {
    super::line_preflight::check_plan(instrument, plan)?;
    for (index, step) in plan.steps.iter().enumerate() {
        let technique = technique_of(step);
        if !instrument.has(technique) {
            let known = &instrument.techniques;
            return Err(no_such_technique(instrument, plan, index, technique, known));
        }
        let beyond = |what: String, limit: String| Refusal::BeyondInstrument {
            plan: plan.name.clone(),
            step: index + 1,
            what,
            instrument: instrument.label.clone(),
            limit,
        };
        match step {
            Step::Sweep(sweep) if plan.limits.charge_max_c.is_some() && has_bias(sweep) => {
                return Err(Refusal::ChargeUnwatched {
                    plan: plan.name.clone(),
                    step: index + 1,
                });
            }
            Step::Sweep(sweep) => check_sweep(instrument, plan, sweep, beyond)?,
            Step::Direct(direct) => check_direct(instrument, plan, direct, beyond)?,
            Step::Rest(_) => {}
        }
    }
    Ok(())
}

/// Whether a sweep may drive direct current through the cell: the plan gives it a bias of its own.
fn has_bias(step: &SweepStep) -> bool {
    match step.technique {
        Technique::Geis => step.bias_a != 0.0,
        _ => step.bias != Bias::OpenCircuit,
    }
}

fn check_sweep(
    instrument: &Instrument,
    plan: &Plan,
    step: &SweepStep,
    beyond: impl Fn(String, String) -> Refusal,
) -> Result<(), Refusal> {
    let limits = &instrument.limits;
    if step.f_max_hz > limits.f_max_hz {
        let what = format!("f_max_hz = {}", step.f_max_hz);
        return Err(beyond(what, format!("at most {} Hz", limits.f_max_hz)));
    }
    if step.f_min_hz < limits.f_min_hz {
        let what = format!("f_min_hz = {}", step.f_min_hz);
        return Err(beyond(what, format!("at least {} Hz", limits.f_min_hz)));
    }
    if step.technique == Technique::Peis
        && instrument.sets_amplitude()
        && step.amplitude_vrms > limits.amplitude_max_vrms
    {
        let what = format!("amplitude_vrms = {}", step.amplitude_vrms);
        return Err(beyond(
            what,
            format!("at most {} V rms", limits.amplitude_max_vrms),
        ));
    }
    if let Bias::Potential(bias) = step.bias {
        check_potential(instrument, plan, step, bias)?;
    }
    let peak_a = step.bias_a.abs() + step.amplitude_arms.unwrap_or(0.0) * std::f64::consts::SQRT_2;
    if peak_a > limits.current_max_a {
        let what = format!("a current of {peak_a} A");
        return Err(beyond(what, format!("at most {} A", limits.current_max_a)));
    }
    Ok(())
}

fn check_direct(
    instrument: &Instrument,
    plan: &Plan,
    step: &DirectStep,
    beyond: impl Fn(String, String) -> Refusal,
) -> Result<(), Refusal> {
    if let DirectTechnique::ChronoPotentiometry { current_a, .. } = step.technique {
        let most_a = instrument.limits.current_max_a;
        if current_a.abs() > most_a {
            let what = format!("current_a = {current_a}");
            return Err(beyond(what, format!("at most {most_a} A")));
        }
        if let Some(most_a) = plan
            .limits
            .current_max_a
            .filter(|most_a| current_a.abs() > *most_a)
        {
            return Err(Refusal::BeyondPlan {
                peak_a: current_a.abs(),
                most_a,
                plan: plan.name.clone(),
            });
        }
        // A cell that the instrument could not even hold at its limits must not be driven there.
        let (low_v, high_v) = (plan.limits.potential_min_v, plan.limits.potential_max_v);
        for potential_v in [low_v, high_v].into_iter().flatten() {
            if !(instrument.limits.potential_min_v..=instrument.limits.potential_max_v).contains(&potential_v)
            {
                let what = format!("a cell at its limit of {potential_v} V");
                return Err(beyond(what, instrument_range(instrument)));
            }
        }
    }
    if !step.vs_open_circuit {
        check_direct_potentials(instrument, plan, step, &step.technique)?;
    }
    Ok(())
}

fn instrument_range(instrument: &Instrument) -> String {
    let limits = &instrument.limits;
    format!("{} to {} V", limits.potential_min_v, limits.potential_max_v)
}

/// Whether an error of reading the open-circuit potential means that the instrument has no such technique.
#[must_use]
pub fn has_no_open_circuit(error: &InstrumentError) -> bool {
    matches!(error, InstrumentError::ScriptRefused { place, .. } if place.contains("meas_loop_ocp"))
}

/// Whether the resting cell is where its profile and the plan say that it may be.
///
/// # Errors
/// Where it is not.
pub fn check_open_circuit(profiles: &Profiles, ocp_v: f64) -> Result<(), Refusal> {
    check_cell_potential(
        profiles,
        ocp_v,
        "this is what the resting cell has: check leads and cell",
    )
}

/// Whether the direct current of a galvanostatic sweep leaves the cell where its profile and the plan say that it may
/// be; `largest_ohm` is what is believed of |Z| at the lowest frequency.
///
/// # Errors
/// Where it does not.
pub fn check_bias_current(
    profiles: &Profiles,
    step: &SweepStep,
    largest_ohm: f64,
    ocp_v: f64,
) -> Result<(), Refusal> {
    if step.technique != Technique::Geis || step.bias_a == 0.0 || !largest_ohm.is_finite() {
        return Ok(());
    }
    let advice = format!(
        "this is what bias_a = {} A makes of |Z| = {largest_ohm:.3e} ohm at the lowest frequency: lower bias_a",
        step.bias_a
    );
    check_cell_potential(profiles, ocp_v + step.bias_a * largest_ohm, &advice)
}

fn check_cell_potential(profiles: &Profiles, potential_v: f64, advice: &str) -> Result<(), Refusal> {
    let limits = &profiles.plan.limits;
    let plan = (
        limits.potential_min_v.unwrap_or(f64::NEG_INFINITY),
        limits.potential_max_v.unwrap_or(f64::INFINITY),
        format!("plan {}", profiles.plan.name),
    );
    let [low_v, high_v] = profiles
        .cell
        .potential_window_v
        .unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
    for (low_v, high_v, whose) in [plan, (low_v, high_v, format!("cell {}", profiles.cell.name))] {
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
    Ok(())
}

/// A technique of direct current with its potentials as they are to be set.
///
/// # Errors
/// Where it needs the open-circuit potential and there is none, or a potential is out of bounds.
pub fn direct_technique(
    profiles: &Profiles,
    step: &DirectStep,
    ocp_v: Option<f64>,
) -> Result<DirectTechnique, Refusal> {
    let technique = match (step.vs_open_circuit, ocp_v) {
        (false, _) => step.technique,
        (true, Some(ocp_v)) => step.technique.shifted(ocp_v),
        (true, None) => return Err(Refusal::NoOpenCircuit),
    };
    // The way in which a current drives a cell cannot be checked without it.
    if ocp_v.is_none() && technique.potentials_v().is_none() {
        return Err(Refusal::NoOpenCircuit);
    }
    check_direct_potentials(&profiles.instrument, &profiles.plan, step, &technique)?;
    Ok(technique)
}

/// Whether instrument and plan allow the potentials that a technique of direct current sets.
///
/// # Errors
/// Where they do not.
pub fn check_direct_potentials(
    instrument: &Instrument,
    plan: &Plan,
    step: &DirectStep,
    technique: &DirectTechnique,
) -> Result<(), Refusal> {
    let Some((low_v, high_v)) = technique.potentials_v() else {
        return Ok(());
    };
    let mode = step.setting.pgstat_mode.unwrap_or(instrument.direct_pgstat_mode);
    check_potentials(instrument, plan, mode, low_v, high_v)
}

/// Whether the plan allows a current.
///
/// # Errors
/// Where it does not.
pub fn check_current(profiles: &Profiles, peak_a: f64) -> Result<(), Refusal> {
    let plan = &profiles.plan;
    match plan.limits.current_max_a.filter(|most_a| peak_a > *most_a) {
        Some(most_a) => Err(Refusal::BeyondPlan {
            peak_a,
            most_a,
            plan: plan.name.clone(),
        }),
        None => Ok(()),
    }
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
    let mode = step.setting.pgstat_mode.unwrap_or(instrument.pgstat_mode);
    check_potentials(instrument, plan, mode, bias_v - peak, bias_v + peak)
}

fn check_potentials(
    instrument: &Instrument,
    plan: &Plan,
    mode: u32,
    lowest_v: f64,
    highest_v: f64,
) -> Result<(), Refusal> {
    let limits = &instrument.limits;
    let mut bounds = vec![
        (
            limits.potential_min_v,
            limits.potential_max_v,
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
    if let Some(mode) = instrument.mode(mode) {
        let whose = format!("{} in potentiostat mode {}", instrument.label, mode.number);
        let advice = "use another mode or an instrument with a wider range";
        bounds.push((mode.potential_min_v, mode.potential_max_v, whose.clone(), advice));
        bounds.push((highest_v - mode.window_v, lowest_v + mode.window_v, whose, advice));
    }
    for (low_v, high_v, whose, advice) in bounds {
        for potential_v in [lowest_v, highest_v] {
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
    let instrument = &profiles.instrument;
    if !instrument.sets_amplitude() {
        return Ok((f64::NAN, &OWN_RANGE));
    }
    let peak_a = peak_current_a(step.amplitude_vrms, smallest_ohm, distance_v / smallest_ohm)?;
    check_current(profiles, peak_a)?;
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

/// What somebody must know before a step is left to an instrument: what it does not keep by itself.
#[must_use]
pub fn remark(profiles: &Profiles, step: &Step) -> Option<String> {
    super::line_preflight::remark(&profiles.instrument, &profiles.plan, step)
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

/// How long a step takes in s by the instrument's profile.
#[must_use]
pub fn step_duration_s(instrument: &Instrument, step: &Step) -> f64 {
    match step {
        Step::Sweep(sweep) => sweep_duration_s(instrument, sweep),
        Step::Direct(direct) => direct.technique.duration_s(),
        Step::Rest(rest) => rest.duration_s,
    }
}

/// How long a plan takes in s by the instrument's profile.
#[must_use]
pub fn plan_duration_s(instrument: &Instrument, plan: &Plan) -> f64 {
    let round: f64 = plan
        .steps
        .iter()
        .map(|step| step_duration_s(instrument, step))
        .sum();
    let repeats = f64::from(plan.repeat.saturating_sub(1));
    repeats * round.max(plan.interval_s) + round
}

#[cfg(test)]
mod tests;
