//! Plain text: frequency / Hz, Z' / ohm, Z'' / ohm (true sign) in columns, with or without a header,
//! separated by commas, semicolons, tabs or blanks, with a decimal comma where that is unambiguous. With a header
//! the columns may stand in any order, be negated, be modulus and phase, and have prefixed units. Several spectra
//! are told apart by a column `spectrum`, `sweep` or `cycle`, by a repeated header, by blank lines, or by
//! frequencies that start again. Lines that begin with `#` or `%` are remarks.

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
    let mut heading = heading::find(source)?;
    take_std_error(&mut heading, source, options)?;
    let mut gathering = Gathering::new(source.file, format);
    introduce(&mut gathering, &heading);
    let true_sign = heading.header_line.is_none() || turns_no_sign(&heading.columns);
    let mut table = Table {
        rows: Rows::new(source.file, heading.columns, heading.separator),
        blocks: Blocks::default(),
        options,
    };
    let mut fault = None;
    for line in heading.rows {
        if let Err(found) = table.read(line) {
            fault = Some(found);
            break;
        }
    }
    if table
        .blocks
        .blank_lines_mean_nothing(&table.rows, fault.is_some())
    {
        table.rows.merge_groups();
    }
    if heading.header_line.is_some() {
        gathering.add_table("", table.rows);
    } else {
        gathering.add_unnamed_table("", table.rows);
    }
    let mut reading = gathering.finish(fault)?;
    if true_sign && format == Format::Plain {
        remark_on_sign(&mut reading);
    }
    Ok(reading)
}

/// A table as it is read.
struct Table<'t, 'o> {
    rows: Rows<'t>,
    blocks: Blocks,
    options: &'o ReadOptions,
}

impl<'t> Table<'t, '_> {
    fn read(&mut self, line: Line<'t>) -> Result<(), Fault> {
        if line.after_blank && self.rows.columns().spectrum.is_none() && self.rows.has_points() {
            self.blocks.by_blank_line = true;
            self.rows.begin_block("", None);
        }
        if let Some(content) = remark(line.text) {
            self.begin_at_header(content);
            return Ok(());
        }
        let Err(fault) = self.rows.read(line) else {
            return Ok(());
        };
        if self.begin_at_header(line.text) {
            return Ok(());
        }
        if line.after_blank && !self.rows.begins_like_row(line.text) {
            self.blocks.by_name = true;
            self.rows.begin_block(line.text.trim(), None);
            return Ok(());
        }
        Err(fault)
    }

    /// Whether a line is a further header; then a further block of rows begins.
    fn begin_at_header(&mut self, content: &str) -> bool {
        let count = self.rows.columns().names.len();
        let Some(mut columns) = heading::repeated_header(content, count) else {
            return false;
        };
        if let Some(wanted) = &self.options.sigma_column
            && columns.take_std_error(wanted).is_err()
        {
            return false;
        }
        self.blocks.by_name = true;
        self.rows.begin_block("", Some(columns));
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
    fn blank_lines_mean_nothing(&self, rows: &Rows<'_>, incomplete: bool) -> bool {
        const FEWEST_POINTS: usize = 2;
        self.by_blank_line && !self.by_name && rows.smallest_group(incomplete) < FEWEST_POINTS
    }
}

fn take_std_error(
    heading: &mut Heading<'_>,
    source: Source<'_>,
    options: &ReadOptions,
) -> Result<(), ReadError> {
    let Some(wanted) = &options.sigma_column else {
        return Ok(());
    };
    let line = heading.header_line.unwrap_or(1);
    heading
        .columns
        .take_std_error(wanted)
        .map_err(|message| ReadError::in_line(source.file, line, message))
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
