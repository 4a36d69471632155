//! From a minimum that may not be the best: one term is taken away and put where it helps most, while all others
//! keep their shapes, or beside another arc, so that the two share what that one explained alone.

use super::Guess;
use super::solve::{Gram, Work};
use super::term::Term;
use crate::circuit::Role;

/// Places at which an arc is tried.
const TIMES: usize = 20;
/// Different places for each term that are handed on.
const PLACES: usize = 2;
/// How far two arcs stand to either side of the one that they replace, in ln tau, and their exponent.
const HALF_SPLIT: f64 = 1.0;
const SPLIT_EXPONENT: f64 = 0.9;

/// A start with its residual before any search.
type Candidate = (f64, Vec<f64>);

/// The terms as they are.
struct Present {
    units: Vec<Vec<f64>>,
    shapes: Vec<Vec<f64>>,
    columns: Vec<Vec<f64>>,
    held: Vec<Option<f64>>,
}

impl Guess<'_> {
    /// The most promising starts that differ from `start` in the place of one term; none for a circuit with a
    /// nested group.
    #[must_use]
    pub fn relocations(&self, start: &[f64]) -> Vec<Vec<f64>> {
        if !self.has_units() {
            return Vec::new();
        }
        let shapes: Vec<Vec<f64>> = self.terms.iter().map(|term| term.shape_of(start)).collect();
        let units: Vec<Vec<f64>> = self
            .terms
            .iter()
            .zip(&shapes)
            .map(|(term, shape)| term.unit_parameters(shape))
            .collect();
        let columns = self
            .terms
            .iter()
            .zip(&units)
            .map(|(term, unit)| self.target.column_of(self.circuit, term, unit))
            .collect();
        let held = self.terms.iter().map(|term| term.held_size).collect();
        let present = Present {
            units,
            shapes,
            columns,
            held,
        };
        let mut found = Vec::new();
        for (moved, term) in self
            .terms
            .iter()
            .enumerate()
            .filter(|(_, term)| term.has_free_time())
        {
            found.extend(self.elsewhere(&present, moved, term));
        }
        found.extend(self.splits(&present));
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.truncate(self.shapes() + 2);
        found.into_iter().map(|(_, start)| start).collect()
    }

    /// The best places of one term among all others.
    fn elsewhere(&self, present: &Present, moved: usize, term: &Term<'_>) -> Vec<Candidate> {
        let count = self.terms.len();
        let entries = self.entries(term, TIMES, 1);
        let mut columns = present.columns.clone();
        columns.extend(entries.iter().map(|entry| entry.column.clone()));
        let gram = Gram::new(&columns, &self.target.column, |i, j| i < count || j < count);
        let mut work = Work::default();
        let mut chosen: Vec<usize> = (0..count).collect();
        let residuals: Vec<f64> = (0..entries.len())
            .map(|entry| {
                chosen[moved] = count + entry;
                gram.solve(&chosen, &present.held, &mut work)
            })
            .collect();
        let is_lowest_around = |i: usize| {
            residuals[i].is_finite()
                && (i == 0 || residuals[i] <= residuals[i - 1])
                && (i + 1 == residuals.len() || residuals[i] < residuals[i + 1])
        };
        let mut lowest: Vec<usize> = (0..residuals.len()).filter(|&i| is_lowest_around(i)).collect();
        lowest.sort_by(|&a, &b| residuals[a].total_cmp(&residuals[b]));
        lowest.truncate(PLACES);
        let mut units = present.units.clone();
        lowest
            .into_iter()
            .map(|entry| {
                chosen[moved] = count + entry;
                units[moved].clone_from(&entries[entry].unit);
                self.candidate(&gram, &chosen, &units, &present.held, &mut work)
            })
            .collect()
    }

    /// Each arc in turn taken away and put beside each other one, to share its place.
    fn splits(&self, present: &Present) -> Vec<Candidate> {
        let arcs: Vec<usize> = (0..self.terms.len())
            .filter(|&i| self.terms[i].is_arc && self.terms[i].has_free_time())
            .collect();
        let mut found = Vec::new();
        let mut work = Work::default();
        let chosen: Vec<usize> = (0..self.terms.len()).collect();
        for &split in &arcs {
            for &moved in arcs.iter().filter(|&&moved| moved != split) {
                let mut units = present.units.clone();
                let mut columns = present.columns.clone();
                for (index, distance) in [(split, -HALF_SPLIT), (moved, HALF_SPLIT)] {
                    let term = &self.terms[index];
                    units[index] = term.unit_parameters(&beside(term, present.shapes[split][0] + distance));
                    columns[index] = self.target.column_of(self.circuit, term, &units[index]);
                }
                let gram = Gram::new(&columns, &self.target.column, |_, _| true);
                found.push(self.candidate(&gram, &chosen, &units, &present.held, &mut work));
            }
        }
        found
    }

    fn candidate(
        &self,
        gram: &Gram,
        chosen: &[usize],
        units: &[Vec<f64>],
        held: &[Option<f64>],
        work: &mut Work,
    ) -> Candidate {
        let residual = gram.solve(chosen, held, work);
        let mut start = vec![1.0; self.circuit.parameters().len()];
        for (place, (term, unit)) in self.terms.iter().zip(units).enumerate() {
            let size = gram.size(chosen[place], work.coefficients[place].max(gram.least()));
            term.write(self.circuit, unit, held[place].unwrap_or(size), &mut start);
        }
        (residual, start)
    }
}

/// The shape of an arc at this ln tau.
fn beside(term: &Term<'_>, ln_tau: f64) -> Vec<f64> {
    term.unit
        .iter()
        .flat_map(|unit| &unit.dimensions)
        .map(|dimension| {
            let value = match dimension.role {
                Role::Time => ln_tau,
                Role::Exponent => SPLIT_EXPONENT,
                _ => 0.0,
            };
            value.clamp(dimension.lower, dimension.upper)
        })
        .collect()
}
