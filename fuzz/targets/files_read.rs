//! Any bytes are spectra or an error. Whatever they claim, there are no more points than bytes, no spectrum is
//! empty, what cannot be used in a fit is called so, and every message can be shown on a terminal.
//!
//! `READER=gamry` in the environment reads everything as this format, so that no input is lost on the others;
//! without it the content decides.

#![no_main]

use std::sync::LazyLock;

use interphase::files::{self, Format, ReadError, ReadOptions, Reading};
use libfuzzer_sys::fuzz_target;

/// How a format is called in `READER`.
const READERS: [(&str, Format); 14] = [
    ("plain", Format::Plain),
    ("ec_lab_text", Format::EcLabText),
    ("ec_lab_binary", Format::EcLabBinary),
    ("gamry", Format::Gamry),
    ("zplot", Format::ZPlot),
    ("versa_studio", Format::VersaStudio),
    ("autolab", Format::Autolab),
    ("power_suite", Format::PowerSuite),
    ("ch_instruments", Format::ChInstruments),
    ("parstat", Format::Parstat),
    ("eco_chemie_dfr", Format::EcoChemieDfr),
    ("eco_chemie_p00", Format::EcoChemieP00),
    ("ivium", Format::Ivium),
    ("palmsens", Format::PalmSens),
];

static READER: LazyLock<Option<Format>> = LazyLock::new(|| {
    let wanted = std::env::var("READER").ok()?;
    let found = READERS.iter().find(|(name, _)| *name == wanted);
    let (_, format) = found.unwrap_or_else(|| panic!("READER={wanted} is none of {READERS:?}"));
    Some(*format)
});

fuzz_target!(|bytes: &[u8]| {
    let outcome = match *READER {
        Some(format) => files::read_as(format, "fuzzed", bytes, &ReadOptions::default()),
        None => files::read("fuzzed", bytes),
    };
    match outcome {
        Ok(reading) => check(&reading, bytes.len()),
        Err(error) => check_error(&error),
    }
});

fn check(reading: &Reading, most_points: usize) {
    assert!(!reading.spectra.is_empty(), "a reading has a spectrum");
    let mut points = 0;
    for of in &reading.spectra {
        assert!(!of.spectrum.points.is_empty(), "a spectrum has a point");
        check_text(&of.name);
        points += of.spectrum.points.len();
        for point in of.spectrum.points.iter().filter(|point| point.is_usable()) {
            assert!(point.frequency_hz > 0.0 && point.impedance().is_finite(), "{point:?}");
        }
    }
    assert!(points <= most_points, "{points} points of {most_points} bytes");
    reading.remarks.iter().for_each(|remark| check_text(remark));
    if let Some(broken) = &reading.broken {
        check_error(broken);
    }
}

fn check_error(error: &ReadError) {
    assert!(!error.message.is_empty());
    check_text(&error.to_string());
}

fn check_text(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?} can be shown");
}
