//! `interphase import`: a recording of spectra in files of other programs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;

use super::{output, spectra};
use crate::event::{
    EventBody, PointMeasured, SessionEnded, SessionStarted, Stamp, SweepEnded, SweepStarted, Technique,
};
use crate::files::{Format, ReadOptions};
use crate::profile::{Cell, Kind, find};
use crate::recording::{Attachment, META_STATE_DIGEST, META_STATE_VERSION, Opening, Writer};
use crate::session::process::ENDED_COMPLETE;
use crate::session::sequence::FitSequence;
use crate::session::validity::ValiditySequence;
use crate::spectrum::Spectrum;
use crate::state::{STATE_VERSION, State};

/// Make a recording of spectra in files of other programs, each fitted in turn with the circuit of the cell.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  interphase import cycles.csv --out cycles.interphase --cell battery_130")]
pub(super) struct ImportArgs {
    /// Spectra in any supported format, recognised by content; plain text has the columns frequency / Hz,
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
    let mut all = Vec::new();
    let mut attachments = vec![Attachment {
        name: "cell.toml".to_owned(),
        media_type: "application/toml".to_owned(),
        bytes: found.text.into_bytes(),
    }];
    for path in &args.files {
        let bytes = spectra::bytes_of(path)?;
        let reading = spectra::read_bytes(path, &bytes, &ReadOptions::default())?;
        spectra::tell_remarks(path, &reading.remarks);
        if let Some(broken) = reading.broken {
            let whole = reading.spectra.len();
            bail!(
                "{broken}; only {whole} spectra before it could be read and nothing is imported: mend the file, or cut \
                 it off before the fault"
            );
        }
        attachments.push(Attachment {
            name: attachment_name(path),
            media_type: media_type(reading.format).to_owned(),
            bytes,
        });
        all.extend(reading.spectra.into_iter().map(|of| of.spectrum));
    }
    let sweeps = all.len();
    let fitted = import(&args.out, &cell, all, &args.source, attachments)?;
    output::message(format!(
        "{}: {sweeps} sweeps, {fitted} fitted",
        args.out.display()
    ));
    Ok(ExitCode::SUCCESS)
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

/// Writes the recording; gives back how many sweeps could be fitted.
fn import(
    out: &Path,
    cell: &Cell,
    spectra: Vec<Spectrum>,
    source: &str,
    attachments: Vec<Attachment>,
) -> anyhow::Result<usize> {
    let meta = vec![
        ("program".to_owned(), env!("CARGO_PKG_NAME").to_owned()),
        ("program_version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let mut writer = Writer::create(out, &Opening { meta, attachments })?;
    let mut sequence = FitSequence::for_cell(cell)?;
    let mut judgements = ValiditySequence::default();
    let mut state = State::new();
    // The file says nothing of when its spectra were measured: all stand at the time of the import.
    let utc_ns = i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    let stamp = Stamp {
        utc_ns,
        elapsed_ns: 0,
    };
    let mut record = |writer: &mut Writer, body: EventBody| -> anyhow::Result<()> {
        let event = writer.prepare(stamp, body)?;
        state.apply(&event);
        writer.append_event(&event)?;
        Ok(())
    };
    record(
        &mut writer,
        EventBody::Session(session(cell, spectra.len(), source)),
    )?;
    let mut fitted = 0;
    for (index, spectrum) in spectra.into_iter().enumerate() {
        let sweep = index as u32 + 1;
        record(
            &mut writer,
            EventBody::SweepStarted(sweep_started(sweep, &spectrum)),
        )?;
        for (index, point) in spectrum.points.iter().enumerate() {
            let body = PointMeasured {
                sweep,
                index: index as u32,
                point: point.clone(),
            };
            record(&mut writer, EventBody::Point(body))?;
        }
        let ended = SweepEnded {
            sweep,
            complete: true,
            reason: String::new(),
        };
        record(&mut writer, EventBody::SweepEnded(ended))?;
        if let Some(fit) = sequence.finish(sweep, &spectrum.points) {
            record(&mut writer, EventBody::Fit(fit))?;
            fitted += 1;
        }
        if let Some(judged) = judgements.finish(sweep, 0, true, &spectrum.points) {
            record(&mut writer, EventBody::Validity(judged.validity))?;
        }
        writer.commit()?;
    }
    record(
        &mut writer,
        EventBody::SessionEnded(SessionEnded {
            reason: ENDED_COMPLETE.to_owned(),
        }),
    )?;
    writer.commit()?;
    writer.set_meta(META_STATE_DIGEST, &state.digest())?;
    writer.set_meta(META_STATE_VERSION, &STATE_VERSION.to_string())?;
    writer.close()?;
    Ok(fitted)
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

fn sweep_started(sweep: u32, spectrum: &Spectrum) -> SweepStarted {
    let frequencies = || {
        spectrum
            .points
            .iter()
            .map(|point| point.frequency_hz)
            .filter(|f| f.is_finite() && *f > 0.0)
    };
    let first = spectrum.points.first();
    SweepStarted {
        sweep,
        technique: match first.and_then(|point| point.amplitude_arms) {
            Some(_) => Technique::Geis,
            None => Technique::Peis,
        },
        n_points: spectrum.points.len() as u32,
        f_max_hz: frequencies().fold(f64::NEG_INFINITY, f64::max),
        f_min_hz: frequencies().fold(f64::INFINITY, f64::min),
        bias_v: None,
        amplitude_vrms: first.and_then(|point| point.amplitude_vrms),
        range: None,
    }
}
