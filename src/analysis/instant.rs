//! Spectra of one instant from sweeps of a cell that changes while it is measured.
//!
//! A sweep reads its frequencies one after the other, so that its low end belongs to an older cell than its high
//! end. Where each point carries its time, and sweeps before and after are there, every frequency can be
//! interpolated to one time: a drift that is linear in time is removed exactly. This is the iso-frequency plane of
//! Z. Stoynov and B. Savova-Stoynov 1985, doi:10.1016/0022-0728(85)80081-1.

use crate::spectrum::{Point, Spectrum};

/// Frequencies that differ by less than this fraction are the same.
const SAME_FREQUENCY: f64 = 1e-3;

/// Why there is no spectrum of one instant.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InstantError {
    /// Interpolation needs sweeps on both sides.
    #[error("{given} sweeps are too few; an instant needs three, one before and one after")]
    TooFewSweeps {
        /// Sweeps given.
        given: usize,
    },
    /// Points without a time cannot be interpolated in time.
    #[error("sweep {sweep} of the three has points without a time; times are needed for every usable point")]
    NoTimes {
        /// Which one, from 1.
        sweep: usize,
    },
    /// Sweeps that overlap, or stand in the wrong order.
    #[error("the sweeps are not in the order of time; give them as they were measured")]
    OutOfOrder,
}

/// A spectrum as it would have been at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Instant {
    /// The time in s on the clock of the points.
    pub t_s: f64,
    /// The points; those frequencies that are not in all three sweeps are missing.
    pub spectrum: Spectrum,
    /// Largest |Z at the instant - Z as measured| over |Z as measured|, in percent: what the drift had done.
    pub largest_correction_percent: f64,
}

/// The middle one of three successive sweeps as it would have been when it began.
///
/// Each frequency is interpolated linearly between the two readings around that instant.
///
/// # Errors
/// Where times are missing or out of order.
pub fn at_start_of_middle(three: [&Spectrum; 3]) -> Result<Instant, InstantError> {
    for (index, sweep) in three.iter().enumerate() {
        if usable(sweep).any(|point| point.t_start_s.is_none_or(|t| !t.is_finite())) {
            return Err(InstantError::NoTimes { sweep: index + 1 });
        }
    }
    let begin = |sweep: &Spectrum| {
        usable(sweep)
            .filter_map(|point| point.t_start_s)
            .fold(f64::INFINITY, f64::min)
    };
    let begins = three.map(begin);
    if !(begins[0] < begins[1] && begins[1] < begins[2]) {
        return Err(InstantError::OutOfOrder);
    }
    let t_s = begins[1];
    let mut points = Vec::new();
    let mut largest = 0.0_f64;
    for middle in usable(three[1]) {
        let readings: Vec<&Point> = three
            .iter()
            .filter_map(|sweep| of_frequency(sweep, middle))
            .collect();
        let [first, second, third] = readings[..] else {
            continue;
        };
        // The reading of the middle sweep stands after the instant, or at it.
        let (before, after) = if time(second) >= t_s {
            (first, second)
        } else {
            (second, third)
        };
        let span = time(after) - time(before);
        if span <= 0.0 {
            return Err(InstantError::OutOfOrder);
        }
        let part = (t_s - time(before)) / span;
        let z = before.impedance() * (1.0 - part) + after.impedance() * part;
        largest = largest.max((z - middle.impedance()).norm() / middle.impedance().norm());
        let mut point = middle.clone();
        point.z_real_ohm = z.re;
        point.z_imag_ohm = z.im;
        point.t_start_s = Some(t_s);
        // Two independent readings, each with its part.
        point.std_error_ohm = before
            .std_error_ohm
            .zip(after.std_error_ohm)
            .map(|(before, after)| (before * (1.0 - part)).hypot(after * part));
        points.push(point);
    }
    Ok(Instant {
        t_s,
        spectrum: Spectrum { points },
        largest_correction_percent: 100.0 * largest,
    })
}

/// Spectra of one instant for all sweeps that have a sweep before and one after.
///
/// # Errors
/// As [`at_start_of_middle`], and where there are fewer than three sweeps.
pub fn instants(sweeps: &[Spectrum]) -> Result<Vec<Instant>, InstantError> {
    if sweeps.len() < 3 {
        return Err(InstantError::TooFewSweeps { given: sweeps.len() });
    }
    sweeps
        .windows(3)
        .map(|three| at_start_of_middle([&three[0], &three[1], &three[2]]))
        .collect()
}

/// Gives the first point of a sweep a time where it alone has none, as in files that tell when a point ended: it
/// lasted as long as the second.
pub fn complete_first_time(sweep: &mut Spectrum) {
    let [first, second, third, ..] = sweep.points.as_mut_slice() else {
        return;
    };
    if let (None, Some(second), Some(third)) = (first.t_start_s, second.t_start_s, third.t_start_s) {
        first.t_start_s = Some(second - (third - second).max(0.0));
    }
}

/// How far a sweep lies from the one before it, frequency by frequency: frequency in Hz, and |Z - Z before| over
/// |Z before| in percent. Only frequencies that both have.
#[must_use]
pub fn changes(before: &Spectrum, after: &Spectrum) -> Vec<(f64, f64)> {
    usable(after)
        .filter_map(|point| {
            let earlier = of_frequency(before, point)?.impedance();
            let percent = 100.0 * (point.impedance() - earlier).norm() / earlier.norm();
            Some((point.frequency_hz, percent))
        })
        .collect()
}

fn usable(spectrum: &Spectrum) -> impl Iterator<Item = &Point> {
    spectrum.points.iter().filter(|point| point.is_usable())
}

fn of_frequency<'a>(spectrum: &'a Spectrum, like: &Point) -> Option<&'a Point> {
    usable(spectrum).find(|point| (point.frequency_hz / like.frequency_hz - 1.0).abs() < SAME_FREQUENCY)
}

fn time(point: &Point) -> f64 {
    point.t_start_s.unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit::Circuit;

    /// Sweeps one after the other of a cell whose impedance grows by `per_sweep` of its first value each sweep.
    fn sweeps(count: usize, per_sweep: f64) -> (Vec<Spectrum>, Vec<f64>, Circuit) {
        let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
        let frequencies: Vec<f64> = (0..71).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i))).collect();
        let length: f64 = frequencies.iter().map(|f| 1.0 / f + 0.4).sum();
        let mut clock = 100.0;
        let sweeps = (0..count)
            .map(|_| {
                let points = frequencies
                    .iter()
                    .map(|&f| {
                        let grown = 1.0 + per_sweep * (clock - 100.0) / length;
                        let z = circuit.impedance(&[10.0, 100.0, 1e-5, 0.85], f) * grown;
                        let mut point = Point::new(f, z.re, z.im);
                        point.t_start_s = Some(clock);
                        clock += 1.0 / f + 0.4;
                        point
                    })
                    .collect();
                Spectrum { points }
            })
            .collect();
        (sweeps, frequencies, circuit)
    }

    #[test]
    fn linear_drift_of_a_fifth_per_sweep_is_removed() {
        let (sweeps, frequencies, circuit) = sweeps(3, 0.2);
        let instant = at_start_of_middle([&sweeps[0], &sweeps[1], &sweeps[2]]).unwrap();
        assert_eq!(instant.spectrum.points.len(), 71);
        for (point, &f) in instant.spectrum.points.iter().zip(&frequencies) {
            let expected = circuit.impedance(&[10.0, 100.0, 1e-5, 0.85], f) * 1.2;
            assert!(
                (point.impedance() - expected).norm() < 1e-9 * expected.norm(),
                "{f}"
            );
        }
        // The last point was read nearly a sweep after the first: 1.4 against 1.2.
        assert!((10.0..17.0).contains(&instant.largest_correction_percent));
    }

    #[test]
    fn every_sweep_but_the_first_and_last_has_an_instant() {
        let (sweeps, _, _) = sweeps(6, 0.1);
        assert_eq!(instants(&sweeps).unwrap().len(), 4);
        assert_eq!(
            instants(&sweeps[..2]),
            Err(InstantError::TooFewSweeps { given: 2 })
        );
    }

    #[test]
    fn what_cannot_be_interpolated_is_refused() {
        let (mut sweeps, _, _) = sweeps(3, 0.1);
        assert_eq!(
            at_start_of_middle([&sweeps[1], &sweeps[0], &sweeps[2]]),
            Err(InstantError::OutOfOrder)
        );
        sweeps[2].points[5].t_start_s = None;
        assert_eq!(
            at_start_of_middle([&sweeps[0], &sweeps[1], &sweeps[2]]),
            Err(InstantError::NoTimes { sweep: 3 })
        );
    }

    #[test]
    fn a_first_point_without_a_time_gets_one_and_no_other_does() {
        let (mut sweeps, _, _) = sweeps(3, 0.1);
        let truth = sweeps[0].points[0].t_start_s.unwrap();
        sweeps[0].points[0].t_start_s = None;
        sweeps[1].points[4].t_start_s = None;
        for sweep in &mut sweeps {
            complete_first_time(sweep);
        }
        assert!((sweeps[0].points[0].t_start_s.unwrap() - truth).abs() < 1e-3);
        assert_eq!(sweeps[1].points[4].t_start_s, None);
        complete_first_time(&mut Spectrum::default());
    }

    #[test]
    fn changes_are_told_frequency_by_frequency() {
        let (sweeps, frequencies, _) = sweeps(2, 0.1);
        let changes = changes(&sweeps[0], &sweeps[1]);
        assert_eq!(changes.len(), 71);
        assert_eq!(changes[70].0, frequencies[70]);
        // 1.1 + 0.1 over 1 + 0.1 at the end of the sweeps.
        assert!(
            (changes[0].1 - 10.0).abs() < 0.01 && (changes[70].1 - 9.2).abs() < 0.2,
            "{changes:?}"
        );
    }

    #[test]
    fn a_frequency_that_one_sweep_lacks_is_left_out() {
        let (mut sweeps, _, _) = sweeps(3, 0.1);
        sweeps[0].points.remove(10);
        sweeps[2].points[20].status = crate::spectrum::PointStatus::Overload;
        let instant = at_start_of_middle([&sweeps[0], &sweeps[1], &sweeps[2]]).unwrap();
        assert_eq!(instant.spectrum.points.len(), 69);
    }
}
