//! How the parameters of the spectra of a series hang together.

use crate::analysis::fit::options::{FitError, FitOptions};
use crate::analysis::fit::problem::{Coordinate, Problem};
use crate::circuit::Circuit;

/// Boltzmann constant in eV/K (CODATA 2018, exact).
pub const BOLTZMANN_EV_PER_K: f64 = 8.617_333_262_145_179e-5;

/// Temperature in K at which an activated parameter is told.
pub const REFERENCE_TEMPERATURE_K: f64 = 298.15;

/// Bounds of an activation energy in eV; one far outside is no energy of a process in a cell.
const ENERGY_BOUNDS_EV: (f64, f64) = (-3.0, 3.0);

/// What a shared parameter does over the series.
#[derive(Clone, Debug, PartialEq)]
pub enum Sharing {
    /// It has one value in all spectra.
    Same,
    /// It follows p(T) = p(T0) exp(Ea/kB (1/T - 1/T0)), or with `pre_factor` p(T) = p(T0) T/T0 exp(...), the form
    /// of a resistance whose conductivity obeys ln(sigma T) = ln A - Ea/(kB T). T0 is
    /// [`REFERENCE_TEMPERATURE_K`].
    Activated {
        /// Temperature of each spectrum in K.
        temperatures_k: Vec<f64>,
        /// Whether the factor T/T0 belongs to it.
        pre_factor: bool,
    },
}

/// A coordinate of one spectrum as a linear function of what the series shares, or its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Link {
    /// Index into the spectrum's own coordinates.
    Own(usize),
    /// Sum of shared coordinates times factors, and an offset.
    Shared(Vec<(usize, f64)>, f64),
}

/// One coordinate that the series shares.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SharedCoordinate {
    /// The parameter's index in the circuit.
    pub parameter: usize,
    /// Whether this is the activation energy of the parameter, not its value.
    pub is_energy: bool,
    pub lower: f64,
    pub upper: f64,
}

impl SharedCoordinate {
    /// It as errors see it: in the scale of the search, following no parameter.
    pub fn coordinate(&self) -> Coordinate {
        Coordinate {
            parameters: Vec::new(),
            logarithmic: false,
            lower: self.lower,
            upper: self.upper,
        }
    }
}

/// Which coordinate of which spectrum is what.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub shared: Vec<SharedCoordinate>,
    /// For each spectrum, for each coordinate of its problem.
    pub links: Vec<Vec<Link>>,
    /// For each spectrum the indices of its own coordinates in its problem.
    pub own: Vec<Vec<usize>>,
}

impl Layout {
    /// The layout; coordinates that are shared get the bounds of the series in every problem.
    pub fn new(
        circuit: &Circuit,
        problems: &mut [Problem<'_>],
        options: &FitOptions,
        shared: &[(String, Sharing)],
    ) -> Result<Self, FitError> {
        let mut layout = Self {
            shared: Vec::new(),
            links: problems
                .iter()
                .map(|problem| vec![Link::Own(usize::MAX); problem.coordinates.len()])
                .collect(),
            own: Vec::new(),
        };
        for (name, sharing) in shared {
            layout.share(circuit, problems, options, name, sharing)?;
        }
        for links in &mut layout.links {
            let mut own = Vec::new();
            for (coordinate, link) in links.iter_mut().enumerate() {
                if let Link::Own(index) = link {
                    *index = own.len();
                    own.push(coordinate);
                }
            }
            layout.own.push(own);
        }
        Ok(layout)
    }

    fn share(
        &mut self,
        circuit: &Circuit,
        problems: &mut [Problem<'_>],
        options: &FitOptions,
        name: &str,
        sharing: &Sharing,
    ) -> Result<(), FitError> {
        let parameter = circuit
            .parameter_index(name)
            .ok_or_else(|| FitError::unknown_parameter(circuit, name))?;
        // All problems come of one circuit and the same options, so that they have the same coordinates.
        let coordinate = problems[0]
            .coordinates
            .iter()
            .position(|coordinate| coordinate.parameters.contains(&parameter))
            .ok_or_else(|| FitError::SharedAndHeld {
                name: name.to_owned(),
            })?;
        if self.links[0][coordinate] != Link::Own(usize::MAX) {
            return Err(FitError::SharedTwice {
                name: name.to_owned(),
            });
        }
        let bounds = || problems.iter().map(|problem| &problem.coordinates[coordinate]);
        let first = self.shared.len();
        let widest = (
            bounds().map(|c| c.lower).fold(f64::INFINITY, f64::min),
            bounds().map(|c| c.upper).fold(f64::NEG_INFINITY, f64::max),
        );
        let value = |(lower, upper)| SharedCoordinate {
            parameter,
            is_energy: false,
            lower,
            upper,
        };
        match sharing {
            Sharing::Same => {
                self.shared.push(value(widest));
                for (links, problem) in self.links.iter_mut().zip(problems) {
                    links[coordinate] = Link::Shared(vec![(first, 1.0)], 0.0);
                    let coordinate = &mut problem.coordinates[coordinate];
                    (coordinate.lower, coordinate.upper) = widest;
                }
            }
            Sharing::Activated {
                temperatures_k,
                pre_factor,
            } => {
                check_temperatures(temperatures_k, problems.len())?;
                if !problems[0].coordinates[coordinate].logarithmic {
                    return Err(FitError::NotActivated {
                        name: name.to_owned(),
                    });
                }
                let group = &problems[0].coordinates[coordinate].parameters;
                let is_of_group = |name: &str| {
                    let index = circuit.parameter_index(name);
                    index.is_some_and(|index| group.contains(&index))
                };
                if options.bounds.iter().any(|(name, _, _)| is_of_group(name)) {
                    return Err(FitError::ActivatedAndBounded {
                        name: name.to_owned(),
                    });
                }
                self.shared.push(value((widest.0 - 100.0, widest.1 + 100.0)));
                self.shared.push(SharedCoordinate {
                    parameter,
                    is_energy: true,
                    lower: ENERGY_BOUNDS_EV.0,
                    upper: ENERGY_BOUNDS_EV.1,
                });
                for problem in &mut *problems {
                    let coordinate = &mut problem.coordinates[coordinate];
                    (coordinate.lower, coordinate.upper) = (f64::NEG_INFINITY, f64::INFINITY);
                }
                for (links, &temperature_k) in self.links.iter_mut().zip(temperatures_k) {
                    let offset = if *pre_factor {
                        (temperature_k / REFERENCE_TEMPERATURE_K).ln()
                    } else {
                        0.0
                    };
                    let terms = vec![(first, 1.0), (first + 1, inverse_energy(temperature_k))];
                    links[coordinate] = Link::Shared(terms, offset);
                }
            }
        }
        Ok(())
    }

    /// Coordinates of the problem of one spectrum.
    pub fn position(&self, spectrum: usize, shared: &[f64], own: &[f64]) -> Vec<f64> {
        self.links[spectrum]
            .iter()
            .map(|link| match link {
                Link::Own(index) => own[*index],
                Link::Shared(terms, offset) => {
                    offset
                        + terms
                            .iter()
                            .map(|(index, factor)| factor * shared[*index])
                            .sum::<f64>()
                }
            })
            .collect()
    }
}

/// (1/T - 1/T0)/kB in 1/eV.
pub(super) fn inverse_energy(temperature_k: f64) -> f64 {
    (1.0 / temperature_k - 1.0 / REFERENCE_TEMPERATURE_K) / BOLTZMANN_EV_PER_K
}

fn check_temperatures(temperatures_k: &[f64], spectra: usize) -> Result<(), FitError> {
    if temperatures_k.len() != spectra {
        return Err(FitError::TemperatureCount {
            given: temperatures_k.len(),
            needed: spectra,
        });
    }
    if let Some(bad) = temperatures_k.iter().find(|t| !(t.is_finite() && **t > 0.0)) {
        return Err(FitError::ImpossibleTemperature { temperature_k: *bad });
    }
    let least = temperatures_k.iter().copied().fold(f64::INFINITY, f64::min);
    let most = temperatures_k.iter().copied().fold(0.0, f64::max);
    if most - least < 1.0 {
        return Err(FitError::NoTemperatureSpan);
    }
    Ok(())
}
