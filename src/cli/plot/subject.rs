//! What is drawn: spectra of a file, or sweeps of a recording with their recorded fits.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};

use crate::analysis::fit::{self, FitOptions, FitResult, Weight};
use crate::circuit::Circuit;
use crate::cli::{output, spectra};
use crate::files::{FileSpectrum, ReadOptions};
use crate::recording::Reader;
use crate::spectrum::{Point, Spectrum};
use crate::state::State;
use crate::units::{Script, engineering, with_error};

/// How every SQLite file begins.
const SQLITE_HEADER: &[u8] = b"SQLite format 3\0";

/// Whether a file begins as a recording does. Only what can be read again is looked at, and closed before SQLite opens it.
fn is_recording(path: &Path) -> bool {
    let begins = || -> std::io::Result<bool> {
        if !std::fs::metadata(path)?.is_file() {
            return Ok(false);
        }
        let mut header = [0; SQLITE_HEADER.len()];
        File::open(path)?.read_exact(&mut header)?;
        Ok(header == SQLITE_HEADER)
    };
    path.as_os_str() != "-" && begins().unwrap_or(false)
}

/// What a file holds.
pub(super) enum Subject {
    /// Everything that a recording says.
    Recording(Box<State>),
    /// The spectra of a file, numbered from 1.
    Spectra(Vec<FileSpectrum>),
}

/// A spectrum that was chosen to be drawn.
pub(super) struct Chosen {
    /// `sweep 7`, `spectrum 3`.
    pub name: String,
    /// Its points.
    pub points: Vec<Point>,
    /// The point that arrived last, while the sweep runs.
    pub newest: Option<usize>,
    /// The fit whose line is drawn.
    pub fit: Option<FitResult>,
}

impl Subject {
    /// Reads a file of any kind; `-` is standard input. What was noticed goes to standard error. Also whether that is
    /// all of the file.
    pub(super) fn read(path: &Path) -> anyhow::Result<(Self, bool)> {
        if is_recording(path) {
            return Ok((Self::read_recording(path)?, true));
        }
        let bytes = spectra::bytes_of(path)?;
        if bytes.starts_with(SQLITE_HEADER) {
            bail!(
                "{}: a recording cannot be read from a pipe; give its path",
                spectra::name_of(path)
            );
        }
        let reading = spectra::read_bytes(path, &bytes, &ReadOptions::default())?;
        spectra::tell_remarks(path, &reading.remarks);
        if let Some(broken) = &reading.broken {
            output::message(format!(
                "interphase: {broken}; only what stands before it is drawn"
            ));
        }
        Ok((Self::Spectra(reading.spectra), reading.broken.is_none()))
    }

    fn read_recording(path: &Path) -> anyhow::Result<Self> {
        let mut reader = Reader::open(path)?;
        let mut state = State::new();
        for event in reader.events(0) {
            state.apply(&event?);
        }
        Ok(Self::Recording(Box::new(state)))
    }

    /// The numbers by which `--sweep` chooses, of all that have points.
    pub(super) fn numbers(&self) -> Vec<u32> {
        match self {
            Self::Recording(state) => state
                .sweeps()
                .iter()
                .filter(|sweep| !sweep.points().is_empty())
                .map(|sweep| sweep.started.sweep)
                .collect(),
            Self::Spectra(spectra) => (1..=spectra.len() as u32).collect(),
        }
    }

    /// `sweep` or `spectrum`.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Recording(_) => "sweep",
            Self::Spectra(_) => "spectrum",
        }
    }

    /// The spectrum of a number, with its recorded final fit where there is one.
    pub(super) fn choose(&self, number: u32) -> anyhow::Result<Chosen> {
        let missing = || {
            let all = self.numbers();
            let range = match (all.first(), all.last()) {
                (Some(first), Some(last)) if first < last => format!("there are {first} to {last}"),
                (Some(only), _) => format!("there is {only}"),
                _ => "there is none with a point".to_owned(),
            };
            anyhow::anyhow!(
                "--sweep {number}: no {} with points has this number; {range}",
                self.noun()
            )
        };
        match self {
            Self::Recording(state) => {
                let sweep = state.sweep(number).filter(|sweep| !sweep.points().is_empty());
                let sweep = sweep.ok_or_else(missing)?;
                Ok(Chosen {
                    name: format!("sweep {number}"),
                    points: sweep.points().to_vec(),
                    newest: sweep.ended.is_none().then(|| sweep.points().len() - 1),
                    fit: sweep.fit.as_ref().map(|(_, fit)| fit.result.clone()),
                })
            }
            Self::Spectra(spectra) => {
                let index = (number as usize).checked_sub(1);
                let found = index.and_then(|index| spectra.get(index)).ok_or_else(missing)?;
                let name = if found.name.is_empty() {
                    format!("spectrum {number}")
                } else {
                    found.name.clone()
                };
                Ok(Chosen {
                    name,
                    points: found.spectrum.points.clone(),
                    newest: None,
                    fit: None,
                })
            }
        }
    }
}

impl Chosen {
    /// Fits the spectrum anew, and says what came out.
    pub(super) fn fit(&mut self, circuit: &Circuit, weight: Weight) -> anyhow::Result<()> {
        let options = FitOptions {
            weight,
            ..FitOptions::default()
        };
        let spectrum = Spectrum::from(self.points.clone());
        let result = fit::fit(&spectrum, circuit, &options)
            .with_context(|| format!("{} cannot be fitted with {circuit}", self.name))?;
        output::message(format!("{}: {}", self.name, in_words(&result)));
        self.fit = Some(result);
        Ok(())
    }

    /// Says what of the spectrum is not drawn, or drawn as doubtful.
    pub(super) fn confess(&self) {
        let count = |wanted: fn(&&Point) -> bool| self.points.iter().filter(wanted).count();
        let unplaced = count(|point| !point.impedance().is_finite());
        if unplaced > 0 {
            output::message(format!(
                "{}: {unplaced} points without a number are not drawn",
                self.name
            ));
        }
        let doubtful = count(|point| point.impedance().is_finite() && !point.is_usable());
        if doubtful > 0 {
            output::message(format!(
                "{}: {doubtful} points are not to be trusted (overload, invalid) and are drawn as crosses",
                self.name
            ));
        }
    }
}

/// A fit on one line (`R0 20.03 ± 0.02 Ω, R1 not determined; noise 0.31 %`).
fn in_words(result: &FitResult) -> String {
    let mut parameters = Vec::new();
    for parameter in &result.parameters {
        let text = match parameter.std_error {
            _ if parameter.at_bound => "at bound".to_owned(),
            Some(error) if parameter.determined => {
                with_error(parameter.value, error, &parameter.unit, Script::Unicode).line(Script::Unicode)
            }
            _ => "not determined".to_owned(),
        };
        parameters.push(format!("{} {text}", parameter.name));
    }
    let mut line = parameters.join(", ");
    if let Some(noise) = result.noise_percent {
        line.push_str(&format!("; noise {}", engineering(noise, "%", Script::Unicode)));
    }
    if result.errors_are_lower_limits() {
        line.push_str("; the residuals are no mere noise, so the errors are lower limits");
    }
    if !result.converged {
        line.push_str("; not converged");
    }
    line
}
