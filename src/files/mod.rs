//! Spectra of other programs: one file a format.
//!
//! A file is recognised by what stands in it, never by its name. Each format is one entry of `FORMATS` with a
//! function that recognises it and one that reads it.

pub mod error;
pub mod reading;
#[cfg(test)]
mod samples;

mod autolab;
mod bytes;
mod ch_instruments;
mod columns;
mod cut;
mod delimited;
mod ec_lab_binary;
mod ec_lab_text;
mod eco_chemie;
mod foreign;
mod gamry;
mod gathering;
mod heading;
mod ivium;
mod names;
mod number;
mod palmsens;
mod parstat;
mod power_suite;
mod rows;
mod series;
mod text;
mod unit;
mod versa_studio;
mod writing;
mod zplot;

pub use error::ReadError;
pub use reading::{FileSpectrum, Format, ReadOptions, Reading};
pub use series::{Measured, Origin, Series, SeriesRow, read_series};
pub use writing::{WriteError, format_of_extension, write};

use reading::{FormatEntry, TextEntry};

/// The formats that are no text, or a text without rows, in the order in which they are tried.
static FORMATS: &[FormatEntry] = &[
    FormatEntry {
        format: Format::EcLabBinary,
        recognise: ec_lab_binary::recognise,
        read: ec_lab_binary::read,
    },
    FormatEntry {
        format: Format::Ivium,
        recognise: ivium::recognise,
        read: ivium::read,
    },
    FormatEntry {
        format: Format::PalmSens,
        recognise: palmsens::recognise,
        read: palmsens::read,
    },
];

/// The formats of lines and columns, in the order in which they are tried; plain text last, because it takes
/// nearly anything.
static TEXT_FORMATS: &[TextEntry] = &[
    TextEntry {
        format: Format::EcLabText,
        recognise: ec_lab_text::recognise,
        read: ec_lab_text::read,
    },
    TextEntry {
        format: Format::Gamry,
        recognise: gamry::recognise,
        read: gamry::read,
    },
    TextEntry {
        format: Format::ZPlot,
        recognise: zplot::recognise,
        read: zplot::read,
    },
    TextEntry {
        format: Format::VersaStudio,
        recognise: versa_studio::recognise,
        read: versa_studio::read,
    },
    TextEntry {
        format: Format::Autolab,
        recognise: autolab::recognise,
        read: autolab::read,
    },
    TextEntry {
        format: Format::PowerSuite,
        recognise: power_suite::recognise,
        read: power_suite::read,
    },
    TextEntry {
        format: Format::ChInstruments,
        recognise: ch_instruments::recognise,
        read: ch_instruments::read,
    },
    TextEntry {
        format: Format::Parstat,
        recognise: parstat::recognise,
        read: parstat::read,
    },
    TextEntry {
        format: Format::EcoChemieDfr,
        recognise: eco_chemie::recognise_dfr,
        read: eco_chemie::read_dfr,
    },
    TextEntry {
        format: Format::EcoChemieP00,
        recognise: eco_chemie::recognise_p00,
        read: eco_chemie::read_p00,
    },
    TextEntry {
        format: Format::Plain,
        recognise: |_| true,
        read: delimited::read,
    },
];

/// Reads all spectra of a file of any known format; `file` names it in errors.
///
/// # Errors
/// Where nothing could be read at all. A file that breaks off after whole spectra is no error: these are given,
/// and [`Reading::broken`] says what ended them.
pub fn read(file: &str, bytes: &[u8]) -> Result<Reading, ReadError> {
    read_with(file, bytes, &ReadOptions::default())
}

/// As [`read`], with wishes.
///
/// # Errors
/// As [`read`], and where a wanted column is not there: the message lists those that are.
pub fn read_with(file: &str, bytes: &[u8], options: &ReadOptions) -> Result<Reading, ReadError> {
    if let Some(entry) = FORMATS.iter().find(|entry| (entry.recognise)(bytes)) {
        return read_binary(entry, file, bytes, options);
    }
    let head = text::head(bytes);
    match TEXT_FORMATS.iter().find(|entry| (entry.recognise)(&head)) {
        Some(entry) => read_text(entry, file, bytes, options),
        None => Err(ReadError::whole_file(file, "no known format")),
    }
}

/// As [`read_with`], but as a file of this format, whatever stands in it.
///
/// # Errors
/// As [`read_with`].
pub fn read_as(
    format: Format,
    file: &str,
    bytes: &[u8],
    options: &ReadOptions,
) -> Result<Reading, ReadError> {
    if let Some(entry) = FORMATS.iter().find(|entry| entry.format == format) {
        return read_binary(entry, file, bytes, options);
    }
    match TEXT_FORMATS.iter().find(|entry| entry.format == format) {
        Some(entry) => read_text(entry, file, bytes, options),
        None => Err(ReadError::whole_file(file, "no known format")),
    }
}

fn read_binary(
    entry: &FormatEntry,
    file: &str,
    bytes: &[u8],
    options: &ReadOptions,
) -> Result<Reading, ReadError> {
    if let Some(wanted) = &options.sigma_column {
        let message =
            format!("there is no column {wanted:?} for the standard error: the file is no table of text");
        return Err(ReadError::whole_file(file, message));
    }
    (entry.read)(file, bytes)
}

fn read_text(
    entry: &TextEntry,
    file: &str,
    bytes: &[u8],
    options: &ReadOptions,
) -> Result<Reading, ReadError> {
    if bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii()
        .is_empty()
    {
        let message = "the file is empty: was it copied, or exported, to the end?";
        return Err(ReadError::whole_file(file, message));
    }
    if let Some(message) = foreign::what_it_is(bytes) {
        return Err(ReadError::whole_file(file, message));
    }
    let text = text::decode(bytes);
    match text.find('\0') {
        None => (entry.read)(text::Source { file, text: &text }, options),
        Some(at) => before_zeros(entry, file, &text[..at], options),
    }
}

/// A text whose rest is bytes 0, as a computer leaves it that lost its power while it wrote.
fn before_zeros(
    entry: &TextEntry,
    file: &str,
    text: &str,
    options: &ReadOptions,
) -> Result<Reading, ReadError> {
    let is_text = |text: &str| !text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace());
    if !text.contains(['\n', '\r']) || !is_text(text) {
        return Err(ReadError::whole_file(file, foreign::UNKNOWN));
    }
    let line = text::Lines::of(text).last().map_or(1, |line| line.number);
    let zeros =
        "bytes 0 follow, which are no text: the file is damaged from here on, or of an unknown format";
    let zeros = ReadError::in_line(file, line, zeros);
    match (entry.read)(text::Source { file, text }, options) {
        Ok(mut reading) => {
            reading.broken.get_or_insert(zeros);
            Ok(reading)
        }
        Err(_) => Err(zeros),
    }
}

#[cfg(test)]
mod tests;
