//! What is asked of a circuit, checked without data: which parameters are held, which move together, and whether
//! the request contradicts itself or the circuit.

use super::super::options::{FitError, FitOptions};
use crate::circuit::{Circuit, ParameterSpec, Scale};

/// A request that makes sense.
pub(super) struct Request {
    /// Values of all parameters; only those that are held mean anything.
    pub natural: Vec<f64>,
    /// The free parameters, in groups that move together.
    pub groups: Vec<Vec<usize>>,
}

impl Request {
    pub fn new(circuit: &Circuit, options: &FitOptions) -> Result<Self, FitError> {
        let specs = circuit.parameters();
        check_starts(options, specs.len())?;
        for sum in &options.sums {
            for name in sum.split('+') {
                index_of(circuit, name.trim())?;
            }
        }
        for (name, low, high) in &options.bounds {
            check_bound(&specs[index_of(circuit, name)?], *low, *high)?;
        }
        for (name, value) in &options.named_start {
            check_value(&specs[index_of(circuit, name)?], *value, false)?;
            if let Some((lower, upper)) = outside(options, name, *value) {
                return Err(FitError::StartOutsideBounds {
                    name: name.clone(),
                    value: *value,
                    lower,
                    upper,
                });
            }
        }
        let mut natural: Vec<f64> = specs.iter().map(|spec| spec.lower).collect();
        let mut held = vec![false; specs.len()];
        for (name, value) in &options.fixed {
            let index = index_of(circuit, name)?;
            check_value(&specs[index], *value, true)?;
            if let Some((lower, upper)) = outside(options, name, *value) {
                return Err(FitError::HeldOutsideBounds {
                    name: name.clone(),
                    value: *value,
                    lower,
                    upper,
                });
            }
            natural[index] = *value;
            held[index] = true;
        }
        // Bounds that leave one value hold the parameter there.
        for (name, low, high) in &options.bounds {
            let index = index_of(circuit, name)?;
            if low == high && !held[index] {
                check_value(&specs[index], *low, false)?;
                natural[index] = *low;
                held[index] = true;
            }
        }
        let groups = tied_groups(circuit, options)?;
        for group in &groups {
            hold_together(group, specs, &mut natural, &mut held)?;
        }
        let groups = groups.into_iter().filter(|group| !held[group[0]]).collect();
        Ok(Self { natural, groups })
    }
}

/// The user's bounds, where a value lies outside them.
fn outside(options: &FitOptions, name: &str, value: f64) -> Option<(f64, f64)> {
    let bounds = options.bounds.iter().rev().find(|(of, _, _)| of == name);
    bounds
        .filter(|(_, lower, upper)| !(*lower..=*upper).contains(&value))
        .map(|(_, lower, upper)| (*lower, *upper))
}

pub(super) fn index_of(circuit: &Circuit, name: &str) -> Result<usize, FitError> {
    circuit
        .parameter_index(name)
        .ok_or_else(|| FitError::unknown_parameter(circuit, name))
}

/// Parameters that move together, in the order of the first of each group.
fn tied_groups(circuit: &Circuit, options: &FitOptions) -> Result<Vec<Vec<usize>>, FitError> {
    let mut group_of: Vec<usize> = (0..circuit.parameters().len()).collect();
    for (name, to) in &options.ties {
        let (index, to_index) = (index_of(circuit, name)?, index_of(circuit, to)?);
        if index == to_index {
            return Err(FitError::TiedToItself { name: name.clone() });
        }
        if circuit.parameters()[index].unit != circuit.parameters()[to_index].unit {
            return Err(FitError::UnequalTie {
                name: name.clone(),
                unit: circuit.parameters()[index].unit,
                to: to.clone(),
                to_unit: circuit.parameters()[to_index].unit,
            });
        }
        let (from, into) = (group_of[index], group_of[to_index]);
        if from == into {
            return Err(FitError::TiedAlready {
                name: name.clone(),
                to: to.clone(),
            });
        }
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

fn check_value(spec: &ParameterSpec, value: f64, is_held: bool) -> Result<(), FitError> {
    if spec.allows(value) || (is_held && spec.allows_held(value)) {
        return Ok(());
    }
    Err(FitError::ImpossibleValue {
        name: spec.name.clone(),
        value,
        allowed: spec.allowed(),
    })
}

fn check_bound(spec: &ParameterSpec, lower: f64, upper: f64) -> Result<(), FitError> {
    if !(lower <= upper && upper > 0.0) {
        return Err(FitError::EmptyBounds {
            name: spec.name.clone(),
            lower,
            upper,
        });
    }
    // What reaches beyond the range at one end is cut there; see also [`check_bounds_strictly`].
    if spec.scale == Scale::Linear && lower > spec.upper {
        return Err(beyond(spec, lower, upper));
    }
    Ok(())
}

/// Refuses bounds of which any part lies beyond the range of their parameter: somebody meant something else. An end
/// of zero or infinity is open.
pub(super) fn check_bounds_strictly(circuit: &Circuit, options: &FitOptions) -> Result<(), FitError> {
    for (name, lower, upper) in &options.bounds {
        let spec = &circuit.parameters()[index_of(circuit, name)?];
        if spec.scale == Scale::Linear && upper.is_finite() && *upper > spec.upper {
            return Err(beyond(spec, *lower, *upper));
        }
    }
    Ok(())
}

fn beyond(spec: &ParameterSpec, lower: f64, upper: f64) -> FitError {
    FitError::BoundsOutsideRange {
        name: spec.name.clone(),
        lower,
        upper,
        allowed: spec.allowed(),
    }
}
