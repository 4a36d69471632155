//! Peaks of a distribution: which persist, how large they are and how sure.

use std::ops::Range;

use super::estimate::Estimate;
use super::grid::TauGrid;
use super::system::{Data, System};

/// How far a peak may move in ln tau when the penalty changes tenfold.
const FOLLOWED: f64 = 1.0;
/// A peak that is not needed to describe the data so clearly is noise: the rise of the objective without it, in
/// units of the noise's variance.
pub(super) const NEEDED: f64 = 20.0;
/// A maximum counts where it stands out from the lower of its sides by this share of its height.
const PROMINENCE: f64 = 0.02;

/// A maximum with less than this share of the area of its neighbour, and within [`LOBE_REACH`] of it in ln tau, may
/// be a lobe that the penalty gives a sharp peak, and counts as a part of it.
const LOBE_SHARE: f64 = 0.08;
/// See [`LOBE_SHARE`].
const LOBE_REACH: f64 = 4.0;

/// Maxima nearer to each other in ln tau are told apart only where both persist.
const RESOLVED: f64 = 2.0;

/// Beside a tail a peak must have at least this share of |Z| at its frequency: what is smaller may be the tail's
/// own departure from its law.
const VISIBLE_BESIDE_TAIL: f64 = 0.01;

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
    /// By how much the area in ohm between the same time constants differs at most at the other weights of the
    /// penalty, and under the other laws of a tail that the data allow.
    pub spread_ohm: f64,
    /// tau over the resistance, in F.
    pub capacitance_f: f64,
    /// The time constants in s between which the area was taken.
    pub range_s: [f64; 2],
    /// Whether the window ends on the slope of the peak, so that a part of it was not measured: at the fast and at
    /// the slow end.
    pub cut_sides: [bool; 2],
}

impl Peak {
    /// Whether a part of the peak was not measured, so that its area is a lower limit.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut_sides.contains(&true)
    }

    /// The error of the area in ohm: noise, what the choice of the penalty and of a tail's law makes of it, and
    /// [`SMOOTHING_SHARE`] of it for what smoothing itself moves between neighbours.
    #[must_use]
    pub fn error_ohm(&self) -> Option<f64> {
        let smoothing = SMOOTHING_SHARE * self.resistance_ohm;
        self.std_error_ohm
            .map(|noise| noise.hypot(self.spread_ohm).hypot(smoothing))
    }
}

/// The share of an area that the penalty moves to its neighbours or takes from them whatever the noise: of two ZARCs
/// three decades apart, 95 in 100 areas lie within twice this share also where noise is a fiftieth of a per cent.
pub const SMOOTHING_SHARE: f64 = 0.025;

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

impl Maximum {
    /// The sum of an estimate's unknowns over its range.
    pub(super) fn area(&self, estimate: &Estimate) -> f64 {
        estimate.solution.values[self.range.clone()].iter().sum()
    }
}

/// Whether the window ends on the slope of a maximum, at its fast and at its slow end.
pub(super) fn cut_sides(gamma: &[f64], grid: &TauGrid, maximum: &Maximum) -> [bool; 2] {
    let at_end = |k: usize| gamma[k] > 0.1 * gamma[maximum.top];
    let (first, last) = (maximum.range.start, maximum.range.end - 1);
    [
        at_end(first) && (first == 0 || !grid.is_inside(grid.tau_s[first - 1])),
        at_end(last) && (last + 1 == gamma.len() || !grid.is_inside(grid.tau_s[last + 1])),
    ]
}

/// All maxima within the window, from fast to slow, with the minima between them.
pub(super) fn maxima(gamma: &[f64], grid: &TauGrid) -> Vec<Maximum> {
    let inside = || (0..gamma.len()).filter(|&k| grid.is_inside(grid.tau_s[k]));
    let (Some(first), Some(last)) = (inside().next(), inside().next_back()) else {
        return Vec::new();
    };
    let at = |k: usize| gamma.get(k).copied().unwrap_or(0.0);
    let before = |k: usize| k.checked_sub(1).map_or(0.0, at);
    let mut tops: Vec<usize> = inside()
        .filter(|&k| at(k) > 0.0 && at(k) > before(k) && at(k) >= at(k + 1))
        .collect();
    while let Some(place) =
        ripple(gamma, &tops, first..last + 1).or_else(|| lobe(gamma, &tops, first..last + 1, grid))
    {
        tops.remove(place);
    }
    tops.iter()
        .zip(ranges(gamma, &tops, first..last + 1))
        .map(|(&top, range)| {
            let (a, b, c) = (before(top), at(top), at(top + 1));
            let curvature = a - 2.0 * b + c;
            let offset = if curvature < 0.0 {
                (0.5 * (a - c) / curvature).clamp(-0.5, 0.5)
            } else {
                0.0
            };
            Maximum {
                top,
                ln_tau: grid.tau_s[top].ln() + offset * grid.step,
                range,
            }
        })
        .collect()
}

/// What belongs to each top: from the lowest place between two to the next.
fn ranges(gamma: &[f64], tops: &[usize], window: Range<usize>) -> Vec<Range<usize>> {
    let lowest = |pair: &[usize]| (pair[0]..=pair[1]).min_by(|a, b| gamma[*a].total_cmp(&gamma[*b]));
    let cuts: Vec<usize> = tops.windows(2).filter_map(lowest).collect();
    let starts = std::iter::once(window.start).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([window.end]);
    starts.zip(ends).map(|(from, to)| from..to).collect()
}

/// The least prominent of several tops, where it is a ripple on the side of a peak.
fn ripple(gamma: &[f64], tops: &[usize], window: Range<usize>) -> Option<usize> {
    let lowest = |range: Range<usize>| gamma[range].iter().copied().fold(f64::INFINITY, f64::min);
    let prominence = |place: usize| {
        let top = tops[place];
        let left = place.checked_sub(1).map_or(window.start, |before| tops[before]);
        let right = tops.get(place + 1).map_or(window.end, |next| next + 1);
        (gamma[top] - lowest(left..top + 1).max(lowest(top..right))) / gamma[top]
    };
    (0..tops.len())
        .map(|place| (place, prominence(place)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, prominence)| tops.len() > 1 && *prominence < PROMINENCE)
        .map(|(place, _)| place)
}

/// The smallest top that may be a lobe of its neighbour.
fn lobe(gamma: &[f64], tops: &[usize], window: Range<usize>, grid: &TauGrid) -> Option<usize> {
    let areas: Vec<f64> = ranges(gamma, tops, window)
        .into_iter()
        .map(|range| gamma[range].iter().sum())
        .collect();
    let is_lobe_of = |place: usize, other: usize| {
        let distance = tops[other].abs_diff(tops[place]) as f64 * grid.step;
        distance < LOBE_REACH && areas[place] < LOBE_SHARE * areas[other]
    };
    (0..tops.len())
        .filter(|&place| {
            place
                .checked_sub(1)
                .is_some_and(|before| is_lobe_of(place, before))
                || (place + 1 < tops.len() && is_lobe_of(place, place + 1))
        })
        .min_by(|a, b| areas[*a].total_cmp(&areas[*b]))
}

/// The maxima of `main` that are there at the other weights too and that the data need.
pub(super) fn persistent(
    data: &Data,
    system: &System,
    grid: &TauGrid,
    main: &Estimate,
    others: [&Estimate; 2],
) -> (Vec<Maximum>, Vec<Maximum>) {
    let all = |estimate: &Estimate| maxima(&estimate.solution.values[..system.layout.taus], grid);
    let elsewhere = others.map(all);
    let parted = all(main).into_iter().partition(|maximum| {
        let stays = elsewhere.iter().all(|maxima| {
            maxima
                .iter()
                .any(|other| (other.ln_tau - maximum.ln_tau).abs() < FOLLOWED)
        });
        let area = maximum.area(main) * grid.step * data.scale_ohm;
        let is_visible = !system.layout.has_tail
            || area > VISIBLE_BESIDE_TAIL * data.modulus_near(1.0 / maximum.ln_tau.exp());
        stays
            && is_visible
            && main
                .cost_of_removing(system, maximum.range.clone())
                .is_none_or(|cost| cost > NEEDED)
    });
    joined(parted)
}

/// Gives what a maximum that passes holds to a neighbour that persists and from which it cannot be told apart: it is a
/// ripple of that one, and came out of its area.
fn joined((mut persistent, mut passing): (Vec<Maximum>, Vec<Maximum>)) -> (Vec<Maximum>, Vec<Maximum>) {
    loop {
        let pair = passing.iter().enumerate().find_map(|(place, ripple)| {
            let distance = |peak: &Maximum| (peak.ln_tau - ripple.ln_tau).abs();
            let neighbours = persistent.iter().enumerate().filter(|(_, peak)| {
                let touches = peak.range.end == ripple.range.start || ripple.range.end == peak.range.start;
                touches && distance(peak) < RESOLVED
            });
            let nearest = neighbours.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)));
            nearest.map(|(peak, _)| (place, peak))
        });
        let Some((place, peak)) = pair else {
            return (persistent, passing);
        };
        let ripple = passing.remove(place).range;
        let range = &mut persistent[peak].range;
        *range = range.start.min(ripple.start)..range.end.max(ripple.end);
    }
}

/// Area, time constant and their errors of a maximum. `others` are solutions at other weights of the penalty and
/// under other laws of the tail.
pub(super) fn describe<'a>(
    system: &System,
    grid: &TauGrid,
    main: &Estimate,
    others: impl Iterator<Item = &'a Estimate>,
    maximum: &Maximum,
    scale_ohm: f64,
) -> Peak {
    let gamma = &main.solution.values[..system.layout.taus];
    let in_ohm = grid.step * scale_ohm;
    let area = maximum.area(main);
    let spread = others
        .map(|other| (maximum.area(other) - area).abs())
        .fold(0.0, f64::max);
    let weights: Vec<(usize, f64)> = maximum.range.clone().map(|k| (k, in_ohm)).collect();
    let resistance_ohm = area * in_ohm;
    let tau_s = maximum.ln_tau.exp();
    Peak {
        tau_s,
        ln_tau_std_error: ln_tau_error(system, grid, main, maximum.top),
        frequency_hz: 1.0 / (std::f64::consts::TAU * tau_s),
        resistance_ohm,
        std_error_ohm: main.std_error_of(system, &weights),
        spread_ohm: spread * in_ohm,
        capacitance_f: tau_s / resistance_ohm,
        range_s: [maximum.range.start, maximum.range.end - 1].map(|k| grid.tau_s[k]),
        cut_sides: cut_sides(gamma, grid, maximum),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn maximum(ln_tau: f64, range: Range<usize>) -> Maximum {
        Maximum {
            top: range.start,
            ln_tau,
            range,
        }
    }

    #[test]
    fn ripples_at_the_foot_of_a_peak_give_it_what_they_took_and_far_ones_do_not() {
        let persistent = vec![maximum(0.0, 40..50), maximum(9.0, 80..90)];
        let passing = vec![
            maximum(-1.9, 30..40),
            maximum(-3.0, 20..30),
            maximum(1.5, 50..60),
            maximum(5.0, 60..80),
        ];
        let (persistent, passing) = joined((persistent, passing));
        let ranges: Vec<Range<usize>> = persistent.iter().map(|peak| peak.range.clone()).collect();
        assert_eq!(ranges, [30..60, 80..90]);
        let left: Vec<f64> = passing.iter().map(|peak| peak.ln_tau).collect();
        assert_eq!(left, [-3.0, 5.0]);
    }
}
