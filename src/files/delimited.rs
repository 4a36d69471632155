//! Plain text: frequency / Hz, Z' / ohm, Z'' / ohm (true sign) in columns, with or without a header,
//! separated by commas, semicolons, tabs or blanks, with a decimal comma where that is unambiguous. With a header
//! the columns may stand in any order, be negated, be modulus and phase, and have prefixed units. Several spectra
//! are told apart by a column `spectrum`, `sweep` or `cycle`, by a repeated header, by blank lines, or by
//! frequencies that start again, or stand side by side under names that come again. Lines that begin with `#` or `%` are remarks.

use super::columns::Columns;
use super::error::ReadError;
use super::gathering::{Gathering, looks_inductive};
use super::heading::{self, Heading, remark};
use super::reading::{Format, ReadOptions, Reading};
use super::rows::{Fault, Rows};
use super::text::{Line, Source};

/// Reads all spectra of a plain text.
pub(super) fn read(source: Source<'_>, options: &ReadOptions) -> Result<Reading, ReadError> {
    read_as(Format::Plain, source, options)
}

/// Reads all spectra of a table with a header that tells the meaning of its columns, as a file of a format.
pub(super) fn read_as(
    format: Format,
    source: Source<'_>,
    options: &ReadOptions,
) -> Result<Reading, ReadError> {
    let heading = heading::find(source)?;
    let mut gathering = Gathering::new(source.file, format);
    introduce(&mut gathering, &heading);
    let true_sign = heading.header_line.is_none() || turns_no_sign(&heading.columns);
    let separator = heading.separator;
    let mut sets = heading.columns.side_by_side();
    if let Some(wanted) = &options.sigma_column {
        let line = heading.header_line.unwrap_or(1);
        for columns in &mut sets {
            let taken = columns.take_std_error(wanted);
            taken.map_err(|message| ReadError::in_line(source.file, line, message))?;
        }
    } else if options.any_sigma {
        for columns in &mut sets {
            if let Some(name) = columns.take_likely_std_error() {
                gathering.remark(format!(
                    "{name:?} is taken for the standard error of one component of Z"
                ));
            }
        }
    }
    let mut table = Table {
        tables: sets
            .into_iter()
            .map(|columns| Rows::new(source.file, columns, separator))
            .collect(),
        blocks: Blocks::default(),
        options,
    };
    if table.tables.len() > 1 {
        table.tables = table.tables.into_iter().map(Rows::beside_others).collect();
    }
    let mut fault = None;
    let mut latest = None;
    for line in heading.rows {
        latest = Some(line);
        if let Err(found) = table.read(line) {
            fault = Some(found);
            break;
        }
    }
    if format == Format::Plain && fault.is_none() && table.tables.iter().any(Rows::commas_are_ambiguous) {
        return Err(ReadError::whole_file(
            source.file,
            "every comma in its numbers stands before exactly three digits: 1,000 may be 1 or 1000, and which cannot be \
             told; write the numbers with a decimal point and nothing between thousands",
        ));
    }
    // A remark, a title or the names of a further block.
    if let Some(line) = latest.filter(|line| line.open && fault.is_none())
        && table.tables.iter().all(|rows| rows.open_end().is_none())
    {
        gathering.remark(format!(
            "line {} has no end: if the file was cut off there, further spectra are missing",
            line.number
        ));
    }
    if table
        .blocks
        .blank_lines_mean_nothing(&table.tables, fault.is_some())
    {
        table.tables.iter_mut().for_each(Rows::merge_groups);
    }
    if table.tables.len() > 1 {
        gathering.add_tables_side_by_side(table.tables);
    } else {
        for rows in table.tables {
            match heading.header_line {
                Some(_) => gathering.add_table("", rows),
                None => gathering.add_unnamed_table("", rows),
            }
        }
    }
    let mut reading = gathering.finish(fault)?;
    if true_sign && format == Format::Plain {
        remark_on_sign(&mut reading);
    }
    Ok(reading)
}

/// A table as it is read: one spectrum, or several side by side.
struct Table<'t, 'o> {
    tables: Vec<Rows<'t>>,
    blocks: Blocks,
    options: &'o ReadOptions,
}

impl<'t> Table<'t, '_> {
    fn read(&mut self, line: Line<'t>) -> Result<(), Fault> {
        let of_one_spectrum = |rows: &Rows<'_>| rows.columns().spectrum.is_none() && rows.has_points();
        if line.after_blank && self.tables.iter().any(of_one_spectrum) {
            self.blocks.by_blank_line = true;
            self.begin_block("");
        }
        if let Some(content) = remark(line.text) {
            self.begin_at_header(content);
            return Ok(());
        }
        let Err(fault) = self.read_row(line) else {
            return Ok(());
        };
        if self.begin_at_header(line.text) {
            return Ok(());
        }
        if line.after_blank && !self.tables.iter().any(|rows| rows.begins_like_row(line.text)) {
            self.blocks.by_name = true;
            self.begin_block(line.text.trim());
            return Ok(());
        }
        Err(fault)
    }

    fn read_row(&mut self, line: Line<'t>) -> Result<(), Fault> {
        self.tables.iter_mut().try_for_each(|rows| rows.read(line))
    }

    fn begin_block(&mut self, name: &str) {
        for rows in &mut self.tables {
            rows.begin_block(name, None);
        }
    }

    /// Whether a line is a further header; then a further block of rows begins.
    fn begin_at_header(&mut self, content: &str) -> bool {
        let count = self.tables.first().map_or(0, |rows| rows.columns().names.len());
        let Some(columns) = heading::repeated_header(content, count) else {
            return false;
        };
        let mut sets = columns.side_by_side();
        if sets.len() != self.tables.len() {
            return false;
        }
        for columns in &mut sets {
            if let Some(wanted) = &self.options.sigma_column
                && columns.take_std_error(wanted).is_err()
            {
                return false;
            }
        }
        self.blocks.by_name = true;
        for (rows, columns) in self.tables.iter_mut().zip(sets) {
            rows.begin_block("", Some(columns));
        }
        true
    }
}

/// What made blocks of the rows.
#[derive(Default)]
struct Blocks {
    by_blank_line: bool,
    by_name: bool,
}

impl Blocks {
    /// Blank lines separate spectra, unless there is one after every row or so. What is read of an incomplete
    /// last spectrum says nothing.
    fn blank_lines_mean_nothing(&self, tables: &[Rows<'_>], incomplete: bool) -> bool {
        const FEWEST_POINTS: usize = 2;
        let is_small = |rows: &Rows<'_>| rows.smallest_group(incomplete) < FEWEST_POINTS;
        self.by_blank_line && !self.by_name && tables.iter().all(is_small)
    }
}

fn introduce(gathering: &mut Gathering<'_>, heading: &Heading<'_>) {
    if heading.header_line.is_none() {
        let count = heading.columns.names.len();
        let which = if count > 3 {
            format!("the first three of {count} columns")
        } else {
            "the columns".to_owned()
        };
        gathering.remark(format!(
            "there is no header: {which} are taken for frequency / Hz, Z' / ohm and Z'' / ohm with its true sign"
        ));
    }
}

fn turns_no_sign(columns: &Columns) -> bool {
    use super::columns::Impedance::{Cartesian, Polar};
    match columns.impedance {
        Cartesian { imaginary, .. } => imaginary.factor > 0.0,
        Polar { phase, .. } => phase.factor > 0.0,
    }
}

/// The sign is never guessed; but it is said where it looks wrong.
fn remark_on_sign(reading: &mut Reading) {
    let all = reading.spectra.len();
    let inductive = reading
        .spectra
        .iter()
        .filter(|of| looks_inductive(&of.spectrum.points))
        .count();
    if inductive > 0 {
        let which = if all > 1 {
            format!(" in {inductive} of {all} spectra")
        } else {
            String::new()
        };
        reading.remarks.push(format!(
            "Z'' is positive at low frequency{which}: the data look inductive, or the sign is reversed; if it is, \
             name the column -Z''"
        ));
    }
}
