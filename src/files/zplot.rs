//! ZPlot and ZView, `.z`, and its forerunner Z60W, which Autolab writes: a head of `Key: value` or of quoted lines,
//! the names `Freq(Hz) Ampl Bias Time(Sec) Z'(a) Z''(b) GD Err Range`, perhaps `End Comments`, then rows separated
//! by tabs or commas. Z'' has its true sign. How many points there are stands in the head, but people shorten
//! these files by hand, so that it is told and not enforced.

use super::columns::Columns;
use super::error::ReadError;
use super::gathering::Gathering;
use super::reading::{Format, ReadOptions, Reading};
use super::rows::{Rows, Separator};
use super::text::{Line, Lines, Source};

pub(super) fn recognise(head: &str) -> bool {
    let first = Lines::of(head).next().map_or("", |line| line.text);
    let first = first.trim_start_matches(['"', ' ']).to_ascii_lowercase();
    first.starts_with("zplot") || first.starts_with("z60w data file")
}

pub(super) fn read(source: Source<'_>, options: &ReadOptions) -> Result<Reading, ReadError> {
    let mut lines = Lines::of(source.text).peekable();
    let format = match lines.peek() {
        Some(line) if line.text.contains("Z60W") => Format::Autolab,
        _ => Format::ZPlot,
    };
    let mut announced = None;
    let mut before: Option<Line<'_>> = None;
    let header = loop {
        let Some(line) = lines.next() else {
            let message = "there is no line of names: Freq(Hz), Ampl, Bias, Time(Sec), Z'(a), Z''(b)";
            return Err(ReadError::whole_file(source.file, message));
        };
        if is_header(line.text) {
            break line;
        }
        if let Some((_, count)) = line.text.split_once("Data Points:") {
            announced = count.trim().parse::<usize>().ok();
        }
        before = Some(line);
    };
    // Without comments the number of points stands alone in the line before.
    announced = announced.or_else(|| before?.text.trim().parse().ok());
    let refuse = |message| ReadError::in_line(source.file, header.number, message);
    let names = names(header.text);
    let mut columns = Columns::of_header(names.iter().map(String::as_str)).map_err(refuse)?;
    if let Some(wanted) = &options.sigma_column {
        columns.take_std_error(wanted).map_err(refuse)?;
    }
    while lines
        .next_if(|line| {
            line.text.contains("End Comments") || line.text.starts_with(' ') && line.text.contains(':')
        })
        .is_some()
    {}
    let separator = match lines.peek() {
        Some(line) if line.text.contains('\t') => Separator::Character('\t'),
        Some(line) if line.text.contains(',') => Separator::Character(','),
        _ => Separator::Blanks,
    };
    let mut gathering = Gathering::new(source.file, format);
    let mut rows = Rows::new(source.file, columns, separator);
    let mut taken = 0;
    let mut fault = None;
    for line in lines {
        match rows.read(line) {
            Ok(()) => taken += 1,
            Err(found) => {
                fault = Some(found);
                break;
            }
        }
    }
    gathering.add_table("", rows);
    gathering.no_time_is_no_stamp();
    if let Some(announced) = announced.filter(|announced| *announced != taken && fault.is_none()) {
        gathering.remark(format!(
            "the head announces {announced} points, there are {taken}"
        ));
    }
    gathering.finish(fault)
}

fn is_header(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    lower.contains("freq") && lower.contains("z'(a)")
}

/// The names, separated by tabs or by two and more blanks, the whole perhaps in quotes.
fn names(header: &str) -> Vec<String> {
    let header = header.trim().trim_matches('"');
    let separator = match header {
        header if header.contains('\t') => "\t",
        header if header.contains(',') => ",",
        _ => "  ",
    };
    header
        .split(separator)
        .map(|name| name.trim().to_owned())
        .filter(|name| separator != "  " || !name.is_empty())
        .collect()
}
