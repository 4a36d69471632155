//! What a term of given shape contributes, weighted as the data are.

use num_complex::Complex64;

use crate::circuit::element::Columns;
use crate::circuit::{Circuit, Element, Grid, Node};

use super::Data;
use super::term::{Term, Unit};

/// Data as one column of real and then imaginary parts over |Z|.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub data: &'a Data,
    /// 1/|Z| of each point.
    pub weights: Vec<f64>,
    pub column: Vec<f64>,
}

impl<'a> Target<'a> {
    pub fn new(data: &'a Data) -> Self {
        let weights: Vec<f64> = data.impedance.iter().map(|z| z.norm().recip()).collect();
        let mut target = Self {
            data,
            weights,
            column: Vec::new(),
        };
        target.column = target.weighted(
            data.impedance.iter().map(|z| z.re),
            data.impedance.iter().map(|z| z.im),
        );
        target
    }

    pub fn grid(&self) -> &Grid {
        &self.data.grid
    }

    pub fn points(&self) -> usize {
        self.weights.len()
    }

    /// The geometric mean of |Z|.
    pub fn scale(&self) -> f64 {
        let sum: f64 = self.weights.iter().map(|weight| -weight.ln()).sum();
        (sum / self.points() as f64).exp()
    }

    fn weighted(&self, real: impl Iterator<Item = f64>, imaginary: impl Iterator<Item = f64>) -> Vec<f64> {
        let times_weight = |(value, weight): (f64, &f64)| value * weight;
        real.zip(&self.weights)
            .map(times_weight)
            .chain(imaginary.zip(&self.weights).map(times_weight))
            .collect()
    }

    /// The weighted column of a term at unit size.
    pub fn column_of(&self, circuit: &Circuit, term: &Term<'_>, unit_parameters: &[f64]) -> Vec<f64> {
        let mut parameters = vec![1.0; circuit.parameters().len()];
        for (&index, &value) in term.parameters.iter().zip(unit_parameters) {
            parameters[index] = value;
        }
        let z = impedance(circuit, term.node, &parameters, self.grid());
        self.weighted(z.iter().map(|z| z.re), z.iter().map(|z| z.im))
    }

    /// Writes the weighted column of a unit and its derivatives by the numbers of the shape, each in one piece.
    pub fn unit_with_derivatives(
        &self,
        unit: &Unit,
        shape: &[f64],
        scratch: &mut Vec<f64>,
        column: &mut [f64],
        derivatives: &mut [f64],
    ) {
        let points = self.points();
        let mut parameters = [1.0; 8];
        let count = unit.dimensions.len() + 1;
        for ((parameter, dimension), &value) in parameters[1..].iter_mut().zip(&unit.dimensions).zip(shape) {
            *parameter = dimension.natural(value);
        }
        scratch.resize(2 * points * count, 0.0);
        let (real, imaginary) = column.split_at_mut(points);
        (unit.kind.fill)(
            &parameters[..count],
            self.grid(),
            &mut Columns {
                real,
                imaginary,
                derivatives: scratch,
            },
        );
        for half in column.chunks_exact_mut(points) {
            for (value, weight) in half.iter_mut().zip(&self.weights) {
                *value *= weight;
            }
        }
        for (place, dimension) in unit.dimensions.iter().enumerate() {
            let slope = if dimension.logarithmic {
                parameters[place + 1]
            } else {
                1.0
            };
            let from = &scratch[2 * points * (place + 1)..2 * points * (place + 2)];
            let to = &mut derivatives[2 * points * place..2 * points * (place + 1)];
            for (to, from) in to.chunks_exact_mut(points).zip(from.chunks_exact(points)) {
                for ((to, from), weight) in to.iter_mut().zip(from).zip(&self.weights) {
                    *to = from * (weight * slope);
                }
            }
        }
    }
}

/// Impedance of a part of a circuit.
pub(super) fn impedance(circuit: &Circuit, node: &Node, parameters: &[f64], grid: &Grid) -> Vec<Complex64> {
    match node {
        Node::Element(index) => element_impedance(&circuit.elements()[*index], parameters, grid),
        Node::Series(children) => sum(circuit, children, parameters, grid, |z| z),
        Node::Parallel(children) => {
            let mut z = sum(circuit, children, parameters, grid, |z| z.inv());
            z.iter_mut().for_each(|z| *z = z.inv());
            z
        }
    }
}

fn sum(
    circuit: &Circuit,
    children: &[Node],
    parameters: &[f64],
    grid: &Grid,
    summand: fn(Complex64) -> Complex64,
) -> Vec<Complex64> {
    let mut total = vec![Complex64::ZERO; grid.len()];
    for child in children {
        for (total, z) in total.iter_mut().zip(impedance(circuit, child, parameters, grid)) {
            *total += summand(z);
        }
    }
    total
}

fn element_impedance(element: &Element, parameters: &[f64], grid: &Grid) -> Vec<Complex64> {
    let points = grid.len();
    let count = element.kind.parameters.len();
    let (mut real, mut imaginary) = (vec![0.0; points], vec![0.0; points]);
    let mut derivatives = vec![0.0; 2 * points * count];
    (element.kind.fill)(
        &parameters[element.first_parameter..element.first_parameter + count],
        grid,
        &mut Columns {
            real: &mut real,
            imaginary: &mut imaginary,
            derivatives: &mut derivatives,
        },
    );
    real.into_iter()
        .zip(imaginary)
        .map(|(re, im)| Complex64::new(re, im))
        .collect()
}
