//! `interphase export`: a recording as files for other programs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::progress::Progress;
use super::{output, plot};
use crate::recording::{ExportFormat, Exported, Reader, Staging, export};
use crate::state::State;

/// Write a recording as files for other programs.
///
/// Of a running session, what was on disk when the export began. Files appear under their names when all of them are
/// whole; none is replaced without --force.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  interphase export recordings/battery_130.interphase --format csv --out tables
  interphase export cell7.interphase --format z --out sweeps
  interphase export cell7.interphase --format bdf --out cell7_bdf --force --json")]
pub(super) struct ExportArgs {
    /// The recording, also of a running session
    file: PathBuf,
    /// What to write
    #[arg(long, value_enum)]
    format: Format,
    /// The folder to write into; made where it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace files of the same names
    #[arg(long)]
    force: bool,
    /// The files that were written as JSON, one object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables of comma-separated columns, one a kind of event: points.csv, samples.csv, fits.csv, sweeps.csv, ...
    Csv,
    /// Every event as a line of JSON, the same lines as of `replay --json`: events.jsonl
    Jsonl,
    /// ZPlot and ZView, one file a sweep: sweep_00001.z, ...
    Z,
    /// EC-Lab text, one file a sweep: sweep_00001.mpt, ...
    Mpt,
    /// Battery Data Format: timeseries.bdf.csv, and an extension for impedance, eis.bdf.csv
    Bdf,
    /// Figures: nyquist.svg, bode.svg of the last sweep, history.svg
    Svg,
}

impl Format {
    /// The same for the recording; none for figures.
    fn of_data(self) -> Option<ExportFormat> {
        match self {
            Self::Csv => Some(ExportFormat::Csv),
            Self::Jsonl => Some(ExportFormat::Jsonl),
            Self::Z => Some(ExportFormat::ZPlot),
            Self::Mpt => Some(ExportFormat::EcLabText),
            Self::Bdf => Some(ExportFormat::BatteryData),
            Self::Svg => None,
        }
    }
}

pub(super) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let mut reader = Reader::open(&args.file)?;
    let mut staging = Staging::new(&args.out, args.force)?;
    // What comes later is not waited for: the export is of one moment.
    let until = reader.last_seq()?;
    let mut progress = Progress::new(usize::try_from(until).unwrap_or(usize::MAX), "events");
    let mut show = |done: u64| progress.show(usize::try_from(done).unwrap_or(usize::MAX));
    let remarks = match args.format.of_data() {
        Some(format) => export(&mut reader, format, &mut staging, until, &mut show)?,
        None => figures(args, &mut reader, until, &mut staging, &mut show)?,
    };
    let written = staging.place()?;
    progress.hide();
    for remark in remarks {
        output::message(format!("{}: {remark}", args.file.display()));
    }
    for exported in &written {
        output::line(line_of(exported, args.json))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn figures(
    args: &ExportArgs,
    reader: &mut Reader,
    until: u64,
    staging: &mut Staging,
    show: &mut impl FnMut(u64),
) -> anyhow::Result<Vec<String>> {
    const PIECE: u64 = 4096;
    let mut state = State::new();
    for event in reader.events(0).until(until) {
        let event = event?;
        state.apply(&event);
        if event.seq % PIECE == 0 {
            show(event.seq);
        }
    }
    let (figures, remarks) = plot::figures(&args.file, state)?;
    if figures.is_empty() {
        bail!(
            "{}: there is no sweep with a usable point to draw; nothing is written",
            args.file.display()
        );
    }
    for (name, svg) in figures {
        staging.put(name, "figure", 1, svg.as_bytes())?;
    }
    Ok(remarks)
}

fn line_of(exported: &Exported, as_json: bool) -> String {
    let path = exported.path.display();
    if as_json {
        let line = json!({
            "file": exported.path.to_string_lossy(),
            "what": exported.what,
            "rows": exported.rows,
            "bytes": exported.bytes,
        });
        return line.to_string();
    }
    match exported.what {
        "figure" | "metadata" => path.to_string(),
        "points" | "samples" | "events" => format!("{path}: {} {}", exported.rows, exported.what),
        _ => format!("{path}: {} rows", exported.rows),
    }
}
