//! What is between the leads: a circuit whose values change with age, with noise and a rest potential.

use std::f64::consts::PI;

use num_complex::Complex64;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::circuit::{Circuit, CircuitError};
use crate::profile;

/// Boltzmann's constant in eV/K (exact in the SI).
const BOLTZMANN_EV: f64 = 8.617_333_262e-5;

/// The temperature at which rates of growth hold, in K.
const REFERENCE_K: f64 = 298.15;

/// Below this frequency a cell counts as carrying direct current.
const DIRECT_HZ: f64 = 1e-3;

/// Standard deviation of a reading of the rest potential in V.
const POTENTIAL_NOISE_V: f64 = 2e-6;

/// Growth of a resistance: `R(t) = R(0) + a (k_s sqrt(t) + k_l t)`, by diffusion through the layer and by
/// reaction at it, with Arrhenius' factor `a`.
#[derive(Clone, Debug, PartialEq)]
pub struct Growth {
    /// Index of the resistance among the circuit's parameters.
    pub target: usize,
    /// Growth in ohm h^-1/2 at 298.15 K.
    pub sqrt_rate_ohm: f64,
    /// Growth in ohm h^-1 at 298.15 K.
    pub linear_rate_ohm: f64,
    /// Activation energy of the growth in eV.
    pub activation_energy_ev: f64,
    /// Index of the capacitance or of the CPE's Q that falls as the layer grows, so that the arc keeps its
    /// time constant: C is inversely proportional to the thickness of the layer.
    pub coupled: Option<usize>,
}

/// A cell as it really is.
#[derive(Clone, Debug)]
pub struct CellModel {
    /// Its circuit.
    pub circuit: Circuit,
    /// Values of the circuit's parameters at age 0.
    pub values: Vec<f64>,
    /// How they change.
    pub growth: Vec<Growth>,
    /// Temperature in K.
    pub temperature_k: f64,
    /// Age in h at the start of the first sweep.
    pub age_h: f64,
    /// Standard deviation of each component of Z, as a share of |Z|.
    pub noise_relative: f64,
    /// Constant part of that deviation in ohm.
    pub noise_absolute_ohm: f64,
    /// Potential of the resting cell in V.
    pub open_circuit_v: f64,
    /// Drift of that potential in V/s.
    pub open_circuit_drift_v_per_s: f64,
    /// How far that potential rises with charge in V/C: the reciprocal of the cell's differential capacity.
    pub open_circuit_v_per_c: f64,
    /// Sums of parameters whose truth is told: name and indices.
    pub sums: Vec<(String, Vec<usize>)>,
}

/// Why a cell profile cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum CellError {
    /// The profile says nothing about what the cell really is.
    #[error("the cell profile `{0}` has no [simulation] table: add one, or choose a cell that has it")]
    NotSimulated(String),
    /// Its circuit is wrong.
    #[error("the circuit of the cell profile `{name}` is wrong: {source}")]
    Circuit {
        /// Name of the profile.
        name: String,
        /// What is wrong.
        source: CircuitError,
    },
    /// A parameter has no value, or a law names a parameter that is not there.
    #[error(
        "the cell profile `{name}` says nothing usable about the parameter `{parameter}`: give it a value"
    )]
    Parameter {
        /// Name of the profile.
        name: String,
        /// Name of the parameter.
        parameter: String,
    },
}

impl CellModel {
    /// A cell without ageing and noise, resting at 0 V.
    #[must_use]
    pub fn constant(circuit: Circuit, values: Vec<f64>) -> Self {
        Self {
            circuit,
            values,
            growth: Vec::new(),
            temperature_k: REFERENCE_K,
            age_h: 0.0,
            noise_relative: 0.0,
            noise_absolute_ohm: 0.0,
            open_circuit_v: 0.0,
            open_circuit_drift_v_per_s: 0.0,
            open_circuit_v_per_c: 0.0,
            sums: Vec::new(),
        }
    }

    /// The cell that a profile describes.
    ///
    /// # Errors
    /// When the profile has no simulation table, or its circuit or a parameter's value is wrong.
    pub fn from_profile(cell: &profile::Cell) -> Result<Self, CellError> {
        let simulation = cell
            .simulation
            .as_ref()
            .ok_or_else(|| CellError::NotSimulated(cell.name.clone()))?;
        let (circuit, mut values) = cell.start_values().map_err(|source| CellError::Circuit {
            name: cell.name.clone(),
            source,
        })?;
        let unusable = |parameter: &str| CellError::Parameter {
            name: cell.name.clone(),
            parameter: parameter.to_owned(),
        };
        let index = |name: &str| circuit.parameter_index(name).ok_or_else(|| unusable(name));
        for (name, value) in &simulation.values {
            values[index(name)?] = *value;
        }
        if let Some(position) = values.iter().position(|value| !value.is_finite()) {
            return Err(unusable(&circuit.parameters()[position].name));
        }
        // Rates are per area; a profile with rates has been checked to have one.
        let area_cm2 = cell.area_cm2.unwrap_or(1.0);
        let growth = simulation
            .ageing
            .iter()
            .map(|law| {
                let coupled = match &law.coupled {
                    Some(element) => Some(index(&format!("{element}.Q")).or_else(|_| index(element))?),
                    None => None,
                };
                Ok(Growth {
                    target: index(&law.target)?,
                    sqrt_rate_ohm: law.sqrt_rate_ohm_cm2 / area_cm2,
                    linear_rate_ohm: law.linear_rate_ohm_cm2 / area_cm2,
                    activation_energy_ev: law.activation_energy_ev,
                    coupled,
                })
            })
            .collect::<Result<_, CellError>>()?;
        let sums = cell
            .circuit
            .track
            .iter()
            .filter(|track| track.contains('+'))
            .map(|track| {
                let parts = track
                    .split('+')
                    .map(|part| index(part.trim()))
                    .collect::<Result<_, _>>()?;
                Ok((track.clone(), parts))
            })
            .collect::<Result<_, CellError>>()?;
        Ok(Self {
            values,
            growth,
            temperature_k: cell.temperature_k.unwrap_or(REFERENCE_K),
            age_h: simulation.age_h,
            noise_relative: simulation.noise.relative,
            noise_absolute_ohm: simulation.noise.absolute_ohm,
            open_circuit_v: simulation.open_circuit_v,
            open_circuit_drift_v_per_s: simulation.open_circuit_drift_v_per_s,
            open_circuit_v_per_c: simulation.open_circuit_v_per_c,
            sums,
            circuit,
        })
    }

    /// The true values of the circuit's parameters at an age in h.
    #[must_use]
    pub fn values_at(&self, age_h: f64) -> Vec<f64> {
        let mut values = self.values.clone();
        let age_h = age_h.max(0.0);
        for law in &self.growth {
            let exponent =
                -law.activation_energy_ev / BOLTZMANN_EV * (1.0 / self.temperature_k - 1.0 / REFERENCE_K);
            let growth = law.sqrt_rate_ohm * age_h.sqrt() + law.linear_rate_ohm * age_h;
            values[law.target] += exponent.exp() * growth;
        }
        for law in &self.growth {
            if let Some(coupled) = law.coupled {
                // R Q = tau^n for a CPE and R C = tau for a capacitor: either keeps tau.
                values[coupled] = self.values[coupled] * self.values[law.target] / values[law.target];
            }
        }
        values
    }
}

/// A cell at the leads of a simulated instrument.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    model: CellModel,
    seed: u64,
    first_sweep_s: Option<f64>,
    sweeps: u32,
    readings: u64,
    /// What current flows, and the charge that has passed by then.
    current_a: f64,
    charge_c: f64,
    at_s: f64,
    /// When the current changed by how much, in A; the oldest ones are forgotten.
    steps: Vec<(f64, f64)>,
}

/// Steps of current that a cell remembers.
const MOST_STEPS: usize = 24;

impl Cell {
    pub(super) fn new(model: CellModel, seed: u64) -> Self {
        Self {
            model,
            seed,
            first_sweep_s: None,
            sweeps: 0,
            readings: 0,
            current_a: 0.0,
            charge_c: 0.0,
            at_s: 0.0,
            steps: Vec::new(),
        }
    }

    pub(super) fn model(&self) -> &CellModel {
        &self.model
    }

    /// Counts a sweep that starts at the device time and returns its number from 1. The first one starts
    /// the cell's ageing.
    pub(super) fn begin_sweep(&mut self, now_s: f64) -> u32 {
        self.first_sweep_s.get_or_insert(now_s);
        self.sweeps += 1;
        self.sweeps
    }

    /// True values at a device time.
    pub(super) fn values(&self, now_s: f64) -> Vec<f64> {
        let since_first_s = self.first_sweep_s.map_or(0.0, |first_s| now_s - first_s);
        self.model.values_at(self.model.age_h + since_first_s / 3600.0)
    }

    /// True impedance in ohm at a device time.
    pub(super) fn impedance(&self, now_s: f64, frequency_hz: f64) -> Complex64 {
        self.model.circuit.impedance(&self.values(now_s), frequency_hz)
    }

    /// What noise adds to a reading of an impedance in ohm. It depends on seed, sweep and point alone, so
    /// that the same measurement gives the same noise at whatever pace.
    pub(super) fn impedance_noise(&self, impedance: Complex64, sweep: u32, point: u32) -> Complex64 {
        let sigma = self.model.noise_relative * impedance.norm() + self.model.noise_absolute_ohm;
        let mut generator = self.generator((u64::from(sweep) << 32) | u64::from(point));
        let mut normal = || -> f64 { StandardNormal.sample(&mut generator) };
        Complex64::new(sigma * normal(), sigma * normal())
    }

    /// Rest potential in V at a device time, when everything has relaxed.
    pub(super) fn open_circuit(&self, now_s: f64) -> f64 {
        let charge_c = self.charge_c + self.current_a * (now_s - self.at_s).max(0.0);
        self.model.open_circuit_v
            + self.model.open_circuit_drift_v_per_s * now_s
            + self.model.open_circuit_v_per_c * charge_c
    }

    /// Charge that has passed in C.
    pub(super) fn charge_c(&self) -> f64 {
        self.charge_c
    }

    /// From a device time on a current in A flows.
    pub(super) fn carry(&mut self, now_s: f64, current_a: f64) {
        self.charge_c += self.current_a * (now_s - self.at_s).max(0.0);
        self.at_s = now_s.max(self.at_s);
        self.change_current(current_a);
    }

    /// Under a potential that is held, a current in A is what flows at a device time. It counts for all the
    /// time since the last reading: the surge just after a step, taken for so long, would be far too much.
    pub(super) fn settle(&mut self, now_s: f64, current_a: f64) {
        self.change_current(current_a);
        self.carry(now_s, current_a);
    }

    fn change_current(&mut self, current_a: f64) {
        if current_a != self.current_a {
            self.steps.push((self.at_s, current_a - self.current_a));
            if self.steps.len() > MOST_STEPS {
                // The two oldest become one, at the time of the younger, so that no current is lost.
                let (_, oldest_a) = self.steps.remove(0);
                self.steps[0].1 += oldest_a;
            }
            self.current_a = current_a;
        }
    }

    /// Potential in V under the current that flows: each step of current drives it as its step response says,
    /// which is taken as |Z| at the frequency that belongs to the time since, `1/(2 pi t)`.
    pub(super) fn potential(&self, now_s: f64) -> f64 {
        let driven: f64 = self
            .steps
            .iter()
            .map(|(at_s, change_a)| change_a * self.step_response_ohm(now_s, now_s - at_s))
            .sum();
        let potential = self.open_circuit(now_s) + driven;
        if potential.is_finite() {
            potential
        } else {
            self.open_circuit(now_s)
        }
    }

    fn step_response_ohm(&self, now_s: f64, since_s: f64) -> f64 {
        let frequency_hz = (1.0 / (2.0 * PI * since_s.max(1e-6))).max(DIRECT_HZ);
        self.impedance(now_s, frequency_hz).norm()
    }

    /// A reading of the potential in V.
    pub(super) fn read_potential(&mut self, now_s: f64) -> f64 {
        self.potential(now_s) + POTENTIAL_NOISE_V * self.reading_noise()
    }

    /// Direct current in A that a potential in V drives, some time after it was applied. A circuit without
    /// a closed-form step response is taken at the frequency that belongs to that time, `1/(2 pi t)`,
    /// which is exact for a resistor and right in magnitude for the rest.
    pub(super) fn direct_current(&self, now_s: f64, potential_v: f64, since_s: f64) -> f64 {
        let frequency_hz = (1.0 / (2.0 * PI * since_s.max(1e-6))).max(DIRECT_HZ);
        let current = (potential_v - self.open_circuit(now_s)) / self.impedance(now_s, frequency_hz).norm();
        if current.is_finite() { current } else { 0.0 }
    }

    /// A standard normal number for the next reading that is not an impedance.
    pub(super) fn reading_noise(&mut self) -> f64 {
        self.readings += 1;
        StandardNormal.sample(&mut self.generator((1 << 63) | self.readings))
    }

    fn generator(&self, stream: u64) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        generator.set_stream(stream);
        generator
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The argyrodite cell of the profile, per area of 1.33 cm².
    fn growing() -> CellModel {
        let circuit = Circuit::parse("L0-R0-p(R1,CPE1)-p(R2,CPE2)").unwrap();
        let values = vec![3e-7, 20.0, 46.0, 2.481_480e-6, 0.85, 44.0, 4.691_476e-5, 0.80];
        let growth = Growth {
            target: 2,
            sqrt_rate_ohm: 5.0 / 1.33,
            linear_rate_ohm: 0.2 / 1.33,
            activation_energy_ev: 0.5,
            coupled: Some(3),
        };
        CellModel {
            growth: vec![growth],
            ..CellModel::constant(circuit, values)
        }
    }

    #[test]
    fn the_impedance_is_that_of_published_test_values() {
        let cell = Cell::new(growing(), 1);
        for (frequency, real, imaginary) in [
            (1e5, 21.667, -4.6375),
            (1e3, 72.617, -20.276),
            (1.0, 109.87, -0.39805),
        ] {
            let z = cell.impedance(0.0, frequency);
            // Published with five digits.
            assert!(
                (z - Complex64::new(real, imaginary)).norm() < 1e-4 * z.norm(),
                "{z}"
            );
        }
    }

    #[test]
    fn resistance_grows_with_the_root_of_age_and_linearly_and_its_arc_keeps_its_time_constant() {
        let model = growing();
        let (young, old) = (model.values_at(0.0), model.values_at(100.0));
        assert!((old[2] - (46.0 + (5.0 * 10.0 + 0.2 * 100.0) / 1.33)).abs() < 1e-9);
        assert!((old[2] * old[3] - young[2] * young[3]).abs() < 1e-15);
        assert_eq!(old[5], young[5]);
    }

    #[test]
    fn growth_is_faster_in_the_heat_as_arrhenius_says() {
        let mut model = growing();
        let cold = model.values_at(100.0)[2] - 46.0;
        model.temperature_k = 318.15;
        let warm = model.values_at(100.0)[2] - 46.0;
        // exp(0.5 eV / k (1/298.15 K - 1/318.15 K)) by hand: 5802.26 K * 2.10848e-4 1/K = 1.22340.
        assert!((warm / cold - 1.223_40_f64.exp()).abs() < 1e-3, "{}", warm / cold);
    }

    #[test]
    fn ageing_starts_at_the_first_sweep_at_the_age_of_the_profile() {
        let mut model = growing();
        model.age_h = 24.0;
        let expected = model.values_at(25.0)[2];
        let mut cell = Cell::new(model, 1);
        let before = cell.values(7e5)[2];
        assert_eq!(cell.begin_sweep(7e5), 1);
        assert_eq!(cell.values(7e5)[2], before);
        assert_eq!(cell.begin_sweep(7e5 + 600.0), 2);
        assert!((cell.values(7e5 + 3600.0)[2] - expected).abs() < 1e-9);
    }

    #[test]
    fn noise_has_the_stated_deviation_and_depends_on_seed_sweep_and_point_alone() {
        let mut model = growing();
        model.noise_relative = 1e-3;
        model.noise_absolute_ohm = 0.5;
        let cell = Cell::new(model.clone(), 7);
        let z = Complex64::new(300.0, -400.0);
        let noise: Vec<_> = (0..4000).map(|point| cell.impedance_noise(z, 1, point)).collect();
        let deviation = |component: fn(&Complex64) -> f64| {
            (noise.iter().map(|n| component(n).powi(2)).sum::<f64>() / 4000.0).sqrt()
        };
        // The standard error of a deviation from 4000 numbers is 1.1 %.
        assert!(
            (deviation(|n| n.re) - 1.0).abs() < 0.05,
            "{}",
            deviation(|n| n.re)
        );
        assert!(
            (deviation(|n| n.im) - 1.0).abs() < 0.05,
            "{}",
            deviation(|n| n.im)
        );
        assert_eq!(Cell::new(model.clone(), 7).impedance_noise(z, 1, 9), noise[9]);
        assert_ne!(Cell::new(model.clone(), 8).impedance_noise(z, 1, 9), noise[9]);
        assert_ne!(cell.impedance_noise(z, 2, 9), noise[9]);
    }

    #[test]
    fn a_shipped_profile_becomes_a_cell_with_rates_per_area() {
        let text = crate::profile::shipped_text(crate::profile::Kind::Cell, "li_lpscl_li").unwrap();
        let model = CellModel::from_profile(&profile::Cell::parse("li_lpscl_li", text).unwrap()).unwrap();
        assert_eq!(model.values, growing().values);
        assert_eq!(model.growth, growing().growth);
        assert_eq!((model.age_h, model.noise_relative), (24.0, 1e-3));
        assert_eq!(model.sums, [("R1+R2".to_owned(), vec![2, 5])]);
    }
}
