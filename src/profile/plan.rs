//! What to do: sweeps, direct current, rests, their repeats, and limits for the safety of the cell.

use serde::Deserialize;

use super::direct::{Bound, DirectTechnique};
use super::document::Document;
use super::error::ProfileError;
use super::step::WrittenStep;
use crate::spectrum::Technique;

/// A plan: its steps, once or repeatedly.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Short name, the same as the file's.
    pub name: String,
    /// What it does, in a sentence.
    pub description: String,
    /// How often the steps are done.
    pub repeat: u32,
    /// Time from the start of one round of steps to the start of the next in s; a round that takes
    /// longer is followed by the next at once.
    pub interval_s: f64,
    /// Channel of the instrument.
    pub channel: u32,
    /// Limits for the safety of the cell.
    pub limits: PlanLimits,
    /// The steps in order.
    pub steps: Vec<Step>,
}

/// A plan as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default = "once")]
    repeat: u32,
    #[serde(default)]
    interval_s: f64,
    #[serde(default)]
    channel: u32,
    #[serde(default)]
    limits: PlanLimits,
    #[serde(rename = "step")]
    steps: Vec<WrittenStep>,
}

fn once() -> u32 {
    1
}

/// Limits for the safety of the cell, narrower than those of the instrument. One that is passed ends the plan.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanLimits {
    /// Lowest potential of the cell in V.
    pub potential_min_v: Option<f64>,
    /// Highest potential of the cell in V.
    pub potential_max_v: Option<f64>,
    /// Largest current in A, either sign.
    pub current_max_a: Option<f64>,
    /// Largest charge of one step in C, either sign.
    pub charge_max_c: Option<f64>,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A sweep of impedance.
    Sweep(SweepStep),
    /// Direct current.
    Direct(DirectStep),
    /// The cell rests and its potential is read.
    Rest(RestStep),
}

/// One sweep of impedance.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepStep {
    /// How impedance is excited.
    pub technique: Technique,
    /// Highest frequency in Hz, measured first.
    pub f_max_hz: f64,
    /// Lowest frequency in Hz.
    pub f_min_hz: f64,
    /// Points a decade.
    pub points_per_decade: u32,
    /// Excitation in V rms; in a galvanostatic sweep what the current is to make of it, decade by decade. 0
    /// where `amplitude_arms` is given.
    pub amplitude_vrms: f64,
    /// Excitation of a galvanostatic sweep in A rms, the same at all frequencies.
    pub amplitude_arms: Option<f64>,
    /// The potential against which the excitation of a potentiostatic sweep is applied.
    pub bias: Bias,
    /// The direct current of a galvanostatic sweep in A.
    pub bias_a: f64,
    /// Whether a bias away from the open-circuit potential is meant, so that direct current may flow.
    pub allow_polarisation: bool,
    /// How the instrument chooses its ranges.
    pub setting: Setting,
}

/// How an instrument is set for a step, where the plan says so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setting {
    /// How the current range is chosen.
    pub ranging: RangeChoice,
    /// Bandwidth in Hz; that of the instrument's profile where not given.
    pub max_bandwidth_hz: Option<f64>,
    /// Potentiostat mode; that of the instrument's profile where not given.
    pub pgstat_mode: Option<u32>,
}

/// How a current range is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeChoice {
    /// By the current that is expected; kept while it is measured.
    #[default]
    Pinned,
    /// By the instrument, point by point.
    Auto,
}

/// A step of direct current.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectStep {
    /// What is done.
    pub technique: DirectTechnique,
    /// Whether its potentials count from the open-circuit potential.
    pub vs_open_circuit: bool,
    /// Time between samples in s.
    pub interval_s: f64,
    /// Longest time in s for which the instrument goes on without hearing from the session.
    pub piece_s: f64,
    /// What ends the step before its time; the plan goes on then.
    pub until: Vec<Bound>,
    /// Current range in A; chosen where not given.
    pub current_range_a: Option<f64>,
    /// How the instrument is set.
    pub setting: Setting,
}

/// A step in which the cell rests.
#[derive(Clone, Debug, PartialEq)]
pub struct RestStep {
    /// How long in s.
    pub duration_s: f64,
    /// Time between readings in s.
    pub interval_s: f64,
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

impl Step {
    /// The sweep that the step is, if it is one.
    #[must_use]
    pub fn sweep(&self) -> Option<&SweepStep> {
        match self {
            Self::Sweep(sweep) => Some(sweep),
            Self::Direct(_) | Self::Rest(_) => None,
        }
    }
}

impl Plan {
    /// Parses a profile; `file` names it in errors.
    ///
    /// # Errors
    /// With line and field where a key is unknown, missing, of the wrong type or out of range.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        let document = Document::new(file, text);
        let written: Written = document.parse()?;
        document.within("repeat", f64::from(written.repeat), 1.0, 1e6)?;
        document.within("interval_s", written.interval_s, 0.0, 1e8)?;
        document.within("channel", f64::from(written.channel), 0.0, 255.0)?;
        check_limits(&written.limits, &document)?;
        if written.steps.is_empty() {
            return Err(document.refuse("step", "a plan needs at least one [[step]]"));
        }
        let steps = written.steps.iter().enumerate();
        let steps: Vec<Step> = steps
            .map(|(index, step)| step.understood(index, &written.limits, &document))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: written.name,
            description: written.description,
            repeat: written.repeat,
            interval_s: written.interval_s,
            channel: written.channel,
            limits: written.limits,
            steps,
        })
    }

    /// Sweeps that the whole plan makes.
    #[must_use]
    pub fn sweeps(&self) -> u32 {
        let sweeps = self.steps.iter().filter(|step| step.sweep().is_some()).count();
        self.repeat.saturating_mul(sweeps as u32)
    }

    /// Steps that the whole plan makes, of all kinds.
    #[must_use]
    pub fn all_steps(&self) -> u32 {
        self.repeat.saturating_mul(self.steps.len() as u32)
    }
}

fn check_limits(limits: &PlanLimits, document: &Document<'_>) -> Result<(), ProfileError> {
    if let (Some(low), Some(high)) = (limits.potential_min_v, limits.potential_max_v)
        && low >= high
    {
        let message = format!("{low} V is not below potential_max_v = {high} V");
        return Err(document.refuse("limits.potential_min_v", message));
    }
    for (field, value, low, high) in [
        ("limits.current_max_a", limits.current_max_a, 1e-12, 1e4),
        ("limits.charge_max_c", limits.charge_max_c, 1e-12, 1e9),
    ] {
        if let Some(value) = value {
            document.within(field, value, low, high)?;
        }
    }
    Ok(())
}
