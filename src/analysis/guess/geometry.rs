//! The tops of the arcs that the eye sees in the Nyquist plot.

use super::Guess;
use super::gram_grid::ARC_EXPONENT;
use super::solve::Work;
use super::term::time_window;
use crate::circuit::Role;

impl Guess<'_> {
    /// A start whose arcs stand at the maxima of -Z''; none for a circuit without arcs, or with a nested group.
    #[must_use]
    pub fn geometry(&self) -> Option<Vec<f64>> {
        let arcs = self.terms.iter().filter(|term| term.is_arc).count();
        if arcs == 0 || !self.has_units() || self.target.points() < 3 {
            return None;
        }
        let grid = self.target.grid();
        let mut order: Vec<usize> = (0..self.target.points()).collect();
        order.sort_by(|&a, &b| grid.omega[b].total_cmp(&grid.omega[a]));
        let height = |place: usize| -self.target.data.impedance[order[place]].im;
        let last = order.len() - 1;
        let smooth: Vec<f64> = (0..=last)
            .map(|i| 0.25 * (height(i.saturating_sub(1)) + 2.0 * height(i) + height((i + 1).min(last))))
            .collect();
        let mut tops: Vec<(f64, f64)> = (1..last)
            .filter(|&i| smooth[i] > smooth[i - 1] && smooth[i] >= smooth[i + 1])
            .map(|i| (smooth[i], -grid.ln_omega[order[i]]))
            .collect();
        tops.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut ln_taus: Vec<f64> = tops.into_iter().map(|(_, ln_tau)| ln_tau).collect();
        let (low, high) = time_window(grid);
        fill_gaps(&mut ln_taus, arcs, low, high);
        Some(self.start_with_arcs(&ln_taus, &vec![None; self.terms.len()]))
    }

    /// A start whose arcs have these ln tau, in order, and whose other terms are as given, or in the middle of
    /// what is possible.
    pub(super) fn start_with_arcs(&self, ln_taus: &[f64], others: &[Option<Vec<f64>>]) -> Vec<f64> {
        let (_, high) = time_window(self.target.grid());
        let mut sorted = ln_taus.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mut arcs = sorted.into_iter();
        let units: Vec<Vec<f64>> = self
            .terms
            .iter()
            .zip(others)
            .map(|(term, other)| match (other, &term.unit) {
                (Some(unit), _) => unit.clone(),
                (None, Some(unit)) => {
                    let own = if term.is_arc { arcs.next() } else { None };
                    let shape: Vec<f64> = unit
                        .dimensions
                        .iter()
                        .map(|dimension| {
                            let value = match dimension.role {
                                Role::Time => own.unwrap_or(high - 2.0),
                                Role::Exponent => ARC_EXPONENT,
                                _ => 0.0,
                            };
                            value.clamp(dimension.lower, dimension.upper)
                        })
                        .collect();
                    term.unit_parameters(&shape)
                }
                (None, None) => vec![1.0; term.parameters.len()],
            })
            .collect();
        self.sized(&units, &mut Work::default()).1
    }
}

/// Makes it `count` time constants: drops the last, or adds in the widest gap.
pub(super) fn fill_gaps(ln_taus: &mut Vec<f64>, count: usize, low: f64, high: f64) {
    ln_taus.truncate(count);
    while ln_taus.len() < count {
        let mut edges = ln_taus.clone();
        edges.extend([low, high]);
        edges.sort_by(f64::total_cmp);
        let middle = edges
            .windows(2)
            .max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])))
            .map_or(low, |gap| 0.5 * (gap[0] + gap[1]));
        ln_taus.push(middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_filled_where_they_are_widest() {
        let mut ln_taus = vec![2.0];
        fill_gaps(&mut ln_taus, 3, 0.0, 10.0);
        assert_eq!(ln_taus, [2.0, 6.0, 8.0]);
        fill_gaps(&mut ln_taus, 1, 0.0, 10.0);
        assert_eq!(ln_taus, [2.0]);
    }
}
