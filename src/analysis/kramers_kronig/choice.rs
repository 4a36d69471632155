//! How many RC elements: enough for any sound spectrum, not so many that they follow the noise.

use super::orthogonal::Orthogonal;
use super::problem::{Design, FIXED_COLUMNS, Problem};
use super::{Choice, normal};

/// Elements a decade that are always there. A search from one element stops at its first mu below the limit on
/// every spectrum with a sharp arc, and calls it bad.
pub(super) const LEAST_PER_DECADE: f64 = 2.0;
/// Elements a decade beyond which there is nothing but noise to describe.
const MOST_PER_DECADE: f64 = 6.0;
/// Limit of mu (M. Schonleber, D. Klotz and E. Ivers-Tiffee 2014, doi:10.1016/j.electacta.2014.01.034).
pub(super) const MU_LIMIT: f64 = 0.85;
/// The steps over which the residual must fall by [`WORTH`] for more elements to be worth it after mu has
/// fallen below its limit.
const LOOK_BACK: usize = 3;
/// See [`LOOK_BACK`]; of chi-squared. A missing element costs a sound spectrum more than half at this spacing,
/// while drift gives way to more elements only slowly.
const WORTH: f64 = 0.75;

/// A number of elements with what it explains.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) m: usize,
    pub(super) mu: f64,
    pub(super) residual: Vec<f64>,
}

impl Candidate {
    /// Weighted least squares with a given number of elements.
    pub(super) fn of(problem: &Problem, m: usize) -> Self {
        let design = Design::new(problem, m);
        let (coefficients, residual) = normal::solve(problem, &design).unwrap_or_else(|| {
            let solution = Orthogonal::solve(problem, design);
            (solution.coefficients, solution.residual)
        });
        Self {
            m,
            mu: problem.mu(&coefficients),
            residual,
        }
    }

    /// Sum of squares in units of the relative noise of each point, over the degrees of freedom.
    fn reduced(&self, noise: &[f64]) -> f64 {
        let (real, imaginary) = self.residual.split_at(noise.len());
        let of_points = real.iter().zip(imaginary).zip(noise);
        let sum: f64 = of_points
            .map(|((real, imaginary), noise)| (real * real + imaginary * imaginary) / (noise * noise))
            .sum();
        sum / (2 * noise.len() - FIXED_COLUMNS - self.m) as f64
    }
}

/// Fewest and most elements for a problem; none where even the fewest are too many for its points.
pub(super) fn range(problem: &Problem) -> Option<(usize, usize)> {
    let decades = problem.decades();
    let least = ((LEAST_PER_DECADE * decades - 1e-9).ceil() as usize).max(3);
    // A third of all numbers stays free.
    let affordable = (4 * problem.points() / 3).saturating_sub(FIXED_COLUMNS);
    let most = ((MOST_PER_DECADE * decades).ceil() as usize)
        .min(affordable)
        .min(problem.points());
    (least <= most).then_some((least, most))
}

/// The number of elements; `noise` is the relative noise of each point, where it is known.
pub(super) fn choose(problem: &Problem, choice: Choice, noise: Option<&[f64]>) -> Option<Candidate> {
    let (least, most) = range(problem)?;
    let mut explained: Vec<f64> = Vec::new();
    let mut last = None;
    for m in least..=most {
        let candidate = Candidate::of(problem, m);
        let below = candidate.mu < MU_LIMIT;
        let enough = match (choice, noise) {
            (Choice::NoiseAndMu, Some(noise)) => {
                explained.push(candidate.reduced(noise));
                let now = explained[explained.len() - 1];
                let stalled = explained
                    .len()
                    .checked_sub(LOOK_BACK + 1)
                    .is_some_and(|before| now > WORTH * explained[before]);
                stalled && (now <= 1.0 || below)
            }
            _ => below,
        };
        last = Some(candidate);
        if enough {
            break;
        }
    }
    last
}
