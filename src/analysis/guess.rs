//! Where a search for a circuit's parameters should start, from the data alone.
//!
//! A circuit that is a series of single elements and of arcs is linear in its resistances (and inverse
//! capacitances) once time constants and exponents are chosen. All choices of time constants from a grid are
//! compared by a non-negative least-squares solution on one precomputed Gram matrix. For other circuits, and
//! where the systematic starts do not convince, starts are drawn at random with a fixed seed.

use nalgebra::{DMatrix, DVector};
use num_complex::Complex64;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::circuit::element::Columns;
use crate::circuit::{Arc, Circuit, ElementKind, Grid, Node, Role};

/// Frequencies and impedances of the points that a fit uses.
#[derive(Clone, Debug)]
pub struct Data {
    /// Frequencies.
    pub grid: Grid,
    /// Impedances in ohm.
    pub impedance: Vec<Complex64>,
}

/// How many systematic starts are handed on.
const KEPT: usize = 5;
/// Most choices of time constants that are compared.
const MOST_CHOICES: usize = 2500;
const ARC_EXPONENT: f64 = 0.85;
const SERIES_EXPONENTS: [f64; 3] = [0.9, 0.7, 0.5];

/// Systematic starts, the most promising first; empty for a circuit that is not a series of elements and arcs,
/// and for one with more arcs than can be compared.
#[must_use]
pub fn from_data(circuit: &Circuit, data: &Data) -> Vec<Vec<f64>> {
    let Some(parts) = Parts::of(circuit) else {
        return Vec::new();
    };
    let exponents: &[f64] = if parts.has_series_exponent(circuit) {
        &SERIES_EXPONENTS
    } else {
        &[1.0]
    };
    let mut found = Vec::new();
    for &exponent in exponents {
        match parts.candidates(circuit, data, exponent) {
            Some(candidates) => found.extend(candidates),
            None => return Vec::new(),
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.truncate(KEPT);
    found.into_iter().map(|(_, start)| start).collect()
}

/// Starts drawn at random, always the same for the same circuit and data: each element is given a size at which
/// it matters at some measured frequency.
#[must_use]
pub fn random(circuit: &Circuit, data: &Data, count: usize) -> Vec<Vec<f64>> {
    let mut generator = ChaCha8Rng::seed_from_u64(0x1e5);
    let points = data.impedance.len();
    if points == 0 {
        return Vec::new();
    }
    (0..count)
        .map(|_| {
            let mut start = vec![1.0; circuit.parameters().len()];
            for element in circuit.elements() {
                let own = element.first_parameter..element.first_parameter + element.kind.parameters.len();
                let point = generator.random_range(0..points);
                for (value, symbol) in start[own.clone()].iter_mut().zip(element.kind.parameters) {
                    match symbol.role {
                        Role::Exponent => *value = generator.random_range(0.6..1.0),
                        Role::Time => *value = 1.0 / data.grid.omega[generator.random_range(0..points)],
                        Role::Ratio => *value = 10f64.powf(generator.random_range(-1.0..1.0)),
                        Role::Resistance | Role::Inductance | Role::Impedance | Role::Admittance => {}
                    }
                }
                let omega = data.grid.omega[point];
                spread_sizes(&mut start[own.clone()], element.kind, omega, &mut generator);
                let unit = unit_impedance(circuit, element.first_parameter, &start[own.clone()], &data.grid);
                let wanted = data.impedance[point].norm() * 10f64.powf(generator.random_range(-1.5..0.3));
                let ratio = wanted / unit[point].norm();
                for (value, symbol) in start[own].iter_mut().zip(element.kind.parameters) {
                    match symbol.role {
                        Role::Resistance | Role::Inductance | Role::Impedance => *value *= ratio,
                        Role::Admittance => *value /= ratio,
                        Role::Exponent | Role::Time | Role::Ratio => {}
                    }
                }
            }
            start
        })
        .collect()
}

/// Draws the proportions of an element that has several sizes, so that it changes its behaviour near `omega`. The
/// first size remains 1, and so does an only one.
fn spread_sizes(own: &mut [f64], kind: &ElementKind, omega: f64, generator: &mut ChaCha8Rng) {
    let exponent = kind
        .parameters
        .iter()
        .position(|symbol| symbol.role == Role::Exponent)
        .map_or(1.0, |index| own[index]);
    for (value, symbol) in own.iter_mut().zip(kind.parameters).skip(1) {
        match symbol.role {
            Role::Resistance | Role::Impedance => *value = 10f64.powf(generator.random_range(-1.5..1.5)),
            Role::Admittance => {
                *value = 10f64.powf(generator.random_range(-1.5..1.5)) * omega.powf(-exponent)
            }
            Role::Inductance | Role::Exponent | Role::Time | Role::Ratio => {}
        }
    }
}

/// Impedance at all frequencies of the element that begins at this parameter.
fn unit_impedance(circuit: &Circuit, first_parameter: usize, own: &[f64], grid: &Grid) -> Vec<Complex64> {
    let points = grid.len();
    let (mut real, mut imaginary) = (vec![0.0; points], vec![0.0; points]);
    let mut derivatives = vec![0.0; 2 * points * own.len()];
    if let Some(element) = circuit
        .elements()
        .iter()
        .find(|e| e.first_parameter == first_parameter)
    {
        let mut columns = Columns {
            real: &mut real,
            imaginary: &mut imaginary,
            derivatives: &mut derivatives,
        };
        (element.kind.fill)(own, grid, &mut columns);
    }
    real.into_iter()
        .zip(imaginary)
        .map(|(re, im)| Complex64::new(re, im))
        .collect()
}

/// A circuit taken apart into what is linear and what has a time constant.
struct Parts<'a> {
    /// First parameters of the single elements of the outer series.
    single: Vec<usize>,
    /// Arcs that may be depressed, then those of a single time constant.
    arcs: [Vec<&'a Arc>; 2],
}

impl<'a> Parts<'a> {
    fn of(circuit: &'a Circuit) -> Option<Self> {
        let mut parts = Self {
            single: Vec::new(),
            arcs: [Vec::new(), Vec::new()],
        };
        let mut groups = 0;
        for node in circuit.outer_series() {
            match node {
                Node::Element(index) => {
                    let element = &circuit.elements()[*index];
                    if element.kind.draws_arc {
                        groups += 1;
                    } else if is_one_size(element.kind) {
                        parts.single.push(element.first_parameter);
                    } else {
                        return None;
                    }
                }
                _ => groups += 1,
            }
        }
        for arc in circuit.arcs().iter().filter(|arc| arc.simple) {
            parts.arcs[usize::from(!arc.has_exponent())].push(arc);
        }
        (parts.arcs[0].len() + parts.arcs[1].len() == groups).then_some(parts)
    }

    fn has_series_exponent(&self, circuit: &Circuit) -> bool {
        self.single
            .iter()
            .any(|&first| exponent_of(circuit, first).is_some())
    }

    /// The finest grid on which all choices can be compared.
    fn grid_size(&self) -> Option<usize> {
        (6..=20).rev().find(|&size| {
            let choices = self
                .arcs
                .iter()
                .map(|class| binomial(size, class.len()))
                .product::<usize>();
            (1..=MOST_CHOICES).contains(&choices)
        })
    }

    /// The best choices of time constants with their residuals, no two of them neighbours.
    fn candidates(&self, circuit: &Circuit, data: &Data, exponent: f64) -> Option<Vec<(f64, Vec<f64>)>> {
        let size = self.grid_size()?;
        let (low, high) = time_range(&data.grid);
        let taus: Vec<f64> = (0..size)
            .map(|i| (low + (high - low) * (i as f64 + 0.5) / size as f64).exp())
            .collect();
        let mut columns: Vec<Vec<f64>> = Vec::new();
        for &first in &self.single {
            let mut own = vec![1.0];
            own.extend(exponent_of(circuit, first).map(|_| exponent));
            columns.push(weighted(&unit_impedance(circuit, first, &own, &data.grid), data));
        }
        for n in [ARC_EXPONENT, 1.0] {
            for &tau in &taus {
                let arc = |omega: &f64| 1.0 / (1.0 + Complex64::new(0.0, omega * tau).powf(n));
                columns.push(weighted(
                    &data.grid.omega.iter().map(arc).collect::<Vec<_>>(),
                    data,
                ));
            }
        }
        let gram = Gram::new(&columns, &weighted(&data.impedance, data));
        let linear = self.single.len();
        let offset = [linear, linear + size];
        let mut best: Vec<(f64, Vec<usize>, Vec<f64>)> = Vec::new();
        for slow in combinations(size, self.arcs[0].len()) {
            for fast in combinations(size, self.arcs[1].len()) {
                let chosen: Vec<usize> = (0..linear)
                    .chain(slow.iter().map(|i| offset[0] + i))
                    .chain(fast.iter().map(|i| offset[1] + i))
                    .collect();
                let (residual, sizes) = gram.solve(&chosen);
                let neighbour = best
                    .iter()
                    .position(|(_, other, _)| other.iter().zip(&chosen).all(|(a, b)| a.abs_diff(*b) <= 1));
                match neighbour {
                    Some(index) if best[index].0 <= residual => continue,
                    Some(index) => best[index] = (residual, chosen, sizes),
                    None => best.push((residual, chosen, sizes)),
                }
                best.sort_by(|a, b| a.0.total_cmp(&b.0));
                best.truncate(KEPT);
            }
        }
        let start = |(residual, chosen, sizes): (f64, Vec<usize>, Vec<f64>)| {
            let mut start = vec![1.0; circuit.parameters().len()];
            for (&first, &size) in self.single.iter().zip(&sizes) {
                let role = circuit.parameters()[first].role;
                start[first] = if role == Role::Admittance {
                    1.0 / size
                } else {
                    size
                };
                if exponent_of(circuit, first).is_some() {
                    start[first + 1] = exponent;
                }
            }
            let arcs = self.arcs[0].iter().chain(&self.arcs[1]);
            for ((arc, column), size_ohm) in arcs.zip(&chosen[linear..]).zip(&sizes[linear..]) {
                let tau = taus[(column - linear) % size];
                arc.place(&mut start, *size_ohm, tau, ARC_EXPONENT);
            }
            (residual, start)
        };
        Some(best.into_iter().map(start).collect())
    }
}

/// Whether the impedance is a multiple of a function of frequency and perhaps of one exponent.
fn is_one_size(kind: &ElementKind) -> bool {
    let is_size = |role| {
        matches!(
            role,
            Role::Resistance | Role::Inductance | Role::Impedance | Role::Admittance
        )
    };
    match kind.parameters {
        [size] => is_size(size.role),
        [size, second] => is_size(size.role) && second.role == Role::Exponent,
        _ => false,
    }
}

/// Index of the exponent of the element that begins at this parameter, where it has one.
fn exponent_of(circuit: &Circuit, first: usize) -> Option<usize> {
    circuit
        .parameters()
        .get(first + 1)
        .filter(|next| next.role == Role::Exponent && next.element == circuit.parameters()[first].element)
        .map(|_| first + 1)
}

/// ln of the shortest and longest time constants that the data can show.
fn time_range(grid: &Grid) -> (f64, f64) {
    let slowest = grid.ln_omega.iter().copied().fold(f64::INFINITY, f64::min);
    let fastest = grid.ln_omega.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (-fastest - 0.5, -slowest + 0.5)
}

/// Real and then imaginary parts over |Z| of the data.
fn weighted(z: &[Complex64], data: &Data) -> Vec<f64> {
    let by_modulus = |part: fn(&Complex64) -> f64| {
        z.iter()
            .zip(&data.impedance)
            .map(move |(z, data)| part(z) / data.norm())
    };
    by_modulus(|z| z.re).chain(by_modulus(|z| z.im)).collect()
}

/// Scalar products of normalised columns with each other and with the data.
struct Gram {
    matrix: DMatrix<f64>,
    projections: DVector<f64>,
    norms: Vec<f64>,
    data_norm: f64,
}

impl Gram {
    fn new(columns: &[Vec<f64>], data: &[f64]) -> Self {
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let norms: Vec<f64> = columns
            .iter()
            .map(|c| product(c, c).sqrt().max(f64::MIN_POSITIVE))
            .collect();
        let count = columns.len();
        let matrix = DMatrix::from_fn(count, count, |i, j| {
            if i < j {
                0.0
            } else {
                product(&columns[i], &columns[j]) / (norms[i] * norms[j])
            }
        });
        let matrix = DMatrix::from_fn(count, count, |i, j| matrix[(i.max(j), i.min(j))]);
        let projections = DVector::from_fn(count, |i, _| product(&columns[i], data) / norms[i]);
        Self {
            matrix,
            projections,
            norms,
            data_norm: product(data, data),
        }
    }

    /// Residual and non-negative sizes of the chosen columns; a size that would be negative is made negligible.
    fn solve(&self, chosen: &[usize]) -> (f64, Vec<f64>) {
        let floor = 1e-4 * self.data_norm.sqrt();
        let mut active: Vec<usize> = (0..chosen.len()).collect();
        let mut sizes = vec![floor; chosen.len()];
        let mut explained = 0.0;
        while !active.is_empty() {
            let matrix = DMatrix::from_fn(active.len(), active.len(), |i, j| {
                let ridge = if i == j { 1e-10 } else { 0.0 };
                self.matrix[(chosen[active[i]], chosen[active[j]])] + ridge
            });
            let right = DVector::from_fn(active.len(), |i, _| self.projections[chosen[active[i]]]);
            let Some(cholesky) = matrix.cholesky() else { break };
            let solution = cholesky.solve(&right);
            let worst = solution.argmin();
            if worst.1 < 0.0 {
                active.remove(worst.0);
                continue;
            }
            explained = solution.dot(&right);
            for (&place, &size) in active.iter().zip(solution.iter()) {
                sizes[place] = size.max(floor);
            }
            break;
        }
        for (size, &column) in sizes.iter_mut().zip(chosen) {
            *size /= self.norms[column];
        }
        (self.data_norm - explained, sizes)
    }
}

fn binomial(n: usize, k: usize) -> usize {
    if k > n {
        return 0;
    }
    (0..k).fold(1, |product, i| product * (n - i) / (i + 1))
}

/// All increasing choices of `k` out of `n`.
fn combinations(n: usize, k: usize) -> Vec<Vec<usize>> {
    let mut all = Vec::with_capacity(binomial(n, k));
    let mut current: Vec<usize> = (0..k).collect();
    if k > n {
        return all;
    }
    loop {
        all.push(current.clone());
        let Some(place) = (0..k).rev().find(|&place| current[place] < n - k + place) else {
            return all;
        };
        current[place] += 1;
        for later in place + 1..k {
            current[later] = current[later - 1] + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_complete_and_increasing() {
        let all = combinations(6, 3);
        assert_eq!(all.len(), binomial(6, 3));
        assert!(
            all.iter()
                .all(|choice| choice.windows(2).all(|pair| pair[0] < pair[1]))
        );
        assert_eq!(combinations(4, 0), vec![Vec::<usize>::new()]);
        assert!(combinations(2, 3).is_empty());
    }

    fn data(circuit: &Circuit, parameters: &[f64]) -> Data {
        let frequencies = (0..60).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i)));
        let grid = Grid::new(frequencies.clone());
        Data {
            grid,
            impedance: frequencies.map(|f| circuit.impedance(parameters, f)).collect(),
        }
    }

    #[test]
    fn the_first_start_lies_near_the_truth() {
        let circuit = Circuit::parse("L0-R0-p(R1,CPE1)-p(R2,CPE2)").unwrap();
        let truth = [3e-7, 20.0, 46.0, 2.48e-6, 0.85, 44.0, 4.69e-5, 0.80];
        let starts = from_data(&circuit, &data(&circuit, &truth));
        assert_eq!(starts.len(), KEPT);
        // The inductance is too small to show before the arcs are right.
        for index in [1, 2, 5] {
            let ratio = starts[0][index] / truth[index];
            assert!(
                (0.5..2.0).contains(&ratio),
                "{}: {ratio}",
                circuit.parameters()[index].name
            );
        }
    }

    #[test]
    fn circuits_beyond_series_and_arcs_get_random_starts_that_repeat() {
        let circuit = Circuit::parse("R0-p(R1-W1,CPE1)").unwrap();
        let data = data(&circuit, &[10.0, 50.0, 70.0, 1e-6, 0.9]);
        assert!(from_data(&circuit, &data).is_empty());
        let starts = random(&circuit, &data, 7);
        assert_eq!(starts.len(), 7);
        assert_eq!(starts, random(&circuit, &data, 7));
        assert!(
            starts
                .iter()
                .flatten()
                .all(|value| value.is_finite() && *value > 0.0)
        );
    }

    #[test]
    fn arcs_of_one_element_are_placed_like_groups() {
        let circuit = Circuit::parse("R0-Zarc1-K1").unwrap();
        let truth = [20.0, 46.0, 1e-4, 0.85, 44.0, 0.3];
        let starts = from_data(&circuit, &data(&circuit, &truth));
        assert_eq!(starts.len(), KEPT);
        for index in [0, 1, 2, 4, 5] {
            let ratio = starts[0][index] / truth[index];
            let name = &circuit.parameters()[index].name;
            assert!((0.4..2.5).contains(&ratio), "{name}: {ratio}");
        }
        assert_eq!(starts[0][3], ARC_EXPONENT);
    }

    #[test]
    fn every_element_gets_starts_within_its_bounds() {
        for kind in crate::circuit::elements::all() {
            let circuit = Circuit::parse(&format!("R9-{}1", kind.symbol)).unwrap();
            let truth: Vec<f64> = circuit
                .parameters()
                .iter()
                .map(|spec| if spec.role == Role::Exponent { 0.8 } else { 1e-2 })
                .collect();
            let data = data(&circuit, &truth);
            for start in from_data(&circuit, &data)
                .into_iter()
                .chain(random(&circuit, &data, 20))
            {
                for (value, spec) in start.iter().zip(circuit.parameters()) {
                    assert!(
                        (spec.lower..=spec.upper).contains(value),
                        "{}: {value}",
                        spec.name
                    );
                }
            }
        }
    }

    #[test]
    fn the_sizes_of_a_porous_electrode_are_drawn_in_changing_proportions() {
        let circuit = Circuit::parse("TLM1").unwrap();
        let data = data(&circuit, &[30.0, 3.0, 60.0, 1e-3, 0.9]);
        let ratios: Vec<f64> = random(&circuit, &data, 50)
            .iter()
            .map(|start| start[2] / start[0])
            .collect();
        assert!(ratios.iter().any(|ratio| *ratio < 0.2) && ratios.iter().any(|ratio| *ratio > 5.0));
    }
}
