//! What the whole method must find, and where it must refuse.

use num_complex::Complex64;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::*;

fn frequencies(high_exponent: f64, low_exponent: f64, count: usize) -> Vec<f64> {
    let step = (low_exponent - high_exponent) / (count - 1) as f64;
    (0..count)
        .map(|i| 10f64.powf(high_exponent + step * i as f64))
        .collect()
}

/// A spectrum of a function of jw with normal noise of `noise` |Z| on each component.
fn spectrum(f: &[f64], noise: f64, seed: u64, z: impl Fn(Complex64) -> Complex64) -> Spectrum {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
    let values: Vec<Complex64> = f
        .iter()
        .map(|f| {
            let z = z(Complex64::new(0.0, std::f64::consts::TAU * f));
            z + noise * z.norm() * Complex64::new(draw(), draw())
        })
        .collect();
    Spectrum::from_impedance(f, &values)
}

fn zarc(s: Complex64, resistance: f64, tau: f64, exponent: f64) -> Complex64 {
    resistance / (1.0 + (s * tau).powf(exponent))
}

fn two_zarcs(s: Complex64) -> Complex64 {
    5.0 + zarc(s, 20.0, 2e-5, 0.9) + zarc(s, 40.0, 2e-2, 0.85)
}

fn two_zarc_spectrum(seed: u64) -> Spectrum {
    spectrum(&frequencies(6.0, -2.0, 81), 0.005, seed, two_zarcs)
}

fn found(spectrum: &Spectrum) -> Drt {
    drt(spectrum, &DrtOptions::default()).unwrap()
}

#[track_caller]
fn is_near(value: f64, expected: f64, share: f64) {
    assert!((value / expected - 1.0).abs() < share, "{value}, not {expected}");
}

#[test]
fn two_zarcs_are_two_peaks_with_their_resistances() {
    let drt = found(&two_zarc_spectrum(1));
    assert_eq!(drt.peaks.len(), 2, "{:?}", drt.peaks);
    for (peak, (resistance, tau)) in drt.peaks.iter().zip([(20.0, 2e-5), (40.0, 2e-2)]) {
        is_near(peak.resistance_ohm, resistance, 0.05);
        is_near(peak.tau_s, tau, 0.2);
        is_near(peak.capacitance_f, tau / resistance, 0.2);
        assert!(!peak.is_cut() && peak.std_error_ohm.unwrap() > 0.0);
    }
    is_near(drt.r_polarisation_ohm, 60.0, 0.01);
    is_near(drt.r_infinity_ohm, 5.0, 0.02);
    assert_eq!(drt.tail, None);
    assert!(drt.remarks.is_empty(), "{:?}", drt.remarks);
}

/// How many of so many noisy two-ZARC spectra have more than two peaks, and how many an area that is wrong.
fn third_peaks(count: u64) -> (u64, u64) {
    let (mut third, mut wrong) = (0, 0);
    for seed in 0..count {
        let drt = found(&two_zarc_spectrum(500 + seed));
        third += u64::from(drt.peaks.len() > 2);
        let areas = drt.peaks.iter().map(|peak| peak.resistance_ohm).zip([20.0, 40.0]);
        let right = areas
            .filter(|(area, truth)| (area / truth - 1.0).abs() < 0.05)
            .count();
        wrong += u64::from(right < 2);
    }
    (third, wrong)
}

#[test]
fn of_forty_noisy_spectra_at_most_two_show_a_third_peak() {
    let (third, wrong) = third_peaks(40);
    assert!(third <= 2 && wrong <= 2, "{third} {wrong}");
}

#[test]
#[ignore = "200 spectra; some seconds in a debug build"]
fn of_two_hundred_noisy_spectra_at_most_ten_show_a_third_peak() {
    let (third, wrong) = third_peaks(200);
    assert!(third <= 10 && wrong <= 10, "{third} {wrong}");
}

#[test]
fn the_distribution_of_a_clean_zarc_is_the_closed_form() {
    let f = frequencies(6.0, -2.0, 81);
    let drt = found(&spectrum(&f, 0.0, 0, |s| 5.0 + zarc(s, 100.0, 1e-3, 0.8)));
    is_near(drt.r_polarisation_ohm, 100.0, 0.01);
    let top = closed_form::zarc(100.0, 1e-3, 0.8, 1e-3);
    for (tau, gamma) in drt.grid.tau_s.iter().zip(&drt.gamma_ohm) {
        let truth = closed_form::zarc(100.0, 1e-3, 0.8, *tau);
        if drt.grid.is_inside(*tau) {
            assert!((gamma - truth).abs() < 0.03 * top, "{tau} {gamma} {truth}");
        }
    }
}

#[test]
fn the_area_does_not_depend_on_how_many_time_constants_there_are() {
    for taus in [60, 100, 200] {
        let options = DrtOptions {
            taus,
            ..DrtOptions::default()
        };
        let drt = drt(&two_zarc_spectrum(2), &options).unwrap();
        is_near(drt.r_polarisation_ohm, 60.0, 0.01);
        assert_eq!(drt.peaks.len(), 2, "{taus}");
    }
}

#[test]
fn a_diffusion_tail_is_fitted_beside_one_arc() {
    let f = frequencies(6.0, -3.0, 100);
    for seed in 0..5 {
        let drt = found(&spectrum(&f, 0.005, 40 + seed, |s| {
            10.0 + 1.0 / (1.0 / 50.0 + 1e-6 * s.powf(0.9)) + 100.0 / s.sqrt()
        }));
        assert_eq!(drt.peaks.len(), 1, "{:?}", drt.peaks);
        is_near(drt.peaks[0].resistance_ohm, 50.0, 0.05);
        let Some(Tail::Warburg { ohm_per_sqrt_s }) = drt.tail else {
            panic!("{:?}", drt.tail);
        };
        is_near(ohm_per_sqrt_s, 100.0 / 2f64.sqrt(), 0.02);
    }
}

#[test]
fn blocking_electrodes_are_a_capacitance_or_a_constant_phase_element() {
    let f = frequencies(6.0, -2.0, 81);
    let arc = |s| 5.0 + zarc(s, 50.0, 1e-5, 0.9);
    let drt = found(&spectrum(&f, 0.002, 3, |s| arc(s) + 1.0 / (1e-5 * s)));
    let Some(Tail::Capacitance { farad }) = drt.tail else {
        panic!("{:?}", drt.tail);
    };
    is_near(farad, 1e-5, 0.01);
    assert_eq!(drt.peaks.len(), 1);
    is_near(drt.peaks[0].resistance_ohm, 50.0, 0.05);
    let drt = found(&spectrum(&f, 0.002, 4, |s| arc(s) + 1.0 / (5e-6 * s.powf(0.92))));
    let Some(Tail::ConstantPhase { q, exponent }) = drt.tail else {
        panic!("{:?}", drt.tail);
    };
    is_near(exponent, 0.92, 0.005);
    is_near(q, 5e-6, 0.03);
    assert_eq!(drt.peaks.len(), 1);
    is_near(drt.peaks[0].resistance_ohm, 50.0, 0.05);
    assert!(
        drt.remarks[0].contains("constant phase element"),
        "{:?}",
        drt.remarks
    );
}

#[test]
fn a_finite_diffusion_is_a_series_of_relaxations_on_a_capacitance() {
    let f = frequencies(5.0, -3.0, 81);
    let drt = found(&spectrum(&f, 0.001, 5, |s| {
        let x = (s * 30.0).sqrt();
        5.0 + zarc(s, 20.0, 1e-4, 0.9) + 50.0 / (x * x.tanh())
    }));
    assert!(
        matches!(drt.tail, Some(Tail::Capacitance { .. })),
        "{:?}",
        drt.tail
    );
    is_near(drt.r_polarisation_ohm, 20.0 + 50.0 / 3.0, 0.02);
}

#[test]
fn a_pure_relaxation_gives_its_resistance_and_time() {
    let f = frequencies(6.0, -2.0, 81);
    let drt = found(&spectrum(&f, 0.005, 6, |s| 20.0 + 100.0 / (1.0 + s * 1e-3)));
    assert_eq!(drt.peaks.len(), 1);
    is_near(drt.peaks[0].resistance_ohm, 100.0, 0.01);
    is_near(drt.peaks[0].tau_s, 1e-3, 0.03);
    is_near(drt.peaks[0].frequency_hz, 1e3 / std::f64::consts::TAU, 0.03);
}

#[test]
fn an_inductance_is_found_and_adds_no_peak() {
    let f = frequencies(200e3f64.log10(), -1.0, 64);
    let drt = found(&spectrum(&f, 0.001, 7, |s| {
        3e-6 * s + 20.0 + zarc(s, 46.0, 2.3e-4, 0.85) + zarc(s, 44.0, 5e-2, 0.8)
    }));
    assert_eq!(drt.peaks.len(), 2, "{:?}", drt.peaks);
    is_near(drt.inductance_h, 3e-6, 0.05);
}

#[test]
fn what_is_slower_than_the_data_is_masked_and_its_peak_called_cut() {
    let f = frequencies(5.0, -1.0, 61);
    let drt = found(&spectrum(&f, 0.002, 8, |s| {
        5.0 + zarc(s, 20.0, 1e-3, 0.9) + zarc(s, 30.0, 1.2, 0.9)
    }));
    assert!(drt.masked_ohm[1] > 1.0, "{:?}", drt.masked_ohm);
    let last = drt.peaks.last().unwrap();
    assert!(last.is_cut() && last.tau_s <= drt.grid.window_s[1], "{last:?}");
    assert!(
        drt.remarks.iter().any(|remark| remark.contains("lower limit")),
        "{:?}",
        drt.remarks
    );
}

#[test]
fn an_arc_that_the_tail_hides_is_refused_and_one_near_its_end_is_doubted() {
    let f = frequencies(4.0, 0.0, 41);
    let hidden = |resistance: f64, noise: f64| {
        spectrum(&f, noise, 1, |s| {
            5.0 + zarc(s, resistance, 0.03, 0.75) + 100.0 / s.powf(0.6)
        })
    };
    let error = drt(&hidden(10.0, 0.02), &DrtOptions::default()).unwrap_err();
    assert!(matches!(error, DrtError::TailNotSeparable { .. }), "{error}");
    assert!(
        error.to_string().contains("measure to lower frequencies"),
        "{error}"
    );
    let doubted = found(&hidden(30.0, 0.005));
    assert!(
        doubted
            .remarks
            .iter()
            .any(|remark| remark.contains("beside a tail")),
        "{:?}",
        doubted.remarks
    );
}

#[test]
fn the_unit_of_resistance_changes_nothing_but_the_numbers() {
    let one = found(&two_zarc_spectrum(9));
    for scale in [1e-200, 1e-6, 1e9, 1e300] {
        let mut scaled = two_zarc_spectrum(9);
        for point in &mut scaled.points {
            point.z_real_ohm *= scale;
            point.z_imag_ohm *= scale;
        }
        let other = found(&scaled);
        is_near(other.lambda, one.lambda, 1e-9);
        assert_eq!(one.peaks.len(), other.peaks.len());
        for (other, one) in other.peaks.iter().zip(&one.peaks) {
            is_near(other.resistance_ohm, one.resistance_ohm * scale, 1e-9);
            is_near(other.tau_s, one.tau_s, 1e-9);
        }
    }
}

#[test]
fn the_order_of_the_points_changes_nothing() {
    let one = found(&two_zarc_spectrum(12));
    let mut mixed = two_zarc_spectrum(12);
    mixed
        .points
        .sort_by_key(|point| (point.frequency_hz * 7919.0) as u64 % 101);
    let other = found(&mixed);
    assert_eq!(one.peaks.len(), other.peaks.len());
    is_near(other.peaks[1].resistance_ohm, one.peaks[1].resistance_ohm, 1e-9);
}

#[test]
fn points_that_repeat_a_frequency_do_not_count_twice() {
    let twice = spectrum(&[1e5, 1e-1].repeat(40), 0.001, 1, two_zarcs);
    let error = drt(&twice, &DrtOptions::default()).unwrap_err();
    assert!(matches!(error, DrtError::TooFewPoints { usable: 2 }), "{error}");
}

#[test]
fn the_errors_cover_the_truth() {
    let (mut beyond, mut all) = (0, 0);
    for seed in 0..30 {
        let drt = found(&two_zarc_spectrum(9000 + seed));
        for (peak, truth) in drt.peaks.iter().zip([20.0, 40.0]) {
            let error = peak.error_ohm().unwrap();
            // Said to be small as well, or covering would mean nothing.
            assert!(error < 0.05 * truth, "{peak:?}");
            beyond += u32::from((peak.resistance_ohm - truth).abs() > 3.0 * error);
            all += 1;
        }
    }
    assert!(all == 60 && beyond <= 6, "{beyond} of {all}");
}

#[test]
fn beside_a_tail_of_free_exponent_nothing_that_goes_on_beyond_the_window_is_believed() {
    let f = frequencies(4.7, 0.8, 40);
    for seed in 0..8 {
        // Both the arc's top and the tail's law lie below the lowest frequency.
        let data = spectrum(&f, 0.002, 60 + seed, |s| {
            0.15 + zarc(s, 0.46, 4.5e-2, 0.98) + 1.5 / s.powf(0.71)
        });
        if let Ok(drt) = drt(&data, &DrtOptions::default())
            && matches!(drt.tail, Some(Tail::ConstantPhase { .. }))
        {
            let near = drt.grid.window_s[1] / 30.0;
            let believed = drt
                .peaks
                .iter()
                .find(|peak| peak.tau_s > near && peak.cut_sides[1]);
            assert_eq!(believed, None, "seed {seed}");
        }
    }
}

#[test]
fn residuals_far_beyond_the_noise_are_refused_though_they_are_small() {
    let f = frequencies(5.0, -1.0, 61);
    let data = spectrum(&f, 0.0005, 1, |s| {
        10.0 + zarc(s, 20.0, 1e-3, 0.9) - 1.5 / (1.0 + s * 0.1)
    });
    let error = drt(&data, &DrtOptions::default()).unwrap_err();
    let DrtError::Unexplained { rms_percent } = error else {
        panic!("{error}");
    };
    assert!(rms_percent < 5.0, "{rms_percent}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_is_measured_the_numbers_are_finite_and_the_areas_positive(
        arcs in prop::collection::vec((-2.0..3.0_f64, -6.0..2.0_f64, 0.55..1.0_f64), 1..4),
        tail in (-1.0..2.0_f64, 0.4..1.0_f64, 0..3_u8),
        inductance in -9.0..-4.0_f64,
        noise in -3.5..-1.5_f64,
        per_decade in 3..15_usize,
        seed in any::<u64>(),
    ) {
        let f = frequencies(5.0, -1.0, 6 * per_decade + 1);
        let data = spectrum(&f, 10f64.powf(noise), seed, |s| {
            let mut z = 5.0 + 10f64.powf(inductance) * s;
            for (resistance, tau, exponent) in &arcs {
                z += zarc(s, 10f64.powf(*resistance), 10f64.powf(*tau), *exponent);
            }
            match tail.2 {
                0 => z,
                1 => z + 10f64.powf(tail.0) / s.powf(tail.1),
                _ => z - 10f64.powf(tail.0) * 0.1 / (1.0 + s),
            }
        });
        if let Ok(drt) = drt(&data, &DrtOptions::default()) {
            let plain = [drt.lambda, drt.r_infinity_ohm, drt.inductance_h, drt.r_polarisation_ohm];
            prop_assert!(plain.iter().all(|value| value.is_finite() && *value >= 0.0), "{:?}", plain);
            prop_assert!(drt.gamma_ohm.iter().all(|gamma| gamma.is_finite() && *gamma >= 0.0));
            for peak in &drt.peaks {
                let sizes = [peak.tau_s, peak.resistance_ohm, peak.capacitance_f];
                prop_assert!(sizes.iter().all(|value| value.is_finite() && *value > 0.0), "{:?}", peak);
                prop_assert!(peak.error_ohm().is_none_or(f64::is_finite), "{:?}", peak);
                prop_assert!(peak.range_s[0] <= peak.tau_s * 1.2 && peak.tau_s <= peak.range_s[1] * 1.2, "{:?}", peak);
            }
            let mut ranges: Vec<[f64; 2]> = drt.peaks.iter().map(|peak| peak.range_s).collect();
            ranges.sort_by(|a, b| a[0].total_cmp(&b[0]));
            prop_assert!(ranges.windows(2).all(|pair| pair[0][1] < pair[1][0]), "{:?}", ranges);
        }
    }
}

#[test]
fn a_band_stands_where_the_solution_is_not_held_at_zero_and_nowhere_else() {
    let f = frequencies(6.0, -2.0, 81);
    let drt = found(&spectrum(&f, 0.005, 10, |s| 20.0 + 100.0 / (1.0 + s * 1e-3)));
    assert!(drt.gamma_ohm.contains(&0.0));
    for (gamma, band) in drt.gamma_ohm.iter().zip(&drt.band_ohm) {
        assert_eq!(
            *gamma > 0.0,
            band.is_some_and(|band| band > 0.0),
            "{gamma} {band:?}"
        );
    }
}

#[test]
fn a_given_lambda_is_used() {
    let options = DrtOptions {
        lambda: Some(1e-2),
        ..DrtOptions::default()
    };
    let drt = drt(&two_zarc_spectrum(11), &options).unwrap();
    assert_eq!((drt.lambda, drt.is_lambda_chosen), (1e-2, false));
    assert_eq!(drt.peaks.len(), 2);
    let wrong = DrtOptions {
        lambda: Some(f64::NAN),
        ..DrtOptions::default()
    };
    let error = super::drt(&two_zarc_spectrum(11), &wrong).unwrap_err();
    assert!(matches!(error, DrtError::WrongLambda { .. }));
}

#[test]
fn a_lambda_that_smooths_everything_away_is_to_blame_and_not_the_data() {
    let options = DrtOptions {
        lambda: Some(1e9),
        ..DrtOptions::default()
    };
    let error = drt(&two_zarc_spectrum(13), &options).unwrap_err();
    assert!(matches!(error, DrtError::TooSmooth { .. }), "{error}");
    assert!(error.to_string().contains("take a smaller one"), "{error}");
}

#[test]
fn without_meaning_it_refuses_and_says_why() {
    let f = frequencies(5.0, -1.0, 61);
    let refusal = |spectrum: &Spectrum| drt(spectrum, &DrtOptions::default()).unwrap_err();
    let few = spectrum(&f[..8], 0.001, 1, two_zarcs);
    assert!(matches!(refusal(&few), DrtError::TooFewPoints { usable: 8 }));
    let narrow = spectrum(&frequencies(3.0, 2.0, 30), 0.001, 1, two_zarcs);
    assert!(matches!(refusal(&narrow), DrtError::TooNarrow { .. }));
    let coil = spectrum(&f, 0.001, 1, |s| 1.0 + 1e-4 * s);
    assert!(
        matches!(refusal(&coil), DrtError::Inductive { .. }),
        "{}",
        refusal(&coil)
    );
    let series = spectrum(&f, 0.001, 1, |s| 100.0 + 1.0 / (1e-5 * s));
    let error = refusal(&series);
    assert!(
        error.to_string().contains("a resistance and a capacitance alone"),
        "{error}"
    );
    let loops = spectrum(&f, 0.001, 1, |s| {
        10.0 + zarc(s, 20.0, 1e-3, 0.9) - 15.0 / (1.0 + s * 1.0)
    });
    assert!(
        matches!(refusal(&loops), DrtError::Unexplained { .. }),
        "{}",
        refusal(&loops)
    );
    let nothing = Spectrum::from_impedance(&[f64::NAN; 20], &[Complex64::ZERO; 20]);
    assert!(matches!(refusal(&nothing), DrtError::TooFewPoints { usable: 0 }));
}
