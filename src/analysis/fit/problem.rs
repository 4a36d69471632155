//! A circuit, data and weights as a least-squares problem in search coordinates.

use nalgebra::{DMatrix, DVector};
use num_complex::Complex64;

use crate::analysis::guess::Data;
use crate::circuit::element::Columns;
use crate::circuit::{Circuit, Grid, Role, Scale, Workspace};
use crate::spectrum::Spectrum;

use super::options::{FitError, FitOptions};
use super::result::Weight;
use super::runs;

/// How far |Z| of one element may lie outside the measured range of |Z| and still be searched for: such an
/// element is a short circuit or an interruption as far as the data can tell.
const SHORT: f64 = 1e-7;
const OPEN: f64 = 1e6;

/// The problem at one position: chi-squared, J'r and J'J in search coordinates.
#[derive(Clone, Debug)]
pub(super) struct Normal {
    pub chi_squared: f64,
    pub gradient: DVector<f64>,
    pub curvature: DMatrix<f64>,
}

/// A circuit, data and weights, ready to be searched.
pub(super) struct Problem<'a> {
    circuit: &'a Circuit,
    pub grid: Grid,
    /// Real and then imaginary parts of the data.
    measured: Vec<f64>,
    /// Square roots of the weights in the same order.
    weights: Vec<f64>,
    /// Indices of the free parameters.
    pub free: Vec<usize>,
    /// Whether the free parameter is searched for as its logarithm.
    logarithmic: Vec<bool>,
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
    /// Values of all parameters; those of the free ones are overwritten.
    natural: Vec<f64>,
    workspace: Workspace,
    /// Weighted residuals of the last evaluation.
    residuals: Vec<f64>,
    jacobian: Vec<f64>,
}

impl<'a> Problem<'a> {
    pub fn new(spectrum: &Spectrum, circuit: &'a Circuit, options: &FitOptions) -> Result<Self, FitError> {
        let points: Vec<_> = spectrum.points.iter().filter(|point| point.is_usable()).collect();
        let specs = circuit.parameters();
        let index_of = |name: &str| {
            circuit
                .parameter_index(name)
                .ok_or_else(|| FitError::UnknownParameter {
                    name: name.to_owned(),
                    known: specs
                        .iter()
                        .map(|spec| spec.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", "),
                })
        };
        check_starts(options, specs.len())?;
        let mut natural: Vec<f64> = specs.iter().map(|spec| spec.lower).collect();
        let mut is_free = vec![true; specs.len()];
        for (name, value) in &options.fixed {
            let index = index_of(name)?;
            check_value(name, *value)?;
            natural[index] = *value;
            is_free[index] = false;
        }
        let free: Vec<usize> = (0..specs.len()).filter(|&index| is_free[index]).collect();
        let needed = free.len() / 2 + 1;
        if points.len() < needed {
            return Err(FitError::TooFewPoints {
                used: points.len(),
                needed,
            });
        }
        let grid = Grid::new(points.iter().map(|point| point.frequency_hz));
        let impedance: Vec<Complex64> = points.iter().map(|point| point.impedance()).collect();
        let (mut lower, mut upper) = reach(circuit, &grid, &impedance);
        let mut user_bounds = vec![None; specs.len()];
        for (name, low, high) in &options.bounds {
            let index = index_of(name)?;
            let empty = || FitError::EmptyBounds {
                name: name.clone(),
                lower: *low,
                upper: *high,
            };
            if !(low <= high && *high > 0.0) {
                return Err(empty());
            }
            // A bound of zero or infinity says nothing beyond what the element itself says.
            if *low > 0.0 {
                lower[index] = *low;
            }
            if high.is_finite() {
                upper[index] = *high;
            }
            lower[index] = lower[index].min(upper[index]);
            user_bounds[index] = Some((*low, *high));
        }
        for (name, value) in &options.named_start {
            let index = index_of(name)?;
            check_value(name, *value)?;
            if let Some((lower, upper)) = user_bounds[index]
                && !(lower..=upper).contains(value)
            {
                return Err(FitError::StartOutsideBounds {
                    name: name.clone(),
                    value: *value,
                    lower,
                    upper,
                });
            }
            // The user knows better than the data how far a parameter may lie.
            if user_bounds[index].is_none() && specs[index].scale == Scale::Log {
                lower[index] = lower[index].min(*value);
                upper[index] = upper[index].max(*value);
            }
        }
        for sum in &options.sums {
            for name in sum.split('+') {
                index_of(name.trim())?;
            }
        }
        let logarithmic: Vec<bool> = free
            .iter()
            .map(|&index| specs[index].scale == Scale::Log)
            .collect();
        let coordinate = |value: f64, log: bool| if log { value.ln() } else { value };
        let bound = |values: &[f64]| -> Vec<f64> {
            free.iter()
                .zip(&logarithmic)
                .map(|(&index, &log)| coordinate(values[index], log))
                .collect()
        };
        let measured: Vec<f64> = impedance
            .iter()
            .map(|z| z.re)
            .chain(impedance.iter().map(|z| z.im))
            .collect();
        Ok(Self {
            circuit,
            weights: weights(&impedance, options.weight),
            lower: bound(&lower),
            upper: bound(&upper),
            workspace: circuit.tape().workspace(&grid),
            residuals: vec![0.0; measured.len()],
            jacobian: vec![0.0; measured.len() * free.len()],
            measured,
            free,
            logarithmic,
            natural,
            grid,
        })
    }

    /// Points used.
    pub fn points(&self) -> usize {
        self.grid.len()
    }

    /// Numbers minus free parameters.
    pub fn degrees_of_freedom(&self) -> f64 {
        (2 * self.points()) as f64 - self.free.len() as f64
    }

    /// The chi-squared below which only rounding is left.
    pub fn rounding_floor(&self) -> f64 {
        1e-29
            * self
                .measured
                .iter()
                .zip(&self.weights)
                .map(|(z, w)| (z * w).powi(2))
                .sum::<f64>()
    }

    /// The chi-squared at which residuals are numerical dust whose structure means nothing.
    pub fn negligible(&self) -> f64 {
        1e6 * self.rounding_floor()
    }

    /// The data as the guess wants them.
    pub fn data(&self) -> Data {
        let (real, imaginary) = self.measured.split_at(self.points());
        let impedance = real
            .iter()
            .zip(imaginary)
            .map(|(&re, &im)| Complex64::new(re, im))
            .collect();
        Data {
            grid: self.grid.clone(),
            impedance,
        }
    }

    /// Search coordinates of a full vector, moved into the bounds.
    pub fn to_search(&self, natural: &[f64]) -> Vec<f64> {
        (0..self.free.len())
            .map(|k| {
                let value = natural[self.free[k]];
                let coordinate = if self.logarithmic[k] {
                    value.max(0.0).ln()
                } else {
                    value
                };
                if coordinate.is_nan() {
                    self.lower[k]
                } else {
                    coordinate.clamp(self.lower[k], self.upper[k])
                }
            })
            .collect()
    }

    /// Search coordinates of a guess, in which the user's single start values take precedence.
    pub fn to_guess(&self, guess: &[f64], options: &FitOptions) -> Vec<f64> {
        let mut start = guess.to_vec();
        for (name, value) in &options.named_start {
            if let Some(index) = self.circuit.parameter_index(name) {
                start[index] = *value;
            }
        }
        self.to_search(&start)
    }

    /// All parameters at a position.
    pub fn to_natural(&self, position: &[f64]) -> Vec<f64> {
        let mut natural = self.natural.clone();
        for (k, &index) in self.free.iter().enumerate() {
            natural[index] = if self.logarithmic[k] {
                position[k].exp()
            } else {
                position[k]
            };
        }
        natural
    }

    /// dp/du of a free parameter: what turns search coordinates into natural ones.
    pub fn slope(&self, k: usize, position: &[f64]) -> f64 {
        if self.logarithmic[k] {
            position[k].exp()
        } else {
            1.0
        }
    }

    /// Whether the position lies on a bound of the free parameter.
    pub fn at_bound(&self, k: usize, position: &[f64]) -> bool {
        let margin = 1e-9 * (1.0 + position[k].abs());
        position[k] <= self.lower[k] + margin || position[k] >= self.upper[k] - margin
    }

    /// Memory for [`Problem::evaluate`].
    pub fn normal(&self) -> Normal {
        let n = self.free.len();
        Normal {
            chi_squared: f64::INFINITY,
            gradient: DVector::zeros(n),
            curvature: DMatrix::zeros(n, n),
        }
    }

    /// Model and exact derivatives at a position. A model that is not finite has an infinite chi-squared.
    pub fn evaluate(&mut self, position: &[f64], normal: &mut Normal) {
        for (k, &index) in self.free.iter().enumerate() {
            self.natural[index] = if self.logarithmic[k] {
                position[k].exp()
            } else {
                position[k]
            };
        }
        self.circuit
            .tape()
            .evaluate(&self.grid, &self.natural, &mut self.workspace);
        let model = self.workspace.impedance_column();
        for (((residual, z), data), weight) in self
            .residuals
            .iter_mut()
            .zip(model)
            .zip(&self.measured)
            .zip(&self.weights)
        {
            *residual = (z - data) * weight;
        }
        let numbers = self.residuals.len();
        normal.chi_squared = dot(&self.residuals, &self.residuals);
        for (k, column) in self.jacobian.chunks_exact_mut(numbers).enumerate() {
            let index = self.free[k];
            let slope = if self.logarithmic[k] {
                self.natural[index]
            } else {
                1.0
            };
            for ((entry, derivative), weight) in column
                .iter_mut()
                .zip(self.workspace.derivative_column(index))
                .zip(&self.weights)
            {
                *entry = derivative * (weight * slope);
            }
        }
        for row in 0..self.free.len() {
            let left = &self.jacobian[numbers * row..numbers * (row + 1)];
            normal.gradient[row] = dot(left, &self.residuals);
            for column in 0..=row {
                let right = &self.jacobian[numbers * column..numbers * (column + 1)];
                let product = dot(left, right);
                normal.curvature[(row, column)] = product;
                normal.curvature[(column, row)] = product;
            }
        }
        let finite = normal.chi_squared.is_finite()
            && normal.gradient.iter().all(|g| g.is_finite())
            && normal.curvature.iter().all(|c| c.is_finite());
        if !finite {
            normal.chi_squared = f64::INFINITY;
        }
    }

    /// Weighted residuals of the last evaluation, real parts first.
    pub fn residuals(&self) -> &[f64] {
        &self.residuals
    }

    /// Probability of the runs in residuals, in order of frequency.
    pub fn runs_probability(&self, residuals: &[f64]) -> Option<f64> {
        let points = self.points();
        let mut order: Vec<usize> = (0..points).collect();
        order.sort_by(|&a, &b| self.grid.omega[b].total_cmp(&self.grid.omega[a]));
        let (real, imaginary) = residuals.split_at(points);
        let sequence = |part: &[f64]| order.iter().map(|&index| part[index]).collect::<Vec<_>>();
        runs::probability(&[sequence(real), sequence(imaginary)])
    }
}

fn check_starts(options: &FitOptions, needed: usize) -> Result<(), FitError> {
    match options
        .start
        .iter()
        .chain(&options.also_start)
        .find(|start| start.len() != needed)
    {
        Some(start) => Err(FitError::StartLength {
            given: start.len(),
            needed,
        }),
        None => Ok(()),
    }
}

fn check_value(name: &str, value: f64) -> Result<(), FitError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(FitError::ImpossibleValue {
        name: name.to_owned(),
        value,
    })
}

fn weights(impedance: &[Complex64], weight: Weight) -> Vec<f64> {
    let component = |part: fn(&Complex64) -> f64| {
        impedance.iter().map(move |z| match weight {
            Weight::Modulus => 1.0 / z.norm(),
            Weight::Proportional => 1.0 / part(z).abs().max(0.01 * z.norm()),
            Weight::Unit => 1.0,
        })
    };
    component(|z| z.re).chain(component(|z| z.im)).collect()
}

/// The range in which each parameter can matter to these data, within the range of its element.
fn reach(circuit: &Circuit, grid: &Grid, impedance: &[Complex64]) -> (Vec<f64>, Vec<f64>) {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for z in impedance {
        least = least.min(z.norm());
        most = most.max(z.norm());
    }
    let slowest = grid.omega.iter().copied().fold(f64::INFINITY, f64::min);
    let fastest = grid.omega.iter().copied().fold(0.0, f64::max);
    let mut lower = Vec::new();
    let mut upper = Vec::new();
    for spec in circuit.parameters() {
        let (low, high) = match spec.role {
            Role::Exponent => (spec.lower, spec.upper),
            Role::Time => (1e-4 / fastest, 1e4 / slowest),
            Role::Resistance | Role::Inductance | Role::Impedance => {
                let (small, large) = unit_magnitude(circuit, spec.element, slowest, fastest);
                (SHORT * least / large, OPEN * most / small)
            }
            Role::Admittance => {
                let (small, large) = unit_magnitude(circuit, spec.element, slowest, fastest);
                (small / (OPEN * most), large / (SHORT * least))
            }
        };
        let low = low.clamp(spec.lower, spec.upper);
        lower.push(low);
        upper.push(high.clamp(low, spec.upper));
    }
    (lower, upper)
}

/// Smallest and largest |Z| of an element of unit size over the measured frequencies and all exponents.
fn unit_magnitude(circuit: &Circuit, element: usize, slowest: f64, fastest: f64) -> (f64, f64) {
    let kind = circuit.elements()[element].kind;
    if kind.parameters.iter().any(|symbol| symbol.role == Role::Time) {
        return (1.0, 1.0);
    }
    let ends = Grid::new([slowest, fastest].map(|omega| omega / std::f64::consts::TAU));
    let (mut small, mut large) = (f64::INFINITY, 0.0_f64);
    for exponent_at_upper in [false, true] {
        let unit: Vec<f64> = kind
            .parameters
            .iter()
            .map(|symbol| match symbol.role {
                Role::Exponent if exponent_at_upper => symbol.upper,
                Role::Exponent => symbol.lower,
                _ => 1.0,
            })
            .collect();
        let (mut real, mut imaginary) = ([0.0; 2], [0.0; 2]);
        let mut derivatives = vec![0.0; 4 * unit.len()];
        let mut columns = Columns {
            real: &mut real,
            imaginary: &mut imaginary,
            derivatives: &mut derivatives,
        };
        (kind.fill)(&unit, &ends, &mut columns);
        for (re, im) in real.into_iter().zip(imaginary) {
            small = small.min(re.hypot(im));
            large = large.max(re.hypot(im));
        }
    }
    (small, large)
}

/// Eight running sums, which the compiler keeps in vector registers.
fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (left_blocks, right_blocks) = (left.chunks_exact(8), right.chunks_exact(8));
    let rest: f64 = left_blocks
        .remainder()
        .iter()
        .zip(right_blocks.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in left_blocks.zip(right_blocks) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}
