//! Eco Chemie, two forms. `.dfr`: a version, the number of points, a line of unknown meaning, then nine numbers a point,
//! one a line: frequency, Z', -Z'', potential, current, time and three unknown ones. `.P00`: four lines of text, the names
//! `f/Hz Z'/Ohm -Z''/Ohm time/s Edc/V Idc/A`, the number of points, rows. Both store -Z''. Both tell how many points there
//! are: a file with fewer is cut off.

use crate::spectrum::{Point, PointStatus};

use super::columns::Columns;
use super::error::ReadError;
use super::gathering::Gathering;
use super::number::{Number, Numbers};
use super::reading::{Format, ReadOptions, Reading};
use super::rows::{Fault, Rows, Separator};
use super::text::{Lines, Source};

/// Lines a point in `.dfr`.
const NUMBERS_A_POINT: usize = 9;

pub(super) fn recognise_dfr(head: &str) -> bool {
    let mut lines = Lines::of(head);
    let mut next = || lines.next().map_or("", |line| line.text.trim());
    next().to_ascii_lowercase().starts_with("version") && next().parse::<usize>().is_ok()
}

pub(super) fn recognise_p00(head: &str) -> bool {
    Lines::of(head)
        .take(20)
        .any(|line| line.text.contains("f/Hz") && line.text.contains("-Z''/Ohm"))
}

pub(super) fn read_dfr(source: Source<'_>, options: &ReadOptions) -> Result<Reading, ReadError> {
    if let Some(wanted) = &options.sigma_column {
        let message =
            format!("there is no column {wanted:?} for the standard error: the file has no columns");
        return Err(ReadError::whole_file(source.file, message));
    }
    let mut lines = Lines::of(source.text);
    lines.next();
    let announced = lines
        .next()
        .map(|line| (line.number, line.text.trim().parse::<usize>()));
    let Some((_, Ok(announced))) = announced else {
        return Err(ReadError::in_line(
            source.file,
            2,
            "the number of points must stand here",
        ));
    };
    let mut latest = lines.next().map_or(2, |line| line.number);
    let mut numbers = Numbers::new(true);
    // The announced number is not trusted with memory.
    let mut points = Vec::new();
    while points.len() < announced {
        let mut values = [f64::NAN; NUMBERS_A_POINT];
        for (index, value) in values.iter_mut().enumerate() {
            let Some(line) = lines.next() else {
                let message = format!(
                    "the file ends here, after {} of {announced} points: it is cut off",
                    points.len()
                );
                return Err(ReadError::in_line(source.file, latest, message));
            };
            latest = line.number;
            *value = match numbers.read(line.text) {
                Number::Value(value) => value,
                Number::Missing => f64::NAN,
                // Only the first six numbers of a point mean something.
                Number::Text | Number::MixedDecimals if index < 6 => {
                    let message = format!("a number must stand here, not {:?}", line.text.trim());
                    return Err(ReadError::in_line(source.file, line.number, message));
                }
                _ => f64::NAN,
            };
        }
        let [frequency, real, negative_imaginary, potential, current, time, ..] = values;
        let known = |value: f64| value.is_finite().then_some(value);
        let mut point = Point::new(frequency, real, -negative_imaginary);
        if !point.is_usable() {
            point.status = PointStatus::Invalid;
        }
        point.potential_v = known(potential);
        point.current_a = known(current);
        point.t_start_s = known(time);
        points.push(point);
    }
    let mut gathering = Gathering::new(source.file, Format::EcoChemieDfr);
    gathering.remark("Z'' is the third number of each point with its sign turned");
    gathering.add("", points);
    gathering.finish(None)
}

pub(super) fn read_p00(source: Source<'_>, options: &ReadOptions) -> Result<Reading, ReadError> {
    let mut lines = Lines::of(source.text);
    let Some(header) = lines.find(|line| line.text.contains("f/Hz") && line.text.contains("-Z''/Ohm")) else {
        let message = "there is no line of names: f/Hz, Z'/Ohm, -Z''/Ohm";
        return Err(ReadError::whole_file(source.file, message));
    };
    let refuse = |message| ReadError::in_line(source.file, header.number, message);
    let mut columns = Columns::of_header(header.text.split('\t')).map_err(refuse)?;
    if let Some(wanted) = &options.sigma_column {
        columns.take_std_error(wanted).map_err(refuse)?;
    }
    let Some(announced) = lines
        .next()
        .and_then(|line| line.text.trim().parse::<usize>().ok())
    else {
        let message = "the number of points must stand here";
        return Err(ReadError::in_line(source.file, header.number + 1, message));
    };
    let mut rows = Rows::new(source.file, columns, Separator::Character('\t'));
    let mut taken = 0;
    let mut fault = None;
    let mut latest = header.number + 1;
    for line in lines.take(announced) {
        latest = line.number;
        match rows.read(line) {
            Ok(()) => taken += 1,
            Err(found) => {
                fault = Some(found);
                break;
            }
        }
    }
    if taken < announced {
        let of = format!("after {taken} of {announced} points");
        let error = match fault {
            Some(Fault { mut error, cut, .. }) => {
                if cut {
                    error.message = format!("{}, {of}", error.message);
                }
                error
            }
            None => {
                let message = format!("the file ends here, {of}: it is cut off");
                ReadError::in_line(source.file, latest, message)
            }
        };
        fault = Some(Fault {
            error,
            cut: false,
            begins_spectrum: false,
        });
    }
    let mut gathering = Gathering::new(source.file, Format::EcoChemieP00);
    gathering.add_table("", rows);
    gathering.finish(fault)
}
