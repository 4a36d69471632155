//! What to do: sweeps, their repeats, and limits for the safety of the cell.

use serde::Deserialize;

use super::document::Document;
use super::error::ProfileError;
use crate::spectrum::Technique;

/// A plan: its steps, once or repeatedly.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Short name, the same as the file's.
    pub name: String,
    /// What it does, in a sentence.
    #[serde(default)]
    pub description: String,
    /// How often the steps are done.
    #[serde(default = "once")]
    pub repeat: u32,
    /// Time from the start of one round of steps to the start of the next in s; a round that takes
    /// longer is followed by the next at once.
    #[serde(default)]
    pub interval_s: f64,
    /// Limits for the safety of the cell.
    #[serde(default)]
    pub limits: PlanLimits,
    /// The steps in order.
    #[serde(rename = "step")]
    pub steps: Vec<SweepStep>,
}

fn once() -> u32 {
    1
}

/// Limits for the safety of the cell, narrower than those of the instrument.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanLimits {
    /// Lowest potential of the cell in V.
    pub potential_min_v: Option<f64>,
    /// Highest potential of the cell in V.
    pub potential_max_v: Option<f64>,
    /// Largest current in A, either sign.
    pub current_max_a: Option<f64>,
}

/// One sweep of impedance.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepStep {
    /// How impedance is excited; so far `peis`.
    pub technique: Technique,
    /// Highest frequency in Hz, measured first.
    pub f_max_hz: f64,
    /// Lowest frequency in Hz.
    pub f_min_hz: f64,
    /// Points a decade.
    pub points_per_decade: u32,
    /// Excitation in V rms.
    pub amplitude_vrms: f64,
    /// The potential against which the excitation is applied.
    #[serde(default)]
    pub bias: Bias,
    /// Whether a bias away from the open-circuit potential is meant, so that direct current may flow.
    #[serde(default)]
    pub allow_polarisation: bool,
}

/// The potential against which an excitation is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Bias {
    /// The open-circuit potential, read with the cell off just before the sweep.
    #[default]
    OpenCircuit,
    /// A potential in V.
    Potential(f64),
}

impl<'de> Deserialize<'de> for Bias {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bias;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"ocp\" or a potential in V")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Bias, E> {
                match text {
                    "ocp" => Ok(Bias::OpenCircuit),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Bias, E> {
                Ok(Bias::Potential(value))
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Bias, E> {
                Ok(Bias::Potential(value as f64))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl SweepStep {
    /// Points of the sweep: `points_per_decade` a decade, both ends included.
    #[must_use]
    pub fn n_points(&self) -> u32 {
        let decades = (self.f_max_hz / self.f_min_hz).log10();
        (f64::from(self.points_per_decade) * decades).round() as u32 + 1
    }

    /// The frequencies in Hz as an instrument measures them: spaced evenly in the logarithm from the
    /// highest to the lowest, both included.
    #[must_use]
    pub fn frequencies_hz(&self) -> Vec<f64> {
        let last = self.n_points() - 1;
        let ratio = self.f_min_hz / self.f_max_hz;
        (0..=last)
            .map(|index| match index {
                0 => self.f_max_hz,
                index if index == last => self.f_min_hz,
                index => self.f_max_hz * ratio.powf(f64::from(index) / f64::from(last)),
            })
            .collect()
    }
}

impl Plan {
    /// Parses a profile; `file` names it in errors.
    ///
    /// # Errors
    /// With line and field where a key is unknown, missing, of the wrong type or out of range.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let document = Document::new(file, text);
        let plan: Self = document.parse()?;
        plan.check(&document)?;
        Ok(plan)
    }

    /// Sweeps that the whole plan makes.
    #[must_use]
    pub fn sweeps(&self) -> u32 {
        self.repeat.saturating_mul(self.steps.len() as u32)
    }

    fn check(&self, document: &Document<'_>) -> Result<(), ProfileError> {
        document.within("repeat", f64::from(self.repeat), 1.0, 1e6)?;
        document.within("interval_s", self.interval_s, 0.0, 1e8)?;
        if self.steps.is_empty() {
            return Err(document.refuse("step", "a plan needs at least one [[step]]"));
        }
        for (index, step) in self.steps.iter().enumerate() {
            let field = |key: &str| format!("step[{index}].{key}");
            if step.technique != Technique::Peis {
                return Err(document.refuse(&field("technique"), "only `peis` can be measured so far"));
            }
            document.within(&field("f_max_hz"), step.f_max_hz, 1e-6, 1e9)?;
            document.within(&field("f_min_hz"), step.f_min_hz, 1e-6, 1e9)?;
            if step.f_min_hz >= step.f_max_hz {
                let message = format!("{} is not below f_max_hz = {}", step.f_min_hz, step.f_max_hz);
                return Err(document.refuse(&field("f_min_hz"), message));
            }
            document.within(
                &field("points_per_decade"),
                f64::from(step.points_per_decade),
                1.0,
                100.0,
            )?;
            let high = 1.0;
            if step.amplitude_vrms > high {
                let message = format!(
                    "{} V rms would polarise the cell beyond any linear response; the key is in volt, \
                     so 10 mV is 0.010",
                    step.amplitude_vrms
                );
                return Err(document.refuse(&field("amplitude_vrms"), message));
            }
            document.within(&field("amplitude_vrms"), step.amplitude_vrms, 1e-6, high)?;
            if let Bias::Potential(bias) = step.bias {
                document.within(&field("bias"), bias, -20.0, 20.0)?;
            }
        }
        let limits = &self.limits;
        if let (Some(low), Some(high)) = (limits.potential_min_v, limits.potential_max_v)
            && low >= high
        {
            let message = format!("{low} V is not below potential_max_v = {high} V");
            return Err(document.refuse("limits.potential_min_v", message));
        }
        if let Some(current) = limits.current_max_a {
            document.within("limits.current_max_a", current, 1e-12, 1e4)?;
        }
        Ok(())
    }
}
