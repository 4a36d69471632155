//! Princeton VersaStudio, `.par`: blocks `<Name> ... </Name>` of `key=value`. Data stand in `<Segment1>` and so on:
//! `Definition=` names the columns, then rows separated by commas. Z'' (`Z Imag`) has its true sign.

use super::columns::Columns;
use super::error::ReadError;
use super::gathering::Gathering;
use super::number::single;
use super::reading::{Format, ReadOptions, Reading};
use super::rows::{Fault, Rows, Separator};
use super::text::{Line, Lines, Source};

pub(super) fn recognise(head: &str) -> bool {
    head.trim_start().starts_with("<Application>") && head.contains("VersaStudio")
        || head.contains("<Segment") && head.contains("Definition=Segment #")
}

pub(super) fn read(source: Source<'_>, options: &ReadOptions) -> Result<Reading, ReadError> {
    let mut gathering = Gathering::new(source.file, Format::VersaStudio);
    let mut lines = Lines::of(source.text);
    let mut amplitude = None;
    let mut refused = None;
    let mut passed_over = 0;
    let mut fault = None;
    let mut latest: Option<Line<'_>> = None;
    while let Some(line) = lines.next() {
        let text = line.text.trim();
        latest = Some(line);
        if let Some(rest) = text.strip_prefix("Amplitude (")
            && let Some((unit, value)) = rest.split_once(" RMS)=")
        {
            amplitude = single(value).and_then(|value| Amplitude::of(value, unit));
        }
        let Some(segment) = segment_name(text) else {
            continue;
        };
        let definition = match definition(source, &mut lines, line) {
            Ok(Some(definition)) => definition,
            Ok(None) => {
                latest = None;
                continue;
            }
            Err(found) => {
                fault = Some(found);
                break;
            }
        };
        let mut rows = match rows(source, definition, options) {
            Ok(rows) => rows,
            Err(Refused::StdError(error)) => return Err(error),
            Err(Refused::Impedance(error)) => {
                passed_over += 1;
                refused.get_or_insert(error);
                continue;
            }
        };
        fault = read_segment(source, &mut lines, &mut rows, segment, definition);
        latest = None;
        let first_new = gathering.count();
        gathering.add_table(&format!("segment {segment}"), rows);
        gathering.for_points(first_new, |point| match amplitude {
            Some(Amplitude::Volts(volts)) => point.amplitude_vrms = Some(volts),
            Some(Amplitude::Amperes(amperes)) => point.amplitude_arms = Some(amperes),
            None => {}
        });
        if fault.is_some() {
            break;
        }
    }
    // Every block ends with a line of its own, the last one too.
    if let Some(latest) =
        latest.filter(|latest| fault.is_none() && !latest.text.trim_start().starts_with("</"))
    {
        fault = Some(cut_in_head(source, latest, "the last block"));
    }
    if gathering.count() == 0 && fault.is_none() {
        return Err(refused.unwrap_or_else(|| {
            ReadError::whole_file(
                source.file,
                "there is no segment with data: the file is cut off, or empty",
            )
        }));
    }
    let last = Lines::of(source.text).last();
    if let Some(last) = last.filter(|last| last.open && fault.is_none()) {
        gathering.remark(format!(
            "line {} has no end: if the file was cut off there, further segments are missing",
            last.number
        ));
    }
    if passed_over > 0 {
        gathering.remark(format!(
            "{passed_over} segments without impedance are passed over"
        ));
    }
    gathering.finish(fault)
}

/// The line of a segment that names its columns; none where it has no such line.
///
/// # Errors
/// Where the file ends before the head of the segment does.
fn definition<'t>(
    source: Source<'t>,
    lines: &mut Lines<'t>,
    title: Line<'t>,
) -> Result<Option<Line<'t>>, Fault> {
    let mut latest = title;
    for line in lines {
        latest = line;
        if line.text.starts_with("Definition=") && !line.last {
            return Ok(Some(line));
        }
        if line.text.starts_with("</Segment") {
            return Ok(None);
        }
    }
    Err(cut_in_head(
        source,
        latest,
        &format!("the head of {}", title.text.trim()),
    ))
}

/// The file ends where no row of a spectrum stands: those before it are whole.
fn cut_in_head(source: Source<'_>, latest: Line<'_>, place: &str) -> Fault {
    let message = format!("the file ends inside {place}: it is cut off");
    Fault {
        error: ReadError::in_line(source.file, latest.number, message),
        cut: false,
        begins_spectrum: true,
    }
}

/// `1` of `<Segment1>`.
fn segment_name(text: &str) -> Option<&str> {
    let number = text.strip_prefix("<Segment")?.strip_suffix('>')?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(number)
}

/// What a segment lacks.
enum Refused {
    /// Frequency or Z: it is of another technique.
    Impedance(ReadError),
    /// The wanted column of standard errors.
    StdError(ReadError),
}

fn rows<'t>(source: Source<'t>, definition: Line<'t>, options: &ReadOptions) -> Result<Rows<'t>, Refused> {
    let refuse = |message| ReadError::in_line(source.file, definition.number, message);
    let names = definition.text.trim_start_matches("Definition=").split(',');
    let mut columns = Columns::of_header(names).map_err(|message| Refused::Impedance(refuse(message)))?;
    // Numbers and bits here, not words of ours.
    columns.status = None;
    if let Some(wanted) = &options.sigma_column {
        let taken = columns.take_std_error(wanted);
        taken.map_err(|message| Refused::StdError(refuse(message)))?;
    }
    Ok(Rows::new(source.file, columns, Separator::Character(',')))
}

/// Reads up to `</Segment1>`; a file that ends before is cut off.
fn read_segment<'t>(
    source: Source<'t>,
    lines: &mut Lines<'t>,
    rows: &mut Rows<'t>,
    segment: &str,
    definition: Line<'t>,
) -> Option<Fault> {
    let mut latest = definition.number;
    for line in lines {
        if line.text.starts_with("</Segment") {
            return None;
        }
        latest = line.number;
        // `</Segme` of a file cut off there is no row.
        if !(line.last && line.text.starts_with('<'))
            && let Err(fault) = rows.read(line)
        {
            return Some(fault);
        }
    }
    let message = format!("the file ends before </Segment{segment}>: it is cut off");
    Some(Fault {
        error: ReadError::in_line(source.file, latest, message),
        cut: true,
        begins_spectrum: false,
    })
}

#[derive(Clone, Copy)]
enum Amplitude {
    Volts(f64),
    Amperes(f64),
}

impl Amplitude {
    fn of(value: f64, unit: &str) -> Option<Self> {
        Some(match unit {
            "mV" => Self::Volts(value * 1e-3),
            "V" => Self::Volts(value),
            "mA" => Self::Amperes(value * 1e-3),
            "uA" | "µA" | "μA" => Self::Amperes(value * 1e-6),
            "A" => Self::Amperes(value),
            _ => return None,
        })
    }
}
