//! What is measured: geometry of a cell, its circuit, and for the simulator what it really is.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::document::Document;
use super::error::ProfileError;
use crate::circuit::Circuit;

/// A cell profile.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Short name, the same as the file's.
    pub name: String,
    /// What it is, in a sentence.
    #[serde(default)]
    pub description: String,
    /// What it is made of (`Li | Li6PS5Cl | Li`).
    pub chemistry: String,
    /// Class of configuration (`reversible_symmetric`, `ion_blocking`, `full`, `dummy`).
    pub configuration: String,
    /// Electrode of the cell that is the working electrode; current is positive when it is oxidised.
    #[serde(default)]
    pub working_electrode: String,
    /// Electrode area in cm²; none where it has no meaning or is not known.
    pub area_cm2: Option<f64>,
    /// Thickness of the electrolyte in µm; none where it has no meaning or is not known.
    pub thickness_um: Option<f64>,
    /// Between which potentials in V the cell may rest, `[low, high]`; none where that is not known.
    pub potential_window_v: Option<[f64; 2]>,
    /// Temperature in K.
    pub temperature_k: Option<f64>,
    /// Stack pressure in MPa.
    pub pressure_mpa: Option<f64>,
    /// The equivalent circuit to fit.
    pub circuit: CellCircuit,
    /// What the cell really is; only for cells that the simulator can be.
    pub simulation: Option<CellSimulation>,
}

/// The equivalent circuit of a cell, with a guess of its values.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellCircuit {
    /// The circuit (`L0-R0-p(R1,CPE1)-p(R2,CPE2)`).
    pub model: String,
    /// Sums of parameters to follow over the sweeps; the first is the headline of the history.
    #[serde(default)]
    pub track: Vec<String>,
    /// A rough guess of each parameter, by name, in SI units: predicts currents before the first sweep.
    pub start: BTreeMap<String, f64>,
    /// Bounds of the fit, `[low, high]`, by name.
    #[serde(default)]
    pub bounds: BTreeMap<String, [f64; 2]>,
}

/// What a simulated cell really is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellSimulation {
    /// The true values at age 0, by name; those of `circuit.start` where not given.
    #[serde(default)]
    pub values: BTreeMap<String, f64>,
    /// Age of the cell at its first sweep in h.
    #[serde(default)]
    pub age_h: f64,
    /// Potential of the resting cell in V.
    #[serde(default)]
    pub open_circuit_v: f64,
    /// Drift of that potential in V/s.
    #[serde(default)]
    pub open_circuit_drift_v_per_s: f64,
    /// How far that potential rises with charge in V/C.
    #[serde(default)]
    pub open_circuit_v_per_c: f64,
    /// Noise of the impedance.
    pub noise: Noise,
    /// How values change with age.
    #[serde(default)]
    pub ageing: Vec<AgeingLaw>,
}

/// Standard deviation of each component of Z: `relative |Z| + absolute_ohm`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Share of |Z|.
    pub relative: f64,
    /// Constant part in ohm.
    pub absolute_ohm: f64,
}

/// Growth of one resistance with age: by a diffusion-limited and by a reaction-limited layer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeingLaw {
    /// The resistance that grows (`R1`).
    pub target: String,
    /// Growth with the square root of age in ohm cm² h^-1/2.
    #[serde(default)]
    pub sqrt_rate_ohm_cm2: f64,
    /// Growth linear in age in ohm cm² h^-1.
    #[serde(default)]
    pub linear_rate_ohm_cm2: f64,
    /// Activation energy of the growth in eV; the rates hold at 298.15 K.
    #[serde(default)]
    pub activation_energy_ev: f64,
    /// The CPE whose capacitance falls as the layer grows (C inversely proportional to R).
    pub coupled: Option<String>,
}

impl Cell {
    /// Parses a profile; `file` names it in errors.
    ///
    /// # Errors
    /// With line and field where a key is unknown, missing, of the wrong type or out of range, and where
    /// the circuit or a parameter's name is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let document = Document::new(file, text);
        let cell: Self = document.parse()?;
        cell.check(&document)?;
        Ok(cell)
    }

    /// The circuit with the guess of its values, in the order of the circuit's parameters.
    ///
    /// # Errors
    /// Where the circuit does not parse; a profile that was loaded has been checked for that.
    pub fn start_values(&self) -> Result<(Circuit, Vec<f64>), crate::circuit::CircuitError> {
        let circuit = Circuit::parse(&self.circuit.model)?;
        let values = circuit
            .parameters()
            .iter()
            .map(|parameter| {
                self.circuit
                    .start
                    .get(&parameter.name)
                    .copied()
                    .unwrap_or(f64::NAN)
            })
            .collect();
        Ok((circuit, values))
    }

    fn check(&self, document: &Document<'_>) -> Result<(), ProfileError> {
        for (field, value, low, high) in [
            ("area_cm2", self.area_cm2, 1e-6, 1e5),
            ("thickness_um", self.thickness_um, 1e-3, 1e6),
            ("temperature_k", self.temperature_k, 50.0, 1500.0),
            ("pressure_mpa", self.pressure_mpa, 0.0, 1e4),
        ] {
            if let Some(value) = value {
                document.within(field, value, low, high)?;
            }
        }
        if let Some([low, high]) = self.potential_window_v
            && !(low < high && low >= -100.0 && high <= 100.0)
        {
            let message = format!("[{low}, {high}] is not [low, high] in V");
            return Err(document.refuse("potential_window_v", message));
        }
        let circuit = Circuit::parse(&self.circuit.model)
            .map_err(|error| document.refuse("circuit.model", error.to_string()))?;
        let names: Vec<&str> = circuit
            .parameters()
            .iter()
            .map(|parameter| parameter.name.as_str())
            .collect();
        for name in &names {
            if !self.circuit.start.contains_key(*name) {
                let message = format!("a value for `{name}` of {circuit} is missing");
                return Err(document.refuse("circuit.start", message));
            }
        }
        check_names(document, "circuit.start", self.circuit.start.keys(), &names)?;
        check_names(document, "circuit.bounds", self.circuit.bounds.keys(), &names)?;
        for (name, value) in &self.circuit.start {
            document.within(&format!("circuit.start.{name}"), *value, 0.0, f64::MAX)?;
        }
        for (name, [low, high]) in &self.circuit.bounds {
            if !(low.is_finite() && high.is_finite() && low < high) {
                let field = format!("circuit.bounds.{name}");
                return Err(document.refuse(&field, format!("[{low}, {high}] is not [low, high]")));
            }
        }
        for (index, sum) in self.circuit.track.iter().enumerate() {
            let field = format!("circuit.track[{index}]");
            for part in sum.split('+') {
                if !names.contains(&part.trim()) {
                    return Err(document.refuse(&field, unknown_parameter(part.trim(), &names)));
                }
            }
        }
        match &self.simulation {
            Some(simulation) => self.check_simulation(simulation, &names, document),
            None => Ok(()),
        }
    }

    fn check_simulation(
        &self,
        simulation: &CellSimulation,
        names: &[&str],
        document: &Document<'_>,
    ) -> Result<(), ProfileError> {
        check_names(document, "simulation.values", simulation.values.keys(), names)?;
        for (name, value) in &simulation.values {
            document.within(&format!("simulation.values.{name}"), *value, 0.0, f64::MAX)?;
        }
        document.within("simulation.age_h", simulation.age_h, 0.0, 1e6)?;
        document.within(
            "simulation.open_circuit_v",
            simulation.open_circuit_v,
            -10.0,
            10.0,
        )?;
        let drift = simulation.open_circuit_drift_v_per_s;
        document.within("simulation.open_circuit_drift_v_per_s", drift, -1.0, 1.0)?;
        document.within("simulation.noise.relative", simulation.noise.relative, 0.0, 0.5)?;
        document.within(
            "simulation.noise.absolute_ohm",
            simulation.noise.absolute_ohm,
            0.0,
            1e9,
        )?;
        for (index, law) in simulation.ageing.iter().enumerate() {
            let field = |key: &str| format!("simulation.ageing[{index}].{key}");
            if !names.contains(&law.target.as_str()) {
                return Err(document.refuse(&field("target"), unknown_parameter(&law.target, names)));
            }
            if let Some(element) = &law.coupled
                && !names.contains(&format!("{element}.Q").as_str())
            {
                let message = format!("{element} is not a CPE of {}", self.circuit.model);
                return Err(document.refuse(&field("coupled"), message));
            }
            document.within(&field("sqrt_rate_ohm_cm2"), law.sqrt_rate_ohm_cm2, 0.0, 1e9)?;
            document.within(&field("linear_rate_ohm_cm2"), law.linear_rate_ohm_cm2, 0.0, 1e9)?;
            document.within(&field("activation_energy_ev"), law.activation_energy_ev, 0.0, 5.0)?;
        }
        if !simulation.ageing.is_empty() && self.area_cm2.is_none() {
            return Err(document.refuse(
                "area_cm2",
                "ageing rates are per area: the electrode area is needed",
            ));
        }
        Ok(())
    }
}

fn check_names<'a>(
    document: &Document<'_>,
    table: &str,
    given: impl Iterator<Item = &'a String>,
    names: &[&str],
) -> Result<(), ProfileError> {
    for name in given {
        if !names.contains(&name.as_str()) {
            // A name such as `CPE1.Q` stands quoted in the file, so the path cannot be split at its dot.
            let mut error = document.refuse(table, unknown_parameter(name, names));
            error.field = format!("{table}.{name}");
            return Err(error);
        }
    }
    Ok(())
}

fn unknown_parameter(name: &str, names: &[&str]) -> String {
    format!(
        "`{name}` is not a parameter of the circuit; it has {}",
        names.join(", ")
    )
}
