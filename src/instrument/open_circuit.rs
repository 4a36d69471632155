//! The potential of a resting cell, from readings in time.

/// An open-circuit potential.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenCircuit {
    /// Potential in V: median of the last quarter of the readings, so that one damaged reading moves nothing.
    pub potential_v: f64,
    /// Readings that were usable.
    pub readings: u32,
    /// Slope over all readings in V/s; none for fewer than three.
    pub drift_v_per_s: Option<f64>,
}

impl OpenCircuit {
    /// From readings of time in s and potential in V; none where there are none.
    #[must_use]
    pub fn of(readings: &[(f64, f64)]) -> Option<Self> {
        let last = &readings[readings.len() - readings.len().div_ceil(4)..];
        if last.is_empty() {
            return None;
        }
        let mut potentials: Vec<f64> = last.iter().map(|(_, potential)| *potential).collect();
        potentials.sort_by(f64::total_cmp);
        let middle = potentials.len() / 2;
        let potential_v = match potentials.len() % 2 {
            0 => f64::midpoint(potentials[middle - 1], potentials[middle]),
            _ => potentials[middle],
        };
        Some(Self {
            potential_v,
            readings: u32::try_from(readings.len()).unwrap_or(u32::MAX),
            drift_v_per_s: slope(readings),
        })
    }
}

/// Slope of a straight line by least squares; none for fewer than three readings or no time between them.
fn slope(readings: &[(f64, f64)]) -> Option<f64> {
    if readings.len() < 3 {
        return None;
    }
    let n = readings.len() as f64;
    let mean_t = readings.iter().map(|(t, _)| t).sum::<f64>() / n;
    let mean_v = readings.iter().map(|(_, v)| v).sum::<f64>() / n;
    let covariance: f64 = readings.iter().map(|(t, v)| (t - mean_t) * (v - mean_v)).sum();
    let variance: f64 = readings.iter().map(|(t, _)| (t - mean_t).powi(2)).sum();
    (variance > 0.0).then(|| covariance / variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drifting_potential_is_that_of_the_end_with_its_slope() {
        let readings: Vec<_> = (0..8)
            .map(|k| (f64::from(k), 3.7 - 0.01 * f64::from(k)))
            .collect();
        let result = OpenCircuit::of(&readings).unwrap();
        assert!((result.potential_v - 3.635).abs() < 1e-12, "mean of the last two");
        assert!((result.drift_v_per_s.unwrap() + 0.01).abs() < 1e-12);
        assert_eq!(result.readings, 8);
    }

    #[test]
    fn one_damaged_reading_moves_no_potential() {
        let mut readings: Vec<_> = (0..10).map(|k| (f64::from(k), 3.7)).collect();
        readings[8].1 = 62.0;
        assert_eq!(OpenCircuit::of(&readings).unwrap().potential_v, 3.7);
    }

    #[test]
    fn one_reading_has_a_potential_and_no_drift_and_none_has_nothing() {
        let result = OpenCircuit::of(&[(0.0, 0.62)]).unwrap();
        assert_eq!((result.potential_v, result.drift_v_per_s), (0.62, None));
        assert_eq!(OpenCircuit::of(&[]), None);
        assert_eq!(slope(&[(0.0, 1.0), (0.0, 2.0), (0.0, 3.0)]), None);
    }
}
