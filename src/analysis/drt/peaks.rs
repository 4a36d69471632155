//! Peaks of a distribution: which persist, how large they are and how sure.

use std::ops::Range;

use super::estimate::Estimate;
use super::grid::TauGrid;
use super::system::System;

/// How far a peak may move in ln tau when the penalty changes tenfold.
const FOLLOWED: f64 = 1.0;
/// A peak that is not needed to describe the data so clearly is noise: the rise of the objective without it, in
/// units of the noise's variance.
const NEEDED: f64 = 20.0;
/// A maximum counts where it stands out from the lower of its sides by this share of its height.
const PROMINENCE: f64 = 0.02;

const LOBE_SHARE: f64 = 0.08;
const LOBE_REACH: f64 = 4.0;

/// A process that shows in the distribution at all three weights of the penalty.
#[derive(Clone, Debug, PartialEq)]
pub struct Peak {
    /// Time constant of the maximum in s.
    pub tau_s: f64,
    /// Standard error of ln tau: noise at fixed lambda.
    pub ln_tau_std_error: Option<f64>,
    /// 1/(2 pi tau) in Hz.
    pub frequency_hz: f64,
    /// Area in ohm between the minima to both sides, within the window.
    pub resistance_ohm: f64,
    /// Standard error of the area in ohm: noise at fixed lambda.
    pub std_error_ohm: Option<f64>,
    /// tau over the resistance, in F.
    pub capacitance_f: f64,
    /// The time constants in s between which the area was taken.
    pub range_s: [f64; 2],
    /// Whether the window ends on the slope of the peak, so that a part of it was not measured.
    pub is_cut: bool,
}

/// A maximum of one distribution.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Maximum {
    /// Index of the highest value.
    pub top: usize,
    /// ln tau of the maximum of the parabola through the highest three.
    pub ln_tau: f64,
    /// Indices from the minimum before to the one behind; a minimum belongs to the peak that follows.
    pub range: Range<usize>,
}

/// All maxima within the window, from fast to slow, with the minima between them.
pub(super) fn maxima(gamma: &[f64], grid: &TauGrid) -> Vec<Maximum> {
    let inside: Vec<usize> = (0..gamma.len()).filter(|&k| grid.is_inside(grid.tau_s[k])).collect();
    let (Some(&first), Some(&last)) = (inside.first(), inside.last()) else {
        return Vec::new();
    };
    let at = |k: usize| gamma.get(k).copied().unwrap_or(0.0);
    let mut tops: Vec<usize> = inside
        .iter()
        .copied()
        .filter(|&k| {
            let before = if k == 0 { 0.0 } else { at(k - 1) };
            at(k) > 0.0 && at(k) > before && at(k) >= at(k + 1)
        })
        .collect();
    // Ripples on a side of a peak are not peaks.
    let lowest = |from: usize, to: usize| gamma[from..=to].iter().copied().fold(f64::INFINITY, f64::min);
    loop {
        let weakest = (0..tops.len())
            .map(|place| {
                let top = tops[place];
                let left = if place == 0 { lowest(first, top) } else { lowest(tops[place - 1], top) };
                let right = if place + 1 == tops.len() { lowest(top, last) } else { lowest(top, tops[place + 1]) };
                (place, (at(top) - left.max(right)) / at(top))
            })
            .filter(|(place, _)| {
                // At the ends a slope is a maximum in its own right only if it falls to both sides.
                tops.len() > 1 || *place == 0
            })
            .min_by(|a, b| a.1.total_cmp(&b.1));
        match weakest {
            Some((place, prominence)) if prominence < PROMINENCE && tops.len() > 1 => {
                tops.remove(place);
            }
            _ => break,
        }
    }
    let cuts_of = |tops: &[usize]| -> Vec<usize> {
        tops.windows(2)
            .map(|pair| (pair[0]..=pair[1]).min_by(|a, b| at(*a).total_cmp(&at(*b))).unwrap_or(pair[0]))
            .collect()
    };
    loop {
        let cuts = cuts_of(&tops);
        let area = |place: usize| -> f64 {
            let from = if place == 0 { first } else { cuts[place - 1] };
            let to = cuts.get(place).copied().unwrap_or(last + 1);
            gamma[from..to].iter().sum()
        };
        let lobe = (0..tops.len())
            .filter(|&place| {
                let beside = [place.checked_sub(1), Some(place + 1).filter(|next| *next < tops.len())];
                beside.into_iter().flatten().any(|other| {
                    let distance = (tops[other] as f64 - tops[place] as f64).abs() * grid.step;
                    distance < LOBE_REACH && area(place) < LOBE_SHARE * area(other)
                })
            })
            .min_by(|a, b| area(*a).total_cmp(&area(*b)));
        match lobe {
            Some(place) => {
                tops.remove(place);
            }
            None => break,
        }
    }
    let cuts = cuts_of(&tops);
    tops.iter()
        .enumerate()
        .map(|(place, &top)| {
            let from = if place == 0 { first } else { cuts[place - 1] };
            let to = cuts.get(place).copied().unwrap_or(last + 1);
            let (a, b, c) = (if top == 0 { 0.0 } else { at(top - 1) }, at(top), at(top + 1));
            let curvature = a - 2.0 * b + c;
            let offset = if curvature < 0.0 { (0.5 * (a - c) / curvature).clamp(-0.5, 0.5) } else { 0.0 };
            Maximum {
                top,
                ln_tau: grid.tau_s[top].ln() + offset * grid.step,
                range: from..to,
            }
        })
        .collect()
}

/// The maxima of `main` that are there at the other weights too and that the data need.
pub(super) fn persistent(
    system: &System,
    grid: &TauGrid,
    main: &Estimate,
    others: [&Estimate; 2],
) -> (Vec<Maximum>, Vec<Maximum>) {
    let all = |estimate: &Estimate| maxima(&estimate.solution.values[..system.layout.taus], grid);
    let elsewhere = others.map(all);
    all(main).into_iter().partition(|maximum| {
        let stays = elsewhere
            .iter()
            .all(|maxima| maxima.iter().any(|other| (other.ln_tau - maximum.ln_tau).abs() < FOLLOWED));
        stays
            && main
                .cost_of_removing(system, maximum.range.clone())
                .is_none_or(|cost| cost > NEEDED)
    })
}

/// Area, time constant and their errors of a maximum.
pub(super) fn describe(
    system: &System,
    grid: &TauGrid,
    main: &Estimate,
    maximum: &Maximum,
    scale_ohm: f64,
) -> Peak {
    let gamma = &main.solution.values[..system.layout.taus];
    let area: f64 = gamma[maximum.range.clone()].iter().sum::<f64>() * grid.step;
    let weights: Vec<(usize, f64)> = maximum.range.clone().map(|k| (k, grid.step)).collect();
    let resistance_ohm = area * scale_ohm;
    let tau_s = maximum.ln_tau.exp();
    let height = gamma[maximum.top];
    let at_end = |k: usize| gamma[k] > 0.1 * height;
    let (first, last) = (maximum.range.start, maximum.range.end - 1);
    let is_cut = (at_end(first) && (first == 0 || !grid.is_inside(grid.tau_s[first - 1])))
        || (at_end(last) && (last + 1 == gamma.len() || !grid.is_inside(grid.tau_s[last + 1])));
    Peak {
        tau_s,
        ln_tau_std_error: ln_tau_error(system, grid, main, maximum.top),
        frequency_hz: 1.0 / (std::f64::consts::TAU * tau_s),
        resistance_ohm,
        std_error_ohm: main.std_error_of(system, &weights).map(|error| error * scale_ohm),
        capacitance_f: tau_s / resistance_ohm,
        range_s: [grid.tau_s[first], grid.tau_s[last]],
        is_cut,
    }
}

/// The maximum is where the slope is zero: error of the slope over the curvature.
fn ln_tau_error(system: &System, grid: &TauGrid, main: &Estimate, top: usize) -> Option<f64> {
    let gamma = &main.solution.values[..system.layout.taus];
    let (before, after) = (top.checked_sub(1)?, top + 1);
    let next = gamma.get(after)?;
    let curvature = (gamma[before] - 2.0 * gamma[top] + next) / (grid.step * grid.step);
    let half = 0.5 / grid.step;
    let slope_error = main.std_error_of(system, &[(before, -half), (after, half)])?;
    (curvature < 0.0).then(|| slope_error / -curvature)
}
