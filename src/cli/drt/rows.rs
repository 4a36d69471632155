//! Distributions as CSV, one row a peak.

use super::super::output;
use super::SpectrumDrt;
use crate::analysis::candidates::{Geometry, candidates};

/// The columns.
const HEADER: [&str; 15] = [
    "file",
    "spectrum",
    "peak",
    "tau_s",
    "frequency_hz",
    "resistance_ohm",
    "std_error_ohm",
    "spread_ohm",
    "capacitance_f",
    "cut_by_window",
    "candidates",
    "lambda",
    "r_infinity_ohm",
    "r_polarisation_ohm",
    "error",
];

pub(super) fn begin() -> anyhow::Result<()> {
    write_row(&HEADER.map(str::to_owned))
}

/// The peaks of a spectrum; one row without a peak where there are none.
pub(super) fn write(spectrum: &SpectrumDrt<'_>, geometry: Geometry) -> anyhow::Result<()> {
    let drt = match &spectrum.outcome {
        Ok(drt) => drt,
        Err(error) => return write_row(&without_peak(spectrum.file, spectrum.name, [""; 3], error)),
    };
    let whole = [drt.lambda, drt.r_infinity_ohm, drt.r_polarisation_ohm].map(|value| value.to_string());
    if drt.peaks.is_empty() {
        let whole = [whole[0].as_str(), &whole[1], &whole[2]];
        return write_row(&without_peak(spectrum.file, spectrum.name, whole, ""));
    }
    for (peak, id) in drt.peaks.iter().zip(&spectrum.step.ids) {
        let origins = candidates(peak.capacitance_f, geometry).map(|found| found.line());
        let [lambda, r_infinity, r_polarisation] = whole.clone();
        write_row(&[
            spectrum.file.to_owned(),
            spectrum.name.unwrap_or_default().to_owned(),
            id.to_string(),
            peak.tau_s.to_string(),
            peak.frequency_hz.to_string(),
            peak.resistance_ohm.to_string(),
            peak.std_error_ohm
                .map(|error| error.to_string())
                .unwrap_or_default(),
            peak.spread_ohm.to_string(),
            peak.capacitance_f.to_string(),
            peak.is_cut().to_string(),
            origins.unwrap_or_default(),
            lambda,
            r_infinity,
            r_polarisation,
            String::new(),
        ])?;
    }
    Ok(())
}

/// A file, or the rest of it, that could not be read.
pub(super) fn write_failed(file: &str, error: &str) -> anyhow::Result<()> {
    write_row(&without_peak(file, None, [""; 3], error))
}

fn without_peak(file: &str, name: Option<&str>, whole: [&str; 3], error: &str) -> [String; 15] {
    let mut row: [String; 15] = Default::default();
    row[0] = file.to_owned();
    row[1] = name.unwrap_or_default().to_owned();
    for (cell, value) in row[11..14].iter_mut().zip(whole) {
        *cell = value.to_owned();
    }
    row[14] = error.to_owned();
    row
}

fn write_row(row: &[String; 15]) -> anyhow::Result<()> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(row)?;
    let bytes = writer.into_inner()?;
    output::line(String::from_utf8_lossy(&bytes).trim_end_matches('\n'))?;
    Ok(())
}
