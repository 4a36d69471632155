//! Spectrum files named on the command line: any known format, `-` for standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::output::{self, UsageError};
use crate::analysis::instant;
use crate::files::{self, FileSpectrum, Format, ReadOptions, Reading};
use crate::recording::Reader;
use crate::spectrum::Spectrum;
use crate::state::{State, SweepRecord};

/// How every SQLite file begins.
const SQLITE_HEADER: &[u8] = b"SQLite format 3\0";

/// How standard input is written.
const STANDARD_INPUT: &str = "-";

/// No file of spectra is larger, and memory is not endless.
const MOST_BYTES: u64 = 1 << 30;

/// How a file is called in messages.
pub(super) fn name_of(path: &Path) -> String {
    match path.as_os_str() == STANDARD_INPUT {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

/// The bytes of a file, or of standard input.
pub(super) fn bytes_of(path: &Path) -> anyhow::Result<Vec<u8>> {
    let read = match path.as_os_str() == STANDARD_INPUT {
        true => read_to_end(std::io::stdin().lock()),
        false => File::open(path).and_then(read_to_end),
    };
    read.with_context(|| name_of(path))
        .map_err(|error| match hint(&error) {
            Some(hint) => anyhow::anyhow!("{error:#}; {hint}"),
            None => error,
        })
}

fn read_to_end(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("there are more than {MOST_BYTES} bytes: this is no file of spectra");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// What to do about a file that cannot be read.
fn hint(error: &anyhow::Error) -> Option<&'static str> {
    match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::NotFound => Some("check the name and the folder"),
        io::ErrorKind::IsADirectory => Some("name the files in it"),
        io::ErrorKind::PermissionDenied => Some("ask its owner to let you read it, or copy it as its owner"),
        _ => None,
    }
}

/// Reads all spectra of a file.
pub(super) fn read(path: &Path) -> anyhow::Result<Reading> {
    read_with(path, &ReadOptions::default())
}

/// As [`read`], with wishes.
pub(super) fn read_with(path: &Path, options: &ReadOptions) -> anyhow::Result<Reading> {
    if path.as_os_str() != STANDARD_INPUT && is_recording(path) {
        if options.sigma_column.is_some() {
            bail!(
                "{}: a recording has no columns; where its points have standard errors, they are used",
                path.display()
            );
        }
        return read_recording(path);
    }
    read_bytes(path, &bytes_of(path)?, options)
}

/// As [`read_with`], of a file whose bytes are there.
pub(super) fn read_bytes(path: &Path, bytes: &[u8], options: &ReadOptions) -> anyhow::Result<Reading> {
    Ok(files::read_with(&name_of(path), bytes, options)?)
}

/// Whether a file is a recording. It is closed again before anything else opens it: only SQLite may have a recording
/// open. A pipe is none, and what is read of it would be lost; what cannot be read is told by whoever reads it next.
pub(super) fn is_recording(path: &Path) -> bool {
    if !std::fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return false;
    }
    let mut head = Vec::new();
    let head_of = |file: File| file.take(SQLITE_HEADER.len() as u64).read_to_end(&mut head);
    File::open(path).and_then(head_of).is_ok() && head == SQLITE_HEADER
}

/// The sweeps of a recording as spectra.
fn read_recording(path: &Path) -> anyhow::Result<Reading> {
    let mut state = State::new();
    for event in Reader::open(path)?.events(0) {
        state.apply(&event?);
    }
    let sweeps = state.sweeps().iter().filter(|sweep| !sweep.points().is_empty());
    let is_whole = |sweep: &SweepRecord| matches!(&sweep.ended, Some((_, _, ended)) if ended.complete);
    let remarks = sweeps
        .clone()
        .filter(|sweep| !is_whole(sweep))
        .map(|sweep| format!("sweep {} is not complete", sweep.started.sweep))
        .collect();
    let spectra: Vec<FileSpectrum> = sweeps
        .map(|sweep| FileSpectrum {
            name: format!("sweep {}", sweep.started.sweep),
            spectrum: sweep.points().to_vec().into(),
        })
        .collect();
    if spectra.is_empty() {
        bail!("{}: there is no sweep with a point yet", path.display());
    }
    Ok(Reading {
        format: Format::Recording,
        spectra,
        remarks,
        broken: None,
    })
}

/// Drift-corrected spectra in the place of the sweeps of a file: each sweep that has one before it and one after it,
/// as it would have been at the time when it began. Their names say so.
pub(super) fn instants(path: &Path, mut reading: Reading) -> anyhow::Result<Reading> {
    for of in &mut reading.spectra {
        instant::complete_first_time(&mut of.spectrum);
    }
    let sweeps: Vec<Spectrum> = reading.spectra.iter().map(|of| of.spectrum.clone()).collect();
    let instants = instant::instants(&sweeps).with_context(|| format!("{}: --instant", path.display()))?;
    let names = names(&reading.spectra);
    reading.spectra = instants
        .into_iter()
        .zip(names.into_iter().skip(1).flatten())
        .map(|(instant, name)| FileSpectrum {
            name: format!("instant of {name} at {:.1} s, drift-corrected", instant.t_s),
            spectrum: instant.spectrum,
        })
        .collect();
    if reading.spectra.iter().any(|of| of.spectrum.points.is_empty()) {
        bail!(
            "{}: --instant: sweeps that follow each other have no frequency in common",
            path.display()
        );
    }
    reading.remarks.push(format!(
        "{} of {} sweeps, drift-corrected to the time when each began; the first and the last have no neighbour",
        reading.spectra.len(),
        sweeps.len()
    ));
    Ok(reading)
}

/// Tells what was decided while reading.
pub(super) fn tell_remarks(path: &Path, remarks: &[String]) {
    for remark in remarks {
        output::message(format!("{}: {remark}", name_of(path)));
    }
}

/// Standard input can be read once.
pub(super) fn check_paths(paths: &[PathBuf]) -> Result<(), UsageError> {
    if paths
        .iter()
        .filter(|path| path.as_os_str() == STANDARD_INPUT)
        .count()
        > 1
    {
        return Err(UsageError::new(
            "`-` is standard input and can be given only once",
        ));
    }
    Ok(())
}

/// What each spectrum of a file is called; none where there is only one without a name.
pub(super) fn names(spectra: &[FileSpectrum]) -> Vec<Option<String>> {
    spectra
        .iter()
        .enumerate()
        .map(
            |(index, spectrum)| match (spectrum.name.as_str(), spectra.len()) {
                ("", 1) => None,
                ("", _) => Some(index.to_string()),
                (name, _) => Some(name.to_owned()),
            },
        )
        .collect()
}
