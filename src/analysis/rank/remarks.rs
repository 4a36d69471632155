//! What must be said about a ranking, in words.

use super::{Comparison, Ranking, STRONG};

/// Difference of BIC below which circuits are not told apart.
const NOTHING: f64 = 2.0;
/// Numbers more than parameters below which BIC, made for many, says little.
const FEW: usize = 10;
/// Probability above which a difference may be chance.
const CHANCE: f64 = 0.05;

pub(super) fn of(ranking: &Ranking, doubles: &[String], floor: f64) -> Vec<String> {
    let mut remarks = Vec::new();
    for double in doubles {
        remarks.push(format!("{double} is named more than once and compared once"));
    }
    for candidate in &ranking.candidates {
        if let Err(error) = &candidate.outcome {
            remarks.push(format!("{} is not ranked: {error}", candidate.candidate));
        }
    }
    let Some(first) = ranking.candidates.first() else {
        return remarks;
    };
    let Ok(best) = &first.outcome else {
        return remarks;
    };
    if best.chi_squared <= floor {
        remarks.push(
            "the data carry no noise: circuits that fit to rounding are told apart by their number of parameters alone"
                .to_owned(),
        );
    }
    let numbers = 2 * ranking.n_used;
    if numbers < first.free + FEW {
        remarks.push(format!(
            "{numbers} numbers are too few to rank circuits with {} parameters and more: by chance some fit almost exactly",
            first.free
        ));
    }
    remarks.extend(rivals(ranking));
    remarks.extend(
        ranking
            .comparisons
            .iter()
            .filter_map(|comparison| chance(ranking, comparison)),
    );
    let undetermined = first.undetermined();
    if !undetermined.is_empty() {
        remarks.push(format!(
            "{} ranks first, but the data do not determine {}",
            first.candidate,
            undetermined.join(", ")
        ));
    }
    if best.runs_p.is_some_and(|p| p < CHANCE) && best.chi_squared > floor {
        remarks.push(
            "even the first leaves residuals with structure: no circuit here explains the data, and differences of BIC \
             say more than they should"
                .to_owned(),
        );
    }
    remarks
}

/// Which circuits come close to the first.
fn rivals(ranking: &Ranking) -> Vec<String> {
    let first = &ranking.candidates[0].candidate;
    let mut remarks = Vec::new();
    for rival in &ranking.candidates[1..] {
        let Some(delta) = rival.delta_bic else { continue };
        if delta < NOTHING {
            remarks.push(format!(
                "{first} and {} are not distinguishable (difference of BIC {delta:.1})",
                rival.candidate
            ));
        } else if delta < STRONG {
            remarks.push(format!(
                "the evidence for {first} over {} is weak (difference of BIC {delta:.1})",
                rival.candidate
            ));
        }
    }
    if remarks.is_empty()
        && let Some(delta) = ranking.candidates.get(1).and_then(|second| second.delta_bic)
    {
        remarks.push(format!(
            "the evidence for {first} over all others is strong (difference of BIC {delta:.1})"
        ));
    }
    remarks
}

/// What a test says where chance alone could have made the difference, or where it contradicts the order.
fn chance(ranking: &Ranking, comparison: &Comparison) -> Option<String> {
    let p = comparison.p?;
    let name = |place: usize| &ranking.candidates[place].candidate;
    let (smaller, larger) = (name(comparison.smaller), name(comparison.larger));
    if p > CHANCE {
        let first = if comparison.larger == 0 {
            "; the two are not distinguishable"
        } else {
            ""
        };
        return Some(format!(
            "what {larger} has more than {smaller} may be chance (p = {p:.2}){first}"
        ));
    }
    (comparison.smaller == 0).then(|| {
        format!(
            "{larger} fits better than chance would let it if {smaller} were true (p = {p:.3}), although its BIC is \
             larger; the two are not distinguishable"
        )
    })
}
