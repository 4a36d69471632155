//! Peaks of a distribution of relaxation times: a dense row of arcs of a single time constant beside the
//! circuit's other terms, sizes by ridge regression that allows none to be negative.

use super::Guess;
use super::geometry::fill_gaps;
use super::gram_grid::Entry;
use super::solve::{Gram, non_negative};
use super::term::{relaxation, time_window};

/// Relaxation times of the distribution.
const TIMES: usize = 50;
/// Ridge on the normalised columns of the distribution.
const RIDGE: f64 = 1e-4;

impl Guess<'_> {
    /// A start whose arcs stand at the highest peaks; none for a circuit without arcs, or with a nested group.
    #[must_use]
    pub fn relaxation_times(&self) -> Option<Vec<f64>> {
        let arcs = self.terms.iter().filter(|term| term.is_arc).count();
        if arcs == 0 || !self.has_units() {
            return None;
        }
        let (low, high) = time_window(self.target.grid());
        let ln_taus: Vec<f64> = (0..TIMES)
            .map(|i| low + (high - low) * i as f64 / (TIMES - 1) as f64)
            .collect();
        let mut columns: Vec<Vec<f64>> = ln_taus
            .iter()
            .map(|&ln_tau| self.single_relaxation(ln_tau))
            .collect();
        let others: Vec<Vec<Entry>> = self
            .terms
            .iter()
            .map(|term| {
                if term.is_arc {
                    Vec::new()
                } else {
                    self.entries(term, 0, 1)
                }
            })
            .collect();
        columns.extend(others.iter().flatten().map(|entry| entry.column.clone()));
        let gram = Gram::new(&columns, &self.target.column, |_, _| true);
        let ridge: Vec<f64> = (0..columns.len())
            .map(|i| if i < TIMES { RIDGE } else { 1e-10 })
            .collect();
        let coefficients = non_negative(&gram, &ridge);
        let sizes: Vec<f64> = coefficients[..TIMES]
            .iter()
            .enumerate()
            .map(|(i, &c)| gram.size(i, c))
            .collect();
        let mut peaks = peaks(&ln_taus, &sizes);
        fill_gaps(&mut peaks, arcs, low, high);
        let mut chosen = Vec::new();
        let mut first = TIMES;
        for entries in &others {
            let range = first..first + entries.len();
            first = range.end;
            let best = range
                .clone()
                .max_by(|&a, &b| coefficients[a].total_cmp(&coefficients[b]));
            chosen.push(best.map(|column| entries[column - range.start].unit.clone()));
        }
        Some(self.start_with_arcs(&peaks, &chosen))
    }

    /// The weighted column of an arc of a single time constant and 1 ohm.
    fn single_relaxation(&self, ln_tau: f64) -> Vec<f64> {
        let points = self.target.points();
        let numbers = 2 * points;
        let kind = relaxation(false);
        let (mut column, mut derivatives) = (vec![0.0; numbers], vec![0.0; 2 * numbers]);
        let (real, imaginary) = column.split_at_mut(points);
        (kind.fill)(
            &[1.0, ln_tau.exp()],
            self.target.grid(),
            &mut crate::circuit::element::Columns {
                real,
                imaginary,
                derivatives: &mut derivatives,
            },
        );
        for half in column.chunks_exact_mut(points) {
            for (value, weight) in half.iter_mut().zip(&self.target.weights) {
                *value *= weight;
            }
        }
        column
    }
}

/// ln tau of the centres of the distribution's peaks, the largest first.
fn peaks(ln_taus: &[f64], sizes: &[f64]) -> Vec<f64> {
    let mut found: Vec<(f64, f64)> = Vec::new();
    let (mut area, mut moment) = (0.0, 0.0);
    for (i, (&ln_tau, &size)) in ln_taus.iter().zip(sizes).enumerate() {
        let rises_again = i > 1 && size > sizes[i - 1] && sizes[i - 1] < sizes[i - 2];
        if (size == 0.0 || rises_again) && area > 0.0 {
            found.push((area, moment / area));
            (area, moment) = (0.0, 0.0);
        }
        area += size;
        moment += size * ln_tau;
    }
    if area > 0.0 {
        found.push((area, moment / area));
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, ln_tau)| ln_tau).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_parted_at_gaps_and_valleys() {
        let ln_taus: Vec<f64> = (0..10).map(f64::from).collect();
        let sizes = [0.0, 1.0, 1.0, 0.0, 0.0, 2.0, 3.0, 1.0, 4.0, 0.0];
        let peaks = peaks(&ln_taus, &sizes);
        assert_eq!(peaks.len(), 3);
        for (found, expected) in peaks.iter().zip([35.0 / 6.0, 8.0, 1.5]) {
            assert!((found - expected).abs() < 1e-12, "{peaks:?}");
        }
    }
}
