//! From a minimum that is not good enough: one term at a time is taken away and put where it helps most, while
//! all others keep their shapes.

use super::Guess;
use super::solve::{Gram, Work};

/// Places at which an arc is tried.
const TIMES: usize = 20;

impl Guess<'_> {
    /// Starts that differ from `start` in the place of one term, the most promising first; none for a circuit with
    /// a nested group.
    #[must_use]
    pub fn relocations(&self, start: &[f64]) -> Vec<Vec<f64>> {
        if !self.has_units() {
            return Vec::new();
        }
        let units: Vec<Vec<f64>> = self
            .terms
            .iter()
            .map(|term| term.unit_parameters(&term.shape_of(start)))
            .collect();
        let fixed: Vec<Vec<f64>> = self
            .terms
            .iter()
            .zip(&units)
            .map(|(term, unit)| self.target.column_of(self.circuit, term, unit))
            .collect();
        let count = self.terms.len();
        let held: Vec<Option<f64>> = self.terms.iter().map(|term| term.held_size).collect();
        let mut work = Work::default();
        let mut found: Vec<(f64, Vec<f64>)> = Vec::new();
        for (moved, term) in self
            .terms
            .iter()
            .enumerate()
            .filter(|(_, term)| term.has_free_time())
        {
            let entries = self.entries(term, TIMES, 1);
            let mut columns = fixed.clone();
            columns.extend(entries.iter().map(|entry| entry.column.clone()));
            let gram = Gram::new(&columns, &self.target.column, |i, j| i < count || j < count);
            let mut chosen: Vec<usize> = (0..count).collect();
            let residuals: Vec<f64> = (0..entries.len())
                .map(|entry| {
                    chosen[moved] = count + entry;
                    gram.solve(&chosen, &held, &mut work)
                })
                .collect();
            let best = (0..entries.len()).min_by(|&a, &b| residuals[a].total_cmp(&residuals[b]));
            let Some(best) = best.filter(|&best| residuals[best].is_finite()) else {
                continue;
            };
            chosen[moved] = count + best;
            gram.solve(&chosen, &held, &mut work);
            let mut relocated = vec![1.0; self.circuit.parameters().len()];
            for (place, term) in self.terms.iter().enumerate() {
                let unit = if place == moved {
                    &entries[best].unit
                } else {
                    &units[place]
                };
                let size = gram.size(chosen[place], work.coefficients[place].max(gram.least()));
                term.write(self.circuit, unit, term.held_size.unwrap_or(size), &mut relocated);
            }
            found.push((residuals[best], relocated));
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.into_iter().map(|(_, start)| start).collect()
    }
}
