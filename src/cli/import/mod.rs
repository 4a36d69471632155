//! `interphase import`: a recording of spectra and time series in files of other programs.

mod timeline;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;

use super::progress::Progress;
use super::{output, spectra};
use crate::event::{
    EventBody, PointMeasured, SampleTaken, SessionEnded, SessionStarted, Stamp, SweepEnded, SweepStarted,
    Technique,
};
use crate::files::{Format, Measured, Origin, ReadOptions, SeriesRow, read_series};
use crate::profile::{Cell, Kind, find};
use crate::recording::{Attachment, ChargeSign, META_STATE_DIGEST, META_STATE_VERSION, Opening, Writer};
use crate::session::process::ENDED_COMPLETE;
use crate::session::sequence::FitSequence;
use crate::session::validity::ValiditySequence;
use crate::spectrum::Point;
use crate::state::{STATE_VERSION, State};
use timeline::Timeline;

/// A larger file does not go into the recording beside what was read of it.
const MOST_ATTACHED_BYTES: usize = 64 << 20;

/// Make a recording of files of other programs, each spectrum fitted in turn with the circuit of the cell.
///
/// Spectra in any supported format; time series in Battery Data Format (columns Test Time / s, Voltage / V and
/// Current / A, or their machine names) and in EC-Lab text of techniques of direct current; and what `export` wrote as
/// csv, jsonl or bdf. Files go into the recording in the order in which they are given; a pair of samples and points
/// that was exported together is put together again.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  interphase import cycles.csv --out cycles.interphase --cell battery_130
  interphase import rest.mpt impedance.mpt --out cell7.interphase --cell nmc_li_coin
  interphase import timeseries.bdf.csv eis.bdf.csv --out cell8.interphase --cell nmc_li_coin")]
pub(super) struct ImportArgs {
    /// Files in any supported format, recognised by content; plain text has the columns frequency / Hz,
    /// Z' / ohm, Z'' / ohm; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The recording to make; must not exist
    #[arg(long, value_name = "RECORDING")]
    out: PathBuf,
    /// Cell profile: a name or a path
    #[arg(long, value_name = "PROFILE")]
    cell: String,
    /// Where the data come from, and under which licence: kept in the recording
    #[arg(long, value_name = "TEXT", default_value = "")]
    source: String,
}

pub(super) fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    spectra::check_paths(&args.files)?;
    if args.out.exists() {
        bail!(
            "{}: exists already; nothing is ever overwritten, choose another --out",
            args.out.display()
        );
    }
    let found = find(Kind::Cell, &args.cell)?;
    let cell = Cell::parse(&found.origin, &found.text)?;
    let mut timeline = Timeline::new(ChargeSign::of(&cell));
    let mut attachments = vec![Attachment {
        name: "cell.toml".to_owned(),
        media_type: "application/toml".to_owned(),
        bytes: found.text.into_bytes(),
    }];
    for path in &args.files {
        let bytes = spectra::bytes_of(path)?;
        let Some(media_type) = take(path, &bytes, &mut timeline)? else {
            continue;
        };
        if bytes.len() > MOST_ATTACHED_BYTES {
            output::message(format!(
                "{}: is too large to be kept in the recording beside its data",
                spectra::name_of(path)
            ));
        } else {
            attachments.push(Attachment {
                name: attachment_name(path),
                media_type: media_type.to_owned(),
                bytes,
            });
        }
    }
    let (rows, remarks) = timeline.finish();
    for remark in remarks {
        output::message(remark);
    }
    if rows.is_empty() {
        bail!("there is neither a point nor a sample in the files; nothing is imported");
    }
    let imported = import(&args.out, &cell, &rows, &args.source, attachments)?;
    let samples = match imported.samples {
        0 => String::new(),
        samples => format!(", {samples} samples"),
    };
    output::message(format!(
        "{}: {} sweeps, {} fitted{samples}",
        args.out.display(),
        imported.sweeps,
        imported.fitted
    ));
    Ok(ExitCode::SUCCESS)
}

/// Reads a file into the time line; gives back its type, or nothing where nothing is taken of it.
fn take(path: &Path, bytes: &[u8], timeline: &mut Timeline) -> anyhow::Result<Option<&'static str>> {
    let name = spectra::name_of(path);
    if let Some(series) = read_series(&name, bytes)? {
        spectra::tell_remarks(path, &series.remarks);
        let media_type = match series.origin {
            _ if series.rows.is_empty() => None,
            Origin::BatteryData | Origin::Table => Some("text/csv"),
            Origin::EcLabText => Some("text/plain"),
            Origin::EventLines => Some("application/x-ndjson"),
        };
        timeline.add_series(&name, series);
        return Ok(media_type);
    }
    let reading = spectra::read_bytes(path, bytes, &ReadOptions::default())?;
    spectra::tell_remarks(path, &reading.remarks);
    if let Some(broken) = reading.broken {
        let whole = reading.spectra.len();
        bail!(
            "{broken}; only {whole} spectra before it could be read and nothing is imported: mend the file, or cut \
             it off before the fault"
        );
    }
    let format = reading.format;
    timeline.add_spectra(reading.spectra.into_iter().map(|of| of.spectrum));
    Ok(Some(media_type(format)))
}

/// The name that a file keeps in the recording.
fn attachment_name(path: &Path) -> String {
    match path.file_name() {
        Some(name) if path.as_os_str() != "-" => name.to_string_lossy().into_owned(),
        _ => spectra::name_of(path),
    }
}

fn media_type(format: Format) -> &'static str {
    match format {
        Format::Plain => "text/csv",
        Format::EcLabBinary | Format::Ivium | Format::PalmSens | Format::Recording => {
            "application/octet-stream"
        }
        _ => "text/plain",
    }
}

/// What came into the recording.
#[derive(Default)]
struct Imported {
    sweeps: u32,
    fitted: usize,
    samples: usize,
}

/// Writes the recording.
fn import(
    out: &Path,
    cell: &Cell,
    rows: &[SeriesRow],
    source: &str,
    attachments: Vec<Attachment>,
) -> anyhow::Result<Imported> {
    const PIECE: usize = 4096;
    let meta = vec![
        ("program".to_owned(), env!("CARGO_PKG_NAME").to_owned()),
        ("program_version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let mut writer = Writer::create(out, &Opening { meta, attachments })?;
    let mut sequence = FitSequence::for_cell(cell)?;
    let mut judgements = ValiditySequence::default();
    let mut state = State::new();
    let mut stamp = Stamp {
        utc_ns: timeline::start_utc_ns(rows).unwrap_or_else(now_utc_ns),
        elapsed_ns: 0,
    };
    let mut record = |writer: &mut Writer, stamp: Stamp, body: EventBody| -> anyhow::Result<()> {
        let event = writer.prepare(stamp, body)?;
        state.apply(&event);
        writer.append_event(&event)?;
        Ok(())
    };
    let sweeps = timeline::spectra(rows);
    record(
        &mut writer,
        stamp,
        EventBody::Session(session(cell, sweeps.len(), source)),
    )?;
    let mut imported = Imported::default();
    let mut taken: Vec<Point> = Vec::new();
    let mut progress = Progress::new(rows.len(), "points and samples");
    for (index, row) in rows.iter().enumerate() {
        stamp = timeline::stamp_after(row, stamp);
        match &row.measured {
            Measured::Sample(sample) => {
                imported.samples += 1;
                let sample = sample.clone();
                record(&mut writer, stamp, EventBody::Sample(SampleTaken { sample }))?;
            }
            Measured::Point(sweep, point) => {
                let points = &sweeps[*sweep as usize];
                let number = sweep + 1;
                if taken.is_empty() {
                    imported.sweeps = number;
                    let started = sweep_started(number, points);
                    record(&mut writer, stamp, EventBody::SweepStarted(started))?;
                }
                let measured = PointMeasured {
                    sweep: number,
                    index: taken.len() as u32,
                    point: Point::clone(point),
                };
                record(&mut writer, stamp, EventBody::Point(measured))?;
                taken.push(Point::clone(point));
                if taken.len() == points.len() {
                    let ended = SweepEnded {
                        sweep: number,
                        complete: true,
                        reason: String::new(),
                    };
                    record(&mut writer, stamp, EventBody::SweepEnded(ended))?;
                    let points = std::mem::take(&mut taken);
                    if let Some(fit) = sequence.finish(number, &points) {
                        record(&mut writer, stamp, EventBody::Fit(fit))?;
                        imported.fitted += 1;
                    }
                    if let Some(judged) = judgements.finish(number, 0, true, &points) {
                        record(&mut writer, stamp, EventBody::Validity(judged.validity))?;
                    }
                    writer.commit()?;
                }
            }
        }
        if index % PIECE == 0 || taken.is_empty() {
            progress.show(index);
        }
        if index % PIECE == PIECE - 1 {
            writer.commit()?;
        }
    }
    record(
        &mut writer,
        stamp,
        EventBody::SessionEnded(SessionEnded {
            reason: ENDED_COMPLETE.to_owned(),
        }),
    )?;
    writer.commit()?;
    writer.set_meta(META_STATE_DIGEST, &state.digest())?;
    writer.set_meta(META_STATE_VERSION, &STATE_VERSION.to_string())?;
    writer.close()?;
    Ok(imported)
}

fn now_utc_ns() -> i64 {
    i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

fn session(cell: &Cell, sweeps: usize, source: &str) -> SessionStarted {
    SessionStarted {
        program: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        cell: cell.name.clone(),
        chemistry: cell.chemistry.clone(),
        plan: "import".to_owned(),
        instrument: "import".to_owned(),
        instrument_label: "imported".to_owned(),
        circuit: cell.circuit.model.clone(),
        track: cell.circuit.track.clone(),
        sweeps_planned: Some(sweeps as u32),
        point_overhead_s: 0.0,
        point_periods: 0.0,
        simulated: false,
        time_scale: 1.0,
        source: source.to_owned(),
    }
}

fn sweep_started(sweep: u32, points: &[&Point]) -> SweepStarted {
    let frequencies = || {
        points
            .iter()
            .map(|point| point.frequency_hz)
            .filter(|f| f.is_finite() && *f > 0.0)
    };
    let first = points.first();
    SweepStarted {
        sweep,
        technique: match first.and_then(|point| point.amplitude_arms) {
            Some(_) => Technique::Geis,
            None => Technique::Peis,
        },
        n_points: points.len() as u32,
        f_max_hz: frequencies().fold(f64::NEG_INFINITY, f64::max),
        f_min_hz: frequencies().fold(f64::INFINITY, f64::min),
        bias_v: None,
        amplitude_vrms: first.and_then(|point| point.amplitude_vrms),
        range: None,
    }
}
