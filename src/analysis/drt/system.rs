//! The linear system: what each unknown adds to the impedance, weighted, and the penalty on roughness.
//!
//! Z(w) = R_inf + jwL + sum of gamma_k step/(1+jw tau_k) + a tail. The sum over evenly spaced ln tau is the integral
//! to better than 1e-8 for up to one decade a point, because the kernel is analytic (trapezoidal rule).

use std::f64::consts::FRAC_PI_2;

use num_complex::Complex64;

use super::dense::{Square, dot};
use super::grid::TauGrid;

/// Width in ln tau over which the size of a solution is taken: its resolution.
const SIZE_WIDTH: f64 = 1.0;
/// Width in ln tau over which its roughness is taken.
const CURVATURE_WIDTH: f64 = 0.4;
/// What a solution counts as at least, as a share of its largest size.
const FLOOR: f64 = 0.02;

/// The measured numbers as the system needs them.
#[derive(Clone, Debug)]
pub(super) struct Data {
    /// Angular frequencies in 1/s, descending.
    pub omega: Vec<f64>,
    pub impedance: Vec<Complex64>,
    /// Harmonic mean square of |Z| in ohm: makes all unknowns plain numbers.
    pub scale_ohm: f64,
}

impl Data {
    pub(super) fn new(mut points: Vec<(f64, Complex64)>) -> Self {
        points.sort_by(|a, b| b.0.total_cmp(&a.0));
        let count = points.len() as f64;
        // Over the largest, so that no square leaves the range of numbers.
        let largest = points.iter().map(|(_, z)| z.norm()).fold(0.0, f64::max);
        let mean = points
            .iter()
            .map(|(_, z)| (largest / z.norm()).powi(2))
            .sum::<f64>()
            / count;
        Self {
            omega: points.iter().map(|(f, _)| f * std::f64::consts::TAU).collect(),
            impedance: points.iter().map(|(_, z)| *z).collect(),
            scale_ohm: largest / mean.sqrt(),
        }
    }

    pub(super) fn low(&self) -> f64 {
        self.omega.last().copied().unwrap_or(f64::NAN)
    }

    pub(super) fn high(&self) -> f64 {
        self.omega.first().copied().unwrap_or(f64::NAN)
    }

    /// |Z| in ohm at the measured frequency that is nearest to an angular frequency.
    pub(super) fn modulus_near(&self, omega: f64) -> f64 {
        let distance = |at: f64| (at / omega).ln().abs();
        self.omega
            .iter()
            .zip(&self.impedance)
            .min_by(|a, b| distance(*a.0).total_cmp(&distance(*b.0)))
            .map_or(f64::NAN, |(_, z)| z.norm())
    }

    /// Real parts over |Z|, then imaginary parts over |Z|.
    fn column(&self, value: impl Fn(f64) -> Complex64) -> Vec<f64> {
        let (mut real, mut imaginary) = (Vec::new(), Vec::new());
        for (omega, z) in self.omega.iter().zip(&self.impedance) {
            let weighted = value(*omega) * self.scale_ohm / z.norm();
            real.push(weighted.re);
            imaginary.push(weighted.im);
        }
        real.append(&mut imaginary);
        real
    }

    /// A tail of exponent n, of modulus 1 at the lowest frequency: (jw/w_low)^-n.
    pub(super) fn tail_column(&self, exponent: f64) -> Vec<f64> {
        let low = self.low();
        self.column(|omega| Complex64::from_polar((omega / low).powf(-exponent), -exponent * FRAC_PI_2))
    }
}

/// Which unknown stands where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// So many unknowns of the distribution come first.
    pub taus: usize,
    /// Whether a tail comes last.
    pub has_tail: bool,
}

impl Layout {
    pub(super) fn r_infinity(self) -> usize {
        self.taus
    }

    pub(super) fn inductance(self) -> usize {
        self.taus + 1
    }

    pub(super) fn tail(self) -> Option<usize> {
        self.has_tail.then_some(self.taus + 2)
    }

    pub(super) fn size(self) -> usize {
        self.taus + 2 + usize::from(self.has_tail)
    }
}

/// Normal equations of the weighted least squares, without penalty.
#[derive(Clone, Debug)]
pub(super) struct System {
    pub layout: Layout,
    columns: Vec<Vec<f64>>,
    target: Vec<f64>,
    /// A'A.
    pub gram: Square,
    /// A'y.
    pub right: Vec<f64>,
    /// The roughness, banded, over the unknowns of the distribution: row k holds (k, k), (k, k+1), (k, k+2).
    pub penalty: Vec<[f64; 3]>,
    step: f64,
}

impl System {
    pub(super) fn new(data: &Data, grid: &TauGrid, tail: Option<f64>) -> Self {
        let layout = Layout {
            taus: grid.tau_s.len(),
            has_tail: tail.is_some(),
        };
        let mut columns: Vec<Vec<f64>> = grid
            .tau_s
            .iter()
            .map(|tau| data.column(|omega| grid.step / Complex64::new(1.0, omega * tau)))
            .collect();
        columns.push(data.column(|_| Complex64::ONE));
        let high = data.high();
        columns.push(data.column(|omega| Complex64::I * (omega / high)));
        if let Some(exponent) = tail {
            columns.push(data.tail_column(exponent));
        }
        let target: Vec<f64> = {
            let weighted = data.impedance.iter().map(|z| z / z.norm());
            let weighted: Vec<Complex64> = weighted.collect();
            let real = weighted.iter().map(|z| z.re);
            real.chain(weighted.iter().map(|z| z.im)).collect()
        };
        let size = layout.size();
        let mut gram = Square::zeros(size);
        for i in 0..size {
            for j in 0..=i {
                gram.set_both(i, j, dot(&columns[i], &columns[j]));
            }
        }
        let right = columns.iter().map(|column| dot(column, &target)).collect();
        Self {
            layout,
            columns,
            target,
            gram,
            right,
            penalty: roughness(&vec![1.0; layout.taus + 2], grid.step),
            step: grid.step,
        }
    }

    /// The same system with another tail.
    pub(super) fn set_tail(&mut self, data: &Data, exponent: f64) {
        let Some(tail) = self.layout.tail() else { return };
        self.columns[tail] = data.tail_column(exponent);
        for other in 0..=tail {
            let product = dot(&self.columns[tail], &self.columns[other]);
            self.gram.set_both(tail, other, product);
        }
        self.right[tail] = dot(&self.columns[tail], &self.target);
    }

    /// A'A with the penalty at a weight.
    pub(super) fn penalised(&self, lambda: f64) -> Square {
        let mut matrix = self.gram.clone();
        for (row, band) in self.penalty.iter().enumerate() {
            for (offset, value) in band.iter().enumerate() {
                if row + offset < self.layout.taus {
                    matrix.set_both(
                        row,
                        row + offset,
                        self.gram.at(row, row + offset) + lambda * value,
                    );
                }
            }
        }
        // R_inf, L and the tail are not penalised; a trace of rounding keeps the factor real.
        for unknown in 0..matrix.size {
            let value = matrix.at(unknown, unknown);
            matrix.set_both(unknown, unknown, value * (1.0 + 1e-12));
        }
        matrix
    }

    /// From now on roughness counts relative to how rough a solution is around each time constant already, and
    /// to its size there: a sharp peak may be sharp without the ripples at its foot that one weight for all brings.
    ///
    /// The idea is that of a penalty of its own for each time constant (F. Ciucci and C. Chen 2015,
    /// doi:10.1016/j.electacta.2015.03.123). The solution's own penalty stays the same, so that lambda keeps its
    /// meaning.
    pub(super) fn reweight(&mut self, values: &[f64]) {
        let gamma = &values[..self.layout.taus];
        let at = |k: usize, before: usize| {
            k.checked_sub(before)
                .and_then(|k| gamma.get(k))
                .copied()
                .unwrap_or(0.0)
        };
        // Second difference k is that of gamma k-2, k-1 and k.
        let count = self.layout.taus + 2;
        let size = smoothed(
            &(0..count).map(|k| at(k, 1)).collect::<Vec<_>>(),
            SIZE_WIDTH / self.step,
        );
        let squares: Vec<f64> = (0..count)
            .map(|k| ((at(k, 2) - 2.0 * at(k, 1) + at(k, 0)) / (self.step * self.step)).powi(2))
            .collect();
        let curvature = smoothed(&squares, CURVATURE_WIDTH / self.step);
        let floor = FLOOR * size.iter().copied().fold(0.0, f64::max);
        let weights: Vec<f64> = size
            .iter()
            .zip(&curvature)
            .map(|(size, curvature)| (curvature + (size + floor).powi(2)).recip())
            .collect();
        let now: f64 = squares.iter().sum();
        let then: f64 = squares
            .iter()
            .zip(&weights)
            .map(|(square, weight)| square * weight)
            .sum();
        if floor > 0.0 && then > 0.0 && (now / then).is_finite() {
            let weights: Vec<f64> = weights.iter().map(|weight| weight * now / then).collect();
            self.penalty = roughness(&weights, self.step);
        }
    }

    /// Weighted residuals, measured minus computed: real parts, then imaginary parts.
    pub(super) fn residuals(&self, values: &[f64]) -> Vec<f64> {
        let mut residuals = self.target.clone();
        for (column, value) in self
            .columns
            .iter()
            .zip(values)
            .filter(|(_, value)| **value != 0.0)
        {
            for (residual, a) in residuals.iter_mut().zip(column) {
                *residual -= value * a;
            }
        }
        residuals
    }

    /// How many real numbers were measured.
    pub(super) fn rows(&self) -> usize {
        self.target.len()
    }

    /// The roughness of a solution.
    pub(super) fn roughness_of(&self, values: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (row, band) in self.penalty.iter().enumerate() {
            sum += band[0] * values[row] * values[row];
            for offset in 1..3 {
                if row + offset < self.layout.taus {
                    sum += 2.0 * band[offset] * values[row] * values[row + offset];
                }
            }
        }
        sum
    }
}

/// Means with the weights of a bell whose standard deviation is so many steps.
fn smoothed(values: &[f64], width: f64) -> Vec<f64> {
    let reach = ((4.0 * width).ceil() as usize).min(values.len());
    let bell: Vec<f64> = (0..=reach)
        .map(|i| (-0.5 * (i as f64 / width).powi(2)).exp())
        .collect();
    (0..values.len())
        .map(|k| {
            let (mut sum, mut total) = (0.0, 0.0);
            for other in k.saturating_sub(reach)..(k + reach + 1).min(values.len()) {
                let weight = bell[other.abs_diff(k)];
                sum += weight * values[other];
                total += weight;
            }
            sum / total
        })
        .collect()
}

/// The integral over ln tau of the second derivative's square, with nothing beyond both ends of the grid, each second
/// difference with its weight: that of unknowns k-2, k-1 and k is weight k.
fn roughness(weights: &[f64], step: f64) -> Vec<[f64; 3]> {
    let scale = step.powi(-3);
    weights
        .windows(3)
        .map(|w| {
            let (before, at, behind) = (w[0], w[1], w[2]);
            [
                scale * (before + 4.0 * at + behind),
                -2.0 * scale * (at + behind),
                scale * behind,
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> Data {
        let points = (0..41).map(|i| {
            let omega = 1e6 * 10f64.powf(-0.2 * f64::from(i));
            let z = 10.0 + 50.0 / Complex64::new(1.0, omega * 1e-3);
            (omega / std::f64::consts::TAU, z)
        });
        Data::new(points.collect())
    }

    #[test]
    fn a_gaussian_distribution_is_rough_by_its_integral() {
        let grid = TauGrid::new(0.1, 1e5, 120, false);
        let system = System::new(&data(), &grid, None);
        let middle = grid.tau_s[60].ln();
        let mut values = vec![0.0; system.layout.size()];
        for (value, tau) in values.iter_mut().zip(&grid.tau_s) {
            *value = (-0.5 * (tau.ln() - middle).powi(2)).exp();
        }
        // The integral of (x^2-1)^2 exp(-x^2) is 3 sqrt(pi)/4.
        let expected = 0.75 * std::f64::consts::PI.sqrt();
        let found = system.roughness_of(&values);
        assert!((found / expected - 1.0).abs() < 0.01, "{found} {expected}");
    }

    #[test]
    fn another_tail_gives_the_system_that_has_it_from_the_start() {
        let (data, grid) = (data(), TauGrid::new(0.1, 1e5, 30, true));
        let mut changed = System::new(&data, &grid, Some(1.0));
        changed.set_tail(&data, 0.5);
        let fresh = System::new(&data, &grid, Some(0.5));
        assert_eq!(changed.gram.values, fresh.gram.values);
        assert_eq!(changed.right, fresh.right);
    }

    #[test]
    fn the_true_values_leave_no_residual() {
        let data = data();
        let grid = TauGrid {
            tau_s: vec![1e-4, 1e-3, 1e-2],
            step: 2.0,
            window_s: [1e-6, 1.0],
        };
        let system = System::new(&data, &grid, None);
        let unit = data.scale_ohm;
        let left = system.residuals(&[0.0, 25.0 / unit, 0.0, 10.0 / unit, 0.0]);
        assert!(left.iter().all(|r| r.abs() < 1e-12), "{left:?}");
    }
}
