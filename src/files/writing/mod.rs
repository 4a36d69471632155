//! Spectra written for other programs.

mod csv;
mod ec_lab_text;
mod zplot;

#[cfg(test)]
mod tests;

use crate::spectrum::Point;

use super::reading::{FileSpectrum, Format};

/// Why spectra cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The format has no place for more than one.
    #[error("a {format} file holds one spectrum, not {count}; write one file a spectrum, or .csv or .mpt")]
    SeveralSpectra {
        /// What the file would be.
        format: &'static str,
        /// How many there are.
        count: usize,
    },
    /// There is no point to write.
    #[error("there is no point to write")]
    NoPoint,
    /// The format is only read.
    #[error("{} is only read; write .csv, .z or .mpt", .0.label())]
    OnlyRead(Format),
}

/// The format to write for a file extension (`csv`, `txt`, `z`, `mpt`, in any case); `None` for others.
#[must_use]
pub fn format_of_extension(extension: &str) -> Option<Format> {
    match extension.to_ascii_lowercase().as_str() {
        "csv" | "txt" => Some(Format::Plain),
        "z" => Some(Format::ZPlot),
        "mpt" => Some(Format::EcLabText),
        _ => None,
    }
}

/// Writes spectra at the end of `out`, so that [`super::read`] gives the same frequencies, Z' and Z'' to the last bit:
/// [`Format::Plain`] as comma-separated columns with a header, [`Format::ZPlot`], [`Format::EcLabText`]. Gives back
/// what the format has no place for, in words: points that are not usable are kept in plain text only.
///
/// # Errors
/// Where the format is only read, has no place for several spectra, or nothing would be written.
pub fn write(format: Format, spectra: &[FileSpectrum], out: &mut Vec<u8>) -> Result<Vec<String>, WriteError> {
    match format {
        Format::Plain => csv::write(spectra, out).map(|()| Vec::new()),
        Format::ZPlot => {
            let (usable, remarks) = usable(spectra)?;
            zplot::write(&usable, &labels(spectra), out)?;
            Ok(remarks)
        }
        Format::EcLabText => {
            let (usable, remarks) = usable(spectra)?;
            let more = ec_lab_text::write(&usable, &labels(spectra), out);
            Ok(remarks.into_iter().chain(more).collect())
        }
        other => Err(WriteError::OnlyRead(other)),
    }
}

/// What the name of a spectrum says that is not as it was measured.
const CORRECTED: &str = "drift-corrected";

/// What spectra are called where the file must say it, because at least one is not as it was measured; otherwise nothing.
/// Without what would end a field or a line.
fn labels(spectra: &[FileSpectrum]) -> Vec<String> {
    if !spectra.iter().any(|of| of.name.contains(CORRECTED)) {
        return Vec::new();
    }
    let plain = |c: char| match c {
        ',' => ';',
        '"' | '\'' => ' ',
        c if c.is_ascii_graphic() => c,
        _ => ' ',
    };
    let of_number = |(number, of): (usize, &FileSpectrum)| match of.name.as_str() {
        "" => (number + 1).to_string(),
        name => name.chars().map(plain).collect(),
    };
    spectra.iter().enumerate().map(of_number).collect()
}

/// The usable points of each spectrum, and what is not written, in words.
fn usable(spectra: &[FileSpectrum]) -> Result<(Vec<Vec<&Point>>, Vec<String>), WriteError> {
    let all: usize = spectra.iter().map(|of| of.spectrum.points.len()).sum();
    let usable: Vec<Vec<&Point>> = spectra
        .iter()
        .map(|of| {
            of.spectrum
                .points
                .iter()
                .filter(|point| point.is_usable())
                .collect()
        })
        .filter(|points: &Vec<&Point>| !points.is_empty())
        .collect();
    let kept: usize = usable.iter().map(Vec::len).sum();
    if kept == 0 {
        return Err(WriteError::NoPoint);
    }
    let mut remarks = Vec::new();
    if kept < all {
        let left_out = all - kept;
        remarks.push(format!(
            "{left_out} of {all} points are overloaded or invalid; the format cannot say so: they are left out"
        ));
    }
    let with_error = usable
        .iter()
        .flatten()
        .filter(|point| point.std_error_ohm.is_some())
        .count();
    if with_error > 0 {
        remarks.push(format!(
            "the standard errors of {with_error} points have no place in the format and are not written; .csv holds them"
        ));
    }
    Ok((usable, remarks))
}

/// A number with as many digits as tell it from its neighbours, and an exponent of `digits` digits: `-1.25E+003`.
fn scientific(value: f64, digits: usize) -> String {
    shifted(value, 0, digits)
}

/// As [`scientific`], of the value times ten to the power of `shift`: only the exponent changes, so that no digit is
/// lost.
fn shifted(value: f64, shift: i32, digits: usize) -> String {
    let text = format!("{value:E}");
    let parts = text.split_once('E').and_then(|(mantissa, exponent)| {
        let exponent: i32 = exponent.parse().ok()?;
        Some((mantissa, exponent))
    });
    let Some((mantissa, exponent)) = parts else {
        return text;
    };
    let exponent = if value == 0.0 { 0 } else { exponent + shift };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}{point}E{sign}{:0>digits$}", exponent.unsigned_abs())
}
