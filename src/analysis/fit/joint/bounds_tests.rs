//! What stands on a bound is not known exactly: over many series, the errors of all other parameters must be true
//! beside it.

use super::tests::{same, series};
use super::*;

const RUNS: u64 = 1000;

/// How often an interval of 95 % was claimed, and how often the truth lay in it.
#[derive(Debug, Default)]
struct Count {
    claimed: u64,
    inside: u64,
}

impl Count {
    fn add(&mut self, value: f64, std_error: Option<f64>, truth: f64) {
        let Some(error) = std_error else { return };
        self.claimed += 1;
        // Series of 300 numbers and more: Student's t is the normal distribution.
        self.inside += u64::from((value - truth).abs() < 1.96 * error);
    }

    fn percent(&self) -> f64 {
        100.0 * self.inside as f64 / self.claimed as f64
    }
}

#[test]
fn a_shared_exponent_at_its_bound_does_not_make_the_others_certain() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
    let mut on_bound = 0;
    let [mut of_q, mut of_r1, mut of_r0, mut too_sure] = [(); 4].map(|()| Count::default());
    for seed in 0..RUNS {
        // True exponents from the bound down to three of their standard errors below it.
        let n = 1.0 - 0.0012 * (seed % 25) as f64 / 24.0;
        let truth = |i: usize| vec![10.0, 100.0 + 50.0 * i as f64, 1e-6, n];
        let spectra = series(&circuit, 3, 3000 + seed, truth);
        let joint = fit_jointly(&spectra, &circuit, &FitOptions::default(), &same(&["CPE1.n"])).unwrap();
        if !joint.shared[0].at_bound {
            continue;
        }
        on_bound += 1;
        assert!(joint.shared[0].std_error.is_none() && !joint.shared[0].determined);
        for (i, fitted) in joint.fits.iter().enumerate() {
            for (name, count, truth) in [
                ("CPE1.Q", &mut of_q, 1e-6),
                ("R1", &mut of_r1, truth(i)[1]),
                ("R0", &mut of_r0, 10.0),
            ] {
                let parameter = fitted.parameter(name).unwrap();
                count.add(parameter.value, parameter.std_error, truth);
            }
            assert!(fitted.parameter("CPE1.n").unwrap().at_bound);
        }
        let known = FitOptions {
            fixed: vec![("CPE1.n".to_owned(), 1.0)],
            ..FitOptions::default()
        };
        for fitted in &fit_jointly(&spectra, &circuit, &known, &[]).unwrap().fits {
            let q = fitted.parameter("CPE1.Q").unwrap();
            too_sure.add(q.value, q.std_error, 1e-6);
        }
    }
    assert!((100..=350).contains(&on_bound), "{on_bound}");
    assert!(too_sure.percent() < 80.0, "what this is about: {too_sure:?}");
    for count in [&of_q, &of_r1, &of_r0] {
        assert_eq!(count.claimed, 3 * on_bound);
        assert!((92.0..=99.5).contains(&count.percent()), "{count:?}");
    }
}

#[test]
fn a_resistance_at_its_bound_in_one_spectrum_does_not_make_what_is_shared_certain() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
    let mut on_bound = 0;
    let [mut of_q, mut of_n, mut of_sum] = [(); 3].map(|()| Count::default());
    for seed in 0..RUNS {
        // A bound at the truth and up to two standard errors above it, in the first spectrum alone within reach.
        let r1 = 400.0 - 1.0 * (seed % 25) as f64 / 24.0;
        let truth = |i: usize| vec![10.0, if i == 0 { r1 } else { 200.0 }, 1e-5, 0.8];
        let spectra = series(&circuit, 2, 9000 + seed, truth);
        let options = FitOptions {
            bounds: vec![("R1".to_owned(), 1.0, 400.0)],
            ..FitOptions::default()
        };
        let joint = fit_jointly(&spectra, &circuit, &options, &same(&["CPE1.Q", "CPE1.n"])).unwrap();
        if !joint.fits[0].parameter("R1").unwrap().at_bound {
            continue;
        }
        on_bound += 1;
        of_q.add(joint.shared[0].value, joint.shared[0].std_error, 1e-5);
        of_n.add(joint.shared[1].value, joint.shared[1].std_error, 0.8);
        let other = joint.fits[1].sum("R0+R1").unwrap();
        of_sum.add(other.value, other.std_error, 210.0);
    }
    assert!((100..=350).contains(&on_bound), "{on_bound}");
    for count in [&of_q, &of_n, &of_sum] {
        assert_eq!(count.claimed, on_bound);
        assert!((90.0..=100.0).contains(&count.percent()), "{count:?}");
    }
}

#[test]
fn a_spectrum_that_says_nothing_of_its_own_arc_does_not_take_the_errors_from_the_others() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)-p(R2,CPE2)").unwrap();
    let mut spectra = series(&circuit, 3, 5, |_| vec![10.0, 100.0, 1e-6, 0.9, 80.0, 1e-3, 0.85]);
    // One arc only, and hardly any noise.
    let single = Circuit::parse("R0-p(R1,C1)").unwrap();
    spectra[1] = series(&single, 1, 6, |_| vec![10.0, 100.0, 1e-6]).remove(0);
    let joint = fit_jointly(&spectra, &circuit, &FitOptions::default(), &same(&["R0"])).unwrap();
    for place in [0, 2] {
        for parameter in &joint.fits[place].parameters {
            assert!(parameter.determined, "spectrum {place}: {parameter:?}");
        }
    }
    assert!(
        joint.fits[1]
            .parameters
            .iter()
            .any(|parameter| !parameter.determined)
    );
    assert!(joint.shared[0].determined, "{:?}", joint.shared);
}
