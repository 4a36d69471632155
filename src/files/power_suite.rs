//! PowerSuite text: `Frequency`, `Zre`, `Zimg` separated by tabs and a blank, lines often ended by CR LF CR. Z'' has its
//! true sign.

use super::delimited;
use super::error::ReadError;
use super::reading::{Format, ReadOptions, Reading};
use super::text::{Lines, Source};

pub(super) fn recognise(head: &str) -> bool {
    Lines::of(head).next().is_some_and(|line| {
        let names: Vec<&str> = line.text.split('\t').map(str::trim).collect();
        names.starts_with(&["Frequency", "Zre", "Zimg"])
    })
}

pub(super) fn read(source: Source<'_>, options: &ReadOptions) -> Result<Reading, ReadError> {
    delimited::read_as(Format::PowerSuite, source, options)
}
