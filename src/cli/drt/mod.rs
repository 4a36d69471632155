//! `interphase drt`: the distribution of relaxation times of spectra in files.

mod course;
mod json;
mod rows;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use self::course::{Courses, Step};
use super::{output, parallel, spectra, values};
use crate::analysis::candidates::Geometry;
use crate::analysis::drt::{Drt, DrtOptions, drt};
use crate::files::FileSpectrum;
use crate::profile::{Cell, Kind, find};

/// Find the distribution of relaxation times: which processes are in a spectrum, without a circuit.
///
/// A peak is reported only where it persists at a tenth and at ten times the weight of smoothness that the data
/// choose, and where the data cannot be described without it. Blocking electrodes and unfinished diffusion are fitted
/// beside the distribution, and said. What a peak may come from are candidates by capacitance, never a name. Over
/// the spectra of a file each peak keeps its number.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    interphase drt cell.csv\n  \
    interphase drt day*.mpt --series --json\n  \
    interphase drt cell.csv --cell llzo_pellet_blocking\n\n\
    Exit status: 0 all done, 1 a file could not be read or has no distribution, 2 wrong command line.")]
pub(super) struct DrtArgs {
    /// Spectra in any supported format; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Weight of smoothness, such as 1e-3; without it the data choose, by cross-validation
    #[arg(long, value_name = "L", allow_negative_numbers = true, value_parser = lambda)]
    lambda: Option<f64>,
    /// The cell, whose area and thickness tell what a peak may come from
    #[arg(long, value_name = "CELL")]
    cell: Option<String>,
    /// All files are sweeps of one cell, in the order given: peaks keep their numbers from file to file
    #[arg(long)]
    series: bool,
    /// One row of CSV a peak
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Use drift-corrected spectra: each sweep of a file as it would have been when it began
    #[arg(long)]
    instant: bool,
    /// One JSON object a spectrum
    #[arg(long)]
    json: bool,
}

/// A file that was read.
struct DrtFile {
    path: String,
    spectra: Vec<FileSpectrum>,
    /// What tells each from the others; none where it is the only one.
    names: Vec<Option<String>>,
    remarks: Vec<String>,
    /// Why it, or the rest of it, could not be read.
    unreadable: Option<String>,
}

/// One spectrum with its distribution, or why there is none.
struct SpectrumDrt<'a> {
    file: &'a str,
    name: Option<&'a str>,
    n_points: usize,
    outcome: Result<Drt, String>,
    /// What became of the peaks since the spectrum before.
    step: Step,
}

impl SpectrumDrt<'_> {
    /// The file, and the spectrum where there are several.
    fn place(&self) -> String {
        match self.name {
            Some(name) => format!("{}, {name}", self.file),
            None => self.file.to_owned(),
        }
    }
}

/// What is done one after the other.
#[derive(Clone, Copy)]
enum Job {
    /// File and spectrum.
    Spectrum(usize, usize),
    /// The end of a file.
    End(usize),
}

/// How results are written.
#[derive(Clone, Copy)]
enum Form {
    Table,
    Csv,
    Json,
}

pub(super) fn run(args: &DrtArgs) -> anyhow::Result<ExitCode> {
    spectra::check_paths(&args.files)?;
    let geometry = match &args.cell {
        Some(cell) => geometry(cell)?,
        None => Geometry::default(),
    };
    let options = DrtOptions {
        lambda: args.lambda,
        ..DrtOptions::default()
    };
    let form = match (args.json, args.csv) {
        (true, _) => Form::Json,
        (_, true) => Form::Csv,
        _ => Form::Table,
    };
    let files: Vec<DrtFile> = args.files.iter().map(|path| read(path, args.instant)).collect();
    let jobs: Vec<Job> = files.iter().enumerate().flat_map(jobs_of).collect();
    let mut report = Report {
        form,
        geometry,
        is_series: args.series,
        courses: Courses::default(),
        failed: false,
    };
    if matches!(form, Form::Csv) {
        rows::begin()?;
    }
    parallel::in_order(
        jobs.len(),
        jobs.len(),
        |job, emit| {
            let outcome = match jobs[job] {
                Job::Spectrum(file, index) => {
                    let found = drt(&files[file].spectra[index].spectrum, &options);
                    Some(found.map_err(|error| error.to_string()))
                }
                Job::End(_) => None,
            };
            emit(job, outcome);
        },
        |place, outcome| match (jobs[place], outcome) {
            (Job::Spectrum(file, index), Some(outcome)) => report.spectrum(&files[file], index, outcome),
            (Job::Spectrum(..), None) => Ok(()),
            (Job::End(file), _) => report.end(&files[file], file + 1 == files.len()),
        },
    )?;
    Ok(match report.failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

/// The spectra of a file, and its end.
fn jobs_of((file, found): (usize, &DrtFile)) -> impl Iterator<Item = Job> + use<> {
    let spectra = (0..found.spectra.len()).map(move |index| Job::Spectrum(file, index));
    spectra.chain([Job::End(file)])
}

fn read(path: &Path, as_instants: bool) -> DrtFile {
    let read = match as_instants {
        true => spectra::read(path).and_then(|reading| spectra::instants(path, reading)),
        false => spectra::read(path),
    };
    let (reading, unreadable) = match read {
        Ok(reading) => (Some(reading), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    let broken = reading.as_ref().and_then(|reading| reading.broken.as_ref());
    let broken = broken.map(ToString::to_string);
    let (spectra, remarks) = reading.map_or_else(Default::default, |found| (found.spectra, found.remarks));
    DrtFile {
        path: path.display().to_string(),
        names: spectra::names(&spectra),
        spectra,
        remarks,
        unreadable: unreadable.or(broken),
    }
}

/// Writes what was found, in the order in which it was asked for.
struct Report {
    form: Form,
    geometry: Geometry,
    /// Whether all files are sweeps of one cell.
    is_series: bool,
    courses: Courses,
    failed: bool,
}

impl Report {
    fn spectrum(&mut self, file: &DrtFile, index: usize, outcome: Result<Drt, String>) -> anyhow::Result<()> {
        if index == 0 {
            spectra::tell_remarks(Path::new(&file.path), &file.remarks);
        }
        let name = file.names[index].as_deref();
        let sweep = match name {
            Some(name) if self.is_series => format!("{}, {name}", file.path),
            Some(name) => name.to_owned(),
            None => file.path.clone(),
        };
        // Where there is no distribution, nothing is known of its peaks: they are not missing.
        let step = match &outcome {
            Ok(drt) => self.courses.observe(&sweep, &drt.peaks),
            Err(_) => Step::default(),
        };
        let spectrum = SpectrumDrt {
            file: &file.path,
            name,
            n_points: file.spectra[index].spectrum.points.len(),
            outcome,
            step,
        };
        if let Err(error) = &spectrum.outcome {
            self.fail(&format!("{}: {error}", spectrum.place()));
        }
        match self.form {
            Form::Json => json::write(&spectrum, self.geometry),
            Form::Csv => rows::write(&spectrum, self.geometry),
            Form::Table => table::write(&spectrum, self.geometry),
        }
    }

    fn end(&mut self, file: &DrtFile, is_last: bool) -> anyhow::Result<()> {
        if let Some(error) = &file.unreadable {
            self.fail(error);
            match self.form {
                Form::Json => json::write_failed(&file.path, error)?,
                Form::Csv => rows::write_failed(&file.path, error)?,
                Form::Table => {}
            }
        }
        if self.is_series && !is_last {
            return Ok(());
        }
        let courses = std::mem::take(&mut self.courses);
        match self.form {
            Form::Table => table::write_courses(&courses),
            Form::Json | Form::Csv => Ok(()),
        }
    }

    fn fail(&mut self, error: &str) {
        self.failed = true;
        output::message(format!("interphase: {error}"));
    }
}

fn geometry(argument: &str) -> anyhow::Result<Geometry> {
    let loaded = find(Kind::Cell, argument)?;
    let cell = Cell::parse(&loaded.origin, &loaded.text)?;
    Ok(Geometry {
        area_cm2: cell.area_cm2,
        thickness_um: cell.thickness_um,
    })
}

fn lambda(text: &str) -> Result<f64, String> {
    let value = values::number(text)?;
    match value.is_finite() && value > 0.0 {
        true => Ok(value),
        false => Err("it is a finite number above zero, such as 1e-3".to_owned()),
    }
}
