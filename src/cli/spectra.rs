//! Spectrum files named on the command line: any known format, `-` for standard input.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::output::{self, UsageError};
use crate::files::{self, FileSpectrum, ReadOptions, Reading};

/// How standard input is written.
const STANDARD_INPUT: &str = "-";

/// The bytes of a file, or of standard input.
pub(super) fn bytes_of(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path.as_os_str() == STANDARD_INPUT {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .context("standard input")?;
        return Ok(bytes);
    }
    std::fs::read(path).with_context(|| path.display().to_string())
}

/// Reads all spectra of a file.
pub(super) fn read(path: &Path) -> anyhow::Result<Reading> {
    read_with(path, &ReadOptions::default())
}

/// As [`read`], with wishes.
pub(super) fn read_with(path: &Path, options: &ReadOptions) -> anyhow::Result<Reading> {
    Ok(files::read_with(
        &path.display().to_string(),
        &bytes_of(path)?,
        options,
    )?)
}

/// Tells what was decided while reading.
pub(super) fn tell_remarks(path: &Path, remarks: &[String]) {
    for remark in remarks {
        output::message(format!("{}: {remark}", path.display()));
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
