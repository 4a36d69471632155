//! Which points of a spectrum a fit is given: a range of frequencies, without single points. What is left out is
//! told together with the reason, so that it can be kept with the fit.

use thiserror::Error;

use crate::spectrum::Spectrum;

/// How far from a wanted frequency the nearest point may lie, as a fraction.
const NEAR: f64 = 0.01;
/// A hair's breadth, so that a limit of 100 kHz keeps the point that an instrument calls 99999.99 Hz.
const ROUNDING: f64 = 1e-6;

/// A point to be left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drop {
    /// By its place in the spectrum, from 0.
    Index(usize),
    /// The one nearest to a frequency in Hz, which must lie within 1 % of it.
    Frequency(f64),
}

/// Which points count. The default keeps all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Points below this frequency in Hz are left out.
    pub f_min_hz: Option<f64>,
    /// Points above this frequency in Hz are left out.
    pub f_max_hz: Option<f64>,
    /// Single points.
    pub dropped: Vec<Drop>,
}

/// Why a point was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its frequency is below the range.
    BelowRange,
    /// Its frequency is above the range.
    AboveRange,
    /// It was named.
    Dropped,
}

impl Reason {
    /// The reason in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::BelowRange => "below the lowest frequency",
            Self::AboveRange => "above the highest frequency",
            Self::Dropped => "dropped",
        }
    }
}

/// What a selection left out of a spectrum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Excluded {
    /// Place in the spectrum and reason, in order.
    pub points: Vec<(usize, Reason)>,
    /// For each point that remains its place in the whole spectrum.
    kept: Vec<usize>,
}

impl Excluded {
    /// How many points the selection left out. Those that a fit cannot use come on top.
    #[must_use]
    pub fn count(&self) -> usize {
        self.points.len()
    }

    /// The place in the whole spectrum of a point that remains, such as one that a fit has down-weighted.
    #[must_use]
    pub fn place(&self, remaining: usize) -> Option<usize> {
        self.kept.get(remaining).copied()
    }
}

/// Why a selection cannot be made.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum SelectionError {
    /// No such place.
    #[error("there is no point {index} to leave out; the spectrum has {points}, counted from 0")]
    NoSuchPoint {
        /// The place.
        index: usize,
        /// Points of the spectrum.
        points: usize,
    },
    /// No point near that frequency.
    #[error(
        "there is no point within 1 % of {wanted_hz} Hz to leave out; the nearest is point {index} at \
         {nearest_hz} Hz"
    )]
    NoPointNear {
        /// The frequency in Hz.
        wanted_hz: f64,
        /// Place of the nearest point.
        index: usize,
        /// Its frequency in Hz.
        nearest_hz: f64,
    },
    /// No point with a frequency at all, or no frequency to look for.
    #[error("there is no point near {wanted_hz} Hz to leave out: no point has a frequency to compare with")]
    NoFrequency {
        /// The frequency in Hz.
        wanted_hz: f64,
    },
    /// Limits that are no frequencies, or keep nothing.
    #[error(
        "the range {f_min_hz} to {f_max_hz} Hz holds no frequency; both limits must be above zero, the lower one \
         the smaller"
    )]
    EmptyRange {
        /// Lower limit in Hz.
        f_min_hz: f64,
        /// Upper limit in Hz.
        f_max_hz: f64,
    },
}

impl Selection {
    /// The points that count, and what was left out.
    ///
    /// # Errors
    /// Where the range is empty, or a point to leave out is not there.
    pub fn apply(&self, spectrum: &Spectrum) -> Result<(Spectrum, Excluded), SelectionError> {
        let f_min_hz = self.f_min_hz.unwrap_or(0.0);
        let f_max_hz = self.f_max_hz.unwrap_or(f64::INFINITY);
        let possible = f_min_hz >= 0.0 && f_max_hz > 0.0 && f_min_hz <= f_max_hz;
        if !possible {
            return Err(SelectionError::EmptyRange { f_min_hz, f_max_hz });
        }
        let mut dropped = vec![false; spectrum.points.len()];
        for drop in &self.dropped {
            dropped[place_of(*drop, spectrum)?] = true;
        }
        let mut excluded = Excluded::default();
        let mut kept = Vec::new();
        for (place, point) in spectrum.points.iter().enumerate() {
            let reason = if dropped[place] {
                Some(Reason::Dropped)
            } else if point.frequency_hz < f_min_hz * (1.0 - ROUNDING) {
                Some(Reason::BelowRange)
            } else if point.frequency_hz > f_max_hz * (1.0 + ROUNDING) {
                Some(Reason::AboveRange)
            } else {
                None
            };
            match reason {
                Some(reason) => excluded.points.push((place, reason)),
                None => {
                    excluded.kept.push(place);
                    kept.push(point.clone());
                }
            }
        }
        Ok((Spectrum::from(kept), excluded))
    }
}

fn place_of(drop: Drop, spectrum: &Spectrum) -> Result<usize, SelectionError> {
    let points = spectrum.points.len();
    let wanted_hz = match drop {
        Drop::Index(index) if index < points => return Ok(index),
        Drop::Index(index) => return Err(SelectionError::NoSuchPoint { index, points }),
        Drop::Frequency(wanted_hz) => wanted_hz,
    };
    let distance = |frequency_hz: f64| (frequency_hz / wanted_hz).ln().abs();
    let nearest = spectrum
        .points
        .iter()
        .enumerate()
        .map(|(index, point)| (index, point.frequency_hz, distance(point.frequency_hz)))
        .filter(|(_, _, distance)| distance.is_finite())
        .min_by(|(_, _, a), (_, _, b)| a.total_cmp(b));
    match nearest {
        None => Err(SelectionError::NoFrequency { wanted_hz }),
        Some((index, nearest_hz, _)) if (nearest_hz / wanted_hz - 1.0).abs() <= NEAR * (1.0 + 1e-9) => {
            Ok(index)
        }
        Some((index, nearest_hz, _)) => Err(SelectionError::NoPointNear {
            wanted_hz,
            index,
            nearest_hz,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spectrum::Point;

    fn spectrum() -> Spectrum {
        let frequencies = [99_999.99, 1e4, 1e3, 1e2, 10.0];
        Spectrum::from(frequencies.map(|f| Point::new(f, f, -1.0)).to_vec())
    }

    #[test]
    fn a_range_and_single_points_are_left_out_with_their_reasons() {
        let selection = Selection {
            f_min_hz: Some(50.0),
            f_max_hz: Some(1e4),
            dropped: vec![Drop::Frequency(1005.0)],
        };
        let (kept, excluded) = selection.apply(&spectrum()).unwrap();
        let frequencies: Vec<f64> = kept.points.iter().map(|point| point.frequency_hz).collect();
        assert_eq!(frequencies, [1e4, 1e2]);
        assert_eq!(
            excluded.points,
            [
                (0, Reason::AboveRange),
                (2, Reason::Dropped),
                (4, Reason::BelowRange)
            ]
        );
        assert_eq!(excluded.count(), 3);
        assert_eq!(
            (excluded.place(0), excluded.place(1), excluded.place(2)),
            (Some(1), Some(3), None)
        );
    }

    #[test]
    fn a_limit_keeps_the_point_that_it_names_however_it_was_rounded() {
        let selection = Selection {
            f_min_hz: Some(1e5),
            ..Selection::default()
        };
        assert_eq!(selection.apply(&spectrum()).unwrap().0.points.len(), 1);
    }

    #[test]
    fn nothing_asked_for_leaves_nothing_out() {
        let (kept, excluded) = Selection::default().apply(&spectrum()).unwrap();
        assert_eq!((kept, excluded.count()), (spectrum(), 0));
    }

    #[test]
    fn a_frequency_far_from_all_points_names_the_nearest() {
        let selection = |drop| Selection {
            dropped: vec![drop],
            ..Selection::default()
        };
        let error = selection(Drop::Frequency(900.0)).apply(&spectrum()).unwrap_err();
        assert_eq!(
            error,
            SelectionError::NoPointNear {
                wanted_hz: 900.0,
                index: 2,
                nearest_hz: 1e3
            }
        );
        assert!(error.to_string().contains("point 2 at 1000 Hz"), "{error}");
        assert!(matches!(
            selection(Drop::Index(5)).apply(&spectrum()),
            Err(SelectionError::NoSuchPoint { index: 5, points: 5 })
        ));
        for odd in [f64::NAN, -1.0, 0.0] {
            assert!(matches!(
                selection(Drop::Frequency(odd)).apply(&spectrum()),
                Err(SelectionError::NoFrequency { .. })
            ));
        }
    }

    #[test]
    fn a_range_that_holds_nothing_is_refused() {
        for (low, high) in [(1e4, 1e2), (f64::NAN, 1e2), (-1.0, 1e2), (1.0, 0.0)] {
            let selection = Selection {
                f_min_hz: Some(low),
                f_max_hz: Some(high),
                dropped: Vec::new(),
            };
            assert!(matches!(
                selection.apply(&spectrum()),
                Err(SelectionError::EmptyRange { .. })
            ));
        }
    }

    #[test]
    fn points_without_a_frequency_are_left_to_the_fit() {
        let mut spectrum = spectrum();
        spectrum.points.push(Point::new(f64::NAN, 1.0, 1.0));
        let selection = Selection {
            dropped: vec![Drop::Frequency(100.0)],
            ..Selection::default()
        };
        let (kept, excluded) = selection.apply(&spectrum).unwrap();
        assert_eq!(
            (kept.points.len(), excluded.points),
            (5, vec![(3, Reason::Dropped)])
        );
    }
}
