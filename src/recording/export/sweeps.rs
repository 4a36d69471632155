//! One file a sweep, for programs that read spectra.

use std::collections::BTreeMap;

use super::staging::Staging;
use super::{ExportError, Taker};
use crate::event::{Event, EventBody};
use crate::files::{self, FileSpectrum, Format};
use crate::spectrum::Point;

/// The sweep that is being gathered, and where it goes.
pub(super) struct Sweeps {
    format: Format,
    extension: &'static str,
    sweep: u32,
    points: Vec<Point>,
    /// What is to be said, and of which sweeps.
    remarks: BTreeMap<String, Vec<u32>>,
}

impl Sweeps {
    /// `sweep_00001.z` and so on.
    pub(super) fn z_plot() -> Self {
        Self::of(Format::ZPlot, "z")
    }

    /// `sweep_00001.mpt` and so on.
    pub(super) fn ec_lab_text() -> Self {
        Self::of(Format::EcLabText, "mpt")
    }

    fn of(format: Format, extension: &'static str) -> Self {
        Self {
            format,
            extension,
            sweep: 0,
            points: Vec::new(),
            remarks: BTreeMap::new(),
        }
    }

    fn remark(&mut self, remark: String) {
        self.remarks.entry(remark).or_default().push(self.sweep);
    }

    /// Writes the sweep that is gathered, if there is one.
    fn write(&mut self, staging: &mut Staging) -> Result<(), ExportError> {
        let points = std::mem::take(&mut self.points);
        if points.is_empty() {
            return Ok(());
        }
        let usable = points.iter().filter(|point| point.is_usable()).count();
        let spectrum = FileSpectrum {
            name: String::new(),
            spectrum: points.into(),
        };
        let mut bytes = Vec::new();
        match files::write(self.format, &[spectrum], &mut bytes) {
            Ok(remarks) => {
                let name = format!("sweep_{:05}.{}", self.sweep, self.extension);
                staging.put(&name, "points", usable, &bytes)?;
                for remark in remarks {
                    self.remark(remark);
                }
            }
            Err(error) => self.remark(format!("{error}: no file")),
        }
        Ok(())
    }
}

/// `sweep 3`, `sweeps 3, 5`, `130 sweeps from 1 to 130`.
fn listed(sweeps: &[u32]) -> String {
    const MOST: usize = 8;
    let words: Vec<String> = sweeps.iter().map(u32::to_string).collect();
    match sweeps {
        [only] => format!("sweep {only}"),
        [first, .., last] if sweeps.len() > MOST => {
            format!("{} sweeps from {first} to {last}", sweeps.len())
        }
        _ => format!("sweeps {}", words.join(", ")),
    }
}

impl Taker for Sweeps {
    fn take(&mut self, event: &Event, staging: &mut Staging) -> Result<(), ExportError> {
        match &event.body {
            EventBody::Point(measured) => {
                if measured.sweep != self.sweep {
                    self.write(staging)?;
                    self.sweep = measured.sweep;
                }
                self.points.push(measured.point.clone());
            }
            EventBody::SweepEnded(ended) if ended.sweep == self.sweep && !self.points.is_empty() => {
                if !ended.complete {
                    self.remark("not complete".to_owned());
                }
                self.write(staging)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, staging: &mut Staging) -> Result<Vec<String>, ExportError> {
        if !self.points.is_empty() {
            self.remark("not complete".to_owned());
        }
        self.write(staging)?;
        let remarks = std::mem::take(&mut self.remarks).into_iter();
        Ok(remarks
            .map(|(remark, sweeps)| format!("{}: {remark}", listed(&sweeps)))
            .collect())
    }
}
