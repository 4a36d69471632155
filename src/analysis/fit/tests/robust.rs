//! Spectra with wrong points.

use rand::Rng;

use super::*;

const CIRCUIT: &str = "R0-p(R1,CPE1)-W1";
const TRUTH: [f64; 5] = [10.0, 50.0, 1e-6, 0.9, 100.0 * std::f64::consts::FRAC_1_SQRT_2];

fn sweep(seed: u64) -> Spectrum {
    noisy(
        &circuit(CIRCUIT),
        &TRUTH,
        &frequencies(1e6, 1e-3, 100),
        5e-3,
        0.0,
        seed,
    )
}

/// Five points of a hundred become something else: too large, too small, turned, of the wrong sign.
fn spoilt(seed: u64) -> (Spectrum, Vec<usize>) {
    let mut spectrum = sweep(seed);
    let mut generator = ChaCha8Rng::seed_from_u64(900 + seed);
    let mut places: Vec<usize> = Vec::new();
    while places.len() < 5 {
        let place = generator.random_range(0..100);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.sort_unstable();
    for (kind, &place) in places.iter().enumerate() {
        let point = &mut spectrum.points[place];
        let (re, im) = (point.z_real_ohm, point.z_imag_ohm);
        (point.z_real_ohm, point.z_imag_ohm) = match (kind + seed as usize) % 5 {
            0 => (20.0 * re, 20.0 * im),
            1 => (0.01 * re, 0.01 * im),
            2 => (1.3 * re, 0.6 * im),
            3 => (re, -im + 0.3 * re),
            _ => (re + 5.0 * re.hypot(im), im),
        };
    }
    (spectrum, places)
}

fn robust() -> FitOptions {
    FitOptions {
        robust: true,
        ..FitOptions::default()
    }
}

#[test]
fn five_wrong_points_of_a_hundred_do_not_move_the_parameters() {
    let circuit = circuit(CIRCUIT);
    let (mut inside, mut plain_inside) = (0, 0);
    let seeds = 40;
    for seed in 0..seeds {
        let (spectrum, places) = spoilt(seed);
        let result = fit(&spectrum, &circuit, &robust()).unwrap();
        let plain = fit(&spectrum, &circuit, &FitOptions::default()).unwrap();
        let all_within = |result: &FitResult| {
            result.parameters.iter().zip(TRUTH).all(|(p, truth)| {
                p.std_error
                    .is_some_and(|se| (p.value - truth).abs() <= 3.0 * se && se < 0.1 * truth)
            })
        };
        inside += usize::from(all_within(&result));
        plain_inside += usize::from(all_within(&plain));
        let told = result.robust.as_ref().unwrap();
        assert!(
            places.iter().all(|place| told.rejected.contains(place)),
            "seed {seed}: {places:?} {told:?}"
        );
        assert!(told.down_weighted.len() <= 7, "seed {seed}: {told:?}");
        assert!(
            (told.scale / 5e-3 - 1.0).abs() < 0.3,
            "seed {seed}: {}",
            told.scale
        );
        assert!(result.converged);
    }
    println!("all five within three standard errors: robust {inside}, plain {plain_inside} of {seeds}");
    // Five parameters lie within three standard errors in 98.7 % of sound spectra.
    assert!(inside >= 38, "{inside} of {seeds}");
    assert!(plain_inside <= 2, "the test must hurt: {plain_inside} of {seeds}");
}

#[test]
fn without_wrong_points_the_robust_fit_is_the_plain_one() {
    let circuit = circuit(CIRCUIT);
    let mut ratio = [0.0; 5];
    let mut worst: f64 = 0.0;
    for seed in 0..40 {
        let spectrum = sweep(seed);
        let result = fit(&spectrum, &circuit, &robust()).unwrap();
        let plain = fit(&spectrum, &circuit, &FitOptions::default()).unwrap();
        for (k, (a, b)) in result.parameters.iter().zip(&plain.parameters).enumerate() {
            worst = worst.max((a.value - b.value).abs() / b.std_error.unwrap());
            ratio[k] += a.std_error.unwrap() / b.std_error.unwrap() / 40.0;
        }
    }
    println!("at most {worst:.2} standard errors apart, ratio of errors {ratio:?}");
    // At 95 % efficiency the two lie 0.23 standard errors apart on average.
    assert!(worst < 0.9, "{worst}");
    assert!(
        ratio.iter().all(|ratio| (ratio - 1.026).abs() < 0.03),
        "{ratio:?}"
    );
}

#[test]
fn a_robust_fit_gives_the_same_bits_again() {
    let circuit = circuit(CIRCUIT);
    let (spectrum, _) = spoilt(3);
    let fits: Vec<_> = (0..2)
        .map(|_| fit(&spectrum, &circuit, &robust()).unwrap())
        .collect();
    assert_eq!(fits[0], fits[1]);
}

#[test]
fn places_of_wrong_points_count_those_left_out() {
    let circuit = circuit(CIRCUIT);
    let (mut spectrum, places) = spoilt(1);
    spectrum
        .points
        .insert(0, crate::spectrum::Point::new(2e6, f64::NAN, 0.0));
    let result = fit(&spectrum, &circuit, &robust()).unwrap();
    let shifted: Vec<usize> = places.iter().map(|place| place + 1).collect();
    assert_eq!(result.robust.unwrap().rejected, shifted);
}

#[test]
fn data_without_noise_have_no_wrong_points() {
    let circuit = circuit(CIRCUIT);
    let spectrum = noisy(&circuit, &TRUTH, &frequencies(1e6, 1e-3, 60), 0.0, 0.0, 0);
    let result = fit(&spectrum, &circuit, &robust()).unwrap();
    for (parameter, truth) in result.parameters.iter().zip(TRUTH) {
        assert!((parameter.value / truth - 1.0).abs() < 1e-6, "{parameter:?}");
    }
    assert!(result.robust.is_none_or(|told| told.rejected.is_empty()));
}
