//! From a spectrum, a circuit and options to a problem.

use num_complex::Complex64;

use crate::circuit::{Circuit, Grid, ParameterSpec, Scale};
use crate::spectrum::{Point, Spectrum};

use super::super::options::{FitError, FitOptions};
use super::Problem;
use super::coordinate::Coordinate;
use super::reach::reach;
use super::request::{Request, index_of};
use super::weights::weights;

impl<'a> Problem<'a> {
    pub fn new(spectrum: &Spectrum, circuit: &'a Circuit, options: &FitOptions) -> Result<Self, FitError> {
        let points: Vec<(usize, &Point)> = spectrum
            .points
            .iter()
            .enumerate()
            .filter(|(_, point)| point.is_usable())
            .collect();
        let specs = circuit.parameters();
        let Request { natural, groups } = Request::new(circuit, options)?;
        let needed = groups.len() / 2 + 1;
        if points.len() < needed {
            return Err(FitError::TooFewPoints {
                used: points.len(),
                needed,
            });
        }
        let grid = Grid::new(points.iter().map(|(_, point)| point.frequency_hz));
        let impedance: Vec<Complex64> = points.iter().map(|(_, point)| point.impedance()).collect();
        let limits = Limits::new(circuit, &grid, &impedance, options)?;
        let coordinates: Vec<Coordinate> = groups
            .into_iter()
            .map(|group| limits.coordinate(group, specs))
            .collect::<Result<_, _>>()?;
        let measured: Vec<f64> = impedance
            .iter()
            .map(|z| z.re)
            .chain(impedance.iter().map(|z| z.im))
            .collect();
        Ok(Self {
            circuit,
            weights: weights(&points, options.weight)?,
            places: points.iter().map(|(index, _)| *index).collect(),
            workspace: circuit.tape().workspace(&grid),
            residuals: vec![0.0; measured.len()],
            jacobian: vec![0.0; measured.len() * coordinates.len()],
            scratch: vec![0.0; measured.len()],
            measured,
            coordinates,
            natural,
            grid,
        })
    }
}

/// Where each parameter may be searched for, in natural units.
struct Limits {
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl Limits {
    fn new(
        circuit: &Circuit,
        grid: &Grid,
        impedance: &[Complex64],
        options: &FitOptions,
    ) -> Result<Self, FitError> {
        let specs = circuit.parameters();
        let (mut lower, mut upper) = reach(circuit, grid, impedance);
        let mut of_the_user = vec![false; specs.len()];
        for (name, low, high) in &options.bounds {
            let index = index_of(circuit, name)?;
            // A bound of zero or infinity says nothing beyond what the element itself says.
            if *low > 0.0 {
                lower[index] = *low;
            }
            if high.is_finite() {
                upper[index] = match specs[index].scale {
                    Scale::Linear => high.min(specs[index].upper),
                    Scale::Log => *high,
                };
            }
            lower[index] = lower[index].min(upper[index]);
            of_the_user[index] = true;
        }
        for (name, value) in &options.named_start {
            let index = index_of(circuit, name)?;
            // The user knows better than the data how far a parameter may lie.
            if !of_the_user[index] {
                lower[index] = lower[index].min(*value);
                upper[index] = upper[index].max(*value);
            }
        }
        Ok(Self { lower, upper })
    }

    /// A coordinate for a group of parameters, within the bounds of all of them.
    fn coordinate(&self, parameters: Vec<usize>, specs: &[ParameterSpec]) -> Result<Coordinate, FitError> {
        let logarithmic = specs[parameters[0]].scale == Scale::Log;
        let lower = parameters.iter().map(|&i| self.lower[i]).fold(0.0, f64::max);
        let upper = parameters
            .iter()
            .map(|&i| self.upper[i])
            .fold(f64::INFINITY, f64::min);
        if lower > upper {
            return Err(FitError::EmptyBounds {
                name: parameters
                    .iter()
                    .map(|&index| specs[index].name.as_str())
                    .collect::<Vec<_>>()
                    .join(" = "),
                lower,
                upper,
            });
        }
        let scaled = |value: f64| if logarithmic { value.ln() } else { value };
        Ok(Coordinate {
            parameters,
            logarithmic,
            lower: scaled(lower),
            upper: scaled(upper),
        })
    }
}
