//! CH Instruments text: date, technique, settings as `name = value`, then `Freq/Hz, Z'/ohm, Z"/ohm, Z/ohm, Phase/deg`, a blank
//! line and the rows. Z'' has its true sign. What kind of amplitude `Amplitude (V)` is, the file does not say; it
//! is not taken over.

use super::delimited;
use super::error::ReadError;
use super::reading::{Format, ReadOptions, Reading};
use super::text::Source;

pub(super) fn recognise(head: &str) -> bool {
    head.contains("A.C. Impedance") && head.contains("Instrument Model:") && head.contains("Freq/Hz")
}

pub(super) fn read(source: Source<'_>, options: &ReadOptions) -> Result<Reading, ReadError> {
    delimited::read_as(Format::ChInstruments, source, options)
}
