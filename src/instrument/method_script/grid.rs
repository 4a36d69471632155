//! Which point of a sweep a package carries, told by its frequency: on a bad line packages are lost, and what
//! was damaged may still read as a number.

use crate::instrument::SweepJob;
use crate::spectrum::Point;

/// How far the frequency of a point may be from the one that was asked for, as a share of it. An EmStat4 says
/// 198.113 Hz where 200 Hz were asked for.
const TOLERANCE: f64 = 0.03;

/// What a package is in its sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The point of this number, which counts from 0.
    Point(u32),
    /// What should be the point of this number, at a frequency that the sweep does not have there: a number in
    /// it was damaged.
    Stray(u32),
    /// One more than the sweep has, or the same once more.
    Extra,
}

/// How far a sweep has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    /// Number of the point that is measured now.
    next: u32,
    /// From this number on it is not certain which points have come: a frequency did not fit, or some were
    /// passed over.
    doubtful_from: Option<u32>,
    /// Loops that have begun; each part of a sweep is one.
    loops: u32,
    /// Frequency, Z' and Z'' of the last package, bit by bit.
    last: Option<[u64; 3]>,
}

impl Grid {
    /// Number of the point that is measured now; as many as the sweep has when all have passed.
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Whether the loops of all parts have begun.
    pub fn has_begun_all(&self, job: &SweepJob) -> bool {
        self.loops as usize >= job.parts.len().max(1)
    }

    /// A loop of impedance begins, and with it the next part: whatever is missing of those before is lost.
    pub fn loop_began(&mut self, job: &SweepJob) {
        let before = job.parts.iter().take(self.loops as usize);
        let first: u32 = before.map(|part| part.n_points).sum();
        self.loops += 1;
        if self.next < first && first < job.n_points {
            self.doubtful_from.get_or_insert(self.next);
            self.next = first;
        }
    }

    /// Finds the place of a point in the sweep.
    pub fn place(&mut self, point: &Point, job: &SweepJob) -> Place {
        let numbers = [point.frequency_hz, point.z_real_ohm, point.z_imag_ohm].map(f64::to_bits);
        if self.last.replace(numbers) == Some(numbers) {
            return Place::Extra;
        }
        let expected = self.next;
        let distance = |index: u32| (point.frequency_hz / job.frequency_hz(index)).ln().abs();
        let nearest = |range: std::ops::Range<u32>| {
            range
                .filter(|index| distance(*index) <= TOLERANCE)
                .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
        };
        // The next one; else one further on, where packages were lost; else one that was passed over, where the
        // passing over was the error.
        let found = nearest(expected..job.n_points.min(expected + 1))
            .or_else(|| nearest(expected..job.n_points))
            .or_else(|| nearest(self.doubtful_from?..expected));
        let Some(index) = found else {
            if expected >= job.n_points {
                return Place::Extra;
            }
            self.doubtful_from.get_or_insert(expected);
            self.next = expected + 1;
            return Place::Stray(expected);
        };
        if index > expected {
            self.doubtful_from.get_or_insert(expected);
        } else {
            self.doubtful_from = None;
        }
        self.next = index + 1;
        Place::Point(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::{Ranging, SweepPart};

    /// Thirteen points from 1 kHz to 1 Hz.
    fn job() -> SweepJob {
        SweepJob {
            f_max_hz: 1e3,
            f_min_hz: 1.0,
            n_points: 13,
            ..SweepJob::default()
        }
    }

    fn at(frequency_hz: f64) -> Point {
        Point {
            frequency_hz,
            z_real_ohm: frequency_hz,
            ..Point::default()
        }
    }

    /// Where a sweep with these frequencies has its points.
    fn places(job: &SweepJob, frequencies_hz: impl IntoIterator<Item = f64>) -> Vec<Place> {
        let mut grid = Grid::default();
        let place = |f| grid.place(&at(f), job);
        frequencies_hz.into_iter().map(place).collect()
    }

    #[test]
    fn a_whole_sweep_has_each_point_at_its_place_although_an_instrument_is_a_hundredth_off() {
        let job = job();
        for off in [1.0, 0.9906, 1.01] {
            let came = places(&job, (0..13).map(|index| job.frequency_hz(index) * off));
            assert_eq!(came, (0..13).map(Place::Point).collect::<Vec<_>>());
        }
    }

    #[test]
    fn after_lost_points_the_others_are_at_their_places() {
        let job = job();
        let came = places(&job, [0, 1, 4, 5, 12].map(|index| job.frequency_hz(index)));
        assert_eq!(came, [0, 1, 4, 5, 12].map(Place::Point));
    }

    #[test]
    fn a_damaged_frequency_is_no_point_and_costs_no_other() {
        let job = job();
        let f = |index| job.frequency_hz(index);
        let came = places(&job, [f(0), 1.3 * f(1), f(2), f64::NAN, f(4)]);
        let expected = [
            Place::Point(0),
            Place::Stray(1),
            Place::Point(2),
            Place::Stray(3),
            Place::Point(4),
        ];
        assert_eq!(came, expected);
        // One that was damaged into that of another point.
        let came = places(&job, [f(0), f(9), f(2), f(3), f(10)]);
        assert_eq!(came, [0, 9, 2, 3, 10].map(Place::Point));
    }

    #[test]
    fn the_same_once_more_and_one_too_many_are_no_points() {
        let job = job();
        let f = |index| job.frequency_hz(index);
        assert_eq!(
            places(&job, [f(0), f(1), f(1), f(2)]),
            [Place::Point(0), Place::Point(1), Place::Extra, Place::Point(2)]
        );
        assert_eq!(places(&job, [f(12), 0.9]), [Place::Point(12), Place::Extra]);
    }

    #[test]
    fn a_part_that_begins_tells_the_place_where_parts_share_frequencies() {
        let part = |f_max_hz, f_min_hz| SweepPart {
            f_max_hz,
            f_min_hz,
            n_points: 4,
            amplitude: 0.01,
            ranging: Ranging::Pinned(1e-3),
        };
        let job = SweepJob {
            n_points: 8,
            parts: vec![part(1e3, 1.0), part(100.0, 0.1)],
            ..job()
        };
        let mut grid = Grid::default();
        grid.loop_began(&job);
        assert_eq!(grid.place(&at(1e3), &job), Place::Point(0));
        assert!(!grid.has_begun_all(&job));
        // The other three of the first part are lost.
        grid.loop_began(&job);
        assert!(grid.has_begun_all(&job));
        assert_eq!(grid.place(&at(100.0), &job), Place::Point(4));
        assert_eq!(grid.place(&at(10.0), &job), Place::Point(5));
    }
}
