//! Spectra of other programs: one file a format.
//!
//! A file is recognised by what stands in it, never by its name. Each format is one entry of `FORMATS` with a
//! function that recognises it and one that reads it.

pub mod delimited;
pub mod error;
pub mod reading;

pub use error::ReadError;
pub use reading::{FileSpectrum, Format, Reading};

use reading::FormatEntry;

/// The formats in the order in which they are tried; plain text last, because it takes nearly anything.
static FORMATS: &[FormatEntry] = &[FormatEntry {
    recognise: |_| true,
    read: delimited::read_file,
}];

/// Reads all spectra of a file of any known format; `file` names it in errors.
///
/// # Errors
/// Where nothing could be read at all. A file that breaks off after whole spectra is no error: these are given,
/// and [`Reading::broken`] says what ended them.
pub fn read(file: &str, bytes: &[u8]) -> Result<Reading, ReadError> {
    let entry = FORMATS.iter().find(|entry| (entry.recognise)(bytes));
    match entry {
        Some(entry) => (entry.read)(file, bytes),
        None => Err(ReadError::whole_file(file, "no known format")),
    }
}
