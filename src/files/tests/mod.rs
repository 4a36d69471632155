//! Every format against a sample of its own. All samples hold Z = 12 + 85/(1 + jω 85 2e-6) ohm, so that a wrong
//! column, sign or scale shows.

mod plain;
mod robustness;
mod samples;

use std::f64::consts::TAU;

use num_complex::Complex64;

use super::{Format, ReadError, ReadOptions, Reading, read, read_with};
use crate::spectrum::Point;

/// A sample file: name, bytes, format, sizes of its spectra.
struct Sample {
    name: &'static str,
    bytes: &'static [u8],
    format: Format,
    sizes: &'static [usize],
}

macro_rules! sample {
    ($name:literal, $format:ident, $sizes:expr) => {
        Sample {
            name: $name,
            bytes: include_bytes!(concat!("../../../tests/data/files/", $name)),
            format: Format::$format,
            sizes: &$sizes,
        }
    };
}

static SAMPLES: &[Sample] = &[
    sample!("ec_lab_peis.mpt", EcLabText, [9, 9]),
    sample!("ec_lab_geis_comma.mpt", EcLabText, [9]),
    sample!("ec_lab_modulo_bat.mpt", EcLabText, [15, 10]),
    sample!("gamry.DTA", Gamry, [9]),
    sample!("gamry_aborted.DTA", Gamry, [6]),
    sample!("gamry_drift_corrected.DTA", Gamry, [9]),
    sample!("zplot.z", ZPlot, [9]),
    sample!("zplot_without_comments.z", ZPlot, [9]),
    sample!("versa_studio.par", VersaStudio, [9, 5]),
    sample!("autolab_z60w.txt", Autolab, [9]),
    sample!("autolab_nova.txt", Autolab, [9]),
    sample!("power_suite.txt", PowerSuite, [9]),
    sample!("ch_instruments.txt", ChInstruments, [9]),
    sample!("parstat.txt", Parstat, [13]),
    sample!("eco_chemie.dfr", EcoChemieDfr, [9]),
    sample!("eco_chemie.P00", EcoChemieP00, [9]),
    sample!("plain.csv", Plain, [9]),
    sample!("plain_utf16.txt", Plain, [9]),
    sample!("plain_blocks.txt", Plain, [9, 9]),
];

fn sample(name: &str) -> &'static Sample {
    SAMPLES.iter().find(|sample| sample.name == name).unwrap()
}

/// Impedance in ohm of the cell in the samples.
fn model(frequency_hz: f64) -> Complex64 {
    12.0 + 85.0 / Complex64::new(1.0, TAU * frequency_hz * 85.0 * 2e-6)
}

fn sizes(reading: &Reading) -> Vec<usize> {
    reading
        .spectra
        .iter()
        .map(|of| of.spectrum.points.len())
        .collect()
}

fn usable(reading: &Reading) -> impl Iterator<Item = &Point> {
    let points = reading.spectra.iter().flat_map(|of| &of.spectrum.points);
    points.filter(|point| point.is_usable())
}

fn text(text: &str) -> Result<Reading, ReadError> {
    read("a.csv", text.as_bytes())
}

fn with_sigma(bytes: &[u8], column: &str) -> Result<Reading, ReadError> {
    let options = ReadOptions {
        sigma_column: Some(column.to_owned()),
        ..ReadOptions::default()
    };
    read_with("a.csv", bytes, &options)
}
