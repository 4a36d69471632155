//! Gamry, `.DTA`: `EXPLAIN`, then lines of key, type, value and label separated by tabs. Impedance stands in
//! tables `ZCURVE`: a line of names, one of units, then rows, all indented by a tab. Z'' has its true sign. A
//! drift-corrected run has further columns (`ZrealDrCor` ...), which move those behind them: names decide.

use super::columns::Columns;
use super::error::ReadError;
use super::gathering::Gathering;
use super::heading::with_units;
use super::number::single;
use super::reading::{Format, ReadOptions, Reading};
use super::rows::{Fault, Rows, Separator};
use super::text::{Line, Lines, Source};

const TAB: Separator = Separator::Character('\t');

pub(super) fn recognise(head: &str) -> bool {
    head.trim_start().starts_with("EXPLAIN")
}

pub(super) fn read(source: Source<'_>, options: &ReadOptions) -> Result<Reading, ReadError> {
    let mut gathering = Gathering::new(source.file, Format::Gamry);
    let mut lines = Lines::of(source.text).peekable();
    let mut amplitude = None;
    let mut tag = "";
    let mut fault = None;
    let mut first_error = None;
    let mut tables = 0;
    while let Some(line) = lines.next() {
        let fields: Vec<&str> = line.text.split('\t').map(str::trim).collect();
        match fields.as_slice() {
            ["TAG", value, ..] => tag = value,
            // Only what calls itself rms: VAC in mV, IACREQ in A.
            [key, "QUANT", value, label, ..] if label.ends_with(" rms)") && !key.is_empty() => {
                amplitude = Amplitude::of(value, label).or(amplitude);
            }
            ["EXPERIMENTABORTED", _, "T", ..] => {
                gathering.remark("the run was aborted: there is less than was planned");
            }
            [key, "TABLE", rest @ ..] if key.starts_with("ZCURVE") => {
                tables += 1;
                let count = rest.first().and_then(|count| count.parse().ok());
                let mut header = Vec::new();
                while header.len() < 2
                    && let Some(row) = lines.next_if(|row| row.text.starts_with('\t'))
                {
                    header.push(row);
                }
                let mut rows = match table(source, &header, line, options, &mut gathering) {
                    Ok(rows) => rows,
                    Err(error) => {
                        first_error = Some(error);
                        break;
                    }
                };
                let mut taken = 0;
                let mut latest = header.last().map_or(line.number, |row| row.number);
                while let Some(row) = lines.next_if(|row| row.text.starts_with('\t')) {
                    latest = row.number;
                    match rows.read(row) {
                        Ok(()) => taken += 1,
                        Err(mut found) => {
                            found.cut &= count.is_none();
                            fault = Some(found);
                            break;
                        }
                    }
                }
                fault = fault.or_else(|| ends_early(source, latest, count, taken, lines.peek().is_none()));
                let name = if tables > 1 {
                    format!("ZCURVE {tables}")
                } else {
                    "ZCURVE".to_owned()
                };
                gathering.add_table(&name, rows);
                if fault.is_some() {
                    break;
                }
            }
            _ => {}
        }
    }
    if let Some(amplitude) = amplitude {
        gathering.for_points(0, |point| amplitude.apply(point));
    }
    if let Some(error) = first_error {
        let fault = Fault {
            error,
            cut: false,
            begins_spectrum: true,
        };
        return gathering.finish(Some(fault));
    }
    if tables == 0 {
        let message = format!(
            "there is no table ZCURVE: the experiment {tag:?} holds no impedance, or the file is cut off"
        );
        return Err(ReadError::whole_file(source.file, message));
    }
    gathering.finish(fault)
}

/// The rows of a table whose names and units stand in `header`.
fn table<'t>(
    source: Source<'t>,
    header: &[Line<'t>],
    title: Line<'t>,
    options: &ReadOptions,
    gathering: &mut Gathering<'_>,
) -> Result<Rows<'t>, ReadError> {
    let [names, units] = header else {
        let message = "a line of names and one of units must follow";
        return Err(ReadError::in_line(source.file, title.number, message));
    };
    let refuse = |message| ReadError::in_line(source.file, names.number, message);
    let split: Vec<String> = names.text.split('\t').map(str::to_owned).collect();
    let units: Vec<&str> = units.text.split('\t').map(str::trim).collect();
    let with_units = with_units(&split, &units);
    let mut columns = Columns::of_header(with_units.iter().map(String::as_str)).map_err(refuse)?;
    columns.names = split.iter().map(|name| name.trim().to_owned()).collect();
    while columns.names.last().is_some_and(String::is_empty) {
        columns.names.pop();
    }
    if let Some(wanted) = &options.sigma_column {
        columns.take_std_error(wanted).map_err(refuse)?;
    }
    if columns.names.iter().any(|name| name.contains("DrCor")) {
        gathering
            .remark("drift-corrected values are in the file as well; Zreal and Zimag are taken, as measured");
    }
    Ok(Rows::new(source.file, columns, TAB))
}

/// A table that is shorter than it says, at the end of the file.
fn ends_early(
    source: Source<'_>,
    latest: usize,
    count: Option<usize>,
    taken: usize,
    at_end: bool,
) -> Option<Fault> {
    let count = count.filter(|count| at_end && taken < *count)?;
    let message =
        format!("the file ends here, after {taken} of {count} rows of the table ZCURVE: it is cut off");
    Some(Fault {
        error: ReadError::in_line(source.file, latest, message),
        cut: false,
        begins_spectrum: false,
    })
}

/// An amplitude of the head of the file.
#[derive(Clone, Copy)]
enum Amplitude {
    Volts(f64),
    Amperes(f64),
}

impl Amplitude {
    fn of(value: &str, label: &str) -> Option<Self> {
        let value = single(value).filter(|value| *value > 0.0)?;
        let unit = label.rsplit_once('(')?.1.strip_suffix(" rms)")?;
        Some(match unit {
            "mV" => Self::Volts(value * 1e-3),
            "V" => Self::Volts(value),
            "A" => Self::Amperes(value),
            "mA" => Self::Amperes(value * 1e-3),
            _ => return None,
        })
    }

    fn apply(self, point: &mut crate::spectrum::Point) {
        match self {
            Self::Volts(volts) => point.amplitude_vrms = Some(volts),
            Self::Amperes(amperes) => point.amplitude_arms = Some(amperes),
        }
    }
}
