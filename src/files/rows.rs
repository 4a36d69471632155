//! Rows of a table, as points of spectra.

use std::collections::HashMap;

use crate::spectrum::{Point, PointStatus};

use super::columns::{Column, Columns, Impedance};
use super::cut::LastNumbers;
use super::error::ReadError;
use super::number::{Number, Numbers, is_beginning, scaled};
use super::text::Line;

/// What stands between the fields of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// One character; blanks around it do not count.
    Character(char),
    /// Any number of blanks and tabs.
    Blanks,
}

impl Separator {
    /// The fields of a line. With a separating character a field may stand in double quotes.
    pub fn split<'t>(self, line: &'t str, fields: &mut Vec<&'t str>) {
        fields.clear();
        match self {
            Self::Blanks => fields.extend(line.split_whitespace()),
            Self::Character(separator) if line.contains('"') => split_quoted(line, separator, fields),
            Self::Character(separator) => fields.extend(line.split(separator).map(str::trim)),
        }
    }
}

fn split_quoted<'t>(line: &'t str, separator: char, fields: &mut Vec<&'t str>) {
    let mut rest = line;
    loop {
        let begun = rest.trim_start_matches(' ');
        let quoted = begun.strip_prefix('"').and_then(|inside| {
            let (field, after) = inside.split_once('"')?;
            let after = after.trim_start_matches(' ');
            (after.is_empty() || after.starts_with(separator)).then_some((field, after))
        });
        let after = if let Some((field, after)) = quoted {
            fields.push(field.trim());
            after.strip_prefix(separator)
        } else if let Some((field, after)) = rest.split_once(separator) {
            fields.push(field.trim());
            Some(after)
        } else {
            fields.push(rest.trim());
            None
        };
        match after {
            Some(after) => rest = after,
            None => return,
        }
    }
}

/// A longer line is no row of a spectrum, and not worth the memory of its fields.
pub(super) const LONGEST_LINE: usize = 64 * 1024;

/// What is said of such a line.
pub(super) fn too_long() -> String {
    format!("the line is longer than {LONGEST_LINE} bytes: this is no table of a spectrum")
}

/// Why a row cannot be taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    /// What is wrong, and where.
    pub error: ReadError,
    /// Whether the file may end in the middle of this row, which then says nothing about the rows before it.
    pub cut: bool,
    /// Whether the row is the first of a further spectrum, so that all before it are whole.
    pub begins_spectrum: bool,
}

/// The points of one spectrum of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    /// What the table calls it: `cycle 3`; empty where it calls it nothing.
    pub name: String,
    /// Its points in the order of the rows.
    pub points: Vec<Point>,
}

/// Makes points of the rows of one table.
#[derive(Debug)]
pub(super) struct Rows<'t> {
    file: &'t str,
    columns: Columns,
    separator: Separator,
    numbers: Numbers,
    fields: Vec<&'t str>,
    previous_count: usize,
    groups: Vec<Group>,
    by_key: HashMap<&'t str, usize>,
    key: &'t str,
    current: Option<usize>,
    next_name: String,
    interleaved: bool,
    last_numbers: LastNumbers,
    open_end: Option<OpenEnd>,
    may_be_shorter: bool,
}

/// Where a text ends in a row that has all its fields, but no end of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenEnd {
    /// The line, from 1.
    pub line: usize,
    /// Its last field, from 1.
    pub column: usize,
}

impl<'t> Rows<'t> {
    /// For the rows under a header; `file` is for errors.
    pub fn new(file: &'t str, columns: Columns, separator: Separator) -> Self {
        Self {
            file,
            columns,
            separator,
            numbers: Numbers::new(separator != Separator::Character(',')),
            fields: Vec::new(),
            previous_count: 0,
            groups: Vec::new(),
            by_key: HashMap::new(),
            key: "",
            current: None,
            next_name: String::new(),
            interleaved: false,
            last_numbers: LastNumbers::default(),
            open_end: None,
            may_be_shorter: false,
        }
    }

    /// For one of several spectra side by side: where both components are empty, it has ended before the others.
    pub fn beside_others(mut self) -> Self {
        self.may_be_shorter = true;
        self
    }

    /// Where the text ends, if it does so in a row without the end of the line.
    pub fn open_end(&self) -> Option<OpenEnd> {
        self.open_end
    }

    /// The columns in use.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Whether every comma so far may as well stand between thousands.
    pub fn commas_are_ambiguous(&self) -> bool {
        self.numbers.commas_are_ambiguous()
    }

    /// Whether the spectrum that is being read has a point.
    pub fn has_points(&self) -> bool {
        self.current.is_some()
    }

    /// The number of points of the smallest spectrum, the last of several perhaps not counted.
    pub fn smallest_group(&self, without_last: bool) -> usize {
        let without_last = without_last && self.groups.len() > 1;
        let counted = &self.groups[..self.groups.len() - usize::from(without_last)];
        let sizes = counted.iter().map(|group| group.points.len());
        sizes.min().unwrap_or(0)
    }

    /// Makes one spectrum of all.
    pub fn merge_groups(&mut self) {
        let points = self.groups.drain(..).flat_map(|group| group.points).collect();
        self.groups.push(Group {
            name: String::new(),
            points,
        });
    }

    /// Whether a line begins with a number or has as many fields as there are columns: no title then.
    pub fn begins_like_row(&self, line: &str) -> bool {
        let mut fields = Vec::new();
        self.separator.split(line, &mut fields);
        fields.len() == self.columns.names.len()
            || fields
                .first()
                .is_none_or(|field| super::number::single(field).is_some())
    }

    /// From here on the rows belong to a further spectrum, of this name if it is not empty, with other columns perhaps.
    pub fn begin_block(&mut self, name: &str, columns: Option<Columns>) {
        if let Some(columns) = columns {
            self.columns = columns;
            self.previous_count = 0;
            self.last_numbers = LastNumbers::default();
        }
        self.by_key.clear();
        self.current = None;
        if !name.is_empty() {
            name.clone_into(&mut self.next_name);
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// Where a number is missing or is none; nothing is taken then.
    pub fn read(&mut self, line: Line<'t>) -> Result<(), Fault> {
        if line.text.len() > LONGEST_LINE {
            let error = ReadError::in_line(self.file, line.number, too_long());
            return Err(Fault {
                error,
                cut: false,
                begins_spectrum: false,
            });
        }
        let mut fields = std::mem::take(&mut self.fields);
        self.separator.split(line.text, &mut fields);
        if self.may_be_shorter && self.is_without_impedance(&fields) {
            self.fields = fields;
            return Ok(());
        }
        let key = self
            .columns
            .spectrum
            .and_then(|index| fields.get(index))
            .copied()
            .unwrap_or_default();
        let outcome = self.point(line, &fields);
        self.previous_count = fields.len();
        if line.open && outcome.is_ok() {
            self.open_end = Some(OpenEnd {
                line: line.number,
                column: fields.len(),
            });
        }
        if let Some(last) = fields.last() {
            self.last_numbers.observe(last);
        }
        self.fields = fields;
        match outcome {
            Ok(point) => {
                self.group(key).points.push(point);
                Ok(())
            }
            Err(mut fault) => {
                let known = self.columns.spectrum.is_none() || key == self.key;
                fault.begins_spectrum = !self.interleaved && (self.current.is_none() || !known);
                Err(fault)
            }
        }
    }

    fn is_without_impedance(&self, fields: &[&str]) -> bool {
        let (one, other) = self.columns.components();
        let is_empty = |column: Column| fields.get(column.index).is_some_and(|field| field.is_empty());
        is_empty(one) && is_empty(other)
    }

    /// The spectra; whether their rows took turns, so that none of them is whole before the table ends.
    pub fn finish(self) -> (Vec<Group>, bool) {
        (self.groups, self.interleaved)
    }

    fn group(&mut self, key: &'t str) -> &mut Group {
        let index = match self.current {
            Some(index) if key == self.key => index,
            _ => {
                let known = self.by_key.get(key).copied();
                self.interleaved |= known.is_some();
                let index = known.unwrap_or(self.groups.len());
                if known.is_none() {
                    let mut name = std::mem::take(&mut self.next_name);
                    if self.columns.spectrum.is_some() {
                        let own = self.name_of(key);
                        name = if name.is_empty() {
                            own
                        } else {
                            format!("{name}, {own}")
                        };
                    }
                    self.groups.push(Group {
                        name,
                        points: Vec::new(),
                    });
                }
                self.by_key.insert(key, index);
                index
            }
        };
        self.key = key;
        self.current = Some(index);
        &mut self.groups[index]
    }

    /// `cycle 3` for 3.000E+000 in a column `cycle number`.
    fn name_of(&self, key: &str) -> String {
        let title = self
            .columns
            .spectrum
            .map_or("", |index| self.columns.names[index].as_str())
            .to_lowercase();
        let word = ["cycle", "sweep"]
            .into_iter()
            .find(|word| title.contains(word))
            .unwrap_or("spectrum");
        match super::number::single(key) {
            // Numbered in the order of the file, as everywhere else: the column may count from 0.
            Some(_) if word == "spectrum" => String::new(),
            Some(number) => format!("{word} {number}"),
            None => format!("{word} {}", key.escape_debug()),
        }
    }

    fn point(&mut self, line: Line<'t>, fields: &[&'t str]) -> Result<Point, Fault> {
        let names = &self.columns.names;
        let needed = self.columns.last_required();
        if fields.len() <= needed {
            let message = format!(
                "{:?} is missing: the row has {}{}",
                names[needed],
                counted(fields.len()),
                if line.open {
                    " and no end: the file is cut off here"
                } else {
                    ""
                }
            );
            return Err(Fault {
                cut: line.last,
                ..self.wrong_field(line, needed, message)
            });
        }
        let shorter_than_before = fields.len() < self.previous_count;
        let shorter_than_header = self.previous_count == 0 && line.open;
        if line.last && fields.len() < names.len() && (shorter_than_before || shorter_than_header) {
            let message = format!(
                "the row ends here with {}, {}: the file is cut off",
                counted(fields.len()),
                if shorter_than_before {
                    format!("those before it with {}", self.previous_count)
                } else {
                    format!("the header with {}", names.len())
                },
            );
            return Err(Fault {
                cut: true,
                ..self.wrong_field(line, fields.len() - 1, message)
            });
        }
        if fields.iter().skip(names.len()).any(|field| !field.is_empty()) {
            let message = format!(
                "the row has {}, the header {}: which column is which cannot be told",
                counted(fields.len()),
                names.len()
            );
            return Err(Fault {
                error: ReadError::in_line(self.file, line.number, message),
                cut: false,
                begins_spectrum: false,
            });
        }
        let point = self.sound_point(line, fields)?;
        if let Some(last) = fields.last()
            && line.open
            && self.last_numbers.is_cut(last)
        {
            let message = format!(
                "the last number, {:?}, has fewer digits than all those above it, and the line has no end: the file is \
                 cut off",
                shortened(last)
            );
            return Err(Fault {
                cut: true,
                ..self.wrong_field(line, fields.len() - 1, message)
            });
        }
        Ok(point)
    }

    fn sound_point(&mut self, line: Line<'t>, fields: &[&'t str]) -> Result<Point, Fault> {
        let frequency = self.required(line, fields, self.columns.frequency, "the frequency")?;
        let (real, imaginary) = match self.columns.impedance {
            Impedance::Cartesian { real, imaginary } => (
                self.required(line, fields, real, "Z'")?,
                self.required(line, fields, imaginary, "Z''")?,
            ),
            Impedance::Polar { modulus, phase } => {
                let modulus = self.required(line, fields, modulus, "|Z|")?;
                let phase = self.required(line, fields, phase, "the phase")?.to_radians();
                (modulus * phase.cos(), modulus * phase.sin())
            }
        };
        let mut point = Point::new(frequency, real, imaginary);
        if frequency <= 0.0
            || [frequency, real, imaginary]
                .iter()
                .any(|value| !value.is_finite())
        {
            point.status = PointStatus::Invalid;
        } else if let Some(status) = self
            .columns
            .status
            .and_then(|index| fields.get(index))
            .and_then(|word| PointStatus::from_word(word))
        {
            point.status = status;
        }
        point.t_start_s = self.optional(fields, self.columns.time);
        point.potential_v = self.optional(fields, self.columns.potential);
        point.current_a = self.optional(fields, self.columns.current);
        point.amplitude_vrms = self.optional(fields, self.columns.amplitude_vrms);
        point.amplitude_arms = self.optional(fields, self.columns.amplitude_arms);
        point.std_error_ohm = self.std_error(line, fields)?;
        Ok(point)
    }

    fn std_error(&mut self, line: Line<'t>, fields: &[&'t str]) -> Result<Option<f64>, Fault> {
        let Some(column) = self.columns.std_error else {
            return Ok(None);
        };
        if column.index >= fields.len() {
            return Ok(None);
        }
        let value = self.required(line, fields, column, "the standard error")?;
        if value <= 0.0 {
            let message = format!("the standard error is {value}; it must be above 0");
            return Err(self.wrong_field(line, column.index, message));
        }
        Ok(value.is_finite().then_some(value))
    }

    /// NaN where the field says that there is no number.
    fn required(
        &mut self,
        line: Line<'t>,
        fields: &[&'t str],
        column: Column,
        what: &str,
    ) -> Result<f64, Fault> {
        let field = fields.get(column.index).copied().unwrap_or_default();
        let number = self.numbers.read(field);
        let cut = line.last && column.index + 1 == fields.len() && is_beginning(field);
        match number {
            Number::Value(value) => Ok(scaled(field, value, column.factor)),
            Number::Missing if !(cut && line.open) => Ok(f64::NAN),
            Number::MixedDecimals => Err(self.wrong_field(
                line,
                column.index,
                format!("{what} is {field:?}, but the numbers before it have the other decimal sign"),
            )),
            Number::Missing | Number::Text => Err(Fault {
                cut,
                ..self.wrong_field(
                    line,
                    column.index,
                    format!(
                        "{what} is {:?}, not a number{}",
                        shortened(field),
                        if cut {
                            ": the file is cut off here"
                        } else if field.contains('.') && field.contains(',') {
                            "; write numbers without signs between thousands"
                        } else {
                            ""
                        }
                    ),
                )
            }),
        }
    }

    fn optional(&mut self, fields: &[&'t str], column: Option<Column>) -> Option<f64> {
        let column = column?;
        let field = fields.get(column.index)?;
        match self.numbers.read(field) {
            Number::Value(value) => Some(scaled(field, value, column.factor)),
            _ => None,
        }
    }

    fn wrong_field(&self, line: Line<'t>, index: usize, message: String) -> Fault {
        Fault {
            error: ReadError::in_field(self.file, line.number, index + 1, message),
            cut: false,
            begins_spectrum: false,
        }
    }
}

fn counted(fields: usize) -> String {
    match fields {
        1 => "1 field".to_owned(),
        _ => format!("{fields} fields"),
    }
}

/// The beginning of a field, for a message.
fn shortened(field: &str) -> String {
    const MOST: usize = 40;
    match field.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &field[..end]),
        None => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::text::Lines;

    fn rows<'t>(header: &[&str], text: &'t str) -> (Rows<'t>, Option<Fault>) {
        let columns = Columns::of_header(header.iter().copied()).unwrap();
        let mut rows = Rows::new("a", columns, Separator::Character(','));
        for line in Lines::of(text) {
            if let Err(fault) = rows.read(line) {
                return (rows, Some(fault));
            }
        }
        (rows, None)
    }

    #[test]
    fn fields_may_stand_in_quotes() {
        let mut fields = Vec::new();
        Separator::Character(',').split(r#""a, b" , Z"/ohm,"", "c""#, &mut fields);
        assert_eq!(fields, ["a, b", "Z\"/ohm", "", "c"]);
    }

    #[test]
    fn spectra_that_take_turns_are_put_together() {
        let (rows, fault) = rows(
            &["cycle", "f", "Z'", "Z''"],
            "1,10,1,-1\n2,10,2,-1\n1,1,3,-1\n2,1,4,-1",
        );
        assert_eq!(fault, None);
        let (groups, interleaved) = rows.finish();
        assert!(interleaved);
        assert_eq!(groups[0].name, "cycle 1");
        let real: Vec<f64> = groups[1].points.iter().map(|point| point.z_real_ohm).collect();
        assert_eq!(real, [2.0, 4.0]);
    }

    #[test]
    fn a_row_cut_off_at_the_end_is_known_from_a_wrong_one() {
        for (text, cut) in [
            ("10,1,-1,5\n1,2", true),
            ("10,1,-1,5\n1,2,-1", true),
            ("10,1,-1\n1,2,-1e", true),
            ("10,1,-1\n1,2,x", false),
            ("10,1,-1\n1,2\n1,2,-1", false),
            ("10,1,-1\n1,2,-1,3,4", false),
            ("10,1,-1,0.10\n8,1,-1,0.25\n5,1,-1,0.40\n1,2,-1,0.5", true),
            ("1,2,-1", true),
        ] {
            let (_, fault) = rows(&["f", "Z'", "Z''", "t"], text);
            assert_eq!(fault.map(|fault| fault.cut), Some(cut), "{text}");
        }
    }

    #[test]
    fn where_the_text_ends_without_an_end_of_the_line_is_known() {
        let end = |text| rows(&["f", "Z'", "Z''"], text).0.open_end();
        assert_eq!(end("10,1,-1\n1,2,-1"), Some(OpenEnd { line: 2, column: 3 }));
        assert_eq!(end("10,1,-1\n1,2,-1\n"), None);
        assert_eq!(end("10,1,-1\n1,2,"), None, "that is a fault");
    }

    #[test]
    fn a_point_without_a_value_is_kept_as_invalid() {
        let (rows, fault) = rows(&["f", "Z'", "Z''"], "10,NaN,-1\n0,1,-1\n-5,1,-1\n1,2,-1\n2,1,\n");
        assert_eq!(fault, None);
        let (groups, _) = rows.finish();
        let usable: Vec<bool> = groups[0].points.iter().map(Point::is_usable).collect();
        assert_eq!(usable, [false, false, false, true, false]);
    }
}
