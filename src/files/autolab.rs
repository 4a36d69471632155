//! Autolab NOVA text export: one table whose names carry their units, `Index`, `Frequency (Hz)`, `Z' (Ω)`, `-Z'' (Ω)`,
//! `Z (Ω)`, `-Phase (°)`, `Time (s)`, separated by semicolons, tabs or commas. Z'' and phase are negated, as the names
//! say. The older Z60W text is read by [`super::zplot`].

use super::delimited;
use super::error::ReadError;
use super::reading::{Format, ReadOptions, Reading};
use super::text::{Lines, Source};

pub(super) fn recognise(head: &str) -> bool {
    Lines::of(head).next().is_some_and(|line| {
        line.text.contains("Frequency (Hz)") && line.text.contains("-Z'' (") && line.text.contains("-Phase (")
    })
}

pub(super) fn read(source: Source<'_>, options: &ReadOptions) -> Result<Reading, ReadError> {
    delimited::read_as(Format::Autolab, source, options)
}
