//! Spectra in files of other programs, one file a format.

pub mod delimited;
