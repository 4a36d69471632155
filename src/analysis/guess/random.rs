//! Shapes drawn at random with a fixed seed, of which the most promising become starts.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Guess;
use super::solve::Work;
use super::term::{Term, is_size, time_window};
use crate::circuit::Role;

/// How many shapes are drawn for each start: more where starts cannot be refined.
const SCREENED: usize = 2;
const SCREENED_NESTED: usize = 6;

/// Numbers from 0 to 1: at random, or evenly spread over as many dimensions as are asked for.
pub(super) enum Draw {
    Random(Box<ChaCha8Rng>),
    /// J. H. Halton's sequence (1960), doi:10.1007/BF01386213.
    Even {
        index: u32,
        dimension: usize,
    },
}

const PRIMES: [u32; 16] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53];

impl Draw {
    fn randomly(seed: u64) -> Self {
        Self::Random(Box::new(ChaCha8Rng::seed_from_u64(seed)))
    }

    pub fn evenly() -> Self {
        Self::Even {
            index: 0,
            dimension: 0,
        }
    }

    /// Begins the next vector of numbers.
    fn next_vector(&mut self) {
        if let Self::Even { index, dimension } = self {
            *index += 1;
            *dimension = 0;
        }
    }

    fn unit(&mut self) -> f64 {
        match self {
            Self::Random(generator) => generator.random_range(0.0..1.0),
            Self::Even { index, dimension } => {
                let base = PRIMES[*dimension % PRIMES.len()];
                *dimension += 1;
                let (mut rest, mut value, mut digit) = (*index, 0.0, 1.0 / f64::from(base));
                while rest > 0 {
                    value += digit * f64::from(rest % base);
                    rest /= base;
                    digit /= f64::from(base);
                }
                value
            }
        }
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
}

impl Guess<'_> {
    /// The most promising of many random choices of shapes: `count` starts, others for each batch.
    #[must_use]
    pub fn random(&self, count: usize, batch: u64) -> Vec<Vec<f64>> {
        let mut draw = Draw::randomly(0x1e5 + batch);
        let screened = if self.has_units() {
            SCREENED
        } else {
            SCREENED_NESTED
        };
        let mut work = Work::default();
        let mut found: Vec<(f64, Vec<f64>)> = Vec::new();
        for _ in 0..screened * count {
            let units: Vec<Vec<f64>> = self
                .terms
                .iter()
                .map(|term| self.drawn_unit(term, &mut draw))
                .collect();
            let (residual, start) = self.sized(&units, &mut work);
            if residual.is_finite() {
                found.push((residual, start));
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.truncate(count);
        found.into_iter().map(|(_, start)| start).collect()
    }

    fn drawn_unit(&self, term: &Term<'_>, draw: &mut Draw) -> Vec<f64> {
        let Some(unit) = &term.unit else {
            return self.nested_unit(term, draw);
        };
        let (low, high) = time_window(self.target.grid());
        let shape: Vec<f64> = unit
            .dimensions
            .iter()
            .map(|dimension| {
                let value = match dimension.role {
                    Role::Time => draw.between(low, high),
                    Role::Exponent => draw.between(0.6, 1.0),
                    _ => draw.between(-2.3, 2.3),
                };
                value.clamp(dimension.lower, dimension.upper)
            })
            .collect();
        term.unit_parameters(&shape)
    }

    /// Parameters of a nested group: each of its elements has at some measured frequency about the impedance of
    /// the group, so that it matters there.
    pub(super) fn nested_unit(&self, term: &Term<'_>, draw: &mut Draw) -> Vec<f64> {
        draw.next_vector();
        let (low, high) = time_window(self.target.grid());
        let specs = self.circuit.parameters();
        let mut values = vec![1.0; term.parameters.len()];
        let scale = self.target.scale();
        let mut place = 0;
        while place < term.parameters.len() {
            let element = specs[term.parameters[place]].element;
            let own: Vec<usize> = (place..term.parameters.len())
                .take_while(|&p| specs[term.parameters[p]].element == element)
                .collect();
            let mut exponent = None;
            for &p in &own {
                let spec = &specs[term.parameters[p]];
                values[p] = match spec.role {
                    Role::Exponent => draw.between(0.65, 1.0).clamp(spec.lower, spec.upper),
                    Role::Time => draw.between(low, high).exp(),
                    Role::Ratio => draw.between(-2.3, 2.3).exp(),
                    _ => 1.0,
                };
                if spec.role == Role::Exponent && exponent.is_none() {
                    exponent = Some(values[p]);
                }
            }
            for &p in &own {
                let role = specs[term.parameters[p]].role;
                if !is_size(role) {
                    continue;
                }
                let magnitude = draw.between(-2.5, 0.7);
                // The frequency at which the element has that magnitude, for those that depend on frequency.
                let ln_time = match role {
                    Role::Resistance => 0.0,
                    Role::Impedance if own.len() > 1 => 0.0,
                    Role::Impedance => -0.5 * draw.between(low, high),
                    Role::Admittance => exponent.unwrap_or(1.0) * draw.between(low, high),
                    _ => draw.between(low, high),
                };
                values[p] = match role {
                    Role::Admittance => (ln_time - 0.3 * magnitude).exp(),
                    _ => (ln_time + magnitude).exp(),
                };
            }
            place += own.len();
        }
        for (p, settled) in term.settled.iter().enumerate() {
            if let Some(value) = settled {
                values[p] = match specs[term.parameters[p]].role {
                    Role::Exponent | Role::Time | Role::Ratio => *value,
                    Role::Admittance => value * scale,
                    _ => value / scale,
                };
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_draw_fills_its_dimensions_evenly() {
        let mut draw = Draw::evenly();
        let mut counts = [[0; 4]; 3];
        for _ in 0..120 {
            draw.next_vector();
            for count in &mut counts {
                let value = draw.unit();
                assert!((0.0..1.0).contains(&value));
                count[(4.0 * value) as usize] += 1;
            }
        }
        assert!(
            counts.iter().flatten().all(|count| (27..=33).contains(count)),
            "{counts:?}"
        );
    }
}
