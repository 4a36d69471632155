use nalgebra::DMatrix;
use num_complex::Complex64;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::super::fit;
use super::*;

/// Spectra of `R0-p(R1,CPE1)` with 0.5 % noise; `truth` gives the parameters of each.
pub(super) fn series(
    circuit: &Circuit,
    count: usize,
    seed: u64,
    truth: impl Fn(usize) -> Vec<f64>,
) -> Vec<Spectrum> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
    (0..count)
        .map(|index| {
            let frequencies: Vec<f64> = (0..50).map(|i| 10f64.powf(5.0 - 0.12 * f64::from(i))).collect();
            let truth = truth(index);
            let impedance: Vec<Complex64> = frequencies
                .iter()
                .map(|&f| {
                    let z = circuit.impedance(&truth, f);
                    z + 0.005 * z.norm() * Complex64::new(draw(), draw())
                })
                .collect();
            Spectrum::from_impedance(&frequencies, &impedance)
        })
        .collect()
}

pub(super) fn same(names: &[&str]) -> Vec<(String, Sharing)> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), Sharing::Same))
        .collect()
}

#[test]
fn a_shared_exponent_has_one_value_and_a_smaller_error() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
    let spectra = series(&circuit, 12, 1, |i| {
        vec![10.0 + i as f64, 100.0 + 20.0 * i as f64, 1e-5, 0.85]
    });
    let options = FitOptions::default();
    let joint = fit_jointly(&spectra, &circuit, &options, &same(&["CPE1.Q", "CPE1.n"])).unwrap();
    assert!(joint.converged);
    assert_eq!(joint.free, 2 + 12 * 2);
    let n = &joint.shared[1];
    assert_eq!((n.name.as_str(), n.determined), ("CPE1.n", true));
    assert!((n.value - 0.85).abs() < 4.0 * n.std_error.unwrap(), "{n:?}");
    let error = |result: &FitResult, name: &str| result.parameter(name).unwrap().std_error.unwrap();
    let (mut jointly, mut singly) = (0.0, 0.0);
    for (spectrum, fitted) in spectra.iter().zip(&joint.fits) {
        assert_eq!(fitted.parameter("CPE1.n").unwrap().value, n.value);
        let alone = fit(spectrum, &circuit, &options).unwrap();
        assert!(error(fitted, "CPE1.n") < 0.5 * error(&alone, "CPE1.n"));
        jointly += error(fitted, "R1");
        singly += error(&alone, "R1");
    }
    assert!(jointly < 0.95 * singly, "{jointly} {singly}");
}

#[test]
fn nothing_shared_gives_the_single_fits() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
    let spectra = series(&circuit, 3, 2, |i| vec![10.0, 100.0 * (i + 1) as f64, 1e-5, 0.85]);
    let options = FitOptions::default();
    let joint = fit_jointly(&spectra, &circuit, &options, &[]).unwrap();
    for (spectrum, fitted) in spectra.iter().zip(&joint.fits) {
        let alone = fit(spectrum, &circuit, &options).unwrap();
        for (a, b) in fitted.parameters.iter().zip(&alone.parameters) {
            assert!((a.value / b.value - 1.0).abs() < 1e-6, "{a:?} {b:?}");
        }
        assert!((fitted.chi_squared / alone.chi_squared - 1.0).abs() < 1e-9);
    }
}

/// The same problem as one dense system: what the arrow form must reproduce.
#[test]
fn errors_are_those_of_the_dense_covariance() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
    let spectra = series(&circuit, 3, 3, |i| {
        vec![10.0, 100.0 + 50.0 * i as f64, 1e-5, 0.85]
    });
    let options = FitOptions::default();
    let joint = fit_jointly(&spectra, &circuit, &options, &same(&["CPE1.n"])).unwrap();
    // Coordinates: n, then (ln R0, ln R1, ln Q) of each spectrum.
    let mut dense = DMatrix::<f64>::zeros(10, 10);
    for (s, (spectrum, fitted)) in spectra.iter().zip(&joint.fits).enumerate() {
        let mut problem = Problem::new(spectrum, &circuit, &options).unwrap();
        let natural: Vec<f64> = fitted.parameters.iter().map(|p| p.value).collect();
        let mut normal = problem.normal();
        let position = problem.to_search(&natural);
        problem.evaluate(&position, &mut normal);
        let place = [1 + 3 * s, 2 + 3 * s, 3 + 3 * s, 0];
        for i in 0..4 {
            for j in 0..4 {
                dense[(place[i], place[j])] += normal.curvature[(i, j)];
            }
        }
    }
    let covariance = dense.try_inverse().unwrap() * joint.reduced_chi_squared.unwrap();
    let n = joint.shared[0].std_error.unwrap();
    assert!((n / covariance[(0, 0)].sqrt() - 1.0).abs() < 1e-6);
    for (s, fitted) in joint.fits.iter().enumerate() {
        for (k, name) in ["R0", "R1", "CPE1.Q"].into_iter().enumerate() {
            let parameter = fitted.parameter(name).unwrap();
            let expected = covariance[(1 + 3 * s + k, 1 + 3 * s + k)].sqrt() * parameter.value;
            assert!(
                (parameter.std_error.unwrap() / expected - 1.0).abs() < 1e-6,
                "{name}"
            );
        }
        let sum = fitted.sum("R0+R1").unwrap();
        let (r0, r1) = (fitted.parameters[0].value, fitted.parameters[1].value);
        let (a, b) = (1 + 3 * s, 2 + 3 * s);
        let variance =
            r0 * r0 * covariance[(a, a)] + r1 * r1 * covariance[(b, b)] + 2.0 * r0 * r1 * covariance[(a, b)];
        assert!((sum.std_error.unwrap() / variance.sqrt() - 1.0).abs() < 1e-6);
    }
}

#[test]
fn an_activation_energy_comes_out_with_its_error() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
    let temperatures_k = [263.15, 278.15, 298.15, 318.15, 338.15];
    let activated = |energy_ev: f64, at_reference: f64, temperature_k: f64| {
        at_reference * (energy_ev * sharing::inverse_energy(temperature_k)).exp()
    };
    let mut misses = 0;
    for seed in 0..20 {
        let spectra = series(&circuit, 5, 100 + seed, |i| {
            let t = temperatures_k[i];
            let ratio = t / REFERENCE_TEMPERATURE_K;
            vec![
                ratio * activated(0.36, 20.0, t),
                activated(0.45, 100.0, t),
                1e-5,
                0.85,
            ]
        });
        let sharing = |pre_factor| Sharing::Activated {
            temperatures_k: temperatures_k.to_vec(),
            pre_factor,
        };
        let shared = [
            ("R0".to_owned(), sharing(true)),
            ("R1".to_owned(), sharing(false)),
            ("CPE1.n".to_owned(), Sharing::Same),
        ];
        let joint = fit_jointly(&spectra, &circuit, &FitOptions::default(), &shared).unwrap();
        for (parameter, energy, value) in [(&joint.shared[0], 0.36, 20.0), (&joint.shared[1], 0.45, 100.0)] {
            let found = parameter.activation_energy_ev.unwrap();
            assert!(
                found.determined && found.std_error.unwrap() < 0.01,
                "{parameter:?}"
            );
            misses += usize::from((found.value - energy).abs() > 2.5 * found.std_error.unwrap());
            misses += usize::from((parameter.value - value).abs() > 2.5 * parameter.std_error.unwrap());
        }
    }
    // 80 claims; 1.2 % lie beyond 2.5 standard errors.
    assert!(misses <= 4, "{misses}");
}

#[test]
fn contradictions_are_refused_in_words() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
    let spectra = series(&circuit, 3, 4, |_| vec![10.0, 100.0, 1e-5, 0.85]);
    let options = FitOptions::default();
    let refuse = |spectra: &[Spectrum], options: &FitOptions, shared: &[(String, Sharing)]| {
        fit_jointly(spectra, &circuit, options, shared)
            .unwrap_err()
            .to_string()
    };
    assert!(refuse(&spectra[..1], &options, &[]).contains("at least two spectra"));
    assert!(refuse(&spectra, &options, &same(&["R7"])).contains("no parameter R7"));
    assert!(refuse(&spectra, &options, &same(&["R1", "R1"])).contains("shared twice"));
    let fixed = FitOptions {
        fixed: vec![("R1".to_owned(), 100.0)],
        ..FitOptions::default()
    };
    assert!(refuse(&spectra, &fixed, &same(&["R1"])).contains("is held"));
    let activated = |temperatures_k: &[f64], name: &str| {
        let sharing = Sharing::Activated {
            temperatures_k: temperatures_k.to_vec(),
            pre_factor: false,
        };
        vec![(name.to_owned(), sharing)]
    };
    for (temperatures_k, name, message) in [
        (
            &[300.0, 310.0][..],
            "R1",
            "2 temperatures were given for 3 spectra",
        ),
        (&[300.0, 310.0, -1.0], "R1", "-1 K is no temperature"),
        (&[300.0, 300.1, 300.2], "R1", "less than 1 K"),
        (&[300.0, 310.0, 320.0], "CPE1.n", "no activation energy"),
    ] {
        let said = refuse(&spectra, &options, &activated(temperatures_k, name));
        assert!(said.contains(message), "{said}");
    }
    let mut broken = spectra.clone();
    broken[1].points.truncate(1);
    assert!(refuse(&broken, &options, &[]).starts_with("spectrum 2: "));
}
