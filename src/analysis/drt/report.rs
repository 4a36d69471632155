//! From the solutions to what is reported, or why nothing is.

use super::estimate::Estimate;
use super::peaks::{self, Maximum};
use super::system::Data;
use super::tail::{self, Tail, TailChoice};
use super::{Drt, DrtError};
use crate::units::{Script, engineering};

/// Root mean square of the residuals over |Z| in per cent from which on the data are not relaxations.
const UNEXPLAINED_PERCENT: f64 = 5.0;
/// Residuals so many times the noise that are so many per cent of |Z| too say the same: the smaller they are, the
/// clearer they must stand out.
const UNEXPLAINED_BEYOND_NOISE: [(f64, f64); 2] = [(4.0, 1.0), (10.0, 0.5)];
/// Residuals so many times the noise are worth a remark.
const BEYOND_NOISE: f64 = 2.0;
/// An area may change by this share from one possible law of the tail to another.
const BETWEEN_TAILS: f64 = 0.4;
/// Near the slow end of the window, in ln tau: one decade and a half.
const NEAR_END: f64 = 3.45;
/// Area outside the window, as a share of all, that is worth a remark.
const WORTH_TELLING: f64 = 0.02;

/// The distribution, of which the remarks are still to be filled in.
pub(super) fn assemble(
    data: &Data,
    choice: &mut TailChoice,
    main: &Estimate,
    beside: [&Estimate; 2],
    noise: Option<f64>,
    is_lambda_chosen: bool,
) -> Result<Drt, DrtError> {
    let rms_residual_percent = 100.0 * (main.chi_squared / main.rows as f64).sqrt();
    let rms_percent = rms_residual_percent;
    let is_far_beyond_noise = noise.is_some_and(|noise| {
        let limits = UNEXPLAINED_BEYOND_NOISE.iter();
        let mut both = limits.map(|(times, percent)| (times * 100.0 * noise).max(*percent));
        both.any(|limit| rms_percent > limit)
    });
    match is_lambda_chosen {
        true if rms_percent > UNEXPLAINED_PERCENT || is_far_beyond_noise => {
            return Err(DrtError::Unexplained { rms_percent });
        }
        // A given weight may smooth away what is there: that is what was asked for, up to a point.
        false if rms_percent > UNEXPLAINED_PERCENT => {
            return Err(DrtError::TooSmooth {
                lambda: main.lambda,
                rms_percent,
            });
        }
        _ => {}
    }
    let (persistent, mut passing) = peaks::persistent(data, &choice.system, &choice.grid, main, beside);
    let had_peaks = !persistent.is_empty();
    let other_tails = under_other_tails(data, choice, main);
    let (persistent, dependent): (Vec<Maximum>, Vec<Maximum>) = persistent
        .into_iter()
        .partition(|maximum| is_regardless_of_tail(choice, main, &other_tails, maximum));
    passing.extend(dependent);
    let TailChoice { system, grid, .. } = &*choice;
    let layout = system.layout;
    let values = &main.solution.values;
    if persistent.is_empty() {
        match choice.exponent {
            Some(exponent) if had_peaks => {
                return Err(DrtError::TailNotSeparable {
                    phase_deg: tail::phase_deg(exponent),
                });
            }
            _ => refuse_without_relaxation(choice, main)?,
        }
    }
    let scale = data.scale_ohm;
    let in_ohm = |estimate: &Estimate| -> Vec<f64> {
        estimate.solution.values[..layout.taus]
            .iter()
            .map(|gamma| gamma * scale)
            .collect()
    };
    let gamma_ohm = in_ohm(main);
    let area = |chosen: &dyn Fn(f64) -> bool| -> f64 {
        let pairs = grid.tau_s.iter().zip(&gamma_ohm);
        pairs
            .filter(|(tau, _)| chosen(**tau))
            .map(|(_, gamma)| gamma * grid.step)
            .fold(0.0, |sum, x| sum + x)
    };
    let mut passing_tau_s: Vec<f64> = passing.iter().map(|maximum| maximum.ln_tau.exp()).collect();
    passing_tau_s.sort_by(f64::total_cmp);
    Ok(Drt {
        lambda: main.lambda,
        is_lambda_chosen,
        band_ohm: (0..layout.taus)
            .map(|k| main.std_error_of(system, &[(k, scale)]))
            .collect(),
        gamma_beside_ohm: beside.map(in_ohm),
        r_infinity_ohm: values[layout.r_infinity()] * scale,
        inductance_h: values[layout.inductance()] * scale / data.high(),
        r_polarisation_ohm: area(&|_| true),
        masked_ohm: [
            area(&|tau| !grid.is_inside(tau) && tau < grid.window_s[0]),
            area(&|tau| !grid.is_inside(tau) && tau > grid.window_s[1]),
        ],
        tail: layout
            .tail()
            .zip(choice.exponent)
            .filter(|(unknown, _)| values[*unknown] > 0.0)
            .map(|(unknown, exponent)| Tail::new(exponent, values[unknown] * scale, data.low())),
        peaks: persistent
            .iter()
            .map(|maximum| {
                let others = beside.into_iter().chain(&other_tails);
                peaks::describe(system, grid, main, others, maximum, scale)
            })
            .collect(),
        passing_tau_s,
        rms_residual_percent,
        freedom: main.freedom,
        n_used: data.omega.len(),
        remarks: Vec::new(),
        grid: grid.clone(),
        gamma_ohm,
    })
}

/// The solutions under the other laws of the tail that the data allow.
fn under_other_tails(data: &Data, choice: &mut TailChoice, main: &Estimate) -> Vec<Estimate> {
    let Some(chosen) = choice.exponent else {
        return Vec::new();
    };
    let mut exponents = choice.limits(data, main);
    exponents.extend(choice.rivals.iter().copied().reduce(f64::max));
    exponents.extend(choice.rivals.iter().copied().reduce(f64::min));
    let others = exponents
        .into_iter()
        .filter_map(|exponent| {
            choice.system.set_tail(data, exponent);
            Estimate::at(&choice.system, main.lambda, &mut choice.free.clone())
        })
        .collect();
    choice.system.set_tail(data, chosen);
    others
}

/// Whether an area is the same under every law of the tail that the data allow. One near the slow end of the window
/// that goes on beyond it, beside a free exponent, is not: each can stand for the other.
fn is_regardless_of_tail(
    choice: &TailChoice,
    main: &Estimate,
    others: &[Estimate],
    maximum: &Maximum,
) -> bool {
    let grid = &choice.grid;
    let gamma = &main.solution.values[..choice.system.layout.taus];
    let has_free_exponent = choice.exponent.is_some_and(|exponent| !tail::is_simple(exponent));
    let is_near_end = grid.window_s[1].ln() - maximum.ln_tau < NEAR_END;
    if has_free_exponent && is_near_end && peaks::cut_sides(gamma, grid, maximum)[1] {
        return false;
    }
    let area = maximum.area(main);
    others
        .iter()
        .all(|other| (maximum.area(other) / area - 1.0).abs() < BETWEEN_TAILS)
}

/// Without a peak there may be a broad distribution still, but not where series elements describe the data.
fn refuse_without_relaxation(choice: &TailChoice, main: &Estimate) -> Result<(), DrtError> {
    let layout = choice.system.layout;
    let needed = main.cost_of_removing(&choice.system, 0..layout.taus);
    if needed.is_none_or(|cost| cost > peaks::NEEDED) {
        return Ok(());
    }
    let values = &main.solution.values;
    let mut found = Vec::new();
    for (is_there, word) in [
        (values[layout.r_infinity()] > 0.0, "a resistance"),
        (values[layout.inductance()] > 0.0, "an inductance"),
        (choice.exponent == Some(1.0), "a capacitance"),
        (choice.exponent == Some(0.5), "a Warburg impedance"),
        (
            choice.exponent.is_some_and(|n| n != 0.5 && n != 1.0),
            "a constant phase element",
        ),
    ] {
        if is_there {
            found.push(word);
        }
    }
    Err(DrtError::NoRelaxation {
        found: match found.as_slice() {
            [] => "noise".to_owned(),
            [only] => (*only).to_owned(),
            [most @ .., last] => format!("{} and {last}", most.join(", ")),
        },
    })
}

fn hertz(frequency_hz: f64) -> String {
    engineering(frequency_hz, "Hz", Script::Ascii)
}

/// What a reader should know before trusting the distribution.
pub(super) fn remarks(drt: &Drt, noise: Option<f64>) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(Tail::ConstantPhase { exponent, .. }) = drt.tail {
        remarks.push(format!(
            "a constant phase element with n = {exponent:.3} was fitted beside the distribution: an arc whose top lies below the lowest frequency looks the same"
        ));
    }
    for peak in drt.peaks.iter().filter(|peak| peak.is_cut()) {
        let end = match peak.cut_sides {
            [true, true] => "both ends of the measured frequencies",
            [true, false] => "the highest measured frequency",
            _ => "the lowest measured frequency",
        };
        remarks.push(format!(
            "the peak at {} goes on beyond {end}: its area is a lower limit",
            hertz(peak.frequency_hz)
        ));
    }
    if drt.tail.is_some()
        && let Some(peak) = drt.peaks.last()
        && peak.tau_s > drt.grid.window_s[1] / 10.0
    {
        remarks.push(format!(
            "the peak at {} lies within a decade of the lowest frequency, beside a tail: its area depends on the tail's law, and tends to be too small",
            hertz(peak.frequency_hz)
        ));
    }
    let outside: f64 = drt.masked_ohm.iter().sum();
    if outside > WORTH_TELLING * drt.r_polarisation_ohm {
        remarks.push(format!(
            "{:.1} % of the area lies at time constants outside the measured frequencies and is masked",
            100.0 * outside / drt.r_polarisation_ohm
        ));
    }
    let in_peaks: f64 = drt.peaks.iter().map(|peak| peak.resistance_ohm).sum();
    let inside = drt.r_polarisation_ohm - outside;
    if !drt.peaks.is_empty() && inside - in_peaks > 0.05 * inside {
        remarks.push(format!(
            "{:.0} % of the area within the window lies in maxima that are not reported; the peaks alone are {}",
            100.0 * (1.0 - in_peaks / inside),
            engineering(in_peaks, "ohm", Script::Ascii)
        ));
    }
    if let Some(noise) = noise.map(|noise| 100.0 * noise)
        && drt.rms_residual_percent > BEYOND_NOISE * noise
        && drt.rms_residual_percent > 0.1
    {
        remarks.push(format!(
            "the residuals ({:.2} % of |Z|) are {:.1} times the noise: something is no sum of relaxations",
            drt.rms_residual_percent,
            drt.rms_residual_percent / noise
        ));
    }
    if drt.peaks.is_empty() {
        remarks.push("no peak persists: the distribution is broad, or hidden by noise".to_owned());
    }
    remarks
}
