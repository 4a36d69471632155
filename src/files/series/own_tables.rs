//! Tables of `export --format csv`: `points.csv` and `samples.csv`, known by their headers. Other tables of an export
//! hold what follows from these, or what only the recording can say; they are passed over.

use super::super::error::ReadError;
use super::delimited::status_of;
use super::{Infinite, Measured, Origin, Series, SeriesRow, too_far, utc_ns};
use crate::spectrum::{Point, Sample};

pub(super) fn recognise(first: &str) -> bool {
    first.trim_start_matches('\u{feff}').starts_with("seq,utc,t_s")
}

pub(super) fn read(file: &str, text: &str) -> Result<Series, ReadError> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let names = reader
        .headers()
        .map_err(|error| ReadError::in_line(file, 1, error.to_string()))?
        .clone();
    let has = |name: &str| names.iter().any(|found| found == name);
    let is_points = has("frequency_hz");
    let is_samples = has("technique") && !has("sweep");
    let mut series = Series {
        origin: Origin::Table,
        rows: Vec::new(),
        remarks: Vec::new(),
    };
    if !is_points && !is_samples {
        let remark = "holds neither points nor samples and is passed over; fits are made anew";
        series.remarks.push(remark.to_owned());
        return Ok(series);
    }
    let table = Table {
        file,
        names: &names,
        infinite: Infinite::default(),
    };
    let mut record = csv::StringRecord::new();
    loop {
        let more = reader.read_record(&mut record);
        let line = record
            .position()
            .map_or(0, |position| usize::try_from(position.line()).unwrap_or(0));
        match more {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(ReadError::in_line(file, line, error.to_string())),
        }
        if record.len() != names.len() {
            let message = format!(
                "the row has {} fields, the header {}: the file is cut off here",
                record.len(),
                names.len()
            );
            return Err(ReadError::in_line(file, line, message));
        }
        let row = Row {
            table: &table,
            line,
            record: &record,
        };
        series.rows.push(SeriesRow {
            seq: row.parsed("seq", "a number of an event")?,
            t_s: row.time("t_s")?,
            utc_ns: row.text("utc")?.and_then(utc_ns),
            measured: match is_points {
                true => row.point()?,
                false => row.sample()?,
            },
        });
    }
    series.remarks.extend(table.infinite.remark());
    Ok(series)
}

struct Table<'t> {
    file: &'t str,
    names: &'t csv::StringRecord,
    infinite: Infinite,
}

struct Row<'t> {
    table: &'t Table<'t>,
    line: usize,
    record: &'t csv::StringRecord,
}

impl Row<'_> {
    /// A field that is not empty.
    fn text(&self, name: &str) -> Result<Option<&str>, ReadError> {
        let index = self.index(name)?;
        Ok(self.record.get(index).filter(|field| !field.is_empty()))
    }

    fn index(&self, name: &str) -> Result<usize, ReadError> {
        let index = self.table.names.iter().position(|found| found == name);
        index.ok_or_else(|| {
            let listed: Vec<&str> = self.table.names.iter().collect();
            let message = format!(
                "the header has no column {name}; the columns are {}",
                listed.join(", ")
            );
            ReadError::in_line(self.table.file, 1, message)
        })
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, ReadError> {
        let Some(field) = self.text(name)? else {
            return Ok(None);
        };
        match field.trim().parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => {
                let message = format!("{name:?} is {field:?}, not {what}");
                Err(self.wrong(name, message)?)
            }
        }
    }

    fn wrong(&self, name: &str, message: String) -> Result<ReadError, ReadError> {
        let column = self.index(name)? + 1;
        Ok(ReadError::in_field(self.table.file, self.line, column, message))
    }

    fn number(&self, name: &str) -> Result<Option<f64>, ReadError> {
        let value: Option<f64> = self.parsed(name, "a number")?;
        if value.is_some_and(f64::is_infinite)
            && let Some(field) = self.text(name)?
        {
            self.table.infinite.note(self.line, field);
        }
        Ok(value.filter(|value| value.is_finite()))
    }

    fn time(&self, name: &str) -> Result<Option<f64>, ReadError> {
        let t_s = self.number(name)?;
        match t_s.and_then(too_far) {
            None => Ok(t_s),
            Some(reason) => {
                let field = self.text(name)?.unwrap_or_default();
                Err(self.wrong(name, format!("{name:?} is {field:?}, {reason}"))?)
            }
        }
    }

    fn point(&self) -> Result<Measured, ReadError> {
        let nan = |name| self.number(name).map(|value| value.unwrap_or(f64::NAN));
        let mut point = Point {
            status_bits: self.parsed("status_bits", "a whole number")?,
            range: self.text("range")?.map(str::to_owned),
            noise: self.parsed("noise", "a whole number")?,
            potential_v: self.number("potential_v")?,
            current_a: self.number("current_a")?,
            amplitude_vrms: self.number("amplitude_vrms")?,
            amplitude_arms: self.number("amplitude_arms")?,
            std_error_ohm: self.number("std_error_ohm")?,
            t_start_s: self.number("t_start_s")?,
            ..Point::new(nan("frequency_hz")?, nan("z_real_ohm")?, nan("z_imag_ohm")?)
        };
        point.status = status_of(&point, self.text("status")?);
        let sweep = self.parsed("sweep", "a number of a sweep")?.ok_or_else(|| {
            ReadError::in_line(
                self.table.file,
                self.line,
                "\"sweep\" is empty: the point belongs to none",
            )
        })?;
        Ok(Measured::Point(sweep, Box::new(point)))
    }

    fn sample(&self) -> Result<Measured, ReadError> {
        Ok(Measured::Sample(Sample {
            technique: self.text("technique")?.unwrap_or_default().to_owned(),
            device_t_s: self.number("device_t_s")?,
            potential_v: self.number("potential_v")?,
            current_a: self.number("current_a")?,
            charge_c: self.number("charge_c")?,
            temperature_k: self.number("temperature_k")?,
            pressure_mpa: self.number("pressure_mpa")?,
        }))
    }
}
