//! All choices of shapes from a grid, compared by a non-negative least-squares solution on one Gram matrix.

use super::Guess;
use super::random::Draw;
use super::solve::{Gram, Work};
use super::term::{Term, time_window};
use crate::circuit::Role;

/// How many choices are handed on.
const KEPT: usize = 5;
/// Most choices that are compared.
const MOST_CHOICES: usize = 2500;
/// Most and fewest time constants of an arc.
const TIMES: (usize, usize) = (20, 6);
/// Time constants of what is not an arc, such as diffusion of finite length.
const OTHER_TIMES: usize = 10;
/// Shapes of a nested group.
const NESTED_SHAPES: usize = 400;
pub(super) const ARC_EXPONENT: f64 = 0.85;
const OTHER_EXPONENTS: [f64; 3] = [0.9, 0.7, 0.5];
const RATIOS: [f64; 5] = [0.1, 0.3, 1.0, 3.0, 10.0];

/// A shape of a term, ready to be compared.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The term's parameters at unit size.
    pub unit: Vec<f64>,
    /// Its weighted column.
    pub column: Vec<f64>,
}

/// Shapes from which terms of one kind choose.
struct Class {
    /// Which terms; each choice of several is increasing, because they could change places.
    terms: Vec<usize>,
    entries: Vec<Entry>,
}

impl Guess<'_> {
    /// The best choices of shapes as starts, no two of them neighbours; none for a circuit with more terms than
    /// can be compared.
    #[must_use]
    pub fn gram_grid(&self) -> Vec<Vec<f64>> {
        let Some(classes) = self.classes() else {
            return Vec::new();
        };
        let columns: Vec<Vec<f64>> = classes
            .iter()
            .flat_map(|class| class.entries.iter().map(|entry| entry.column.clone()))
            .collect();
        let class_of: Vec<usize> = classes
            .iter()
            .enumerate()
            .flat_map(|(index, class)| class.entries.iter().map(move |_| index))
            .collect();
        let meet = |i: usize, j: usize| class_of[i] != class_of[j] || classes[class_of[i]].terms.len() > 1;
        let gram = Gram::new(&columns, &self.target.column, meet);
        let order: Vec<usize> = classes
            .iter()
            .flat_map(|class| class.terms.iter().copied())
            .collect();
        let held: Vec<Option<f64>> = order.iter().map(|&term| self.terms[term].held_size).collect();
        let mut best = Best::default();
        let mut work = Work::default();
        for_each_choice(&classes, &mut |chosen| {
            let residual = gram.solve(chosen, &held, &mut work);
            best.offer(residual, chosen, &work.coefficients);
        });
        let floor = gram.least();
        let entries: Vec<&Entry> = classes.iter().flat_map(|class| &class.entries).collect();
        best.kept
            .iter()
            .map(|choice| {
                let mut start = vec![1.0; self.circuit.parameters().len()];
                for (place, (&column, &term)) in choice.columns.iter().zip(&order).enumerate() {
                    let size = gram.size(column, choice.coefficients[place].max(floor));
                    let size = self.terms[term].held_size.unwrap_or(size);
                    self.terms[term].write(self.circuit, &entries[column].unit, size, &mut start);
                }
                start
            })
            .collect()
    }

    /// The finest grid on which all choices can be compared.
    fn classes(&self) -> Option<Vec<Class>> {
        let mut members: Vec<Vec<usize>> = Vec::new();
        for (index, term) in self.terms.iter().enumerate() {
            match members
                .iter_mut()
                .find(|class| self.terms[class[0]].is_exchangeable_with(term))
            {
                Some(class) if term.has_free_time() => class.push(index),
                _ => members.push(vec![index]),
            }
        }
        let choices = |times: usize, shrink: usize| -> usize {
            members
                .iter()
                .map(|class| {
                    binomial(
                        self.entry_count(&self.terms[class[0]], times, shrink),
                        class.len(),
                    )
                })
                .fold(1, usize::saturating_mul)
        };
        let fits = |&(times, shrink): &(usize, usize)| (1..=MOST_CHOICES).contains(&choices(times, shrink));
        let mut scales = (TIMES.1..=TIMES.0)
            .rev()
            .map(|times| (times, TIMES.0.div_ceil(times)));
        let (times, shrink) = scales.find(fits)?;
        Some(
            members
                .iter()
                .map(|class| Class {
                    entries: self.entries(&self.terms[class[0]], times, shrink),
                    terms: class.clone(),
                })
                .collect(),
        )
    }

    fn entry_count(&self, term: &Term<'_>, times: usize, shrink: usize) -> usize {
        match &term.unit {
            None => NESTED_SHAPES / (shrink * shrink),
            Some(_) => self.axes(term, times, shrink).iter().map(Vec::len).product(),
        }
    }

    pub(super) fn entries(&self, term: &Term<'_>, times: usize, shrink: usize) -> Vec<Entry> {
        let entry = |unit: Vec<f64>| Entry {
            column: self.target.column_of(self.circuit, term, &unit),
            unit,
        };
        if term.unit.is_none() {
            let mut draw = Draw::evenly();
            return (0..NESTED_SHAPES / (shrink * shrink))
                .map(|_| entry(self.nested_unit(term, &mut draw)))
                .collect();
        }
        product(&self.axes(term, times, shrink))
            .into_iter()
            .map(|shape| entry(term.unit_parameters(&shape)))
            .collect()
    }

    /// The values between which each number of the shape is chosen.
    fn axes(&self, term: &Term<'_>, times: usize, shrink: usize) -> Vec<Vec<f64>> {
        let Some(unit) = &term.unit else { return Vec::new() };
        let (low, high) = time_window(self.target.grid());
        let times = if term.is_arc { times } else { OTHER_TIMES / shrink };
        unit.dimensions
            .iter()
            .map(|dimension| {
                if dimension.is_held() {
                    return vec![dimension.lower];
                }
                let all: Vec<f64> = match dimension.role {
                    Role::Time => (0..times)
                        .map(|i| low + (high - low) * (i as f64 + 0.5) / times as f64)
                        .collect(),
                    Role::Exponent if term.is_arc => vec![ARC_EXPONENT],
                    Role::Exponent => OTHER_EXPONENTS.to_vec(),
                    _ => RATIOS.iter().map(|ratio| ratio.ln()).collect(),
                };
                let mut inside: Vec<f64> = all
                    .into_iter()
                    .map(|value| value.clamp(dimension.lower, dimension.upper))
                    .collect();
                inside.dedup();
                inside
            })
            .collect()
    }
}

fn product(axes: &[Vec<f64>]) -> Vec<Vec<f64>> {
    axes.iter().fold(vec![Vec::new()], |shapes, axis| {
        shapes
            .iter()
            .flat_map(|shape| {
                axis.iter().map(move |&value| {
                    let mut longer = shape.clone();
                    longer.push(value);
                    longer
                })
            })
            .collect()
    })
}

/// A choice of columns with its normalised sizes.
#[derive(Debug, Default)]
struct Choice {
    residual: f64,
    columns: Vec<usize>,
    coefficients: Vec<f64>,
}

/// The best choices so far, the best first.
#[derive(Debug, Default)]
struct Best {
    kept: Vec<Choice>,
}

impl Best {
    fn offer(&mut self, residual: f64, columns: &[usize], coefficients: &[f64]) {
        if !residual.is_finite()
            || (self.kept.len() == KEPT && self.kept.last().is_some_and(|worst| residual >= worst.residual))
        {
            return;
        }
        let neighbour = self.kept.iter().position(|other| {
            other
                .columns
                .iter()
                .zip(columns)
                .all(|(a, b)| a.abs_diff(*b) <= 1)
        });
        match neighbour {
            Some(index) if self.kept[index].residual <= residual => return,
            Some(index) => {
                self.kept.remove(index);
            }
            None => {}
        }
        let place = self.kept.partition_point(|other| other.residual <= residual);
        self.kept.insert(
            place,
            Choice {
                residual,
                columns: columns.to_vec(),
                coefficients: coefficients.to_vec(),
            },
        );
        self.kept.truncate(KEPT);
    }
}

/// Visits all choices of one column for each term, terms in the order of their classes.
fn for_each_choice(classes: &[Class], visit: &mut impl FnMut(&[usize])) {
    let mut ranges = Vec::new();
    let mut first = 0;
    for class in classes {
        let end = first + class.entries.len();
        for place in 0..class.terms.len() {
            // The places behind need larger columns.
            let last = end - (class.terms.len() - 1 - place);
            ranges.push((first + place, last, place > 0));
        }
        first = end;
    }
    let mut chosen = vec![0; ranges.len()];
    descend(&ranges, 0, &mut chosen, visit);
}

fn descend(
    ranges: &[(usize, usize, bool)],
    place: usize,
    chosen: &mut Vec<usize>,
    visit: &mut impl FnMut(&[usize]),
) {
    let Some(&(first, last, increasing)) = ranges.get(place) else {
        visit(chosen);
        return;
    };
    let from = if increasing { chosen[place - 1] + 1 } else { first };
    for column in from..last {
        chosen[place] = column;
        descend(ranges, place + 1, chosen, visit);
    }
}

fn binomial(n: usize, k: usize) -> usize {
    if k > n {
        return 0;
    }
    (0..k).fold(1, |product, i| product * (n - i) / (i + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(terms: usize, entries: usize) -> Class {
        let entry = Entry {
            unit: Vec::new(),
            column: Vec::new(),
        };
        Class {
            terms: (0..terms).collect(),
            entries: vec![entry; entries],
        }
    }

    #[test]
    fn choices_are_complete_distinct_and_increasing_within_a_class() {
        let classes = [class(1, 1), class(3, 6), class(1, 4)];
        let mut all = Vec::new();
        for_each_choice(&classes, &mut |chosen| all.push(chosen.to_vec()));
        assert_eq!(all.len(), binomial(6, 3) * 4);
        assert!(all.iter().all(|choice| choice[0] == 0
            && choice[1..4].windows(2).all(|pair| pair[0] < pair[1])
            && (1..7).contains(&choice[3])
            && (7..11).contains(&choice[4])));
        all.dedup();
        assert_eq!(all.len(), 80);
        assert_eq!((binomial(4, 0), binomial(2, 3)), (1, 0));
    }

    #[test]
    fn neighbours_of_a_better_choice_are_not_kept() {
        let mut best = Best::default();
        for (residual, columns) in [(3.0, [4, 9]), (2.0, [5, 9]), (2.5, [5, 10]), (4.0, [1, 9])] {
            best.offer(residual, &columns, &[1.0, 1.0]);
        }
        let kept: Vec<_> = best.kept.iter().map(|choice| choice.columns.clone()).collect();
        assert_eq!(kept, [vec![5, 9], vec![1, 9]]);
    }
}
