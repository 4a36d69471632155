//! Where in a text the table begins, and what its columns are.

use super::columns::Columns;
use super::error::ReadError;
use super::names;
use super::number::{Number, Numbers};
use super::rows::{LONGEST_LINE, Separator, too_long};
use super::text::{Line, Lines, Source};

/// After so many lines without a table there is none.
const MOST_LINES_BEFORE: usize = 1000;

const SEPARATORS: [Separator; 4] = [
    Separator::Character(';'),
    Separator::Character('\t'),
    Separator::Character(','),
    Separator::Blanks,
];

/// The beginning of a table.
#[derive(Clone, Debug)]
pub(super) struct Heading<'t> {
    /// What its columns are.
    pub columns: Columns,
    /// What separates the fields of its rows.
    pub separator: Separator,
    /// The line of the header; `None` where there is no header.
    pub header_line: Option<usize>,
    /// The lines from the first row on.
    pub rows: Lines<'t>,
}

/// What of a line is a remark.
pub(super) fn remark(line: &str) -> Option<&str> {
    line.trim_start()
        .strip_prefix(['#', '%'])
        .map(|rest| rest.trim_start_matches(['#', '%']))
}

/// Finds the table of a text: a header with names of frequency and impedance, or rows of numbers.
///
/// # Errors
/// Where there is neither, or a header over the numbers that is not understood.
pub(super) fn find<'t>(source: Source<'t>) -> Result<Heading<'t>, ReadError> {
    let mut lines = Lines::of(source.text);
    let mut before: Option<Line<'t>> = None;
    let mut passed_over = 0;
    let mut only_numbers: Option<(Line<'t>, Option<Line<'t>>, Lines<'t>)> = None;
    let mut best_text: Option<(usize, Line<'t>)> = None;
    loop {
        let at = lines.clone();
        let Some(line) = lines.next().filter(|_| passed_over < MOST_LINES_BEFORE) else {
            break;
        };
        if line.text.len() > LONGEST_LINE {
            return Err(ReadError::in_line(source.file, line.number, too_long()));
        }
        let comment = remark(line.text);
        let content = comment.unwrap_or(line.text);
        if let Some(heading) = header(line, content, &lines) {
            return Ok(heading);
        }
        if comment.is_none()
            && let Some((separator, count)) = numbers(content)
        {
            let next = lines.clone().find(|next| remark(next.text).is_none());
            if next.is_some_and(|next| count_of(separator, next.text) == count) {
                return without_header(source, line, before, at);
            }
            only_numbers.get_or_insert((line, before, at));
        } else {
            let known = known_names(content);
            if best_text.is_none_or(|(most, _)| known > most) && (known > 0 || comment.is_none()) {
                best_text = Some((known, line));
            }
        }
        before = Some(line);
        passed_over += 1;
    }
    if let Some((line, before, at)) = only_numbers {
        return without_header(source, line, before, at);
    }
    Err(not_found(source, best_text.map(|(_, line)| line)))
}

/// The columns of a header that stands in the middle of a table, preferably as many as before.
pub(super) fn repeated_header(content: &str, count: usize) -> Option<Columns> {
    let mut understood: Vec<Columns> = header_splits(content)
        .iter()
        .filter_map(|(_, names)| Columns::of_header(names.iter().map(String::as_str)).ok())
        .collect();
    let same = understood.iter().position(|columns| columns.names.len() == count);
    (!understood.is_empty()).then(|| understood.swap_remove(same.unwrap_or(0)))
}

/// A header that is understood, with the separator that fits the row under it.
fn header<'t>(line: Line<'t>, content: &'t str, after: &Lines<'t>) -> Option<Heading<'t>> {
    let mut first_understood = None;
    for (own, names) in header_splits(content) {
        let Ok(mut columns) = Columns::of_header(names.iter().map(String::as_str)) else {
            continue;
        };
        let mut rows = after.clone();
        if let Some(with_units) = units_row(&columns.names, own, &rows) {
            columns = Columns::of_header(with_units.iter().map(String::as_str)).ok()?;
            rows.next();
        }
        let heading = |separator| Heading {
            columns: columns.clone(),
            separator,
            header_line: Some(line.number),
            rows: rows.clone(),
        };
        let row = rows.clone().find(|row| remark(row.text).is_none());
        let fitting = row.and_then(|row| row_separator(own, row.text, &columns));
        if let Some(separator) = fitting {
            return Some(heading(separator));
        }
        first_understood.get_or_insert_with(|| heading(own));
    }
    first_understood
}

/// The ways of taking a header apart. Names may have blanks in them: two blanks separate better than one, and a
/// unit in brackets belongs to the name before it.
fn header_splits(content: &str) -> Vec<(Separator, Vec<String>)> {
    let mut splits = Vec::new();
    for separator in [';', '\t', ','] {
        if content.contains(separator) {
            let separator = Separator::Character(separator);
            let mut fields = Vec::new();
            separator.split(content, &mut fields);
            splits.push((separator, fields.into_iter().map(str::to_owned).collect()));
        }
    }
    let wide = content.split("  ").map(str::trim).filter(|name| !name.is_empty());
    splits.push((Separator::Blanks, wide.map(str::to_owned).collect()));
    let mut names: Vec<String> = Vec::new();
    for word in content.split_whitespace() {
        match names.last_mut() {
            Some(name) if word.starts_with(['(', '[', '/']) || name.ends_with('/') => {
                name.push(' ');
                name.push_str(word);
            }
            _ => names.push(word.to_owned()),
        }
    }
    splits.push((Separator::Blanks, names));
    splits
}

/// The names with the units that stand in the line under them, where it holds units and nothing else.
fn units_row(names: &[String], separator: Separator, rows: &Lines<'_>) -> Option<Vec<String>> {
    let line = rows.clone().next()?;
    let mut units = Vec::new();
    separator.split(line.text, &mut units);
    let said = units.iter().filter(|unit| !unit.is_empty()).count();
    if said < 2 || units.len() < names.len() || !units.iter().all(|unit| names::is_unit(unit)) {
        return None;
    }
    Some(with_units(names, &units))
}

/// Names with units beside them: `Freq (Hz)`.
pub(super) fn with_units(names: &[String], units: &[&str]) -> Vec<String> {
    let mut units = units.iter().copied().chain(std::iter::repeat(""));
    let beside = |name: &String| match units.next().map(|unit| unit.trim_matches(['(', ')', '[', ']'])) {
        Some(unit) if !unit.is_empty() && !unit.starts_with('#') => format!("{name} ({unit})"),
        _ => name.clone(),
    };
    names.iter().map(beside).collect()
}

/// What separates a row so that the needed columns are numbers.
fn row_separator(own: Separator, row: &str, columns: &Columns) -> Option<Separator> {
    let mut fields = Vec::new();
    let mut shorter = None;
    for separator in std::iter::once(own).chain(SEPARATORS) {
        separator.split(row, &mut fields);
        while fields.len() > columns.names.len() && fields.last().is_some_and(|field| field.is_empty()) {
            fields.pop();
        }
        let mut numbers = Numbers::new(separator != Separator::Character(','));
        let mut number = |field: &&str| matches!(numbers.read(field), Number::Value(_) | Number::Missing);
        let fits = (columns.last_required() + 1..=columns.names.len()).contains(&fields.len())
            && number(&fields[columns.frequency.index])
            && number(&fields[columns.last_required()]);
        if fits && fields.len() == columns.names.len() {
            return Some(separator);
        }
        if fits {
            shorter.get_or_insert(separator);
        }
    }
    shorter
}

/// The separator of a line of three and more numbers, and how many there are.
fn numbers(content: &str) -> Option<(Separator, usize)> {
    let mut fields = Vec::new();
    SEPARATORS.into_iter().find_map(|separator| {
        separator.split(content, &mut fields);
        let mut numbers = Numbers::new(separator != Separator::Character(','));
        let first_is_value = matches!(
            fields.first().map(|field| numbers.read(field)),
            Some(Number::Value(_))
        );
        let all = fields
            .iter()
            .all(|field| matches!(numbers.read(field), Number::Value(_) | Number::Missing));
        (fields.len() >= 3 && first_is_value && all).then_some((separator, fields.len()))
    })
}

fn count_of(separator: Separator, content: &str) -> usize {
    let mut fields = Vec::new();
    separator.split(content, &mut fields);
    fields.len()
}

/// How many names of a line are those of a spectrum.
fn known_names(content: &str) -> usize {
    header_splits(content)
        .iter()
        .map(|(_, names)| names.iter().filter(|name| names::meaning(name).is_some()).count())
        .max()
        .unwrap_or(0)
}

/// A table without header, unless the line before it looks like one that is not understood.
fn without_header<'t>(
    source: Source<'t>,
    first: Line<'t>,
    before: Option<Line<'t>>,
    rows: Lines<'t>,
) -> Result<Heading<'t>, ReadError> {
    let Some((separator, count)) = numbers(first.text) else {
        return Err(not_found(source, Some(first)));
    };
    if let Some(line) = before {
        let is_remark = remark(line.text).is_some();
        let content = remark(line.text).unwrap_or(line.text);
        let same_count = |names: &[String]| names.len() == count;
        if let Some((_, names)) = header_splits(content)
            .into_iter()
            .find(|(_, names)| same_count(names))
            && (!is_remark || known_names(content) >= 2)
            && let Err(message) = Columns::of_header(names.iter().map(String::as_str))
        {
            let message = format!("{message}; rename them: f/Hz, Z'/Ohm, Z''/Ohm");
            return Err(ReadError::in_line(source.file, line.number, message));
        }
    }
    if separator == Separator::Character(',')
        && (4..=6).contains(&count)
        && !first.text.contains(['.', 'e', 'E'])
    {
        return Err(ReadError::in_line(
            source.file,
            first.number,
            "commas separate here, or are decimal signs: it cannot be told which; write a header, or separate by \
             semicolons",
        ));
    }
    Ok(Heading {
        columns: Columns::unnamed(count),
        separator,
        header_line: None,
        rows,
    })
}

fn not_found(source: Source<'_>, line: Option<Line<'_>>) -> ReadError {
    const NEEDED: &str = "three columns are needed: frequency / Hz, Z' / ohm, Z'' / ohm";
    let Some(line) = line else {
        return ReadError::in_line(source.file, 1, format!("there is no point; {NEEDED}"));
    };
    let content = remark(line.text).unwrap_or(line.text);
    let names = header_splits(content)
        .into_iter()
        .map(|(_, names)| names)
        .find(|names| names.len() >= 2);
    let reason = names.map(|names| Columns::of_header(names.iter().map(String::as_str)));
    match reason {
        Some(Err(message)) => ReadError::in_line(source.file, line.number, format!("{message}; {NEEDED}")),
        _ => ReadError::in_line(
            source.file,
            line.number,
            format!("there is no table of a spectrum; {NEEDED}"),
        ),
    }
}
