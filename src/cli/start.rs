//! What `run` and `demo` share: profiles, names, and the session process.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use etcetera::BaseStrategy;
use jiff::Timestamp;

use crate::profile::{Bias, Cell, DirectTechnique, Instrument, Kind, Plan, Step, SweepStep, find};
use crate::session::launch::{Launched, launch};
use crate::session::preflight;
use crate::session::runtime::RuntimeDirectory;
use crate::session::spec::{ProfileText, Profiles, SessionSpec};
use crate::session::sweep_parts::{self, Circumstances, Moduli};
use crate::spectrum::Technique;
use crate::units;

/// Ending of the name of a recording.
pub(super) const EXTENSION: &str = "interphase";

/// Profiles as found, and as understood.
pub(super) struct Chosen {
    pub instrument: ProfileText,
    pub cell: ProfileText,
    pub plan: ProfileText,
    pub profiles: Profiles,
}

/// Finds and checks the three profiles, and whether they fit together.
pub(super) fn choose(instrument: &str, cell: &str, plan: &str) -> anyhow::Result<Chosen> {
    let text = |kind, name| -> anyhow::Result<ProfileText> {
        let found = find(kind, name)?;
        Ok(ProfileText {
            origin: found.origin,
            text: found.text,
        })
    };
    let instrument = text(Kind::Instrument, instrument)?;
    let cell = text(Kind::Cell, cell)?;
    let plan = text(Kind::Plan, plan)?;
    let profiles = Profiles {
        instrument: Instrument::parse(&instrument.origin, &instrument.text)?,
        cell: Cell::parse(&cell.origin, &cell.text)?,
        plan: Plan::parse(&plan.origin, &plan.text)?,
    };
    preflight::check_cell(&profiles)?;
    preflight::check_plan(&profiles.instrument, &profiles.plan)?;
    for step in profiles.plan.steps.iter().filter_map(Step::sweep) {
        sweep_parts::sweep_job(&profiles, step, &Moduli::guessed(&profiles, step), at_rest(step))?;
    }
    Ok(Chosen {
        instrument,
        cell,
        plan,
        profiles,
    })
}

/// What is going to happen, in a few lines.
pub(super) fn summary(profiles: &Profiles, port: &str, recording: &Path) -> anyhow::Result<String> {
    let mut lines = vec![format!("instrument  {} on {port}", profiles.instrument.label)];
    lines.push(format!(
        "cell        {} ({})",
        profiles.cell.name, profiles.cell.chemistry
    ));
    lines.extend(plan_lines(profiles, Known::default())?);
    lines.push(format!("recording   {}", recording.display()));
    Ok(lines.join("\n"))
}

/// What is known of a cell before a plan is begun; nothing where nobody has looked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known<'a> {
    /// |Z| as seen; the guess of the cell's profile where not given.
    pub moduli: Option<&'a Moduli>,
    /// Potential of the resting cell in V.
    pub open_circuit_v: Option<f64>,
}

/// What a plan will do, in a few lines.
pub(super) fn plan_lines(profiles: &Profiles, known: Known<'_>) -> anyhow::Result<Vec<String>> {
    let Profiles { instrument, plan, .. } = profiles;
    let mut lines = vec![format!(
        "plan        {}: {} step{}, about {}",
        plan.name,
        plan.all_steps(),
        if plan.all_steps() == 1 { "" } else { "s" },
        units::duration(preflight::plan_duration_s(instrument, plan))
    )];
    for step in &plan.steps {
        lines.push(match step {
            Step::Sweep(sweep) => Forecast::of(profiles, sweep, known)?.line(),
            Step::Direct(direct) => {
                let duration = units::duration(direct.technique.duration_s());
                format!(
                    "{:<11} {}, {duration}",
                    direct.technique.word(),
                    direct_words(&direct.technique)
                )
            }
            Step::Rest(rest) => format!("rest        {}", units::duration(rest.duration_s)),
        });
        lines.extend(preflight::remark(profiles, step).map(|remark| format!("            {remark}")));
    }
    Ok(lines)
}

/// What is believed of a cell before anything was measured: it rests at the bias, unless that may be elsewhere.
fn at_rest(step: &SweepStep) -> Circumstances {
    let may_be_elsewhere = step.allow_polarisation && step.bias != Bias::OpenCircuit;
    Circumstances {
        open_circuit_v: (!may_be_elsewhere).then_some(0.0),
        bias_v: 0.0,
        least_range_a: 0.0,
        reply_s: 0.0,
    }
}

/// What is expected of a sweep.
#[derive(Clone, Debug)]
pub(super) struct Forecast {
    pub points: u32,
    pub duration_s: f64,
    pub excitation: String,
    /// Largest current in A; none where the instrument chooses its excitation.
    pub peak_a: Option<f64>,
    /// The current range or ranges in words.
    pub range: String,
    /// Longest time in s for which the instrument drives the cell without hearing from the session; none where it
    /// does not drive it.
    pub alone_s: Option<f64>,
}

impl Forecast {
    pub fn of(profiles: &Profiles, step: &SweepStep, known: Known<'_>) -> anyhow::Result<Self> {
        let guessed = Moduli::guessed(profiles, step);
        let moduli = known.moduli.unwrap_or(&guessed);
        let (mut given, mut distance_v) = (at_rest(step), 0.0);
        if let Some(ocp_v) = known.open_circuit_v {
            let bias_v = preflight::bias_of(&profiles.instrument, &profiles.plan, step, ocp_v)?;
            distance_v = bias_v - ocp_v;
            given = Circumstances {
                open_circuit_v: Some(ocp_v),
                bias_v,
                ..given
            };
        }
        let job = sweep_parts::sweep_job(profiles, step, moduli, given)?;
        let parts = job.all_parts();
        let excitation = match (step.amplitude_arms, profiles.instrument.sets_amplitude()) {
            (_, false) => "excitation of its own".to_owned(),
            (Some(amplitude), _) => format!("{amplitude:.2e} A rms"),
            (None, _) => format!("{} mV rms", 1e3 * step.amplitude_vrms),
        };
        let largest_a = sweep_parts::largest_range_a(&parts);
        let mut ranges = profiles.instrument.current_ranges.iter();
        let label = ranges.find(|range| range.limit_a >= largest_a);
        let label = label.map_or_else(|| "the instrument's own".to_owned(), |range| range.label.clone());
        let peak_a = match step.technique {
            Technique::Peis => preflight::current_range(profiles, step, distance_v, moduli.smallest_ohm())?.0,
            Technique::Geis => {
                let amplitudes = parts.iter().map(|part| part.amplitude * std::f64::consts::SQRT_2);
                step.bias_a.abs() + amplitudes.fold(0.0, f64::max)
            }
        };
        Ok(Self {
            points: job.n_points,
            duration_s: preflight::sweep_duration_s(&profiles.instrument, step),
            excitation,
            peak_a: Some(peak_a).filter(|peak_a| peak_a.is_finite()),
            range: match parts.len() {
                1 => label,
                count => format!("{count} parts, ranges up to {label}"),
            },
            alone_s: job
                .hold_s
                .map(|_| sweep_parts::longest_alone_s(&job, &profiles.instrument.timing)),
        })
    }

    fn line(&self) -> String {
        let current = self
            .peak_a
            .map_or_else(String::new, |peak_a| format!("at most {peak_a:.2e} A expected, "));
        let word = if self.range.contains("parts") {
            ""
        } else {
            "range "
        };
        let alone = self.alone_s.map_or_else(String::new, |alone_s| {
            format!(
                "; should the session be gone, the cell is off after {} at the latest",
                units::duration(alone_s)
            )
        });
        format!(
            "{:<11} {} points, {} s, {}; {current}{word}{}{alone}",
            "sweep",
            self.points,
            self.duration_s.round(),
            self.excitation,
            self.range
        )
    }
}

pub(super) fn direct_words(technique: &DirectTechnique) -> String {
    match *technique {
        DirectTechnique::ChronoAmperometry { potential_v, .. } => format!("{potential_v} V"),
        DirectTechnique::ChronoPotentiometry { current_a, .. } => format!("{current_a:e} A"),
        DirectTechnique::LinearSweep { start_v, end_v, .. } => format!("{start_v} to {end_v} V"),
        DirectTechnique::CyclicVoltammetry {
            start_v,
            vertex1_v,
            vertex2_v,
            scans,
            ..
        } => format!("{scans} times {start_v} to {vertex1_v} to {vertex2_v} V and back"),
    }
}

/// The file to record into: the one given, or a new one in the user's folder of recordings.
pub(super) fn recording_path(given: Option<&Path>, stem: &str) -> anyhow::Result<PathBuf> {
    if let Some(path) = given {
        if path.exists() {
            bail!(
                "{}: exists already; nothing is ever overwritten, choose another --out",
                path.display()
            );
        }
        let path = std::path::absolute(path).with_context(|| path.display().to_string())?;
        return Ok(path);
    }
    let strategy = etcetera::choose_base_strategy().context("there is no home directory; use --out")?;
    let folder = strategy.data_dir().join("interphase").join("recordings");
    std::fs::create_dir_all(&folder).with_context(|| format!("{}; use --out", folder.display()))?;
    let stamp = Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
    let mut path = folder.join(format!("{stem}-{stamp}.{EXTENSION}"));
    let mut number = 2;
    while path.exists() {
        path = folder.join(format!("{stem}-{stamp}-{number}.{EXTENSION}"));
        number += 1;
    }
    Ok(path)
}

/// The name of the session that writes a recording: the file's stem, with a number where it is taken.
pub(super) fn session_name(recording: &Path, runtime: &RuntimeDirectory) -> String {
    let stem = recording.file_stem().map_or_else(
        || "session".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    // The name becomes part of the name of a socket, which must be short.
    let stem: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(32)
        .collect();
    let taken: Vec<String> = runtime.sessions().into_iter().map(|info| info.name).collect();
    let mut name = stem.clone();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{stem}-{number}");
        number += 1;
    }
    name
}

/// Starts the session process and waits until it measures.
pub(super) fn start(spec: &SessionSpec, runtime: &RuntimeDirectory) -> anyhow::Result<Launched> {
    Ok(launch(spec, &runtime.log_file(&spec.name))?)
}
