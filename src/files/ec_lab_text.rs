//! BioLogic EC-Lab and BT-Lab text, `.mpt`: the number of header lines in the second line, settings in columns of
//! 20 characters, the names of the columns in the last header line, then rows separated by tabs. Z'' is stored
//! negated (`-Im(Z)/Ohm`), the amplitude as zero to peak; `time/s` is when a point ended. Several spectra follow
//! each other with a `cycle number`. Techniques that also do other things (Modulo Bat) have rows of frequency 0
//! between the spectra.

use std::f64::consts::SQRT_2;

use super::columns::Columns;
use super::error::ReadError;
use super::gathering::Gathering;
use super::number::single;
use super::reading::{Format, ReadOptions, Reading};
use super::rows::{Rows, Separator};
use super::text::{Lines, Source};

/// Values of settings begin here, in characters.
const NAME_WIDTH: usize = 20;

pub(super) fn recognise(head: &str) -> bool {
    let line = head.lines().next().unwrap_or_default().to_ascii_lowercase();
    line.starts_with("ec-lab ") || line.starts_with("bt-lab ")
}

pub(super) fn read(source: Source<'_>, options: &ReadOptions) -> Result<Reading, ReadError> {
    let mut lines = Lines::of(source.text);
    let title = lines.next().map_or("", |line| line.text.trim());
    if !title.to_ascii_lowercase().ends_with("ascii file") {
        let message =
            format!("this is an {title:?}, which holds no data: export the data as text, or read the .mpr");
        return Err(ReadError::in_line(source.file, 1, message));
    }
    let header_line = lines
        .clone()
        .next()
        .and_then(|line| line.text.split_once(':'))
        .and_then(|(_, count)| count.trim().parse::<usize>().ok())
        .ok_or_else(|| {
            let message = "\"Nb header lines : \" and a number must stand here";
            ReadError::in_line(source.file, 2, message)
        })?;
    let mut settings = Settings::default();
    let header = loop {
        let line = lines.next().ok_or_else(|| {
            let message = format!("the file ends before the names of the columns in line {header_line}");
            ReadError::whole_file(source.file, message)
        })?;
        if line.number >= header_line {
            break line;
        }
        settings.read(line.text);
    };
    let refuse = |message: String| ReadError::in_line(source.file, header.number, message);
    let mut columns = Columns::of_header(header.text.split('\t')).map_err(|message| {
        let of = settings.technique.unwrap_or("a technique without impedance");
        refuse(format!("{message} ({of})"))
    })?;
    // Numbers of half cycles and the like are no spectra of their own.
    columns.spectrum = columns
        .names
        .iter()
        .position(|name| name.eq_ignore_ascii_case("cycle number"));
    if let Some(wanted) = &options.sigma_column {
        columns.take_std_error(wanted).map_err(refuse)?;
    }
    let mut gathering = Gathering::new(source.file, Format::EcLabText);
    let mut rows = Rows::new(source.file, columns, Separator::Character('\t'));
    let fault = lines.find_map(|line| rows.read(line).err());
    gathering.add_table("", rows);
    settings.apply(&mut gathering);
    gathering.stamps_are_ends();
    gathering.finish(fault)
}

/// What of the head of the file is of use.
#[derive(Default)]
struct Settings<'t> {
    technique: Option<&'t str>,
    /// `Va (mV)` of each sequence.
    potential_mv: Vec<f64>,
    /// `Ia` of each sequence, and its unit.
    current: Vec<f64>,
    current_unit: &'t str,
}

impl<'t> Settings<'t> {
    fn read(&mut self, line: &'t str) {
        if line.contains("Electrochemical Impedance") && self.technique.is_none() {
            self.technique = Some(line.trim());
            return;
        }
        let Some((end, _)) = line.char_indices().nth(NAME_WIDTH) else {
            return;
        };
        let (name, values) = line.split_at(end);
        let name: Vec<&str> = name.split_whitespace().collect();
        let numbers = || values.split_whitespace().filter_map(single).collect();
        match name.as_slice() {
            ["Va", "(mV)"] => self.potential_mv = numbers(),
            ["Ia"] => self.current = numbers(),
            ["unit", "Ia"] => self.current_unit = values.split_whitespace().next().unwrap_or_default(),
            ["Ia", unit] if unit.starts_with('(') => {
                self.current_unit = unit.trim_matches(['(', ')']);
                self.current = numbers();
            }
            _ => {}
        }
    }

    fn apply(&self, gathering: &mut Gathering<'_>) {
        let galvanostatic = self
            .technique
            .is_some_and(|technique| technique.contains("Galvano"));
        let (values, scale) = if galvanostatic {
            let scale = match self.current_unit {
                "A" => 1.0,
                "mA" => 1e-3,
                "µA" | "uA" | "μA" => 1e-6,
                "nA" => 1e-9,
                _ => return,
            };
            (&self.current, scale)
        } else {
            (&self.potential_mv, 1e-3)
        };
        let Some(&first) = values.first().filter(|value| **value > 0.0) else {
            return;
        };
        if values.iter().any(|value| (value - first).abs() > 1e-9 * first) {
            gathering.remark("the amplitude differs between sequences and is not taken over");
            return;
        }
        let rms = first * scale / SQRT_2;
        let name = if galvanostatic {
            format!("Ia of {first} {}", self.current_unit)
        } else {
            format!("Va of {first} mV")
        };
        let unit = if galvanostatic { "A" } else { "V" };
        gathering.remark(format!(
            "the amplitude {name} is zero to peak: {rms:.4e} {unit} rms"
        ));
        gathering.for_points(0, |point| {
            if galvanostatic {
                point.amplitude_arms = Some(rms);
            } else {
                point.amplitude_vrms = Some(rms);
            }
        });
    }
}
