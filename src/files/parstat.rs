//! Parstat text (VersaStudio export): `Potential (V)`, `Current (A)`, `Elapsed Time (s)`, `Frequency (Hz)`, `Zre (ohms)`,
//! `Zim (ohms)`, `|Vac| (V)`, `|Iac| (A)`, separated by tabs. Rows of direct current have the frequency 0. Z'' has its true sign.

use super::delimited;
use super::error::ReadError;
use super::reading::{Format, ReadOptions, Reading};
use super::text::{Lines, Source};

pub(super) fn recognise(head: &str) -> bool {
    Lines::of(head).next().is_some_and(|line| {
        line.text.contains("Potential (V)")
            && line.text.contains("Zre (ohms)")
            && line.text.contains("|Vac| (V)")
    })
}

pub(super) fn read(source: Source<'_>, options: &ReadOptions) -> Result<Reading, ReadError> {
    delimited::read_as(Format::Parstat, source, options)
}
