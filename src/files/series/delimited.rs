//! Battery Data Format as comma-separated values: columns by their preferred labels (`Test Time / s`) or machine names
//! (`test_time_second`), in any order; a semicolon or a tab may separate as well. The extension for impedance has
//! frequency and Z in the place of voltage and current.

use super::super::error::ReadError;
use super::super::names::{self, Quantity};
use super::super::number::{Number, Numbers, scaled};
use super::super::text::shown;
use super::{Measured, Origin, Series, SeriesRow};
use crate::spectrum::{Point, PointStatus, Sample};

/// What `technique` of a sample says where the file says nothing.
const TECHNIQUE: &str = "imported";

/// A column of numbers.
#[derive(Clone, Debug, PartialEq)]
struct Column {
    index: usize,
    name: String,
    factor: f64,
}

/// The columns of a time series, or of its extension.
#[derive(Clone, Debug)]
pub(super) struct Table {
    separator: u8,
    names: Vec<String>,
    time: Result<Column, String>,
    unix_time: Option<Column>,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Samples {
        voltage: Result<Column, String>,
        current: Result<Column, String>,
    },
    Points {
        sweep: Option<usize>,
        frequency: Column,
        real: Column,
        imaginary: Column,
        sigma: Option<Column>,
        status: Option<usize>,
    },
}

/// The table under a header of Battery Data Format; none under another one. A header that has a time of the test and
/// one of voltage and current, but not the other, is one too.
pub(super) fn recognise(header: &str) -> Option<Table> {
    let separator = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|separator| header.bytes().filter(|byte| byte == separator).count())?;
    let names: Vec<String> = header
        .split(char::from(separator))
        .map(|name| name.trim().trim_matches(['"', '\u{feff}']).trim().to_owned())
        .collect();
    let is = |name: &str, word: &str| {
        let plain: String = name
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
        plain.starts_with(word)
    };
    let find = |quantity: Quantity, word: &str| {
        names.iter().enumerate().find_map(|(index, name)| {
            let meaning = names::meaning(name).filter(|meaning| meaning.quantity == quantity)?;
            is(name, word).then(|| {
                meaning
                    .factor
                    .map(|factor| Column {
                        index,
                        name: name.clone(),
                        factor,
                    })
                    .map_err(|reason| format!("column {name:?}: {reason}"))
            })
        })
    };
    let missing =
        |label: &str, machine: &str| Err(format!("the header has no column {label:?} (or {machine:?})"));
    let time = find(Quantity::Time, "testtime");
    let voltage = find(Quantity::Potential, "voltage");
    let current = find(Quantity::Current, "current");
    let unix_time = names
        .iter()
        .position(|name| is(name, "unixtime"))
        .map(|index| Column {
            index,
            name: names[index].clone(),
            factor: 1.0,
        });
    let frequency = find(Quantity::Frequency, "frequency").and_then(Result::ok);
    let real = find(Quantity::Real, "zreal").and_then(Result::ok);
    let imaginary = find(Quantity::Imaginary, "zimag").and_then(Result::ok);
    let content = match (frequency, real, imaginary) {
        (Some(frequency), Some(real), Some(imaginary)) if time.is_some() => Content::Points {
            sweep: names.iter().position(|name| is(name, "sweepindex")),
            sigma: find(Quantity::StdError, "sigmaz").and_then(Result::ok),
            status: names.iter().position(|name| is(name, "status")),
            frequency,
            real,
            imaginary,
        },
        (None, _, _)
            if [time.is_some(), voltage.is_some(), current.is_some()]
                .iter()
                .filter(|found| **found)
                .count()
                >= 2 =>
        {
            Content::Samples {
                voltage: voltage.unwrap_or_else(|| missing("Voltage / V", "voltage_volt")),
                current: current.unwrap_or_else(|| missing("Current / A", "current_ampere")),
            }
        }
        _ => return None,
    };
    Some(Table {
        separator,
        time: time.unwrap_or_else(|| missing("Test Time / s", "test_time_second")),
        unix_time,
        content,
        names,
    })
}

impl Table {
    /// Reads all rows.
    pub(super) fn read(self, file: &str, text: &str) -> Result<Series, ReadError> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(self.separator)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let header_line = 1 + text.lines().take_while(|line| line.trim().is_empty()).count();
        let header = |column: &Result<Column, String>| {
            column.clone().map_err(|message| {
                let listed = self.names.join(", ");
                ReadError::in_line(file, header_line, format!("{message}; the columns are {listed}"))
            })
        };
        let time = header(&self.time)?;
        let mut fields = Fields {
            file,
            numbers: Numbers::new(self.separator != b','),
            width: self.names.len(),
        };
        let mut rows = Vec::new();
        match &self.content {
            Content::Samples { voltage, current } => {
                let (voltage, current) = (header(voltage)?, header(current)?);
                for record in reader.records() {
                    let row = fields.row(record)?;
                    let t_s = fields.required(&row, &time)?;
                    let sample = Sample {
                        technique: TECHNIQUE.to_owned(),
                        device_t_s: Some(t_s),
                        potential_v: fields.optional(&row, &voltage)?,
                        current_a: fields.optional(&row, &current)?,
                        ..Sample::default()
                    };
                    rows.push(SeriesRow {
                        seq: None,
                        t_s: Some(t_s),
                        utc_ns: fields.unix_time(&row, self.unix_time.as_ref())?,
                        measured: Measured::Sample(sample),
                    });
                }
            }
            Content::Points {
                sweep,
                frequency,
                real,
                imaginary,
                sigma,
                status,
            } => {
                for record in reader.records() {
                    let row = fields.row(record)?;
                    let nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
                    let mut point = Point::new(
                        nan(fields.optional(&row, frequency)?),
                        nan(fields.optional(&row, real)?),
                        nan(fields.optional(&row, imaginary)?),
                    );
                    point.t_start_s = fields.optional(&row, &time)?;
                    if let Some(sigma) = sigma {
                        point.std_error_ohm = fields.optional(&row, sigma)?.filter(|sigma| *sigma > 0.0);
                    }
                    point.status = status_of(&point, status.and_then(|index| row.record.get(index)));
                    let number = match sweep {
                        Some(index) => fields.sweep(&row, *index)?,
                        None => 1,
                    };
                    rows.push(SeriesRow {
                        seq: None,
                        t_s: point.t_start_s,
                        utc_ns: None,
                        measured: Measured::Point(number, Box::new(point)),
                    });
                }
            }
        }
        if rows.is_empty() {
            return Err(ReadError::whole_file(file, "there is a header but no row"));
        }
        Ok(Series {
            origin: Origin::BatteryData,
            rows,
            remarks: self.remarks(),
        })
    }

    /// What is not taken.
    fn remarks(&self) -> Vec<String> {
        let column = |column: &Result<Column, String>| column.as_ref().ok().map(|column| column.index);
        let mut taken = vec![
            column(&self.time),
            self.unix_time.as_ref().map(|column| column.index),
        ];
        match &self.content {
            Content::Samples { voltage, current } => taken.extend([column(voltage), column(current)]),
            Content::Points {
                sweep,
                frequency,
                real,
                imaginary,
                sigma,
                status,
            } => {
                let of = [Some(frequency), Some(real), Some(imaginary), sigma.as_ref()];
                taken.extend(of.map(|column| column.map(|column| column.index)));
                taken.extend([*sweep, *status]);
            }
        }
        let left: Vec<&str> = self
            .names
            .iter()
            .enumerate()
            .filter(|(index, name)| !name.is_empty() && !taken.contains(&Some(*index)))
            .map(|(_, name)| name.as_str())
            .collect();
        match left.as_slice() {
            [] => Vec::new(),
            left => vec![shown(format!("columns that are not taken: {}", left.join(", ")))],
        }
    }
}

/// The status that a point says of itself, or that follows from its numbers.
pub(super) fn status_of(point: &Point, word: Option<&str>) -> PointStatus {
    let is_number = [point.frequency_hz, point.z_real_ohm, point.z_imag_ohm]
        .iter()
        .all(|value| value.is_finite());
    match word.and_then(PointStatus::from_word) {
        Some(status) => status,
        None if is_number && point.frequency_hz > 0.0 => PointStatus::Ok,
        None => PointStatus::Invalid,
    }
}

struct Row {
    line: usize,
    record: csv::StringRecord,
}

/// Takes numbers out of rows.
struct Fields<'f> {
    file: &'f str,
    numbers: Numbers,
    width: usize,
}

impl Fields<'_> {
    fn row(&self, record: csv::Result<csv::StringRecord>) -> Result<Row, ReadError> {
        let record = record.map_err(|error| ReadError::whole_file(self.file, error.to_string()))?;
        let line = record
            .position()
            .map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        if record.len() != self.width {
            let message = format!(
                "the row has {} fields, the header {}: the file is cut off here, or a field has the separator in it",
                record.len(),
                self.width
            );
            return Err(ReadError::in_line(self.file, line, message));
        }
        Ok(Row { line, record })
    }

    fn optional(&mut self, row: &Row, column: &Column) -> Result<Option<f64>, ReadError> {
        let field = row.record.get(column.index).unwrap_or_default();
        match self.numbers.read(field) {
            Number::Value(value) => Ok(Some(scaled(field, value, column.factor))),
            Number::Missing => Ok(None),
            Number::Text | Number::MixedDecimals => Err(self.wrong(row, column, field)),
        }
    }

    fn required(&mut self, row: &Row, column: &Column) -> Result<f64, ReadError> {
        let field = row.record.get(column.index).unwrap_or_default().to_owned();
        self.optional(row, column)?
            .ok_or_else(|| self.wrong(row, column, &field))
    }

    fn wrong(&self, row: &Row, column: &Column, field: &str) -> ReadError {
        let message = format!("{:?} is {field:?}, not a number", column.name);
        ReadError::in_field(self.file, row.line, column.index + 1, message)
    }

    fn sweep(&self, row: &Row, index: usize) -> Result<u32, ReadError> {
        let field = row.record.get(index).unwrap_or_default();
        field.parse().map_err(|_| {
            let message = format!("\"Sweep Index / 1\" is {field:?}, not a number of a sweep");
            ReadError::in_field(self.file, row.line, index + 1, message)
        })
    }

    /// Seconds since the Unix epoch as ns: digit by digit, since an f64 has not enough of them.
    fn unix_time(&self, row: &Row, column: Option<&Column>) -> Result<Option<i64>, ReadError> {
        let Some(column) = column else {
            return Ok(None);
        };
        let field = row.record.get(column.index).unwrap_or_default();
        if field.is_empty() || field.eq_ignore_ascii_case("nan") {
            return Ok(None);
        }
        let (seconds, fraction) = field.split_once('.').unwrap_or((field, ""));
        let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
        let exact = || -> Option<i64> {
            let whole: i64 = seconds.parse().ok()?;
            whole
                .checked_mul(1_000_000_000)?
                .checked_add(digits.parse().ok()?)
        };
        let rounded = || {
            let value: f64 = field.parse().ok()?;
            (value.abs() < 9e9).then_some((value * 1e9) as i64)
        };
        match exact().or_else(rounded) {
            Some(ns) => Ok(Some(ns)),
            None => Err(self.wrong(row, column, field)),
        }
    }
}
