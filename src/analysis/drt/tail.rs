//! What stands at the low end beside relaxations: a blocking capacitance or a diffusion that is not over.
//!
//! A series capacitance or an infinite Warburg impedance has no distribution of finite area: fitted with one, it fills
//! the slow end with peaks that mean nothing. So it is fitted beside the distribution, as A (jw)^-n.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2};

use super::estimate::Estimate;
use super::grid::TauGrid;
use super::system::{Data, System};

/// Weight of the penalty at which tails are compared.
const LAMBDA: f64 = 1e-3;
/// Exponents that are tried.
const EXPONENTS: [f64; 15] = [
    0.30, 0.35, 0.40, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 1.0,
];
/// A law with fewer parameters is kept as long as the free exponent gains no more than this, in units of the noise's
/// variance: 3.3 standard deviations.
const GAIN: f64 = 10.8;
/// Step by which the objective's curvature over the exponent is told.
const LIMIT_STEP: f64 = 0.01;
/// A limit of the exponent is at most so many steps away.
const LIMIT_REACH: f64 = 8.0;
/// Least exponent of a tail.
const LEAST_EXPONENT: f64 = 0.25;
/// Octaves of frequency over which the low end is looked at.
const LOW_END: f64 = 5.0;
/// -Z'' must rise at least so steeply towards low frequencies, as a power of frequency.
const LEAST_SLOPE: f64 = 0.12;

/// A law of the low end that was fitted beside the distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tail {
    /// A series capacitance in F: blocking electrodes.
    Capacitance {
        /// The capacitance in F.
        farad: f64,
    },
    /// An infinite Warburg impedance W (1-j)/sqrt(w).
    Warburg {
        /// W in ohm s^-1/2.
        ohm_per_sqrt_s: f64,
    },
    /// A constant phase element 1/(Q (jw)^n).
    ConstantPhase {
        /// Q in S s^n.
        q: f64,
        /// n.
        exponent: f64,
    },
}

impl Tail {
    /// The word used in JSON: `capacitance`, `warburg`, `cpe`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Capacitance { .. } => "capacitance",
            Self::Warburg { .. } => "warburg",
            Self::ConstantPhase { .. } => "cpe",
        }
    }

    /// From A in ohm, the modulus at the angular frequency `low`.
    pub(super) fn new(exponent: f64, modulus_ohm: f64, low: f64) -> Self {
        // |Z| = A at w = low, so that A low^n w^-n.
        let factor = modulus_ohm * low.powf(exponent);
        if exponent == 1.0 {
            Self::Capacitance { farad: 1.0 / factor }
        } else if exponent == 0.5 {
            Self::Warburg {
                ohm_per_sqrt_s: factor * FRAC_1_SQRT_2,
            }
        } else {
            Self::ConstantPhase {
                q: 1.0 / factor,
                exponent,
            }
        }
    }
}

/// Which tail the data ask for.
#[derive(Clone, Debug)]
pub(super) struct TailChoice {
    pub system: System,
    pub grid: TauGrid,
    pub exponent: Option<f64>,
    /// Exponents that the data cannot tell from the chosen one, which itself is not among them.
    pub rivals: Vec<f64>,
    /// Where to begin solving.
    pub free: Vec<bool>,
}

/// Chooses none, a capacitance, a Warburg impedance or a constant phase element.
pub(super) fn choose(data: &Data, taus: usize, noise: Option<f64>) -> Option<TailChoice> {
    let hz = |omega: f64| omega / std::f64::consts::TAU;
    let grid_with = |has_tail| TauGrid::new(hz(data.low()), hz(data.high()), taus, has_tail);
    let grid = grid_with(false);
    let system = System::new(data, &grid, None);
    let mut free = vec![true; system.layout.size()];
    let closed = TailChoice {
        exponent: None,
        rivals: Vec::new(),
        free: free.clone(),
        system,
        grid,
    };
    if !is_open(data, noise.unwrap_or(0.0)) {
        return Some(closed);
    }
    let none = Estimate::at(&closed.system, LAMBDA, &mut free)?;
    let grid = grid_with(true);
    let mut system = System::new(data, &grid, Some(0.5));
    let mut free = vec![true; system.layout.size()];
    let mut tried: Vec<(f64, Estimate)> = Vec::new();
    for exponent in EXPONENTS {
        system.set_tail(data, exponent);
        tried.push((exponent, Estimate::at(&system, LAMBDA, &mut free)?));
    }
    let (best, least) = tried
        .iter()
        .min_by(|a, b| a.1.objective.total_cmp(&b.1.objective))?;
    let variance = least.variance();
    let excess = |estimate: &Estimate| (estimate.objective - least.objective) / variance;
    if excess(&none) < 0.0 {
        return Some(closed);
    }
    let simple = [0.5, 1.0].into_iter().filter_map(|law| {
        let (_, estimate) = tried.iter().find(|(exponent, _)| *exponent == law)?;
        Some((law, excess(estimate))).filter(|(_, excess)| *excess < GAIN)
    });
    let exponent = match simple.min_by(|a, b| a.1.total_cmp(&b.1)) {
        Some((law, _)) => law,
        None => refined(data, &mut system, &mut free, *best)?,
    };
    let rivals = tried
        .iter()
        .filter(|(other, estimate)| (other - exponent).abs() > 0.04 && excess(estimate) < GAIN)
        .map(|(other, _)| *other)
        .collect();
    system.set_tail(data, exponent);
    Some(TailChoice {
        system,
        grid,
        exponent: Some(exponent),
        rivals,
        free,
    })
}

/// The exponent of the least objective within so far of the best that was tried.
fn refined(data: &Data, system: &mut System, free: &mut [bool], best: f64) -> Option<f64> {
    search(best, 0.05, 2e-3, |exponent| {
        system.set_tail(data, exponent);
        Estimate::at(system, LAMBDA, free).map(|estimate| estimate.objective)
    })
}

/// Golden section.
fn search(middle: f64, reach: f64, end: f64, mut objective: impl FnMut(f64) -> Option<f64>) -> Option<f64> {
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    let (mut low, mut high) = ((middle - reach).max(LEAST_EXPONENT), (middle + reach).min(1.0));
    let (mut a, mut b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut at_a, mut at_b) = (objective(a)?, objective(b)?);
    while high - low > end {
        if at_a < at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - GOLDEN * (high - low);
            at_a = objective(a)?;
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + GOLDEN * (high - low);
            at_b = objective(b)?;
        }
    }
    Some(0.5 * (low + high))
}

impl TailChoice {
    /// Finds a free exponent once more, with the penalty that the data have chosen by now, and gives the estimate
    /// with it. A tail of a simple law stays as it is.
    pub(super) fn settle(&mut self, data: &Data, estimate: Estimate) -> Option<Estimate> {
        let Some(exponent) = self.exponent.filter(|exponent| !is_simple(*exponent)) else {
            return Some(estimate);
        };
        let (system, free, lambda) = (&mut self.system, &mut self.free, estimate.lambda);
        let settled = search(exponent, 0.01, 1e-4, |exponent| {
            system.set_tail(data, exponent);
            Estimate::at(system, lambda, free).map(|estimate| estimate.objective)
        })?;
        self.system.set_tail(data, settled);
        self.exponent = Some(settled);
        Estimate::at(&self.system, lambda, &mut self.free)
    }

    /// How far a free exponent may lie to either side before the data object as clearly as they would have to
    /// for it to be free at all. Empty for a tail of a simple law.
    pub(super) fn limits(&mut self, data: &Data, main: &Estimate) -> Vec<f64> {
        let Some(chosen) = self.exponent.filter(|exponent| !is_simple(*exponent)) else {
            return Vec::new();
        };
        let mut limits = Vec::new();
        for step in [-LIMIT_STEP, LIMIT_STEP] {
            self.system.set_tail(data, chosen + step);
            let Some(there) = Estimate::at(&self.system, main.lambda, &mut self.free.clone()) else {
                continue;
            };
            let excess = (there.objective - main.objective).max(0.0) / main.variance();
            // The objective is a parabola near its minimum.
            let reach = (GAIN / excess).sqrt().min(LIMIT_REACH) * step;
            limits.push((chosen + reach).clamp(LEAST_EXPONENT, 1.0));
        }
        self.system.set_tail(data, chosen);
        limits
    }
}

/// Whether an exponent is that of a capacitance or of a Warburg impedance, and was not sought.
pub(super) fn is_simple(exponent: f64) -> bool {
    [0.5, 1.0].contains(&exponent)
}

/// Whether -Z'' rises towards the lowest frequencies: neither an arc nor a finite diffusion has ended there.
fn is_open(data: &Data, noise: f64) -> bool {
    let low = data.low();
    let end: Vec<(f64, f64, f64)> = data
        .omega
        .iter()
        .zip(&data.impedance)
        .filter(|(omega, _)| (*omega / low).log2() <= LOW_END)
        .map(|(omega, z)| (omega.ln(), -z.im, z.norm()))
        .collect();
    let count = end.len();
    if count < 3 || end.iter().any(|(_, y, modulus)| *y <= 2.0 * noise * modulus) {
        return false;
    }
    let mean_x = end.iter().map(|(x, ..)| x).sum::<f64>() / count as f64;
    let mean_y = end.iter().map(|(_, y, _)| y.ln()).sum::<f64>() / count as f64;
    let (mut xx, mut xy) = (0.0, 0.0);
    for (x, y, _) in &end {
        xx += (x - mean_x) * (x - mean_x);
        xy += (x - mean_x) * (y.ln() - mean_y);
    }
    let slope = -xy / xx;
    let relative = noise * end.iter().map(|(_, y, modulus)| modulus / y).fold(0.0, f64::max);
    slope - 2.0 * relative / xx.sqrt() > LEAST_SLOPE
}

/// The constant phase in degrees that a tail of an exponent has.
pub(super) fn phase_deg(exponent: f64) -> f64 {
    -(exponent * FRAC_PI_2).to_degrees()
}
