//! Spectra of a file as they are put together, and what is to be said of them at the end.

use crate::spectrum::{Point, PointStatus};

use super::error::ReadError;
use super::reading::{FileSpectrum, Format, Reading};
use super::rows::{Fault, Rows};
use super::text::shown;

/// Frequencies this close are the same, relative: instruments round them.
const SAME_FREQUENCY: f64 = 1e-3;

/// What has been read of a file so far.
#[derive(Debug)]
pub(super) struct Gathering<'t> {
    file: &'t str,
    format: Format,
    spectra: Vec<FileSpectrum>,
    remarks: Vec<String>,
    interleaved: bool,
}

impl<'t> Gathering<'t> {
    /// Nothing yet of a file.
    pub fn new(file: &'t str, format: Format) -> Self {
        Self {
            file,
            format,
            spectra: Vec::new(),
            remarks: Vec::new(),
            interleaved: false,
        }
    }

    /// Adds a remark, once.
    pub fn remark(&mut self, remark: impl Into<String>) {
        let remark = shown(remark.into());
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// How many spectra there are.
    pub fn count(&self) -> usize {
        self.spectra.len()
    }

    /// Adds one spectrum as it is; nothing where it has no point.
    pub fn add(&mut self, name: impl Into<String>, points: Vec<Point>) {
        if !points.is_empty() {
            self.spectra.push(FileSpectrum {
                name: shown(name.into()),
                spectrum: points.into(),
            });
        }
    }

    /// Adds the spectra of a table, each taken apart where its frequencies start again.
    pub fn add_table(&mut self, name: &str, rows: Rows<'_>) {
        for remark in rows.columns().remarks() {
            self.remark(remark);
        }
        self.add_unnamed_table(name, rows);
    }

    /// As [`Gathering::add_table`], without saying which column is which.
    pub fn add_unnamed_table(&mut self, name: &str, rows: Rows<'_>) {
        if let Some(end) = rows.open_end() {
            self.remark(format!(
                "line {} has no end: if the file was cut off there, digits of column {} and further rows are missing",
                end.line, end.column
            ));
        }
        let (groups, interleaved) = rows.finish();
        self.interleaved |= interleaved;
        for group in groups {
            let name = joined(name, &group.name);
            let sweeps = sweeps(group.points);
            let several = sweeps.len() > 1;
            if several {
                let of = if name.is_empty() {
                    String::new()
                } else {
                    format!(" of {name}")
                };
                self.remark(format!(
                    "the frequencies{of} start again: taken for {} spectra",
                    sweeps.len()
                ));
            }
            for (index, points) in sweeps.into_iter().enumerate() {
                let sweep = if several {
                    format!("sweep {}", index + 1)
                } else {
                    String::new()
                };
                self.add(joined(&name, &sweep), points);
            }
        }
    }

    /// Adds tables whose rows stand side by side, each with a name; none of them is whole before all end.
    pub fn add_tables_side_by_side(&mut self, tables: Vec<Rows<'_>>) {
        self.interleaved = true;
        self.remark(format!(
            "the header names the same columns {} times: taken for so many spectra side by side",
            tables.len()
        ));
        for rows in tables {
            let (one, other) = rows.columns().components();
            let name = format!("columns {} and {}", one.index + 1, other.index + 1);
            self.add_table(&name, rows);
        }
    }

    /// For formats that write 0 where the time is not known: a sweep in no time was not timed.
    pub fn no_time_is_no_stamp(&mut self) {
        for of in &mut self.spectra {
            let points = &mut of.spectrum.points;
            if points.len() > 1 && points.iter().all(|point| point.t_start_s == Some(0.0)) {
                points.iter_mut().for_each(|point| point.t_start_s = None);
            }
        }
    }

    /// For formats that stamp the end of a point: each begins when the one before it ended, and of the first
    /// the file does not say.
    pub fn stamps_are_ends(&mut self) {
        for of in &mut self.spectra {
            let mut end = None;
            for point in &mut of.spectrum.points {
                end = std::mem::replace(&mut point.t_start_s, end);
            }
        }
    }

    /// Applies something to every point so far: an amplitude that stands in the head of the file.
    pub fn for_points(&mut self, from_spectrum: usize, mut change: impl FnMut(&mut Point)) {
        for spectrum in self.spectra.iter_mut().skip(from_spectrum) {
            spectrum.spectrum.points.iter_mut().for_each(&mut change);
        }
    }

    /// The reading. A fault in the middle of a spectrum takes this spectrum away; a row that is cut off at the end
    /// of a table of unknown length takes itself away only.
    ///
    /// # Errors
    /// Where no spectrum is left: the fault, or that no row has a frequency.
    pub fn finish(mut self, fault: Option<Fault>) -> Result<Reading, ReadError> {
        if let Some(fault) = &fault
            && !fault.cut
        {
            if self.interleaved {
                self.spectra.clear();
            } else if !fault.begins_spectrum {
                self.spectra.pop();
            }
        }
        let rows: usize = self.spectra.iter().map(|of| of.spectrum.points.len()).sum();
        self.spectra.retain(|of| {
            let mut points = of.spectrum.points.iter();
            points.any(|point| point.frequency_hz > 0.0)
        });
        let broken = fault.map(|fault| fault.error);
        if self.spectra.is_empty() {
            return Err(broken.unwrap_or_else(|| {
                let message = if rows == 0 {
                    "there is a header but no point".to_owned()
                } else {
                    format!("none of the {rows} rows has a frequency above 0: there is no impedance in it")
                };
                ReadError::whole_file(self.file, message)
            }));
        }
        match self.spectra.as_mut_slice() {
            [only] => only.name.clear(),
            several => name_all(several),
        }
        self.remark_invalid(rows);
        Ok(Reading {
            format: self.format,
            spectra: self.spectra,
            remarks: self.remarks,
            broken,
        })
    }

    fn remark_invalid(&mut self, rows: usize) {
        let kept: usize = self.spectra.iter().map(|of| of.spectrum.points.len()).sum();
        if kept < rows {
            self.remark(format!(
                "{} rows without any frequency above 0 are left out",
                rows - kept
            ));
        }
        let count = |wanted: &dyn Fn(&Point) -> bool| {
            let points = self.spectra.iter().flat_map(|of| &of.spectrum.points);
            points.filter(|point| wanted(point)).count()
        };
        let zero = count(&|point| point.frequency_hz == 0.0);
        let negative = count(&|point| point.frequency_hz < 0.0);
        let missing = count(&|point| {
            point.status == PointStatus::Invalid && (point.frequency_hz > 0.0 || point.frequency_hz.is_nan())
        });
        if zero > 0 {
            self.remark(format!(
                "{zero} of {kept} rows have the frequency 0: marked as invalid"
            ));
        }
        if negative > 0 {
            self.remark(format!(
                "{negative} of {kept} rows have a frequency below 0: marked as invalid"
            ));
        }
        if missing > 0 {
            self.remark(format!(
                "{missing} of {kept} rows lack a number: marked as invalid"
            ));
        }
    }
}

/// Of several spectra each has a name.
fn name_all(spectra: &mut [FileSpectrum]) {
    for (index, of) in spectra.iter_mut().enumerate() {
        if of.name.is_empty() {
            of.name = format!("spectrum {}", index + 1);
        }
    }
}

/// Whether Z'' is positive at most of the lower half of the frequencies: inductive data, or a wrong sign.
pub(super) fn looks_inductive(points: &[Point]) -> bool {
    let mut usable: Vec<(f64, f64)> = points
        .iter()
        .filter(|point| point.is_usable())
        .map(|point| (point.frequency_hz, point.z_imag_ohm))
        .collect();
    usable.sort_by(|a, b| a.0.total_cmp(&b.0));
    let lower = &usable[..usable.len().div_ceil(2)];
    let positive = lower.iter().filter(|(_, imaginary)| *imaginary > 0.0).count();
    2 * positive > lower.len()
}

fn joined(first: &str, second: &str) -> String {
    match (first, second) {
        ("", name) | (name, "") => name.to_owned(),
        (first, second) => format!("{first}, {second}"),
    }
}

/// Takes points apart where the frequency, having run one way only, jumps back to where it began; and where, after
/// rows of frequency 0 (a rest between two sweeps), it does not go on the same way.
fn sweeps(points: Vec<Point>) -> Vec<Vec<Point>> {
    let mut starts = Vec::new();
    let mut run = Run::default();
    for (index, point) in points.iter().enumerate() {
        if run.ends_before(point.frequency_hz) {
            starts.push(index);
            run = Run::default();
        }
        run.push(point.frequency_hz);
    }
    let mut rest = points;
    let mut sweeps: Vec<Vec<Point>> = starts
        .into_iter()
        .rev()
        .map(|start| rest.split_off(start))
        .collect();
    sweeps.push(rest);
    sweeps.reverse();
    sweeps
}

/// The frequencies of a sweep so far.
#[derive(Default)]
struct Run {
    count: usize,
    first: f64,
    latest: f64,
    /// -1 downwards, 1 upwards, 0 where all are the same.
    direction: f64,
    turned: bool,
    paused: bool,
}

impl Run {
    fn ends_before(&self, frequency: f64) -> bool {
        if frequency.is_nan() || frequency <= 0.0 || self.turned || self.direction == 0.0 {
            return false;
        }
        let back = (frequency - self.latest) * self.direction < 0.0;
        let at_first = (frequency / self.first - 1.0).abs() < SAME_FREQUENCY;
        back && (self.paused || (at_first && self.count >= 3))
    }

    fn push(&mut self, frequency: f64) {
        if frequency.is_nan() || frequency <= 0.0 {
            self.paused = self.count > 0;
            return;
        }
        if self.count == 0 {
            self.first = frequency;
        } else if frequency != self.latest {
            let step = (frequency - self.latest).signum();
            self.turned |= self.direction != 0.0 && step != self.direction;
            self.direction = step;
        }
        self.paused = false;
        self.latest = frequency;
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(frequencies: &[f64]) -> Vec<usize> {
        let points = frequencies.iter().map(|f| Point::new(*f, 1.0, -1.0)).collect();
        sweeps(points).iter().map(Vec::len).collect()
    }

    #[test]
    fn sweeps_begin_where_the_frequencies_start_again() {
        assert_eq!(
            sizes(&[100.0, 10.0, 1.0, 100.0, 10.0, 1.0, 100.03, 10.0]),
            [3, 3, 2]
        );
        assert_eq!(sizes(&[1.0, 10.0, 100.0, 1.0, 10.0]), [3, 2]);
    }

    #[test]
    fn a_sweep_down_and_up_again_is_one() {
        assert_eq!(sizes(&[100.0, 10.0, 1.0, 10.0, 100.0]), [5]);
        assert_eq!(sizes(&[50.0; 6]), [6], "one frequency watched in time");
        assert_eq!(sizes(&[100.0, 10.0, 10.0, 1.0]), [4], "a repeated point");
        assert_eq!(sizes(&[]), [0]);
    }

    #[test]
    fn a_rest_between_two_sweeps_separates_them() {
        assert_eq!(sizes(&[0.0, 100.0, 1.0, 0.0, 0.0, 80.0, 1.0]), [5, 2]);
        assert_eq!(sizes(&[100.0, 10.0, f64::NAN, 1.0]), [4], "a lost point does not");
    }

    #[test]
    fn the_lower_half_decides_whether_data_look_inductive() {
        let points = |imaginary: [f64; 4]| -> Vec<Point> {
            let frequencies = [1000.0, 100.0, 10.0, 1.0];
            frequencies
                .into_iter()
                .zip(imaginary)
                .map(|(f, imaginary)| Point::new(f, 1.0, imaginary))
                .collect()
        };
        assert!(looks_inductive(&points([-1.0, -1.0, 1.0, 1.0])));
        assert!(!looks_inductive(&points([1.0, 1.0, -1.0, -1.0])));
        assert!(!looks_inductive(&[]));
    }
}
