use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::*;
use crate::circuit::Circuit;

/// A spectrum of a circuit with noise of so many percent of |Z| in both components.
fn spectrum(text: &str, values: &[f64], noise_percent: f64, seed: u64) -> Spectrum {
    let circuit = Circuit::parse(text).unwrap();
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let frequencies: Vec<f64> = (0..60).map(|i| 10f64.powf(5.5 - 0.1 * f64::from(i))).collect();
    let impedance: Vec<_> = frequencies
        .iter()
        .map(|&frequency| {
            let z = circuit.impedance(values, frequency);
            let mut normal = || -> f64 { StandardNormal.sample(&mut generator) };
            let noise = num_complex::Complex64::new(normal(), normal());
            z + noise * (0.01 * noise_percent * z.norm())
        })
        .collect();
    Spectrum::from_impedance(&frequencies, &impedance)
}

const ONE: (&str, &[f64]) = ("R0-p(R1,CPE1)", &[10.0, 50.0, 2e-5, 0.85]);
const TWO: (&str, &[f64]) = (
    "R0-p(R1,CPE1)-p(R2,CPE2)",
    &[10.0, 30.0, 3e-6, 0.9, 50.0, 2e-3, 0.85],
);
const THREE: (&str, &[f64]) = (
    "R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)",
    &[10.0, 30.0, 3e-7, 0.95, 40.0, 3e-5, 0.9, 60.0, 5e-3, 0.9],
);

fn without_bootstrap() -> RankOptions {
    RankOptions {
        resamples: 0,
        ..RankOptions::default()
    }
}

#[test]
fn the_true_circuit_is_first_or_not_distinguishable_from_the_first() {
    for (text, values) in [ONE, TWO, THREE] {
        for seed in 0..4 {
            let spectrum = spectrum(text, values, 0.5, seed);
            let ranking = rank(&spectrum, &family::for_spectrum(&spectrum), &without_bootstrap());
            let place = ranking
                .candidates
                .iter()
                .position(|ranked| ranked.candidate.to_string() == text)
                .unwrap();
            let said = ranking.remarks.iter().any(|remark| {
                remark.contains(text) && (remark.contains("not distinguishable") || remark.contains("weak"))
            });
            assert!(
                place == 0 || said,
                "{text}, seed {seed}: place {place}, {:?}",
                ranking.remarks
            );
        }
    }
}

#[test]
fn all_circuits_are_compared_on_the_same_points_and_ranked_by_bic() {
    let mut spectrum = spectrum(ONE.0, ONE.1, 0.5, 3);
    spectrum.points[7].z_real_ohm = f64::NAN;
    let ranking = rank(&spectrum, &family::for_spectrum(&spectrum), &without_bootstrap());
    assert_eq!((ranking.n_points, ranking.n_used), (60, 59));
    let deltas: Vec<f64> = ranking
        .candidates
        .iter()
        .map(|ranked| ranked.delta_bic.unwrap())
        .collect();
    assert_eq!(deltas[0], 0.0);
    assert!(deltas.windows(2).all(|pair| pair[0] <= pair[1]), "{deltas:?}");
    for ranked in &ranking.candidates {
        let result = ranked.outcome.as_ref().unwrap();
        assert_eq!(result.n_used, 59);
        let best = ranking.candidates[0].outcome.as_ref().unwrap();
        let delta = result.bic.unwrap() - best.bic.unwrap();
        assert!(
            (delta - ranked.delta_bic.unwrap()).abs() < 1e-9,
            "the BIC of the fit itself"
        );
    }
}

#[test]
fn a_larger_circuit_never_fits_worse_than_one_that_it_contains() {
    let spectrum = spectrum(TWO.0, TWO.1, 0.5, 5);
    let candidates = family::for_spectrum(&spectrum);
    let ranking = rank(&spectrum, &candidates, &without_bootstrap());
    let chi = |text: &str| {
        let ranked = ranking
            .candidates
            .iter()
            .find(|ranked| ranked.candidate.to_string() == text);
        ranked.unwrap().outcome.as_ref().unwrap().chi_squared
    };
    for (small, large) in [
        ("R0-p(R1,C1)", "R0-p(R1,CPE1)"),
        ("R0-p(R1,CPE1)", "R0-p(R1,CPE1)-W1"),
        ("R0-p(R1,CPE1)-W1", "R0-p(R1,CPE1)-CPE2"),
        ("R0-p(R1,CPE1)-p(R2,CPE2)", "R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)"),
    ] {
        assert!(
            chi(large) <= chi(small) * (1.0 + 1e-6),
            "{large} {} {small} {}",
            chi(large),
            chi(small)
        );
    }
}

#[test]
fn the_f_test_of_a_true_inner_condition_gives_uniform_probabilities() {
    let candidates =
        ["R0-p(R1,CPE1); CPE1.n=0.85", "R0-p(R1,CPE1)"].map(|text| Candidate::parse(text).unwrap());
    let probabilities: Vec<f64> = (0..60)
        .map(|seed| {
            let ranking = rank(
                &spectrum(ONE.0, ONE.1, 0.5, seed),
                &candidates,
                &without_bootstrap(),
            );
            let comparison = &ranking.comparisons[0];
            assert_eq!(comparison.test, Some(Test::F));
            comparison.p.unwrap()
        })
        .collect();
    let mean = probabilities.iter().sum::<f64>() / 60.0;
    assert!((mean - 0.5).abs() < 0.12, "{mean}");
    let low = probabilities.iter().filter(|p| **p < 0.1).count();
    assert!(low <= 13, "{low} of 60 below 0.1");
}

#[test]
fn an_f_test_finds_a_false_inner_condition() {
    let candidates =
        ["R0-p(R1,CPE1); CPE1.n=0.8", "R0-p(R1,CPE1)"].map(|text| Candidate::parse(text).unwrap());
    let ranking = rank(&spectrum(ONE.0, ONE.1, 0.5, 1), &candidates, &without_bootstrap());
    assert_eq!(ranking.candidates[0].candidate, candidates[1]);
    assert!(ranking.comparisons[0].p.unwrap() < 1e-6);
}

fn bootstrap_of_a_spurious_arc(seed: u64, resamples: usize) -> f64 {
    let candidates = [ONE.0, TWO.0].map(|text| Candidate::parse(text).unwrap());
    let options = RankOptions {
        resamples,
        seed,
        ..RankOptions::default()
    };
    let ranking = rank(&spectrum(ONE.0, ONE.1, 0.5, 1000 + seed), &candidates, &options);
    let comparison = &ranking.comparisons[0];
    assert_eq!(comparison.test, Some(Test::Bootstrap));
    comparison.p.unwrap()
}

/// Kolmogorov and Smirnov's distance between probabilities and the uniform distribution.
fn distance_from_uniform(probabilities: &mut [f64]) -> f64 {
    probabilities.sort_by(f64::total_cmp);
    let count = probabilities.len() as f64;
    let apart = |(place, p): (usize, &f64)| {
        let below = place as f64 / count;
        (p - below).max(below + 1.0 / count - p)
    };
    probabilities.iter().enumerate().map(apart).fold(0.0, f64::max)
}

/// With 19 spectra drawn there are 20 steps: a third of the probabilities lie below 0.35, and a search that finds more
/// in the measured spectrum than in drawn ones would have most of them there.
#[test]
fn a_spurious_further_arc_is_as_seldom_significant_as_its_probability_says() {
    let mut probabilities: Vec<f64> = (0..32)
        .map(|seed| bootstrap_of_a_spurious_arc(seed, 19))
        .collect();
    let mean = probabilities.iter().sum::<f64>() / 32.0;
    let distance = distance_from_uniform(&mut probabilities);
    // Their mean is 0.525 with a standard deviation of 0.051; the distance exceeds 0.28 in one of a hundred.
    assert!(
        (mean - 0.525).abs() < 0.13 && distance < 0.28,
        "{mean} {distance} {probabilities:?}"
    );
}

/// Reported figures; takes a while.
#[test]
#[ignore = "some minutes of computing; run by hand"]
fn bootstrap_probabilities_of_a_spurious_arc_are_uniform() {
    const RUNS: u64 = 200;
    let mut probabilities: Vec<f64> = (0..RUNS)
        .map(|seed| bootstrap_of_a_spurious_arc(seed, 99))
        .collect();
    let mean = probabilities.iter().sum::<f64>() / RUNS as f64;
    let below = |limit: f64| probabilities.iter().filter(|p| **p <= limit).count();
    let (few, half) = (below(0.05), below(0.5));
    let distance = distance_from_uniform(&mut probabilities);
    println!("mean {mean:.3}, up to 0.05: {few}, up to 0.5: {half}, distance {distance:.3} of {RUNS}");
    // 0.01 on both sides: binomial of 200 and 0.05, of 200 and 0.5; Kolmogorov's 1.63/sqrt(200) and a step.
    assert!((4..=18).contains(&few), "{few}");
    assert!((82..=118).contains(&half), "{half}");
    assert!(distance < 0.125, "{distance}");
}

#[test]
fn a_true_further_arc_is_significant_and_the_same_whatever_the_threads() {
    let spectrum = spectrum(TWO.0, TWO.1, 0.5, 7);
    let candidates = [ONE.0, TWO.0].map(|text| Candidate::parse(text).unwrap());
    let p = |threads| {
        let options = RankOptions {
            resamples: 40,
            threads,
            ..RankOptions::default()
        };
        rank(&spectrum, &candidates, &options).comparisons[0].p
    };
    assert_eq!(p(1), Some(1.0 / 41.0));
    assert_eq!(p(1), p(3));
}

#[test]
fn a_further_arc_in_the_first_circuit_that_is_not_determined_is_said_so() {
    let candidates = [Candidate::parse(TWO.0).unwrap()];
    let ranking = rank(&spectrum(ONE.0, ONE.1, 0.5, 2), &candidates, &without_bootstrap());
    assert!(!ranking.candidates[0].undetermined().is_empty() || !ranking.candidates[0].at_bound().is_empty());
    assert!(
        ranking
            .remarks
            .iter()
            .any(|remark| remark.contains("do not determine")),
        "{:?}",
        ranking.remarks
    );
}

#[test]
fn a_ranking_on_a_handful_of_numbers_says_so() {
    let says = |points: usize| {
        let mut few = spectrum(ONE.0, ONE.1, 0.5, 2);
        let step = few.points.len() / points;
        few.points = few.points.into_iter().step_by(step).take(points).collect();
        let candidates = [ONE.0, TWO.0].map(|text| Candidate::parse(text).unwrap());
        let ranking = rank(&few, &candidates, &without_bootstrap());
        ranking
            .remarks
            .iter()
            .any(|remark| remark.contains("too few to rank"))
    };
    assert!(says(5) && !says(30));
}

#[test]
fn a_circuit_with_hardly_fewer_parameters_than_numbers_has_no_place() {
    let mut few = spectrum(ONE.0, ONE.1, 0.5, 2);
    few.points.truncate(2);
    let candidates = ["R0-C1", "R0-p(R1,C1)", ONE.0].map(|text| Candidate::parse(text).unwrap());
    let ranking = rank(&few, &candidates, &without_bootstrap());
    let errors: Vec<_> = ranking
        .candidates
        .iter()
        .map(|ranked| ranked.outcome.as_ref().err())
        .collect();
    let too_few = FitError::TooFewToRank {
        used: 2,
        free: 3,
        needed: 3,
    };
    assert_eq!(errors[..2], [None, Some(&too_few)]);
    assert!(matches!(
        errors[2],
        Some(FitError::TooFewPoints { used: 2, needed: 3 })
    ));
    assert!(
        ranking
            .comparisons
            .iter()
            .all(|comparison| comparison.test.is_none())
    );
    // The least that the refusal asks for is enough.
    few.points
        .extend(spectrum(ONE.0, ONE.1, 0.5, 2).points[30..31].to_vec());
    assert!(
        rank(&few, &candidates[1..2], &without_bootstrap()).candidates[0]
            .outcome
            .is_ok()
    );
}

#[test]
fn noise_free_data_are_said_to_be_so() {
    let candidates = [ONE.0, TWO.0].map(|text| Candidate::parse(text).unwrap());
    let ranking = rank(&spectrum(ONE.0, ONE.1, 0.0, 2), &candidates, &without_bootstrap());
    assert_eq!(ranking.candidates[0].candidate, candidates[0], "the smaller one");
    assert!(ranking.remarks.iter().any(|remark| remark.contains("no noise")));
    assert_eq!(ranking.comparisons[0].test, None);
}

#[test]
fn too_few_points_and_doubles_are_remarked() {
    let mut spectrum = spectrum(ONE.0, ONE.1, 0.5, 2);
    spectrum.points.truncate(3);
    let candidates = [ONE.0, TWO.0, ONE.0].map(|text| Candidate::parse(text).unwrap());
    let ranking = rank(&spectrum, &candidates, &without_bootstrap());
    assert_eq!(ranking.candidates.len(), 2);
    assert!(ranking.candidates[1].outcome.is_err() && ranking.candidates[1].delta_bic.is_none());
    assert!(
        ranking
            .remarks
            .iter()
            .any(|remark| remark.contains("is not ranked"))
    );
    assert!(
        ranking
            .remarks
            .iter()
            .any(|remark| remark.contains("more than once"))
    );
}
