use num_complex::Complex64;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::choice::Candidate;
use super::orthogonal::Orthogonal;
use super::problem::{Design, Problem};
use super::*;
use crate::circuit::Circuit;

/// 71 points from 1e5 to 0.01 Hz of R + ZARC + W whose arc grows by `growth`, linear in time.
fn drifting(growth: f64, noise: f64, seed: u64) -> Spectrum {
    let frequencies: Vec<f64> = (0..71).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i))).collect();
    let total: f64 = frequencies.iter().map(|f| 1.0 / f).sum();
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
    let mut time = 0.0;
    let tau = 1.0 / (std::f64::consts::TAU * 16.0);
    let impedance: Vec<Complex64> = frequencies
        .iter()
        .map(|f| {
            time += 1.0 / f;
            let omega = Complex64::new(0.0, std::f64::consts::TAU * f);
            let arc = 100.0 * (1.0 + growth * time / total) / (1.0 + (omega * tau).powf(0.85));
            let z = 10.0 + arc + 0.5 / omega.sqrt();
            z + noise * z.norm() * Complex64::new(draw(), draw())
        })
        .collect();
    Spectrum::from_impedance(&frequencies, &impedance)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[test]
fn first_mu_gives_the_published_residuals_of_a_growing_arc() {
    for (growth, expected) in [(0.0, 0.27), (0.02, 0.33), (0.05, 0.83), (0.2, 3.55), (0.5, 8.93)] {
        let largest = (0..20)
            .map(|seed| {
                let spectrum = drifting(growth, 1e-3, seed);
                let fit = fit(&spectrum, Form::Impedance, Choice::FirstMu, None).unwrap();
                fit.largest().unwrap().size_percent()
            })
            .collect();
        let found = median(largest);
        assert!(
            (found / expected - 1.0).abs() < 0.2,
            "{growth}: {found} {expected}"
        );
    }
}

#[test]
fn a_growing_arc_is_judged_by_how_much_it_grows() {
    for growth in [0.0, 0.02, 0.05, 0.2, 0.5] {
        let mut verdicts = [0; 3];
        for seed in 0..20 {
            let judgement = judge(&drifting(growth, 1e-3, seed), None, Stage::Complete);
            verdicts[judgement.verdict.unwrap() as usize] += 1;
        }
        println!("growth {growth}: pass, suspect, fail {verdicts:?}");
        let told = judge(&drifting(growth, 1e-3, 1), None, Stage::Complete);
        println!("  {:?} {:?}", told.verdict, told.reasons);
        match growth {
            g if g < 0.03 => assert!(verdicts[0] >= 19, "{growth}: {verdicts:?}"),
            g if g < 0.1 => assert_eq!(verdicts[2], 0, "{growth}: {verdicts:?}"),
            _ => assert_eq!(verdicts[2], 20, "{growth}: {verdicts:?}"),
        }
    }
}

#[test]
fn closed_form_and_orthogonal_columns_agree() {
    let spectrum = drifting(0.1, 1e-3, 3);
    let points = ordered(&spectrum);
    for form in [Form::Impedance, Form::Admittance] {
        let problem = Problem::new(&points, form);
        for m in [14, 20, 28] {
            let fast = Candidate::of(&problem, m);
            let exact = Orthogonal::solve(&problem, Design::new(&problem, m));
            assert!((fast.mu - problem.mu(&exact.coefficients)).abs() < 1e-6, "{m}");
            for (a, b) in fast.residual.iter().zip(&exact.residual) {
                assert!((a - b).abs() < 1e-9, "{m}: {a} {b}");
            }
        }
    }
}

/// A sound spectrum of one to three arcs with any of the usual ends, 0.5 % noise.
fn sound(seed: u64) -> Spectrum {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let arcs = generator.random_range(1..=3_usize);
    let tail = generator.random_range(0..4_usize);
    let inductive = generator.random_bool(0.3);
    let mut text = "R0".to_owned();
    let mut values = vec![10f64.powf(generator.random_range(0.0..2.0))];
    for arc in 1..=arcs {
        text.push_str(&format!("-Zarc{arc}"));
        values.push(10f64.powf(generator.random_range(0.5..2.5)));
        values.push(10f64.powf(generator.random_range(-5.5..0.5)));
        values.push(generator.random_range(0.7..1.0));
    }
    match tail {
        1 => {
            text.push_str("-W1");
            values.push(10f64.powf(generator.random_range(-0.5..1.5)));
        }
        2 => {
            text.push_str("-Wo1");
            values.push(10f64.powf(generator.random_range(0.5..2.0)));
            values.push(10f64.powf(generator.random_range(-1.0..2.0)));
        }
        3 => {
            text.push_str("-C1");
            values.push(10f64.powf(generator.random_range(-5.0..-2.0)));
        }
        _ => {}
    }
    if inductive {
        text.push_str("-L1");
        values.push(10f64.powf(generator.random_range(-7.0..-5.5)));
    }
    let circuit = Circuit::parse(&text).unwrap();
    let frequencies: Vec<f64> = (0..71).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i))).collect();
    let impedance: Vec<Complex64> = frequencies
        .iter()
        .map(|&f| {
            let z = circuit.impedance(&values, f);
            let draw = Complex64::new(
                StandardNormal.sample(&mut generator),
                StandardNormal.sample(&mut generator),
            );
            z + 0.005 * z.norm() * draw
        })
        .collect();
    Spectrum::from_impedance(&frequencies, &impedance)
}

#[test]
fn sound_spectra_are_hardly_ever_called_bad() {
    let mut verdicts = [0; 3];
    for seed in 0..160 {
        verdicts[judge(&sound(seed), None, Stage::Complete).verdict.unwrap() as usize] += 1;
    }
    println!("sound: pass, suspect, fail {verdicts:?}");
    assert!(verdicts[2] <= 4 && verdicts[1] <= 14, "{verdicts:?}");
}

#[test]
fn a_short_range_gets_no_verdict() {
    let mut spectrum = drifting(0.0, 1e-3, 1);
    spectrum.points.truncate(15);
    let judgement = judge(&spectrum, None, Stage::Running);
    assert_eq!(judgement.verdict, None);
    assert!(
        judgement.reasons[0].contains("too short"),
        "{:?}",
        judgement.reasons
    );
}
