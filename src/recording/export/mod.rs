//! A recording as files for other programs.
//!
//! The events are read in order and in pieces, up to the last one that was on disk when the export began: a running
//! session is not disturbed, and what is exported is that of one moment. Memory does not grow with the recording.

mod battery_data;
mod staging;
mod sweeps;
mod tables;

use std::path::{Path, PathBuf};

use super::error::ReadError;
use super::reader::Reader;
use crate::event::Event;

pub use battery_data::ChargeSign;
pub use staging::{Exported, Part, Staging};

/// What a recording is exported as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Tables of comma-separated columns, one a kind of event.
    Csv,
    /// The event lines.
    Jsonl,
    /// ZPlot text, one file a sweep.
    ZPlot,
    /// EC-Lab text, one file a sweep.
    EcLabText,
    /// Battery Data Format: samples in time, and the points in an extension of it.
    BatteryData,
}

/// Why a recording was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The recording cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The folder cannot be made.
    #[error("cannot make the folder {}: {source}; check that the folder above it exists and may be written to", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is there already.
    #[error("{} exists already and nothing is written; choose another folder, or replace it with --force", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}; nothing half-written is left behind; check the space on the disk and that the folder may be written to", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is nothing of what the format holds.
    #[error("{}: there is {what}; nothing is written", path.display())]
    Nothing {
        /// The recording.
        path: PathBuf,
        /// What there is not, in words.
        what: &'static str,
    },
}

impl ExportError {
    fn write(path: &Path, source: std::io::Error) -> Self {
        Self::Write {
            path: path.to_path_buf(),
            source,
        }
    }
}

/// What takes the events one after the other.
trait Taker {
    /// Takes the next event.
    fn take(&mut self, event: &Event, staging: &mut Staging) -> Result<(), ExportError>;

    /// Ends what is begun; gives back what was left out, in words.
    fn finish(&mut self, staging: &mut Staging) -> Result<Vec<String>, ExportError>;
}

/// Writes what a recording holds up to the event number `until` into `staging`; `progress` is told after some thousand
/// events each how many are done. Gives back what could not be written or has no place in the format, in words.
///
/// # Errors
/// The recording cannot be read, a file is there already, the disk does not take a file, or there is nothing to write.
pub fn export(
    reader: &mut Reader,
    format: ExportFormat,
    staging: &mut Staging,
    until: u64,
    mut progress: impl FnMut(u64),
) -> Result<Vec<String>, ExportError> {
    let mut taker: Box<dyn Taker> = match format {
        ExportFormat::Csv => Box::new(tables::Tables::default()),
        ExportFormat::Jsonl => Box::new(tables::Lines::default()),
        ExportFormat::ZPlot => Box::new(sweeps::Sweeps::z_plot()),
        ExportFormat::EcLabText => Box::new(sweeps::Sweeps::ec_lab_text()),
        ExportFormat::BatteryData => Box::new(battery_data::BatteryData::new(reader)?),
    };
    const PIECE: u64 = 4096;
    for event in reader.events(0).until(until) {
        let event = event?;
        taker.take(&event, staging)?;
        if event.seq % PIECE == 0 {
            progress(event.seq);
        }
    }
    let remarks = taker.finish(staging)?;
    if staging.is_empty() {
        let what = match format {
            ExportFormat::Csv | ExportFormat::Jsonl => "no event in it",
            ExportFormat::ZPlot | ExportFormat::EcLabText => "no sweep with a usable point in it",
            ExportFormat::BatteryData => {
                "no sample of potential and current in it, which is what the format holds; its points can be exported as \
                 csv, z or mpt"
            }
        };
        return Err(ExportError::Nothing {
            path: reader.path().to_path_buf(),
            what,
        });
    }
    Ok(remarks)
}
