//! From a spectrum, a circuit and options to a problem.

use num_complex::Complex64;

use crate::circuit::{Circuit, Grid, ParameterSpec, Scale};
use crate::spectrum::{Point, Spectrum};

use super::super::options::{FitError, FitOptions};
use super::Problem;
use super::coordinate::Coordinate;
use super::reach::reach;
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
        check_starts(options, specs.len())?;
        for sum in &options.sums {
            for name in sum.split('+') {
                index_of(circuit, name.trim())?;
            }
        }
        let mut natural: Vec<f64> = specs.iter().map(|spec| spec.lower).collect();
        let mut held = vec![false; specs.len()];
        for (name, value) in &options.fixed {
            let index = index_of(circuit, name)?;
            let meant = (*value == 0.0 && specs[index].may_be_zero)
                || (*value == f64::INFINITY && specs[index].may_be_infinite);
            if !meant {
                check_value(name, *value)?;
            }
            natural[index] = *value;
            held[index] = true;
        }
        // Bounds that leave one value hold the parameter there.
        for (name, low, high) in &options.bounds {
            let index = index_of(circuit, name)?;
            if low == high && !held[index] {
                check_value(name, *low)?;
                natural[index] = *low;
                held[index] = true;
            }
        }
        let groups = tied_groups(circuit, options)?;
        for group in &groups {
            hold_together(group, specs, &mut natural, &mut held)?;
        }
        let groups: Vec<Vec<usize>> = groups.into_iter().filter(|group| !held[group[0]]).collect();
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

fn index_of(circuit: &Circuit, name: &str) -> Result<usize, FitError> {
    circuit
        .parameter_index(name)
        .ok_or_else(|| FitError::unknown_parameter(circuit, name))
}

/// Parameters that move together, in the order of the first of each group.
fn tied_groups(circuit: &Circuit, options: &FitOptions) -> Result<Vec<Vec<usize>>, FitError> {
    let mut group_of: Vec<usize> = (0..circuit.parameters().len()).collect();
    for (name, to) in &options.ties {
        let (index, to_index) = (index_of(circuit, name)?, index_of(circuit, to)?);
        if circuit.parameters()[index].unit != circuit.parameters()[to_index].unit {
            return Err(FitError::UnequalTie {
                name: name.clone(),
                unit: circuit.parameters()[index].unit,
                to: to.clone(),
                to_unit: circuit.parameters()[to_index].unit,
            });
        }
        let (from, into) = (group_of[index], group_of[to_index]);
        for group in &mut group_of {
            if *group == from {
                *group = into;
            }
        }
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut slot = vec![None; group_of.len()];
    for (index, &group) in group_of.iter().enumerate() {
        match slot[group] {
            Some(at) => {
                let group: &mut Vec<usize> = &mut groups[at];
                group.push(index);
            }
            None => {
                slot[group] = Some(groups.len());
                groups.push(vec![index]);
            }
        }
    }
    Ok(groups)
}

/// Where one of a group is held, all are.
fn hold_together(
    group: &[usize],
    specs: &[ParameterSpec],
    natural: &mut [f64],
    held: &mut [bool],
) -> Result<(), FitError> {
    let Some(&holder) = group.iter().find(|&&index| held[index]) else {
        return Ok(());
    };
    for &index in group {
        if held[index] && natural[index] != natural[holder] {
            return Err(FitError::ContradictoryTie {
                name: specs[index].name.clone(),
                value: natural[index],
                to: specs[holder].name.clone(),
                to_value: natural[holder],
            });
        }
        held[index] = true;
        natural[index] = natural[holder];
    }
    Ok(())
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
        let mut of_the_user = vec![None; specs.len()];
        for (name, low, high) in &options.bounds {
            let index = index_of(circuit, name)?;
            if !(low <= high && *high > 0.0) {
                return Err(FitError::EmptyBounds {
                    name: name.clone(),
                    lower: *low,
                    upper: *high,
                });
            }
            // A bound of zero or infinity says nothing beyond what the element itself says.
            if *low > 0.0 {
                lower[index] = *low;
            }
            if high.is_finite() {
                upper[index] = *high;
            }
            lower[index] = lower[index].min(upper[index]);
            of_the_user[index] = Some((*low, *high));
        }
        for (name, value) in &options.named_start {
            let index = index_of(circuit, name)?;
            check_value(name, *value)?;
            if let Some((lower, upper)) = of_the_user[index]
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
            if of_the_user[index].is_none() && specs[index].scale == Scale::Log {
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
