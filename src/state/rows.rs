//! What a state does not hold in memory, asked of whoever has it: a recording.

use super::columns::SampleRecord;
use crate::event::Stamp;
use crate::spectrum::Point;

/// A point with the seq and time of its event.
pub type PointRow = (u64, Stamp, Point);

/// The points and readings of the session that a state is of.
pub trait Rows {
    /// Why they could not be had.
    type Error;

    /// Number of readings up to a seq.
    ///
    /// # Errors
    /// They could not be had.
    fn count_samples(&mut self, until: u64) -> Result<u64, Self::Error>;

    /// The next readings after one seq and up to another, in order; none where there are no more.
    ///
    /// # Errors
    /// They could not be had.
    fn samples(&mut self, after: u64, until: u64) -> Result<Vec<SampleRecord>, Self::Error>;

    /// All points of the sweep of that number after one seq and up to another, in order.
    ///
    /// # Errors
    /// They could not be had.
    fn points(&mut self, sweep: u32, after: u64, until: u64) -> Result<Vec<PointRow>, Self::Error>;
}
