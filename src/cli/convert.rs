//! `interphase convert`: spectra from one format into another.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use super::out_file::OutFile;
use super::output::{self, UsageError};
use super::spectra;
use crate::files::{self, ReadOptions, Reading};

/// Write the spectra of a file in another format: .csv, .z or .mpt, by the extension of --out.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  interphase convert cell.DTA --out cell.z\n  \
    interphase convert cycles.mpr --out cycles.csv --force")]
pub(super) struct ConvertArgs {
    /// Spectra in any supported format; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write drift-corrected spectra: each sweep as it would have been when it began, from the times of its points and
    /// the sweeps before and after it
    #[arg(long)]
    instant: bool,
    /// The column of a text that holds the standard error of one component of Z in ohm, by its name, or by its number
    /// from 1 where there is no header; without this one that is called so is taken (`sigma`, `std_error_ohm`)
    #[arg(long, value_name = "COLUMN")]
    sigma: Option<String>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &ConvertArgs) -> anyhow::Result<ExitCode> {
    let extension = args.out.extension().unwrap_or_default().to_string_lossy();
    let format = files::format_of_extension(&extension).ok_or_else(|| {
        UsageError::new(format!(
            "{}: the extension says what to write; give one of .csv, .txt, .z, .mpt",
            args.out.display()
        ))
    })?;
    let out = OutFile::new(&args.out, args.force)?;
    if out.is(&args.file) {
        bail!(
            "{}: is the file that is read; choose another --out",
            args.out.display()
        );
    }
    let reading = read(args)?;
    let reading = match args.instant {
        true => spectra::instants(&args.file, reading)?,
        false => reading,
    };
    spectra::tell_remarks(&args.file, &reading.remarks);
    if let Some(error) = reading.broken {
        bail!("{error}; nothing is written, because a part would look like the whole");
    }
    let mut bytes = Vec::new();
    let remarks =
        files::write(format, &reading.spectra, &mut bytes).with_context(|| args.out.display().to_string())?;
    spectra::tell_remarks(&args.out, &remarks);
    out.write(&bytes)?;
    let points: usize = reading.spectra.iter().map(|of| of.spectrum.points.len()).sum();
    output::message(format!(
        "{}: {} spectra, {points} points, from {}",
        args.out.display(),
        reading.spectra.len(),
        reading.format.label()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The spectra with the standard errors of their points. Where these cannot be taken, and nobody has asked for them, the
/// spectra without, and a word about it. Standard input is read once.
fn read(args: &ConvertArgs) -> anyhow::Result<Reading> {
    let named = ReadOptions {
        sigma_column: args.sigma.clone(),
        any_sigma: false,
    };
    if args.sigma.is_some() || spectra::is_recording(&args.file) {
        return spectra::read_with(&args.file, &named);
    }
    let bytes = spectra::bytes_of(&args.file)?;
    let any = ReadOptions {
        any_sigma: true,
        ..named.clone()
    };
    let without = spectra::read_bytes(&args.file, &bytes, &named)?;
    match spectra::read_bytes(&args.file, &bytes, &any) {
        Ok(reading) => match &reading.broken {
            Some(error) if without.broken.is_none() => {
                output::message(format!("{error}; the standard errors are not written"));
                Ok(without)
            }
            _ => Ok(reading),
        },
        Err(error) => {
            output::message(format!("{error:#}; the standard errors are not written"));
            Ok(without)
        }
    }
}
