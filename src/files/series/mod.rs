//! Time series of potential and current in files, and what this program itself exports: samples and points with the
//! time at which they were taken.
//!
//! A file is recognised by its header, never by its name: Battery Data Format (comma-separated values with its
//! preferred labels or machine names, and our extension of it for impedance), EC-Lab text of techniques of direct
//! current, the tables of `export --format csv`, and event lines.

mod delimited;
mod ec_lab;
mod event_lines;
mod own_tables;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use crate::spectrum::{Point, Sample};

use super::error::ReadError;
use super::text;

/// Where a series comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Battery Data Format: current is positive when the cell is charged, voltage is that of the cell.
    BatteryData,
    /// EC-Lab text: current is positive when the working electrode is oxidised.
    EcLabText,
    /// A table of this program.
    Table,
    /// Event lines of this program.
    EventLines,
}

impl Origin {
    /// What people call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::BatteryData => "Battery Data Format",
            Self::EcLabText => "EC-Lab text (.mpt)",
            Self::Table => "a table of this program",
            Self::EventLines => "event lines of this program",
        }
    }
}

/// What was measured at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// A point of a sweep, with the number of the sweep in the file.
    Point(u32, Box<Point>),
    /// A reading of potential and current.
    Sample(Sample),
}

/// One row of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesRow {
    /// The number of the event, where the file says it.
    pub seq: Option<u64>,
    /// Time since the beginning of the series in s, where it is known.
    pub t_s: Option<f64>,
    /// UTC in ns since the Unix epoch, where the file says it.
    pub utc_ns: Option<i64>,
    /// What was measured.
    pub measured: Measured,
}

/// What a file of a time series, or an exported one, holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Where it comes from.
    pub origin: Origin,
    /// Its rows in the order of the file. There may be none in a file of ours that holds neither samples nor points.
    pub rows: Vec<SeriesRow>,
    /// What was decided or noticed while reading, in words.
    pub remarks: Vec<String>,
}

impl Series {
    /// Whether it holds samples.
    #[must_use]
    pub fn has_samples(&self) -> bool {
        self.rows
            .iter()
            .any(|row| matches!(row.measured, Measured::Sample(_)))
    }

    /// Whether it holds points.
    #[must_use]
    pub fn has_points(&self) -> bool {
        self.rows
            .iter()
            .any(|row| matches!(row.measured, Measured::Point(..)))
    }
}

/// Reads a file as a series; none where it is not one, which says nothing against it. `file` names it in errors.
///
/// # Errors
/// Where it is one, and a column is missing, or a field is no number: file, line, column and its name.
pub fn read_series(file: &str, bytes: &[u8]) -> Result<Option<Series>, ReadError> {
    let head = text::head(bytes);
    let first = head
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    if event_lines::recognise(first) {
        return event_lines::read(file, &text::decode(bytes)).map(Some);
    }
    if head.trim_start().starts_with('{') && head.contains("\"Battery Data Format") {
        return Ok(Some(Series {
            origin: Origin::BatteryData,
            rows: Vec::new(),
            remarks: vec!["describes the files beside it and is passed over".to_owned()],
        }));
    }
    if own_tables::recognise(first) {
        return own_tables::read(file, &text::decode(bytes)).map(Some);
    }
    if super::ec_lab_text::recognise(&head) {
        return ec_lab::read(file, &text::decode(bytes));
    }
    match delimited::recognise(first) {
        Some(table) => table.read(file, &text::decode(bytes)).map(Some),
        None => Ok(None),
    }
}

/// The furthest time from zero in s, about 285 years: clocks here count ns in an i64.
const FURTHEST_S: f64 = 9e9;

/// What is wrong with a time that no clock here reaches.
fn too_far(t_s: f64) -> Option<&'static str> {
    (t_s.abs() > FURTHEST_S)
        .then_some("more than 285 years from zero; correct the time or its unit, or leave the row out")
}

/// Counts the values that are infinite or too large for a number, and so are not taken.
#[derive(Default)]
struct Infinite {
    count: Cell<usize>,
    first_line: Cell<usize>,
}

impl Infinite {
    /// Looks at a field that gave no number.
    fn note(&self, line: usize, field: &str) {
        let plain = field.trim().trim_start_matches(['+', '-', '\u{2212}']);
        let named = plain.starts_with('\u{221e}') || plain.to_ascii_lowercase().starts_with("1.#inf");
        if named || plain.parse::<f64>().is_ok_and(f64::is_infinite) {
            if self.count.get() == 0 {
                self.first_line.set(line);
            }
            self.count.set(self.count.get() + 1);
        }
    }

    /// How many there were, in words.
    fn remark(&self) -> Option<String> {
        let line = self.first_line.get();
        match self.count.get() {
            0 => None,
            1 => Some(format!(
                "1 value, in line {line}, is infinite or too large for a number and is taken as missing"
            )),
            count => Some(format!(
                "{count} values, the first in line {line}, are infinite or too large for a number and are taken as \
                 missing"
            )),
        }
    }
}

/// A time in words of ours as ns since the Unix epoch.
fn utc_ns(text: &str) -> Option<i64> {
    let stamp: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(stamp.as_nanosecond()).ok()
}
