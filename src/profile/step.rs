//! A step of a plan as it is written, and what it means.
//!
//! All techniques share one table of keys, so that a key that belongs to another technique is refused by name.

use serde::Deserialize;

use super::direct::{Bound, DirectTechnique, Quantity, Side};
use super::document::Document;
use super::error::ProfileError;
use super::plan::{Bias, DirectStep, PlanLimits, RangeChoice, RestStep, Setting, Step, SweepStep};
use crate::spectrum::Technique;

/// Distance from the open-circuit potential in V from which on a potential counts as polarising.
pub(crate) const POLARISATION_V: f64 = 0.020;

/// Longest time in s for which an instrument goes on by itself where the plan does not say.
const PIECE_S: f64 = 60.0;

/// Time between samples in s where the plan does not say.
const INTERVAL_S: f64 = 1.0;

/// What a step may be.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StepKind {
    Peis,
    Geis,
    Ca,
    Cp,
    Lsv,
    Cv,
    Ocp,
}

/// A step as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenStep {
    technique: StepKind,
    f_max_hz: Option<f64>,
    f_min_hz: Option<f64>,
    points_per_decade: Option<u32>,
    amplitude_vrms: Option<f64>,
    amplitude_arms: Option<f64>,
    bias: Option<Bias>,
    bias_a: Option<f64>,
    allow_polarisation: Option<bool>,
    current_range: Option<RangeChoice>,
    current_range_a: Option<f64>,
    max_bandwidth_hz: Option<f64>,
    pgstat_mode: Option<u32>,
    potential_v: Option<f64>,
    current_a: Option<f64>,
    duration_s: Option<f64>,
    interval_s: Option<f64>,
    start_v: Option<f64>,
    end_v: Option<f64>,
    vertex1_v: Option<f64>,
    vertex2_v: Option<f64>,
    step_v: Option<f64>,
    scan_rate_v_per_s: Option<f64>,
    scans: Option<u32>,
    vs_ocp: Option<bool>,
    piece_s: Option<f64>,
    until_potential_above_v: Option<f64>,
    until_potential_below_v: Option<f64>,
    until_current_below_a: Option<f64>,
    until_charge_c: Option<f64>,
}

/// The step in its document.
struct Reader<'a> {
    step: &'a WrittenStep,
    index: usize,
    document: &'a Document<'a>,
}

impl WrittenStep {
    /// The step, where every key belongs to its technique, none is missing, and all are in range.
    pub(super) fn understood(
        &self,
        index: usize,
        limits: &PlanLimits,
        document: &Document<'_>,
    ) -> Result<Step, ProfileError> {
        let reader = Reader {
            step: self,
            index,
            document,
        };
        reader.check_keys()?;
        match self.technique {
            StepKind::Peis => reader.sweep(Technique::Peis, limits).map(Step::Sweep),
            StepKind::Geis => reader.sweep(Technique::Geis, limits).map(Step::Sweep),
            StepKind::Ocp => reader.rest().map(Step::Rest),
            _ => reader.direct(limits).map(Step::Direct),
        }
    }

    /// The keys that are given.
    fn given(&self) -> Vec<&'static str> {
        [
            ("f_max_hz", self.f_max_hz.is_some()),
            ("f_min_hz", self.f_min_hz.is_some()),
            ("points_per_decade", self.points_per_decade.is_some()),
            ("amplitude_vrms", self.amplitude_vrms.is_some()),
            ("amplitude_arms", self.amplitude_arms.is_some()),
            ("bias", self.bias.is_some()),
            ("bias_a", self.bias_a.is_some()),
            ("allow_polarisation", self.allow_polarisation.is_some()),
            ("current_range", self.current_range.is_some()),
            ("current_range_a", self.current_range_a.is_some()),
            ("max_bandwidth_hz", self.max_bandwidth_hz.is_some()),
            ("pgstat_mode", self.pgstat_mode.is_some()),
            ("potential_v", self.potential_v.is_some()),
            ("current_a", self.current_a.is_some()),
            ("duration_s", self.duration_s.is_some()),
            ("interval_s", self.interval_s.is_some()),
            ("start_v", self.start_v.is_some()),
            ("end_v", self.end_v.is_some()),
            ("vertex1_v", self.vertex1_v.is_some()),
            ("vertex2_v", self.vertex2_v.is_some()),
            ("step_v", self.step_v.is_some()),
            ("scan_rate_v_per_s", self.scan_rate_v_per_s.is_some()),
            ("scans", self.scans.is_some()),
            ("vs_ocp", self.vs_ocp.is_some()),
            ("piece_s", self.piece_s.is_some()),
            ("until_potential_above_v", self.until_potential_above_v.is_some()),
            ("until_potential_below_v", self.until_potential_below_v.is_some()),
            ("until_current_below_a", self.until_current_below_a.is_some()),
            ("until_charge_c", self.until_charge_c.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect()
    }
}

impl StepKind {
    fn word(self) -> &'static str {
        match self {
            Self::Peis => "peis",
            Self::Geis => "geis",
            Self::Ca => "ca",
            Self::Cp => "cp",
            Self::Lsv => "lsv",
            Self::Cv => "cv",
            Self::Ocp => "ocp",
        }
    }

    /// The keys of a technique beside those that all but `ocp` have.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Peis => &[
                "f_max_hz",
                "f_min_hz",
                "points_per_decade",
                "amplitude_vrms",
                "bias",
            ],
            Self::Geis => &[
                "f_max_hz",
                "f_min_hz",
                "points_per_decade",
                "amplitude_vrms",
                "amplitude_arms",
                "bias_a",
            ],
            Self::Ca => &[
                "potential_v",
                "duration_s",
                "interval_s",
                "vs_ocp",
                "until_current_below_a",
            ],
            Self::Cp => &[
                "current_a",
                "duration_s",
                "interval_s",
                "until_potential_above_v",
                "until_potential_below_v",
            ],
            Self::Lsv => &["start_v", "end_v", "step_v", "scan_rate_v_per_s", "vs_ocp"],
            Self::Cv => &[
                "start_v",
                "vertex1_v",
                "vertex2_v",
                "step_v",
                "scan_rate_v_per_s",
                "scans",
                "vs_ocp",
            ],
            Self::Ocp => &["duration_s", "interval_s"],
        }
    }

    fn has(self, key: &str) -> bool {
        let shared = [
            "allow_polarisation",
            "current_range",
            "max_bandwidth_hz",
            "pgstat_mode",
        ];
        let of_direct = ["current_range_a", "piece_s", "until_charge_c"];
        let is_direct = matches!(self, Self::Ca | Self::Cp | Self::Lsv | Self::Cv);
        self.keys().contains(&key)
            || (self != Self::Ocp && shared.contains(&key))
            || (is_direct && of_direct.contains(&key))
    }
}

impl Reader<'_> {
    fn field(&self, key: &str) -> String {
        format!("step[{}].{key}", self.index)
    }

    fn refuse(&self, key: &str, message: impl Into<String>) -> ProfileError {
        self.document.refuse(&self.field(key), message)
    }

    fn check_keys(&self) -> Result<(), ProfileError> {
        let kind = self.step.technique;
        match self.step.given().into_iter().find(|key| !kind.has(key)) {
            Some(key) => {
                let message = format!(
                    "`{key}` is no key of a step of technique `{}`; it has {}",
                    kind.word(),
                    kind.keys().join(", ")
                );
                Err(self.refuse(key, message))
            }
            None => Ok(()),
        }
    }

    fn needed<T>(&self, key: &str, value: Option<T>) -> Result<T, ProfileError> {
        let word = self.step.technique.word();
        value.ok_or_else(|| {
            self.refuse(
                key,
                format!("missing: a step of technique `{word}` needs `{key}`"),
            )
        })
    }

    /// A number that must be there, within bounds.
    fn number(&self, key: &str, value: Option<f64>, low: f64, high: f64) -> Result<f64, ProfileError> {
        let value = self.needed(key, value)?;
        self.document.within(&self.field(key), value, low, high)?;
        Ok(value)
    }

    fn potential(&self, key: &str, value: Option<f64>) -> Result<f64, ProfileError> {
        self.number(key, value, -20.0, 20.0)
    }

    fn setting(&self) -> Result<Setting, ProfileError> {
        if let Some(bandwidth) = self.step.max_bandwidth_hz {
            self.document
                .within(&self.field("max_bandwidth_hz"), bandwidth, 1e-3, 1e9)?;
        }
        Ok(Setting {
            ranging: self.step.current_range.unwrap_or_default(),
            max_bandwidth_hz: self.step.max_bandwidth_hz,
            pgstat_mode: self.step.pgstat_mode,
        })
    }

    fn sweep(&self, technique: Technique, limits: &PlanLimits) -> Result<SweepStep, ProfileError> {
        let step = self.step;
        let f_max_hz = self.number("f_max_hz", step.f_max_hz, 1e-6, 1e9)?;
        let f_min_hz = self.number("f_min_hz", step.f_min_hz, 1e-6, 1e9)?;
        if f_min_hz >= f_max_hz {
            return Err(self.refuse(
                "f_min_hz",
                format!("{f_min_hz} is not below f_max_hz = {f_max_hz}"),
            ));
        }
        let points_per_decade = self.needed("points_per_decade", step.points_per_decade)?;
        let field = self.field("points_per_decade");
        self.document
            .within(&field, f64::from(points_per_decade), 1.0, 100.0)?;
        if step.amplitude_vrms.is_some() && step.amplitude_arms.is_some() {
            return Err(self.refuse(
                "amplitude_arms",
                "only one of amplitude_vrms and amplitude_arms can hold",
            ));
        }
        let amplitude_vrms = match step.amplitude_arms {
            Some(_) => 0.0,
            None => self.amplitude_vrms()?,
        };
        if let Some(amplitude) = step.amplitude_arms {
            self.document
                .within(&self.field("amplitude_arms"), amplitude, 1e-15, 1e3)?;
        }
        if let Some(Bias::Potential(bias)) = step.bias {
            self.document.within(&self.field("bias"), bias, -20.0, 20.0)?;
        }
        let bias_a = step.bias_a.unwrap_or(0.0);
        self.document.within(&self.field("bias_a"), bias_a, -1e3, 1e3)?;
        if bias_a != 0.0 {
            self.may_polarise("bias_a", limits)?;
        }
        Ok(SweepStep {
            technique,
            f_max_hz,
            f_min_hz,
            points_per_decade,
            amplitude_vrms,
            amplitude_arms: step.amplitude_arms,
            bias: step.bias.unwrap_or_default(),
            bias_a,
            allow_polarisation: step.allow_polarisation.unwrap_or(false),
            setting: self.setting()?,
        })
    }

    fn amplitude_vrms(&self) -> Result<f64, ProfileError> {
        let amplitude = self.needed("amplitude_vrms", self.step.amplitude_vrms)?;
        let high = 1.0;
        if amplitude > high {
            let message = format!(
                "{amplitude} V rms would polarise the cell beyond any linear response; the key is in volt, so \
                 10 mV is 0.010"
            );
            return Err(self.refuse("amplitude_vrms", message));
        }
        self.number("amplitude_vrms", Some(amplitude), 1e-6, high)
    }

    fn rest(&self) -> Result<RestStep, ProfileError> {
        let duration_s = self.number("duration_s", self.step.duration_s, 0.1, 1e8)?;
        let interval_s = self.step.interval_s.unwrap_or(INTERVAL_S.min(duration_s));
        self.document
            .within(&self.field("interval_s"), interval_s, 1e-3, duration_s)?;
        Ok(RestStep {
            duration_s,
            interval_s,
        })
    }

    fn direct(&self, limits: &PlanLimits) -> Result<DirectStep, ProfileError> {
        let step = self.step;
        let technique = self.technique()?;
        let vs_open_circuit = step.vs_ocp.unwrap_or(false);
        let (polarises, key) = match technique {
            DirectTechnique::ChronoPotentiometry { current_a, .. } => (current_a != 0.0, "current_a"),
            _ => {
                let (low_v, high_v) = technique.potentials_v().unwrap_or((0.0, 0.0));
                let stays = vs_open_circuit && low_v >= -POLARISATION_V && high_v <= POLARISATION_V;
                let key = if step.potential_v.is_some() {
                    "potential_v"
                } else {
                    "start_v"
                };
                (!stays, key)
            }
        };
        if polarises {
            self.may_polarise(key, limits)?;
        }
        let duration_s = technique.duration_s();
        let interval_s = match technique {
            DirectTechnique::LinearSweep {
                step_v, rate_v_per_s, ..
            }
            | DirectTechnique::CyclicVoltammetry {
                step_v, rate_v_per_s, ..
            } => step_v / rate_v_per_s,
            _ => step.interval_s.unwrap_or(INTERVAL_S.min(duration_s)),
        };
        self.document
            .within(&self.field("interval_s"), interval_s, 1e-3, duration_s)?;
        let piece_s = step.piece_s.unwrap_or(PIECE_S.max(4.0 * interval_s));
        let field = self.field("piece_s");
        self.document.within(&field, piece_s, 4.0 * interval_s, 1e5)?;
        if let Some(range_a) = step.current_range_a {
            self.document
                .within(&self.field("current_range_a"), range_a, 1e-15, 1e4)?;
        }
        Ok(DirectStep {
            technique,
            vs_open_circuit,
            interval_s,
            piece_s,
            until: self.until(&technique)?,
            current_range_a: step.current_range_a,
            setting: self.setting()?,
        })
    }

    fn technique(&self) -> Result<DirectTechnique, ProfileError> {
        let step = self.step;
        let duration_s = || self.number("duration_s", step.duration_s, 0.01, 1e8);
        let step_v = || self.number("step_v", step.step_v, 1e-6, 1.0);
        let rate = || self.number("scan_rate_v_per_s", step.scan_rate_v_per_s, 1e-9, 1e3);
        let start_v = || self.potential("start_v", step.start_v);
        Ok(match step.technique {
            StepKind::Cp => DirectTechnique::ChronoPotentiometry {
                current_a: self.number("current_a", step.current_a, -1e3, 1e3)?,
                duration_s: duration_s()?,
            },
            StepKind::Lsv => {
                let (start_v, end_v, step_v) = (start_v()?, self.potential("end_v", step.end_v)?, step_v()?);
                if (end_v - start_v).abs() < step_v {
                    let message = "is less than one step_v away from start_v, so there is nothing to scan";
                    return Err(self.refuse("end_v", message));
                }
                DirectTechnique::LinearSweep {
                    start_v,
                    end_v,
                    step_v,
                    rate_v_per_s: rate()?,
                }
            }
            StepKind::Cv => {
                let scans = step.scans.unwrap_or(1);
                self.document
                    .within(&self.field("scans"), f64::from(scans), 1.0, 100.0)?;
                let (vertex1_v, vertex2_v, step_v) = (
                    self.potential("vertex1_v", step.vertex1_v)?,
                    self.potential("vertex2_v", step.vertex2_v)?,
                    step_v()?,
                );
                if (vertex2_v - vertex1_v).abs() < step_v {
                    let message = "is less than one step_v away from vertex1_v, so there is nothing to scan";
                    return Err(self.refuse("vertex2_v", message));
                }
                DirectTechnique::CyclicVoltammetry {
                    start_v: start_v()?,
                    vertex1_v,
                    vertex2_v,
                    step_v,
                    rate_v_per_s: rate()?,
                    scans,
                }
            }
            _ => DirectTechnique::ChronoAmperometry {
                potential_v: self.potential("potential_v", step.potential_v)?,
                duration_s: duration_s()?,
            },
        })
    }

    /// A step that polarises the cell must say so, and the plan must say how far.
    fn may_polarise(&self, key: &str, limits: &PlanLimits) -> Result<(), ProfileError> {
        if self.step.allow_polarisation != Some(true) {
            let message = "this drives direct current through the cell; say `allow_polarisation = true` in the step \
                           if that is meant";
            return Err(self.refuse(key, message));
        }
        if limits.potential_min_v.is_none() || limits.potential_max_v.is_none() {
            let message = "a plan that drives direct current through a cell needs potential_min_v and \
                           potential_max_v under [limits]: the instrument itself switches the cell off there";
            return Err(self.document.refuse("limits", message));
        }
        Ok(())
    }

    fn until(&self, technique: &DirectTechnique) -> Result<Vec<Bound>, ProfileError> {
        let step = self.step;
        let mut until = Vec::new();
        let bound = |quantity, side, value| Bound {
            quantity,
            side,
            value,
            safety: false,
        };
        if let Some(value) = step.until_potential_above_v {
            self.potential("until_potential_above_v", Some(value))?;
            until.push(bound(Quantity::Potential, Side::Above, value));
        }
        if let Some(value) = step.until_potential_below_v {
            self.potential("until_potential_below_v", Some(value))?;
            until.push(bound(Quantity::Potential, Side::Below, value));
        }
        if let Some(value) = step.until_current_below_a {
            self.number("until_current_below_a", Some(value), 1e-15, 1e3)?;
            // A current that has decayed lies between the two; the script needs it one-sided.
            until.push(bound(Quantity::CurrentModulus, Side::Below, value));
        }
        if let Some(value) = step.until_charge_c {
            self.number("until_charge_c", Some(value), 1e-15, 1e9)?;
            let negative = matches!(technique, DirectTechnique::ChronoPotentiometry { current_a, .. } if *current_a < 0.0);
            if !negative {
                until.push(bound(Quantity::Charge, Side::Above, value));
            }
            if negative || !matches!(technique, DirectTechnique::ChronoPotentiometry { .. }) {
                until.push(bound(Quantity::Charge, Side::Below, -value));
            }
        }
        Ok(until)
    }
}
