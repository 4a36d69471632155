//! Which points of a spectrum count: `--fmin`, `--fmax`, `--drop`.

use clap::Args;

use super::output::UsageError;
use super::values;
use crate::analysis::selection::{Drop, Excluded, Selection, SelectionError};
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

impl SelectionArgs {
    pub(super) fn selection(&self) -> Result<Selection, UsageError> {
        if let (Some(fmin), Some(fmax)) = (self.fmin, self.fmax)
            && fmin > fmax
        {
            return Err(UsageError::new(format!(
                "--fmin {fmin} lies above --fmax {fmax}: no point would be left"
            )));
        }
        Ok(Selection {
            f_min_hz: self.fmin,
            f_max_hz: self.fmax,
            dropped: self.drop.clone(),
        })
    }
}

/// The spectrum with all its points in their places, of which those that do not count are marked, and what they are.
pub(super) fn mark(
    selection: &Selection,
    mut spectrum: Spectrum,
) -> Result<(Spectrum, Excluded), SelectionError> {
    let (_, excluded) = selection.apply(&spectrum)?;
    for (place, _) in &excluded.points {
        spectrum.points[*place].status = PointStatus::Invalid;
    }
    Ok((spectrum, excluded))
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
            f_min_hz: Some(100.0),
            f_max_hz: Some(1e4),
            dropped: vec![Drop::Frequency(1005.0)],
        };
        let (marked, excluded) = mark(&selection, spectrum.clone()).unwrap();
        let usable: Vec<bool> = marked.points.iter().map(Point::is_usable).collect();
        assert_eq!(excluded.count(), 3);
        assert_eq!(usable, [false, true, false, true, false]);
        let far = Selection {
            dropped: vec![Drop::Frequency(500.0)],
            ..Selection::default()
        };
        assert!(mark(&far, spectrum).unwrap_err().to_string().contains("nearest"));
    }
}
