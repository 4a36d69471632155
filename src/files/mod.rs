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
mod delimited;
mod ec_lab_binary;
mod ec_lab_text;
mod eco_chemie;
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
mod text;
mod unit;
mod versa_studio;
mod writing;
mod zplot;

pub use error::ReadError;
pub use reading::{FileSpectrum, Format, ReadOptions, Reading};
pub use writing::{WriteError, format_of_extension, write};

use reading::{FormatEntry, TextEntry};

/// The formats that are no text, or a text without rows, in the order in which they are tried.
static FORMATS: &[FormatEntry] = &[
    FormatEntry {
        recognise: ec_lab_binary::recognise,
        read: ec_lab_binary::read,
    },
    FormatEntry {
        recognise: ivium::recognise,
        read: ivium::read,
    },
    FormatEntry {
        recognise: palmsens::recognise,
        read: palmsens::read,
    },
];

/// The formats of lines and columns, in the order in which they are tried; plain text last, because it takes
/// nearly anything.
static TEXT_FORMATS: &[TextEntry] = &[
    TextEntry {
        recognise: ec_lab_text::recognise,
        read: ec_lab_text::read,
    },
    TextEntry {
        recognise: gamry::recognise,
        read: gamry::read,
    },
    TextEntry {
        recognise: zplot::recognise,
        read: zplot::read,
    },
    TextEntry {
        recognise: versa_studio::recognise,
        read: versa_studio::read,
    },
    TextEntry {
        recognise: autolab::recognise,
        read: autolab::read,
    },
    TextEntry {
        recognise: power_suite::recognise,
        read: power_suite::read,
    },
    TextEntry {
        recognise: ch_instruments::recognise,
        read: ch_instruments::read,
    },
    TextEntry {
        recognise: parstat::recognise,
        read: parstat::read,
    },
    TextEntry {
        recognise: eco_chemie::recognise_dfr,
        read: eco_chemie::read_dfr,
    },
    TextEntry {
        recognise: eco_chemie::recognise_p00,
        read: eco_chemie::read_p00,
    },
    TextEntry {
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
        if let Some(wanted) = &options.sigma_column {
            let message =
                format!("there is no column {wanted:?} for the standard error: the file is no table of text");
            return Err(ReadError::whole_file(file, message));
        }
        return (entry.read)(file, bytes);
    }
    let text = text::decode(bytes);
    if text.contains('\0') {
        return Err(ReadError::whole_file(file, "no text, and no other known format"));
    }
    let source = text::Source { file, text: &text };
    let head = text::head(bytes);
    match TEXT_FORMATS.iter().find(|entry| (entry.recognise)(&head)) {
        Some(entry) => {
            let mut reading = (entry.read)(source, options)?;
            if reading.broken.is_none() && !text.ends_with(['\n', '\r']) {
                let remark =
                    "the last line has no end: if the file was cut short, its last number is not whole";
                reading.remarks.push(remark.to_owned());
            }
            Ok(reading)
        }
        None => Err(ReadError::whole_file(file, "no known format")),
    }
}

#[cfg(test)]
mod tests;
