//! How much roughness is forbidden: the weight of the penalty, chosen by the data.

use super::estimate::Estimate;
use super::system::System;

/// Weights that are tried first, from smooth to rough: this one and each a tenth of the one before.
const HIGHEST: f64 = 10.0;
/// How many of them.
const DECADES: usize = 11;
/// Lowest weight: below it the arithmetic is at its end.
const LOWEST: f64 = 1e-10;
/// How often the penalty is fitted to the solution found with it.
const ROUNDS: usize = 3;
/// What cross-validation charges for a parameter.
const PRICE: f64 = 2.5;
/// The same in the first round: ripples that the first solution has, the penalty learns to forgive.
const FIRST_PRICE: f64 = 4.0;

/// The estimate at the weight with the least cross-validation error. `free` as for [`Estimate::at`].
pub(super) fn by_cross_validation(system: &mut System, free: &mut [bool]) -> Option<Estimate> {
    let mut best = scan(system, free)?;
    for round in 1..=ROUNDS {
        system.reweight(&best.solution.values);
        best = climb(system, best.lambda, round == ROUNDS, free)?;
    }
    Some(best)
}

/// The estimate at a given weight.
pub(super) fn given(system: &mut System, lambda: f64, free: &mut [bool]) -> Option<Estimate> {
    let mut estimate = Estimate::at(system, lambda, free)?;
    for _ in 0..ROUNDS {
        system.reweight(&estimate.solution.values);
        estimate = Estimate::at(system, lambda, free)?;
    }
    Some(estimate)
}

/// All decades, until the minimum is behind.
fn scan(system: &System, free: &mut [bool]) -> Option<Estimate> {
    let score = |estimate: &Estimate| estimate.cross_validation(FIRST_PRICE);
    let mut best: Option<Estimate> = None;
    let mut rises = 0;
    for decade in 0..DECADES {
        let Some(next) = Estimate::at(system, HIGHEST * 0.1f64.powi(decade as i32), free) else {
            break;
        };
        if best.as_ref().is_none_or(|best| score(&next) < score(best)) {
            (best, rises) = (Some(next), 0);
        } else {
            rises += 1;
        }
        if rises == 2 {
            break;
        }
    }
    best
}

/// From a weight downhill in decades, and where it is to be fine half a decade to either side.
fn climb(system: &System, lambda: f64, is_fine: bool, free: &mut [bool]) -> Option<Estimate> {
    let score = |estimate: &Estimate| estimate.cross_validation(PRICE);
    let mut best = Estimate::at(system, lambda, free)?;
    let mut step = |best: &mut Estimate, factor: f64| -> bool {
        let lambda = best.lambda * factor;
        if !(LOWEST..=HIGHEST).contains(&lambda) {
            return false;
        }
        let mut own = free.to_vec();
        match Estimate::at(system, lambda, &mut own) {
            Some(next) if score(&next) < score(best) => {
                *best = next;
                free.copy_from_slice(&own);
                true
            }
            _ => false,
        }
    };
    let mut down = false;
    while step(&mut best, 0.1) {
        down = true;
    }
    while !down && step(&mut best, 10.0) {}
    let half = 10f64.sqrt();
    if is_fine && !step(&mut best, half) {
        step(&mut best, half.recip());
    }
    Some(best)
}
