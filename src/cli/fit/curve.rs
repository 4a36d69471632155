//! Measured and fitted values of every point, in a file.

use std::path::{Path, PathBuf};

use super::super::out_file::OutFile;
use super::super::output::{self, UsageError};
use super::series::{FileFit, Request, SpectrumFit};
use crate::analysis::fit::FitResult;
use crate::circuit::Circuit;

const COLUMNS: [&str; 8] = [
    "frequency_hz",
    "z_real_ohm",
    "z_imag_ohm",
    "fit_real_ohm",
    "fit_imag_ohm",
    "residual_real_percent",
    "residual_imag_percent",
    "used",
];

/// The points of all spectra. The file takes its name only when it is whole.
pub(super) struct Curve {
    file: OutFile,
    name: PathBuf,
    several_files: bool,
    several_spectra: bool,
    rows: Vec<Row>,
}

struct Row {
    file: String,
    spectrum: String,
    values: [f64; 7],
    used: bool,
}

impl Curve {
    /// Begins the file; it must not be one of those that are read.
    pub fn create(path: &Path, inputs: &[PathBuf], may_replace: bool) -> anyhow::Result<Self> {
        // What is read is never replaced, also where replacing is allowed.
        let file = OutFile::new(path, true)?;
        if file.is_standard_output() {
            return Err(UsageError::new(
                "--curve needs a file of its own: standard output carries the results",
            )
            .into());
        }
        if inputs.iter().any(|input| file.is(input)) {
            return Err(UsageError::new(format!(
                "--curve {} would overwrite a file that is read; choose another name",
                path.display()
            ))
            .into());
        }
        Ok(Self {
            file: OutFile::new(path, may_replace)?,
            name: path.to_owned(),
            several_files: inputs.len() > 1,
            several_spectra: false,
            rows: Vec::new(),
        })
    }

    /// Adds the points of all fitted spectra of a file.
    pub fn add(&mut self, file: &str, request: &Request, fit: &FileFit) {
        for spectrum in &fit.spectra {
            self.several_spectra |= spectrum.name.is_some();
            if let Ok(result) = &spectrum.outcome {
                self.rows
                    .extend(rows_of(file, &request.circuit, spectrum, result));
            }
        }
    }

    /// Writes everything, and gives the file its name. Where no spectrum was fitted there is nothing to write, and
    /// what stands in the place of the file stays.
    pub fn finish(self) -> anyhow::Result<()> {
        if self.rows.is_empty() {
            output::message(format!(
                "interphase: warning: no spectrum was fitted: --curve {} is not written",
                self.name.display()
            ));
            return Ok(());
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        let keys = |file: &str, spectrum: &str| {
            let file = self.several_files.then(|| file.to_owned());
            let spectrum = self.several_spectra.then(|| spectrum.to_owned());
            file.into_iter().chain(spectrum)
        };
        writer.write_record(keys("file", "spectrum").chain(COLUMNS.map(str::to_owned)))?;
        for row in &self.rows {
            let values = row.values.iter().map(|value| format!("{value:?}"));
            let used = u8::from(row.used).to_string();
            writer.write_record(keys(&row.file, &row.spectrum).chain(values).chain([used]))?;
        }
        self.file.write(&writer.into_inner()?)
    }
}

fn rows_of(file: &str, circuit: &Circuit, spectrum: &SpectrumFit, result: &FitResult) -> Vec<Row> {
    let values: Vec<f64> = result
        .parameters
        .iter()
        .map(|parameter| parameter.value)
        .collect();
    let row = |(point, used): (&crate::spectrum::Point, bool)| {
        let fitted = circuit.impedance(&values, point.frequency_hz);
        let percent = 100.0 / point.impedance().norm();
        Row {
            file: file.to_owned(),
            spectrum: spectrum.name.clone().unwrap_or_default(),
            values: [
                point.frequency_hz,
                point.z_real_ohm,
                point.z_imag_ohm,
                fitted.re,
                fitted.im,
                percent * (point.z_real_ohm - fitted.re),
                percent * (point.z_imag_ohm - fitted.im),
            ],
            used,
        }
    };
    spectrum.points_with_use().map(row).collect()
}
