//! Ivium, `.idf`, and its relative `.ids` with several measurements.
//!
//! Lines of text with a few binary bytes between them: `Method=` and `Title=` of a measurement, later a line
//! `primary_data`, the number of columns, the number of rows and the rows. For the method Impedance the columns are
//! Z', Z'' with its true sign, and the frequency; for all other methods they are something else.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::bytes::contains;
use super::error::ReadError;
use super::reading::{FileSpectrum, Format, Reading};
use crate::spectrum::{Point, PointStatus, Spectrum};

/// Sixteen zero bytes begin every file.
const START: [u8; 16] = [0; 16];
const COLUMNS: usize = 3;
/// `0 0 0\n`: no row of three numbers is shorter.
const SHORTEST_ROW: usize = 6;

/// Whether the file begins as Ivium's do and names a method.
pub(super) fn recognise(bytes: &[u8]) -> bool {
    bytes.starts_with(&START) && contains(bytes, b"Method=")
}

/// Reads all impedance measurements of a file.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Reading, ReadError> {
    let mut lines = Lines { bytes, at: 0 };
    let mut header = Header::default();
    let mut found: Vec<(String, Spectrum)> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    let mut broken = None;
    while let Some((_, line)) = lines.next_line() {
        if let Some(method) = line.strip_prefix(b"Method=") {
            header.method = text(method);
        } else if let Some(title) = line.strip_prefix(b"Title=") {
            header.title = text(title);
        } else if line == b"primary_data" {
            if !header.method.eq_ignore_ascii_case("impedance") {
                if !others.contains(&header.method) {
                    others.push(header.method.clone());
                }
                continue;
            }
            match rows(&mut lines) {
                Ok(points) if points.is_empty() => {}
                Ok(points) => found.push((header.title.clone(), Spectrum::from(points))),
                Err((at, message)) => {
                    broken = Some(ReadError::at_byte(file, at, message));
                    break;
                }
            }
        }
    }
    if found.is_empty() {
        return Err(broken.unwrap_or_else(|| {
            let mut message = "there is no impedance measurement in it".to_owned();
            if !others.is_empty() {
                let _ = write!(message, "; it holds {}", others.join(", "));
            }
            ReadError::whole_file(file, message)
        }));
    }
    let mut remarks = vec!["the file holds Z'' with its true sign".to_owned()];
    if !others.is_empty() {
        remarks.push(format!(
            "measurements of other methods are passed over: {}",
            others.join(", ")
        ));
    }
    let only_one = found.len() == 1;
    let spectra = found
        .into_iter()
        .enumerate()
        .map(|(index, (title, spectrum))| FileSpectrum {
            name: match (only_one, title.is_empty()) {
                (true, _) => String::new(),
                (false, true) => format!("measurement {}", index + 1),
                (false, false) => format!("measurement {}: {title}", index + 1),
            },
            spectrum,
        })
        .collect();
    Ok(Reading {
        format: Format::Ivium,
        spectra,
        remarks,
        broken,
    })
}

/// What stands before the numbers of a measurement.
#[derive(Default)]
struct Header {
    method: String,
    title: String,
}

/// Lines with the byte at which they begin.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next line without the blanks and zero bytes around it.
    fn next_line(&mut self) -> Option<(usize, &'a [u8])> {
        let at = self.at;
        let rest = self.bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        self.at = at + length + 1;
        let mut line = rest[..length].trim_ascii();
        while let Some(shorter) = line.strip_prefix(b"\0").or_else(|| line.strip_suffix(b"\0")) {
            line = shorter.trim_ascii();
        }
        Some((at, line))
    }

    /// Whether the file ends with the line that was read last, without the end of a line.
    fn last_line_is_open(&self) -> bool {
        self.at > self.bytes.len()
    }
}

/// Text of the header; the encoding is latin-1.
fn text(bytes: &[u8]) -> String {
    let characters = bytes
        .iter()
        .map(|&byte| char::from(byte))
        .filter(|character| !character.is_control());
    characters.collect::<String>().trim().to_owned()
}

/// The rows behind `primary_data`.
///
/// # Errors
/// With the byte and what is wrong there.
fn rows(lines: &mut Lines<'_>) -> Result<Vec<Point>, (usize, String)> {
    let columns = count(lines, "columns")?;
    if columns != COLUMNS {
        let message =
            format!("there are {columns} columns; an impedance has {COLUMNS}: Z', Z'' and the frequency");
        return Err((lines.at, message));
    }
    let rows = count(lines, "rows")?;
    // The number may be anything; the room left in the file is not.
    let room = lines.bytes.len().saturating_sub(lines.at) / SHORTEST_ROW + 1;
    let mut points = Vec::with_capacity(rows.min(room));
    for index in 0..rows {
        let cut = |at| {
            (
                at,
                format!("the file ends in row {} of {rows}; copy it again", index + 1),
            )
        };
        let (at, line) = lines.next_line().ok_or_else(|| cut(lines.bytes.len()))?;
        match point(line) {
            // The last number of an open line may have lost its end.
            Some(_) if lines.last_line_is_open() && !line_is_closed(lines.bytes) => {
                return Err(cut(lines.bytes.len()));
            }
            Some(point) => points.push(point),
            None if lines.last_line_is_open() => return Err(cut(lines.bytes.len())),
            None => {
                let message = format!(
                    "row {} of {rows} is {:?}; three numbers are needed: Z', Z'' and the frequency",
                    index + 1,
                    text(&line[..line.len().min(80)])
                );
                return Err((at, message));
            }
        }
    }
    Ok(points)
}

/// Whether the last byte ends a field.
fn line_is_closed(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(u8::is_ascii_whitespace)
}

/// A line with nothing but a count.
fn count(lines: &mut Lines<'_>, what: &str) -> Result<usize, (usize, String)> {
    let Some((at, line)) = lines.next_line() else {
        return Err((
            lines.bytes.len(),
            format!("the file ends before the number of {what}; copy it again"),
        ));
    };
    let number = std::str::from_utf8(line).ok().and_then(|line| line.parse().ok());
    number.ok_or_else(|| {
        let found = text(&line[..line.len().min(80)]);
        (
            at,
            format!("the number of {what} should stand here, but {found:?} does"),
        )
    })
}

/// Z', Z'' and frequency of a row, with a point or a comma for decimals.
fn point(line: &[u8]) -> Option<Point> {
    let line = std::str::from_utf8(line).ok()?;
    let mut numbers = line.split_ascii_whitespace().map(|field| {
        if field.contains(',') {
            field.replace(',', ".").parse::<f64>().ok()
        } else {
            field.parse::<f64>().ok()
        }
    });
    let (real, imaginary, frequency) = (numbers.next()??, numbers.next()??, numbers.next()??);
    if numbers.next().is_some() {
        return None;
    }
    let mut point = Point::new(frequency, real, imaginary);
    let is_sound = frequency > 0.0
        && [frequency, real, imaginary]
            .iter()
            .all(|number| number.is_finite());
    if !is_sound {
        point.status = PointStatus::Invalid;
    }
    Some(point)
}
