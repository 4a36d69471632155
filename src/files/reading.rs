//! What a file holds.

use crate::spectrum::Spectrum;

use super::error::ReadError;
use super::text::Source;

/// A format of spectrum files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Columns of text: frequency / Hz, Z' / ohm, Z'' / ohm.
    Plain,
    /// BioLogic EC-Lab text, `.mpt`.
    EcLabText,
    /// BioLogic EC-Lab binary, `.mpr`.
    EcLabBinary,
    /// Gamry, `.DTA`.
    Gamry,
    /// ZPlot and ZView, `.z`.
    ZPlot,
    /// Princeton VersaStudio, `.par`.
    VersaStudio,
    /// Autolab text.
    Autolab,
    /// PowerSuite text.
    PowerSuite,
    /// CH Instruments text.
    ChInstruments,
    /// Parstat text.
    Parstat,
    /// Eco Chemie, `.dfr`.
    EcoChemieDfr,
    /// Eco Chemie, `.P00`.
    EcoChemieP00,
    /// Ivium, `.idf`.
    Ivium,
    /// PalmSens PSTrace, `.pssession`.
    PalmSens,
    /// A recording of this program, whose sweeps are spectra.
    Recording,
}

impl Format {
    /// What people call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Plain => "plain text",
            Self::EcLabText => "EC-Lab text (.mpt)",
            Self::EcLabBinary => "EC-Lab binary (.mpr)",
            Self::Gamry => "Gamry (.DTA)",
            Self::ZPlot => "ZPlot (.z)",
            Self::VersaStudio => "VersaStudio (.par)",
            Self::Autolab => "Autolab text",
            Self::PowerSuite => "PowerSuite text",
            Self::ChInstruments => "CH Instruments text",
            Self::Parstat => "Parstat text",
            Self::EcoChemieDfr => "Eco Chemie (.dfr)",
            Self::EcoChemieP00 => "Eco Chemie (.P00)",
            Self::Ivium => "Ivium (.idf)",
            Self::PalmSens => "PalmSens (.pssession)",
            Self::Recording => "a recording",
        }
    }
}

/// One spectrum of a file, with what the file says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct FileSpectrum {
    /// What tells it from the others of its file: `cycle 3`; empty where it is the only one.
    pub name: String,
    /// The points, in the order of the file; those that the file itself calls bad carry their status.
    pub spectrum: Spectrum,
}

/// What was found in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What the file was taken for.
    pub format: Format,
    /// Its spectra in order. At least one, and none of them empty.
    pub spectra: Vec<FileSpectrum>,
    /// What was decided or noticed while reading, in words: the sign of Z'', an aborted run, rows passed over.
    pub remarks: Vec<String>,
    /// What ended the reading before the end of the file. The spectra before it are whole, but for one case: where a
    /// text is cut off in the middle of a row and does not tell how many rows there should be, the last spectrum
    /// holds the rows before this one.
    pub broken: Option<ReadError>,
}

/// What a reader may be asked for beyond the spectra.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The column of a text that holds the standard error of one component of Z in ohm, by its name, or by its
    /// number from 1 where there is no header: it goes into `Point::std_error_ohm`.
    pub sigma_column: Option<String>,
    /// Whether, where no column is named, one of plain text that is called as standard errors are (`sigma`, `sd / ohm`)
    /// is taken for it.
    pub any_sigma: bool,
}

/// A format of text: how it is recognised from its beginning, and read.
pub(super) struct TextEntry {
    /// What it is.
    pub format: Format,
    /// Whether a text that begins so is of this format.
    pub recognise: fn(&str) -> bool,
    /// Reads it.
    pub read: fn(Source<'_>, &ReadOptions) -> Result<Reading, ReadError>,
}

/// A format: how it is recognised and read.
pub(super) struct FormatEntry {
    /// What it is.
    pub format: Format,
    /// Whether these bytes are of this format.
    pub recognise: fn(&[u8]) -> bool,
    /// Reads them; the name of the file is for errors.
    pub read: fn(&str, &[u8]) -> Result<Reading, ReadError>,
}
