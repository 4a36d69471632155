//! Methods, one file each, that turn spectra into numbers with errors. No I/O, no clock, no async.

pub mod candidates;
pub mod doubt;
pub mod drt;
pub mod fit;
pub mod guess;
pub mod instant;
pub mod kramers_kronig;
pub mod noise;
pub mod point_time;
pub mod rank;
pub mod repeats;
pub mod selection;
pub mod zhit;
