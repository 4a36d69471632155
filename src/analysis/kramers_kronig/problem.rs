//! Data and columns of the linear problem: what is fitted, with what.

use num_complex::Complex64;

use super::Form;
use crate::spectrum::Point;

/// Columns before those of the RC elements: resistance, inductance, series capacitance.
pub(super) const FIXED_COLUMNS: usize = 3;
/// Column of the inductance.
pub(super) const INDUCTANCE: usize = 1;
/// Column of the series capacitance.
pub(super) const CAPACITANCE: usize = 2;

/// Usable points from high to low frequency, weighted by 1/|Z|: all rows of real parts, then all of imaginary.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) form: Form,
    pub(super) omega: Vec<f64>,
    pub(super) weight: Vec<f64>,
    pub(super) target: Vec<f64>,
}

impl Problem {
    /// The problem of points in order of falling frequency.
    pub(super) fn new(points: &[&Point], form: Form) -> Self {
        let values: Vec<Complex64> = points
            .iter()
            .map(|point| match form {
                Form::Impedance => point.impedance(),
                Form::Admittance => point.impedance().inv(),
            })
            .collect();
        let weight: Vec<f64> = values.iter().map(|value| 1.0 / value.norm()).collect();
        let real = values
            .iter()
            .zip(&weight)
            .map(|(value, weight)| value.re * weight);
        let imaginary = values
            .iter()
            .zip(&weight)
            .map(|(value, weight)| value.im * weight);
        Self {
            form,
            omega: points
                .iter()
                .map(|point| std::f64::consts::TAU * point.frequency_hz)
                .collect(),
            target: real.chain(imaginary).collect(),
            weight,
        }
    }

    pub(super) fn points(&self) -> usize {
        self.omega.len()
    }

    pub(super) fn highest(&self) -> f64 {
        self.omega.iter().copied().fold(0.0, f64::max)
    }

    pub(super) fn lowest(&self) -> f64 {
        self.omega.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(super) fn decades(&self) -> f64 {
        (self.highest() / self.lowest()).log10()
    }

    /// `m` time constants from 1/w_max to 1/w_min, evenly spaced in their logarithm.
    pub(super) fn time_constants(&self, m: usize) -> Vec<f64> {
        let span = (self.highest() / self.lowest()).ln();
        let step = span / m.saturating_sub(1).max(1) as f64;
        (0..m).map(|k| (step * k as f64).exp() / self.highest()).collect()
    }

    /// The measure of over-fitting mu: 1 - (sum of negative)/(sum of positive resistances). The terms of an
    /// admittance jwC/(1+jwt) = (C/t)(1 - 1/(1+jwt)) have the sign of their column turned.
    pub(super) fn mu(&self, coefficients: &[f64]) -> f64 {
        let sign = match self.form {
            Form::Impedance => 1.0,
            Form::Admittance => -1.0,
        };
        let (mut negative, mut positive) = (0.0, 0.0);
        for value in coefficients[FIXED_COLUMNS..].iter().map(|value| sign * value) {
            if value < 0.0 {
                negative -= value;
            } else {
                positive += value;
            }
        }
        if positive > 0.0 {
            (1.0 - negative / positive).max(0.0)
        } else {
            0.0
        }
    }
}

/// Weighted columns, one after the other, each with `rows` values.
#[derive(Clone, Debug)]
pub(super) struct Design {
    pub(super) rows: usize,
    pub(super) values: Vec<f64>,
    pub(super) tau: Vec<f64>,
}

impl Design {
    pub(super) fn new(problem: &Problem, m: usize) -> Self {
        let (points, tau) = (problem.points(), problem.time_constants(m));
        let (highest, lowest) = (problem.highest(), problem.lowest());
        let rows = 2 * points;
        let mut values = vec![0.0; rows * (FIXED_COLUMNS + m)];
        let (fixed, elements) = values.split_at_mut(rows * FIXED_COLUMNS);
        for (i, (omega, weight)) in problem.omega.iter().zip(&problem.weight).enumerate() {
            fixed[i] = *weight;
            // Both scaled to the weight at their own end of the range.
            fixed[INDUCTANCE * rows + points + i] = weight * omega / highest;
            fixed[CAPACITANCE * rows + points + i] = -weight * lowest / omega;
        }
        for (column, tau) in elements.chunks_exact_mut(rows).zip(&tau) {
            let (real, imaginary) = column.split_at_mut(points);
            let of_points = problem.omega.iter().zip(&problem.weight);
            for ((real, imaginary), (omega, weight)) in real.iter_mut().zip(imaginary).zip(of_points) {
                let x = omega * tau;
                let part = weight / (1.0 + x * x);
                *real = part;
                *imaginary = -x * part;
            }
        }
        Self { rows, values, tau }
    }

    pub(super) fn columns(&self) -> usize {
        FIXED_COLUMNS + self.tau.len()
    }

    pub(super) fn column(&self, index: usize) -> &[f64] {
        &self.values[index * self.rows..(index + 1) * self.rows]
    }

    /// What the columns leave of the target.
    pub(super) fn residual(&self, target: &[f64], coefficients: &[f64]) -> Vec<f64> {
        let mut residual = target.to_vec();
        for (index, coefficient) in coefficients.iter().enumerate() {
            for (value, column) in residual.iter_mut().zip(self.column(index)) {
                *value -= coefficient * column;
            }
        }
        residual
    }
}

/// Sum of products in eight lanes, which the compiler turns into vector instructions.
#[inline]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = left
        .remainder()
        .iter()
        .zip(right.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in left.zip(right) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    rest + lanes.iter().sum::<f64>()
}
