//! Battery Data Format as comma-separated values: columns by their preferred labels (`Test Time / s`) or machine names
//! (`test_time_second`), in any order; a semicolon or a tab may separate as well. The extension for impedance has
//! frequency and Z in the place of voltage and current.

use super::super::error::ReadError;
use super::super::names::{self, Quantity};
use super::super::number::{Number, Numbers, scaled};
use super::super::text::shown;
use super::{FURTHEST_S, Infinite, Measured, Origin, Series, SeriesRow, too_far};
use crate::spectrum::{Point, PointStatus, Sample};

/// What `technique` of a sample says where the file says nothing.
const TECHNIQUE: &str = "imported";

/// A column of numbers.
#[derive(Clone, Debug, PartialEq)]
struct Column {
    index: usize,
    name: String,
    factor: f64,
    unit_said: bool,
}

/// The columns of a time series, or of its extension.
#[derive(Clone, Debug)]
pub(super) struct Table {
    separator: u8,
    names: Vec<String>,
    time: Result<Column, String>,
    unix_time: Option<Result<Column, String>>,
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
                        factor: if meaning.negated { -factor } else { factor },
                        unit_said: meaning.unit_said,
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
        .map(|index| unix_column(index, &names[index]));
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

/// The column of the time of the day; its factor is the ns in a unit.
fn unix_column(index: usize, name: &str) -> Result<Column, String> {
    let mut plain = name.to_lowercase();
    plain.retain(char::is_alphanumeric);
    let unit = plain.strip_prefix("unixtime").unwrap_or_default();
    let factor = match unit {
        "" | "s" | "sec" | "second" | "seconds" => 1e9,
        "ms" | "millisecond" | "milliseconds" => 1e6,
        "us" | "\u{b5}s" | "\u{3bc}s" | "microsecond" | "microseconds" => 1e3,
        "ns" | "nanosecond" | "nanoseconds" => 1.0,
        _ => {
            return Err(format!(
                "the unit of column {name:?} is not known; write its times in s, ms, us or ns and name it so, as in \
                 \"Unix Time / s\""
            ));
        }
    };
    Ok(Column {
        index,
        name: name.to_owned(),
        factor,
        unit_said: !unit.is_empty(),
    })
}

/// A plain decimal number of units as ns, digit by digit, since an f64 has not enough of them; none where it is written
/// in another way. What is less than a ns is cut off.
fn exact_ns(plain: &str, ns_in_unit: f64) -> Option<i64> {
    const BILLION: i128 = 1_000_000_000;
    let unsigned = plain.strip_prefix('-');
    let (whole, fraction) = {
        let digits = unsigned.unwrap_or(plain);
        digits.split_once('.').unwrap_or((digits, ""))
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let billionths = i128::from(whole.parse::<i64>().ok()?) * BILLION + nine.parse::<i128>().ok()?;
    let ns = billionths * ns_in_unit as i128 / BILLION;
    i64::try_from(if unsigned.is_some() { -ns } else { ns }).ok()
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
            infinite: Infinite::default(),
        };
        let mut rows = Vec::new();
        match &self.content {
            Content::Samples { voltage, current } => {
                let (voltage, current) = (header(voltage)?, header(current)?);
                let unix_time = self.unix_time.as_ref().map(header).transpose()?;
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
                        utc_ns: fields.unix_time(&row, unix_time.as_ref())?,
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
                    point.t_start_s = fields.time(&row, &time)?;
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
            remarks: self
                .remarks()
                .into_iter()
                .chain(fields.infinite.remark())
                .collect(),
        })
    }

    /// What is not taken, and what is taken without a unit.
    fn remarks(&self) -> Vec<String> {
        let mut columns = vec![self.time.as_ref().ok()];
        let mut others = Vec::new();
        match &self.content {
            Content::Samples { voltage, current } => {
                columns.extend([voltage, current].map(|column| column.as_ref().ok()));
                columns.extend(self.unix_time.as_ref().map(|column| column.as_ref().ok()));
            }
            Content::Points {
                sweep,
                frequency,
                real,
                imaginary,
                sigma,
                status,
            } => {
                columns.extend([Some(frequency), Some(real), Some(imaginary), sigma.as_ref()]);
                others.extend([*sweep, *status]);
            }
        }
        let columns: Vec<&Column> = columns.into_iter().flatten().collect();
        let is_taken = |index: usize| {
            others.contains(&Some(index)) || columns.iter().any(|column| column.index == index)
        };
        let left: Vec<&str> = self
            .names
            .iter()
            .enumerate()
            .filter(|(index, name)| !name.is_empty() && !is_taken(*index))
            .map(|(_, name)| name.as_str())
            .collect();
        let without_unit: Vec<&str> = columns
            .iter()
            .filter(|column| !column.unit_said)
            .map(|column| column.name.as_str())
            .collect();
        [
            ("columns that are not taken", left),
            (
                "columns that name no unit and are taken in s, V, A, Hz or ohm",
                without_unit,
            ),
        ]
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| shown(format!("{what}: {}", names.join(", "))))
        .collect()
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
    infinite: Infinite,
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
            Number::Missing => {
                self.infinite.note(row.line, field);
                Ok(None)
            }
            Number::Text | Number::MixedDecimals => Err(self.wrong(row, column, field)),
        }
    }

    fn time(&mut self, row: &Row, column: &Column) -> Result<Option<f64>, ReadError> {
        let t_s = self.optional(row, column)?;
        match t_s.and_then(too_far) {
            None => Ok(t_s),
            Some(reason) => Err(self.beyond(row, column, reason)),
        }
    }

    fn required(&mut self, row: &Row, column: &Column) -> Result<f64, ReadError> {
        let field = row.record.get(column.index).unwrap_or_default().to_owned();
        self.time(row, column)?
            .ok_or_else(|| self.wrong(row, column, &field))
    }

    fn wrong(&self, row: &Row, column: &Column, field: &str) -> ReadError {
        let message = format!("{:?} is {field:?}, not a number", column.name);
        ReadError::in_field(self.file, row.line, column.index + 1, message)
    }

    fn beyond(&self, row: &Row, column: &Column, reason: &str) -> ReadError {
        let field = row.record.get(column.index).unwrap_or_default();
        let message = format!("{:?} is {field:?}, {reason}", column.name);
        ReadError::in_field(self.file, row.line, column.index + 1, message)
    }

    fn sweep(&self, row: &Row, index: usize) -> Result<u32, ReadError> {
        let field = row.record.get(index).unwrap_or_default();
        field.parse().map_err(|_| {
            let message = format!("\"Sweep Index / 1\" is {field:?}, not a number of a sweep");
            ReadError::in_field(self.file, row.line, index + 1, message)
        })
    }

    /// Time since the Unix epoch as ns.
    fn unix_time(&mut self, row: &Row, column: Option<&Column>) -> Result<Option<i64>, ReadError> {
        let Some(column) = column else {
            return Ok(None);
        };
        let Some(ns) = self.optional(row, column)? else {
            return Ok(None);
        };
        if ns.abs() > FURTHEST_S * 1e9 {
            let reason = "more than 285 years from 1970; correct the time or the unit in the header";
            return Err(self.beyond(row, column, reason));
        }
        let field = row.record.get(column.index).unwrap_or_default();
        let exact = exact_ns(&field.replace(',', "."), column.factor);
        Ok(Some(exact.unwrap_or_else(|| ns.round() as i64)))
    }
}
