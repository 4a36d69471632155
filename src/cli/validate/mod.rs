//! `interphase validate`: are the spectra of files those of a linear, causal and stationary cell?

mod json;
mod judged;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::selection::SelectionArgs;
use super::{output, parallel, spectra};
use crate::files::ReadOptions;
use judged::{FileJudgement, Request};

/// Judge whether spectra can be believed: Kramers-Kronig test, noise, drift.
///
/// Residuals are judged in units of the noise, which comes from repeats, standard errors or neighbouring points and
/// never from the residuals themselves. A spectrum passes, is suspect or fails, with reasons in words. Beside that
/// Z-HIT tells which frequencies have a modulus that does not belong to their phase, and of several sweeps in a file
/// how much changed from one to the next. A file may be a recording.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    interphase validate cell.csv\n  \
    interphase validate day*.mpt --json\n  \
    interphase validate three_sweeps.csv --repeats\n  \
    interphase validate series.mpr --instant --fmin 0.1\n\n\
    Exit status: 0 all judged, whatever the verdict; 1 a file could not be read or a spectrum not be judged; \
    2 wrong command line.")]
pub(super) struct ValidateArgs {
    /// Spectra in any supported format; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The noise is the standard error of one component in ohm, from the column of this name
    #[arg(long, value_name = "COLUMN", conflicts_with = "repeats")]
    sigma: Option<String>,
    /// The spectra of each file are repeats under the same conditions: the noise is how they differ. Believed only
    /// where they differ no more than their points scatter
    #[arg(long)]
    repeats: bool,
    /// Judge drift-corrected spectra: each sweep of a file as it would have been when it began, from the times of its
    /// points and the sweeps before and after it
    #[arg(long, conflicts_with = "repeats")]
    instant: bool,
    /// With --json: mu and residual for every number of RC elements
    #[arg(long, requires = "json")]
    scan: bool,
    #[command(flatten)]
    selection: SelectionArgs,
    /// One JSON object a spectrum
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ValidateArgs) -> anyhow::Result<ExitCode> {
    spectra::check_paths(&args.files)?;
    let request = Request {
        selection: args.selection.selection()?,
        are_repeats: args.repeats,
        as_instants: args.instant,
        with_scan: args.scan,
        reading: ReadOptions {
            sigma_column: args.sigma.clone(),
            ..ReadOptions::default()
        },
    };
    let files = &args.files;
    let mut failed = false;
    let mut totals = table::Totals::default();
    parallel::in_order(
        files.len(),
        files.len(),
        |job, emit| {
            emit(job, judged::file(&files[job], &request));
        },
        |place, file: FileJudgement| {
            let path = files[place].display().to_string();
            spectra::tell_remarks(&files[place], &file.remarks);
            for error in file.errors(&path) {
                failed = true;
                output::message(format!("interphase: {error}"));
            }
            if args.json {
                json::write(&path, &file)
            } else {
                table::write(&path, &file, &mut totals)
            }
        },
    )?;
    if !args.json {
        totals.write()?;
    }
    Ok(match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}
