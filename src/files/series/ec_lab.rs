//! EC-Lab text of techniques of direct current: `time/s` with `Ewe/V` or `<Ewe>/V`, and `I/mA` or `<I>/mA` where the
//! technique has a current. Current is positive when the working electrode is oxidised, as here.

use super::super::error::ReadError;
use super::super::number::{Number, Numbers, scaled};
use super::super::text::Lines;
use super::{Infinite, Measured, Origin, Series, SeriesRow, too_far};
use crate::spectrum::Sample;

/// What techniques are called there, and here.
const TECHNIQUES: [(&str, &str); 7] = [
    ("Open Circuit Voltage", "ocp"),
    ("Chronoamperometry", "ca"),
    ("Chronopotentiometry", "cp"),
    ("Cyclic Voltammetry", "cv"),
    ("Linear Sweep Voltammetry", "lsv"),
    ("Galvanostatic Cycling", "cp"),
    ("Constant Current", "cp"),
];

/// Names of columns in the order in which they are looked for, and what to multiply with.
const POTENTIAL: [(&str, f64); 5] = [
    ("Ewe/V", 1.0),
    ("<Ewe>/V", 1.0),
    ("Ecell/V", 1.0),
    ("<Ecell>/V", 1.0),
    ("Ewe/mV", 1e-3),
];
const CURRENT: [(&str, f64); 4] = [("I/mA", 1e-3), ("<I>/mA", 1e-3), ("I/A", 1.0), ("<I>/A", 1.0)];

struct Column {
    index: usize,
    name: &'static str,
    factor: f64,
}

/// None where the file holds impedance, which is read elsewhere.
pub(super) fn read(file: &str, text: &str) -> Result<Option<Series>, ReadError> {
    let mut lines = Lines::of(text);
    lines.next();
    let header_line = lines
        .next()
        .and_then(|line| line.text.split_once(':'))
        .and_then(|(_, count)| count.trim().parse::<usize>().ok());
    // What is wrong with such a file is told by the reader of spectra.
    let Some(header_line) = header_line else {
        return Ok(None);
    };
    let mut technique = "imported";
    let header = loop {
        match lines.next() {
            None => return Ok(None),
            Some(line) if line.number >= header_line => break line,
            Some(line) => {
                let named = |(name, _): &&(&str, &'static str)| line.text.trim().starts_with(name);
                if let Some((_, word)) = TECHNIQUES.iter().find(named) {
                    technique = word;
                }
            }
        }
    };
    let names: Vec<&str> = header.text.split('\t').map(str::trim).collect();
    if names.iter().any(|name| name.eq_ignore_ascii_case("freq/Hz")) {
        return Ok(None);
    }
    let find = |wanted: &[(&'static str, f64)]| {
        wanted.iter().find_map(|&(name, factor)| {
            let index = names.iter().position(|found| found.eq_ignore_ascii_case(name))?;
            Some(Column { index, name, factor })
        })
    };
    let missing = |wanted: &str| {
        let listed = names.join(", ");
        ReadError::in_line(
            file,
            header.number,
            format!("there is no column {wanted}; the columns are {listed}"),
        )
    };
    let time = find(&[("time/s", 1.0)]).ok_or_else(|| missing("time/s"))?;
    let potential = find(&POTENTIAL);
    let current = find(&CURRENT);
    if potential.is_none() && current.is_none() {
        return Err(missing("Ewe/V, <Ewe>/V, I/mA or <I>/mA"));
    }
    let needed = [Some(&time), potential.as_ref(), current.as_ref()]
        .into_iter()
        .flatten()
        .map(|column| column.index)
        .max()
        .unwrap_or(0);
    let mut numbers = Numbers::new(true);
    let mut rows = Vec::new();
    let mut without_time = 0;
    let infinite = Infinite::default();
    for line in lines {
        let fields: Vec<&str> = line.text.split('\t').map(str::trim).collect();
        if fields.len() <= needed {
            let message = format!(
                "the row has {} fields, {:?} is field {}: the file is cut off here",
                fields.len(),
                names[needed],
                needed + 1
            );
            return Err(ReadError::in_line(file, line.number, message));
        }
        let mut read = |column: &Column| match numbers.read(fields[column.index]) {
            Number::Value(value) => Ok(Some(scaled(fields[column.index], value, column.factor))),
            Number::Missing => {
                infinite.note(line.number, fields[column.index]);
                Ok(None)
            }
            Number::Text | Number::MixedDecimals => {
                let field = fields[column.index];
                let hint = if column.name == "time/s" && field.contains([':', '/']) {
                    "; export the file again with relative times"
                } else {
                    ""
                };
                let message = format!("{:?} is {field:?}, not a number{hint}", column.name);
                Err(ReadError::in_field(file, line.number, column.index + 1, message))
            }
        };
        let Some(t_s) = read(&time)? else {
            without_time += 1;
            continue;
        };
        if let Some(reason) = too_far(t_s) {
            let message = format!("{:?} is {:?}, {reason}", time.name, fields[time.index]);
            return Err(ReadError::in_field(file, line.number, time.index + 1, message));
        }
        let sample = Sample {
            technique: technique.to_owned(),
            device_t_s: Some(t_s),
            potential_v: potential.as_ref().map(&mut read).transpose()?.flatten(),
            current_a: current.as_ref().map(&mut read).transpose()?.flatten(),
            ..Sample::default()
        };
        rows.push(SeriesRow {
            seq: None,
            t_s: Some(t_s),
            utc_ns: None,
            measured: Measured::Sample(sample),
        });
    }
    if rows.is_empty() {
        return Err(ReadError::whole_file(
            file,
            "there is a header but no row with a time",
        ));
    }
    let mut remarks = Vec::new();
    if without_time > 0 {
        remarks.push(format!("{without_time} rows without a time are left out"));
    }
    if current.is_none() {
        remarks.push("there is no column of current: the samples have none".to_owned());
    }
    remarks.extend(infinite.remark());
    Ok(Some(Series {
        origin: Origin::EcLabText,
        rows,
        remarks,
    }))
}
