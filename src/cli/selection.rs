//! Which points of a spectrum count: `--fmin`, `--fmax`, `--drop`.

use clap::Args;

use super::values;
use crate::spectrum::{PointStatus, Spectrum};

/// Which points count.
#[derive(Debug, Args)]
pub(super) struct SelectionArgs {
    /// Leave out points below this frequency
    #[arg(long, value_name = "HZ", allow_negative_numbers = true, value_parser = frequency)]
    fmin: Option<f64>,
    /// Leave out points above this frequency
    #[arg(long, value_name = "HZ", allow_negative_numbers = true, value_parser = frequency)]
    fmax: Option<f64>,
    /// Leave out a point: its index from 0 (7), or the nearest to a frequency (50Hz, 1.5kHz)
    #[arg(long, value_name = "INDEX|HZ", allow_negative_numbers = true, value_parser = drop)]
    drop: Vec<Drop>,
}

/// A point that does not count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Drop {
    /// By its place in the file, from 0.
    Index(usize),
    /// The one nearest to a frequency in Hz.
    Frequency(f64),
}

/// Which points count.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Selection {
    fmin_hz: Option<f64>,
    fmax_hz: Option<f64>,
    dropped: Vec<Drop>,
}

impl SelectionArgs {
    pub(super) fn selection(&self) -> Selection {
        Selection {
            fmin_hz: self.fmin,
            fmax_hz: self.fmax,
            dropped: self.drop.clone(),
        }
    }
}

impl Selection {
    /// The spectrum with all its points, of which those that do not count are marked.
    pub(super) fn apply(&self, mut spectrum: Spectrum) -> Spectrum {
        let mut left_out: Vec<usize> = Vec::new();
        for drop in &self.dropped {
            match drop {
                Drop::Index(index) => left_out.push(*index),
                Drop::Frequency(wanted) => {
                    let distance = |frequency: f64| (frequency / wanted).ln().abs();
                    let positive = spectrum
                        .points
                        .iter()
                        .enumerate()
                        .filter(|(_, point)| point.frequency_hz > 0.0);
                    left_out.extend(
                        positive
                            .min_by(|(_, a), (_, b)| {
                                distance(a.frequency_hz).total_cmp(&distance(b.frequency_hz))
                            })
                            .map(|(index, _)| index),
                    );
                }
            }
        }
        for (index, point) in spectrum.points.iter_mut().enumerate() {
            // A hair's breadth, so that 1e5 keeps the point that a device calls 99999.99.
            let below = self
                .fmin_hz
                .is_some_and(|limit| point.frequency_hz < limit * (1.0 - 1e-6));
            let above = self
                .fmax_hz
                .is_some_and(|limit| point.frequency_hz > limit * (1.0 + 1e-6));
            if below || above || left_out.contains(&index) {
                point.status = PointStatus::Invalid;
            }
        }
        spectrum
    }
}

fn frequency(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let number = text
        .strip_suffix("Hz")
        .or_else(|| text.strip_suffix("hz"))
        .unwrap_or(text);
    let value = values::number(number)?;
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err("a frequency is a finite number above zero".to_owned())
    }
}

/// A whole number is an index; anything else is a frequency.
fn drop(text: &str) -> Result<Drop, String> {
    match text.trim().parse() {
        Ok(index) => Ok(Drop::Index(index)),
        Err(_) => frequency(text).map(Drop::Frequency),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spectrum::Point;

    #[test]
    fn a_whole_number_is_an_index_and_anything_else_a_frequency() {
        assert_eq!(drop("7"), Ok(Drop::Index(7)));
        for (text, hz) in [
            ("50Hz", 50.0),
            ("50.0", 50.0),
            ("1.5kHz", 1500.0),
            ("1e3", 1000.0),
            ("2k", 2000.0),
        ] {
            assert_eq!(drop(text), Ok(Drop::Frequency(hz)), "{text}");
        }
        assert!(drop("-3").is_err() && drop("all").is_err());
    }

    #[test]
    fn points_that_do_not_count_are_marked_and_stay() {
        let spectrum = Spectrum::from(
            [1e5, 1e4, 1e3, 1e2, 1e1]
                .map(|f| Point::new(f, 1.0, -1.0))
                .to_vec(),
        );
        let selection = Selection {
            fmin_hz: Some(100.0),
            fmax_hz: Some(1e4),
            dropped: vec![Drop::Frequency(900.0)],
        };
        let usable: Vec<bool> = selection
            .apply(spectrum)
            .points
            .iter()
            .map(Point::is_usable)
            .collect();
        assert_eq!(usable, [false, true, false, true, false]);
    }
}
