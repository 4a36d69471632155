//! `interphase drt`: the distribution of relaxation times of spectra in files.

mod json;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{output, parallel, spectra, values};
use crate::analysis::candidates::Geometry;
use crate::analysis::drt::{Drt, DrtOptions, drt};
use crate::profile::{Cell, Kind, find};

/// Find the distribution of relaxation times: which processes are in a spectrum, without a circuit.
///
/// A peak is reported only where it persists at a tenth and at ten times the weight of smoothness that the data
/// choose, and where the data cannot be described without it. Blocking electrodes and unfinished diffusion are fitted
/// beside the distribution, and said. What a peak may come from are candidates by capacitance, never a name.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    interphase drt cell.csv\n  \
    interphase drt day*.mpt --json\n  \
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
    /// One JSON object a spectrum
    #[arg(long)]
    json: bool,
}

/// One spectrum with its distribution, or why there is none.
struct SpectrumDrt {
    /// What tells it from the others of its file; none where it is the only one.
    name: Option<String>,
    n_points: usize,
    outcome: Result<Drt, String>,
}

/// What came of a file.
struct FileDrt {
    remarks: Vec<String>,
    spectra: Vec<SpectrumDrt>,
    /// Why it, or the rest of it, could not be read.
    unreadable: Option<String>,
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
    let files = &args.files;
    let mut failed = false;
    parallel::in_order(
        files.len(),
        files.len(),
        |job, emit| {
            emit(job, of_file(&files[job], &options));
        },
        |place, file: FileDrt| {
            let path = files[place].display().to_string();
            spectra::tell_remarks(&files[place], &file.remarks);
            for error in errors(&path, &file) {
                failed = true;
                output::message(format!("interphase: {error}"));
            }
            if args.json {
                json::write(&path, &file, geometry)
            } else {
                table::write(&path, &file, geometry)
            }
        },
    )?;
    Ok(match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

fn of_file(path: &Path, options: &DrtOptions) -> FileDrt {
    let reading = match spectra::read(path) {
        Ok(reading) => reading,
        Err(error) => {
            return FileDrt {
                remarks: Vec::new(),
                spectra: Vec::new(),
                unreadable: Some(format!("{error:#}")),
            };
        }
    };
    let names = spectra::names(&reading.spectra);
    FileDrt {
        remarks: reading.remarks,
        spectra: reading
            .spectra
            .iter()
            .zip(names)
            .map(|(found, name)| SpectrumDrt {
                name,
                n_points: found.spectrum.points.len(),
                outcome: drt(&found.spectrum, options).map_err(|error| error.to_string()),
            })
            .collect(),
        unreadable: reading.broken.map(|error| error.to_string()),
    }
}

fn errors(path: &str, file: &FileDrt) -> Vec<String> {
    let refused = file.spectra.iter().filter_map(|spectrum| {
        let error = spectrum.outcome.as_ref().err()?;
        Some(format!("{}: {error}", place(path, spectrum)))
    });
    refused.chain(file.unreadable.clone()).collect()
}

/// The file, and the spectrum where there are several.
fn place(path: &str, spectrum: &SpectrumDrt) -> String {
    match &spectrum.name {
        Some(name) => format!("{path}, {name}"),
        None => path.to_owned(),
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
