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
        for seed in 31_000..31_020 {
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
    random(seed, 0.0, 0.005)
}

/// As [`sound`], with arcs that grow linearly in time.
fn random(seed: u64, growth: f64, noise: f64) -> Spectrum {
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
    let total: f64 = frequencies.iter().map(|f| 1.0 / f).sum();
    let mut time = 0.0;
    let impedance: Vec<Complex64> = frequencies
        .iter()
        .map(|&f| {
            time += 1.0 / f;
            let mut grown = values.clone();
            for arc in 0..arcs {
                grown[1 + 3 * arc] *= 1.0 + growth * time / total;
            }
            let z = circuit.impedance(&grown, f);
            let draw = Complex64::new(
                StandardNormal.sample(&mut generator),
                StandardNormal.sample(&mut generator),
            );
            z + noise * z.norm() * draw
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
    assert!(verdicts[2] <= 3 && verdicts[1] <= 13, "{verdicts:?}");
}

/// Verdicts on `count` sound and on `count` drifting spectra whose drift can be seen: the residual without noise
/// is over three times the noise at five points or more. Then those whose drift is smaller.
fn confusion(count: usize) -> [[usize; 3]; 3] {
    let mut table = [[0; 3]; 3];
    let verdict = |spectrum: &Spectrum| judge(spectrum, None, Stage::Complete).verdict.unwrap() as usize;
    let (mut seen, mut seed) = (0, 10_000);
    for seed in 0..count as u64 {
        table[0][verdict(&sound(seed))] += 1;
    }
    while seen < count {
        seed += 1;
        let growth = [0.1, 0.2, 0.4, 0.8][seed as usize % 4];
        let exact = random(seed, growth, 0.0);
        let problem = Problem::new(&ordered(&exact), Form::Impedance);
        let residual = Candidate::of(&problem, 20).residual;
        let (real, imaginary) = residual.split_at(residual.len() / 2);
        let over = real
            .iter()
            .zip(imaginary)
            .filter(|(a, b)| a.hypot(**b) > 0.015)
            .count();
        let row = if over >= 5 { 1 } else { 2 };
        seen += usize::from(row == 1);
        table[row][verdict(&random(seed, growth, 0.005))] += 1;
    }
    table
}

#[test]
fn drift_that_can_be_seen_is_seen() {
    let table = confusion(80);
    println!("pass, suspect, fail; sound, drifting, drift too small: {table:?}");
    assert!(table[1][0] <= 6, "{table:?}");
}

#[test]
#[ignore = "500 of each kind; prints the confusion table"]
fn confusion_of_five_hundred() {
    let [sound, drifting, hidden] = confusion(500);
    println!("                 pass suspect fail");
    println!("sound            {sound:?}\ndrifting         {drifting:?}\ndrift too small  {hidden:?}");
    assert!(sound[2] <= 5 && sound[1] <= 25 && drifting[0] <= 25);
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

/// A cell of one arc with whatever else `circuit` says, 0.2 % noise.
fn cell(circuit: &str, values: &[f64], seed: u64) -> Spectrum {
    let circuit = Circuit::parse(circuit).unwrap();
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let frequencies: Vec<f64> = (0..71).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i))).collect();
    let impedance: Vec<Complex64> = frequencies
        .iter()
        .map(|&f| {
            let z = circuit.impedance(values, f);
            let draw = Complex64::new(
                StandardNormal.sample(&mut generator),
                StandardNormal.sample(&mut generator),
            );
            z + 0.002 * z.norm() * draw
        })
        .collect();
    Spectrum::from_impedance(&frequencies, &impedance)
}

#[test]
fn inductance_and_series_capacitance_are_told_where_they_are() {
    let arc = [10.0, 50.0, 1e-3, 0.9];
    let with = |more: &[f64]| [&arc[..], more].concat();
    for (circuit, values, capacitance, inductance) in [
        ("R0-Zarc1", with(&[]), false, false),
        ("R0-Zarc1-C1", with(&[1e-3]), true, false),
        ("R0-Zarc1-L1", with(&[2e-6]), false, true),
        ("R0-Zarc1-C1-L1", with(&[1e-3, 2e-6]), true, true),
    ] {
        let mut wrong = 0;
        for seed in 500..510 {
            let judgement = judge(&cell(circuit, &values, seed), None, Stage::Complete);
            let fit = judgement.fit.unwrap();
            wrong += usize::from((fit.series_capacitance, fit.inductance) != (capacitance, inductance));
        }
        assert!(wrong <= 1, "{circuit}: {wrong} of 10");
    }
}

#[test]
fn a_cell_that_blocks_is_told_as_an_admittance_too() {
    let spectrum = cell("R0-p(R1,C1)-CPE1", &[10.0, 50.0, 1e-5, 1e-4, 0.92], 7);
    let noise = Noise::of(&spectrum).unwrap();
    let fit = fit(&spectrum, Form::Admittance, Choice::NoiseAndMu, Some(&noise)).unwrap();
    assert_eq!(fit.form.word(), "admittance");
    assert!((0.0..=1.0).contains(&fit.mu), "{}", fit.mu);
    assert!(fit.largest().unwrap().size_percent() < 1.0, "{fit:?}");
}

#[test]
fn a_parallel_connection_is_described_in_the_form_of_an_admittance() {
    // The admittance of a parallel connection is a sum, as the impedance of a series connection is.
    let s = |f: f64| Complex64::new(0.0, std::f64::consts::TAU * f);
    let frequencies: Vec<f64> = (0..71).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i))).collect();
    let impedance: Vec<Complex64> = frequencies
        .iter()
        .map(|f| 1.0 / (1e-3 + s(*f) * 1e-9 + s(*f) * 1e-6 / (1.0 + s(*f) * 1e-4)))
        .collect();
    let spectrum = Spectrum::from_impedance(&frequencies, &impedance);
    let noise = Noise {
        alpha: 1e-3,
        beta_ohm: 0.0,
        source: NoiseSource::Sigma,
    };
    let fit = fit(&spectrum, Form::Admittance, Choice::NoiseAndMu, Some(&noise)).unwrap();
    assert!(fit.largest().unwrap().size_percent() < 0.5, "{:?}", fit.largest());
}

#[test]
fn the_noise_that_is_given_decides_what_is_significant() {
    let mut spectrum = drifting(0.2, 1e-3, 77);
    assert_eq!(
        judge(&spectrum, None, Stage::Complete).verdict,
        Some(Verdict::Fail)
    );
    let told = |spectrum: &Spectrum| {
        let judgement = judge(spectrum, None, Stage::Complete);
        (judgement.noise.unwrap().source.word(), judgement.verdict.unwrap())
    };
    for point in &mut spectrum.points {
        point.std_error_ohm = Some(0.1 * point.impedance().norm());
    }
    assert_eq!(told(&spectrum), ("sigma", Verdict::Pass));
    for point in &mut spectrum.points {
        point.std_error_ohm = Some(1e-3 * point.impedance().norm());
    }
    assert_eq!(told(&spectrum), ("sigma", Verdict::Fail));
}

#[test]
fn repeats_of_a_cell_tell_the_noise_that_its_points_have() {
    let sweeps: Vec<Spectrum> = (90..94).map(|seed| drifting(0.0, 5e-3, seed)).collect();
    let noise = Noise::from_repeats(&sweeps).unwrap();
    let judgement = judge(&sweeps[1], Some(noise), Stage::Complete);
    assert_eq!(judgement.noise.unwrap().source.word(), "repeats");
    assert!(
        (judgement.noise_percent.unwrap() / 0.5 - 1.0).abs() < 0.15,
        "{judgement:?}"
    );
    assert_eq!(judgement.verdict, Some(Verdict::Pass));
}

#[test]
fn the_reason_at_the_low_end_says_where_and_what() {
    for growth in [0.2, 0.5, -0.3] {
        let judgement = judge(&drifting(growth, 1e-3, 4_001), None, Stage::Complete);
        let reason = &judgement.reasons[0];
        assert!(
            reason.contains("residuals") && reason.contains("Hz") && reason.contains("drift"),
            "{reason}"
        );
    }
}

#[test]
fn a_drift_that_is_small_passes_with_a_remark() {
    let mut remarked = 0;
    for seed in 8_000..8_020 {
        let judgement = judge(&drifting(0.02, 1e-4, seed), None, Stage::Complete);
        assert_eq!(judgement.verdict, Some(Verdict::Pass), "{:?}", judgement.reasons);
        assert!(judgement.reasons.iter().any(|reason| reason == NOT_EXCLUDED));
        remarked += usize::from(judgement.reasons[0].starts_with("small residuals"));
    }
    assert!(remarked >= 18, "{remarked} of 20");
}

#[test]
fn neighbours_of_noise_do_not_go_together() {
    let (mut sum, mut told) = (0.0, 0);
    for seed in 60_000..60_100 {
        let evidence = judge(&sound(seed), None, Stage::Complete)
            .fit
            .unwrap()
            .evidence
            .unwrap();
        sum += evidence.lag_one;
        told += usize::from(evidence.lag_one_p < 0.05);
    }
    println!("mean {:.4}, {told} of 100 below 5 %", sum / 100.0);
    // The number of elements is chosen by what is left, which leaves a little more than nothing.
    assert!((sum / 100.0_f64).abs() < 0.06, "{sum}");
    assert!(told <= 12, "{told}");
    let drift = judge(&drifting(0.5, 1e-3, 1), None, Stage::Complete);
    assert!(drift.fit.unwrap().evidence.unwrap().lag_one > 0.5);
}

#[test]
fn more_elements_leave_less_and_cancel_each_other_more() {
    let tried = every_number(&drifting(0.0, 1e-3, 1), Form::Impedance);
    assert_eq!((tried[0].m, tried[tried.len() - 1].m), (14, 42));
    assert!(tried.windows(2).all(|pair| pair[1].m == pair[0].m + 1));
    assert!(tried.iter().all(|tried| (0.0..=1.0).contains(&tried.mu)));
    // 0.1 % of noise, of which the elements take their part; the fewest leave more than that.
    let (first, last) = (tried[0], tried[tried.len() - 1]);
    assert!((0.06..0.1).contains(&last.rms_residual_percent), "{last:?}");
    assert!(
        first.rms_residual_percent > 1.3 * last.rms_residual_percent,
        "{first:?} {last:?}"
    );
    assert!(first.mu > 0.95 && last.mu < 0.7, "{first:?} {last:?}");
    assert!(every_number(&Spectrum::default(), Form::Impedance).is_empty());
}

#[test]
fn an_exact_resistor_is_not_accused_of_drift() {
    let frequencies: Vec<f64> = (0..81).map(|i| 10f64.powf(6.0 - 0.1 * f64::from(i))).collect();
    let spectrum = Spectrum::from_impedance(&frequencies, &[Complex64::new(10.0, 0.0); 81]);
    let judgement = judge(&spectrum, None, Stage::Complete);
    assert_eq!(judgement.verdict, Some(Verdict::Pass));
    assert_eq!(judgement.reasons, ["the residuals are noise", NOT_EXCLUDED]);
}

#[test]
fn a_pass_never_says_that_the_cell_drifted_and_seldom_that_anything_is_there() {
    let mut remarked = 0;
    for seed in 0..60 {
        let spectrum = random(seed, 0.0, 1e-3);
        let judgement = judge(&spectrum, None, Stage::Complete);
        if judgement.verdict == Some(Verdict::Pass) {
            let told = judgement.reasons.join("; ");
            assert!(!told.contains("the cell drifted"), "{told}");
            remarked += usize::from(told.contains("not noise alone"));
        }
    }
    println!("{remarked} of 60 passes remarked");
    assert!(remarked <= 6, "{remarked}");
}

#[test]
fn turned_signs_are_suspect_with_their_reason() {
    let mut negative = drifting(0.0, 1e-3, 1);
    let mut conjugate = negative.clone();
    for point in &mut negative.points {
        (point.z_real_ohm, point.z_imag_ohm) = (-point.z_real_ohm, -point.z_imag_ohm);
    }
    conjugate
        .points
        .iter_mut()
        .for_each(|point| point.z_imag_ohm *= -1.0);
    for (spectrum, words) in [
        (negative, "Z' is negative at 71 of 71 points"),
        (conjugate, "Z'' is positive"),
    ] {
        let judgement = judge(&spectrum, None, Stage::Complete);
        assert!(judgement.verdict > Some(Verdict::Pass), "{judgement:?}");
        let told = judgement.reasons.join("; ");
        assert!(told.contains(words) && !told.contains(NOT_EXCLUDED), "{told}");
    }
}

#[test]
fn a_noisy_pass_says_what_it_cannot_see() {
    let judgement = judge(&drifting(0.0, 0.05, 2), None, Stage::Complete);
    assert_eq!(judgement.verdict, Some(Verdict::Pass));
    let blind = judgement.reasons.iter().find(|reason| is_about_noise(reason));
    let blind = blind.unwrap();
    assert!(blind.contains("would not be seen"), "{blind}");
    let percent = 3.0 * judgement.noise_percent.unwrap();
    assert!(blind.contains(&format!("below about {percent:.0} %")), "{blind}");
    let quiet = judge(&drifting(0.0, 1e-3, 2), None, Stage::Complete);
    assert!(!quiet.reasons.iter().any(|reason| is_about_noise(reason)));
}

#[test]
fn the_modulus_that_the_phase_tells_hardly_ever_condemns_a_sound_spectrum() {
    use crate::analysis::{doubt, zhit::zhit};
    let mut verdicts = [0; 3];
    for seed in 0..100 {
        let spectrum = sound(seed);
        let mut judgement = judge(&spectrum, None, Stage::Complete);
        let zhit = zhit(&spectrum, judgement.noise.as_ref()).unwrap();
        doubt::by_zhit(&mut judgement, &zhit);
        verdicts[judgement.verdict.unwrap() as usize] += 1;
    }
    println!("with Z-HIT: {verdicts:?}");
    assert!(verdicts[1] <= 5 && verdicts[2] <= 2, "{verdicts:?}");
    // A modulus that falls away at the low end while its phase stays.
    let mut spectrum = drifting(0.0, 1e-3, 9);
    let mut judgement = judge(&spectrum, None, Stage::Complete);
    for point in &mut spectrum.points[58..] {
        point.z_real_ohm *= 1.1;
        point.z_imag_ohm *= 1.1;
    }
    let told = zhit(&spectrum, judgement.noise.as_ref()).unwrap();
    doubt::by_zhit(&mut judgement, &told);
    assert_eq!(judgement.verdict, Some(Verdict::Suspect));
    assert!(
        judgement.reasons[0].starts_with("Z-HIT: below"),
        "{:?}",
        judgement.reasons
    );
}
