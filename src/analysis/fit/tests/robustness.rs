//! Random cells and random nonsense.

use proptest::prelude::*;
use rand::Rng;

use crate::spectrum::Point;

use super::*;

/// Spectra with `arcs` arcs, and diffusion if wanted, at random over six decades of time, at least 0.8 decades
/// apart; how many of `count` are solved without a start as well as from the truth.
fn solved(arcs: usize, diffusion: bool, count: u64) -> u64 {
    let mut text = String::from("R0");
    for index in 1..=arcs {
        text += &format!("-p(R{index},CPE{index})");
    }
    if diffusion {
        text += "-W1";
    }
    let circuit = circuit(&text);
    let mut solved = 0;
    for seed in 0..count {
        let mut generator = ChaCha8Rng::seed_from_u64(1000 * arcs as u64 + seed);
        let mut log_tau: Vec<f64>;
        loop {
            log_tau = (0..arcs).map(|_| generator.random_range(-5.5..0.7)).collect();
            log_tau.sort_by(f64::total_cmp);
            if log_tau.windows(2).all(|pair| pair[1] - pair[0] >= 0.8) {
                break;
            }
        }
        let size = 10f64.powf(generator.random_range(0.0..4.0));
        let mut truth = vec![size * 10f64.powf(generator.random_range(-2.0..0.0))];
        for log_tau in log_tau {
            let resistance = size * 10f64.powf(generator.random_range(-1.0..0.0));
            let exponent: f64 = generator.random_range(0.7..1.0);
            truth.extend([resistance, 10f64.powf(log_tau * exponent) / resistance, exponent]);
        }
        if diffusion {
            truth.push(size * 10f64.powf(generator.random_range(-1.5..0.0)));
        }
        let spectrum = noisy(&circuit, &truth, &frequencies(1e6, 1e-2, 60), 5e-3, 0.0, seed);
        let options = FitOptions {
            cold: ColdStarts::Never,
            ..FitOptions::warm(truth)
        };
        let reference = fit(&spectrum, &circuit, &options).unwrap();
        let cold = fit(&spectrum, &circuit, &FitOptions::default()).unwrap();
        solved += u64::from(cold.chi_squared <= reference.chi_squared * 1.001);
    }
    solved
}

#[test]
fn random_cells_are_solved_without_a_start() {
    for (arcs, diffusion, least) in [
        (1, false, 40),
        (2, false, 40),
        (3, false, 39),
        (1, true, 40),
        (2, true, 39),
        (3, true, 37),
    ] {
        let solved = solved(arcs, diffusion, 40);
        println!("{arcs} arcs, diffusion {diffusion}: {solved} of 40");
        assert!(
            solved >= least,
            "{arcs} arcs, diffusion {diffusion}: {solved} of 40"
        );
    }
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -1e3..1e3_f64,
        2 => prop::num::f64::ANY,
        1 => prop::sample::select(vec![0.0, 1e300, -1e300, 1e-300, f64::NAN, f64::INFINITY]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn nonsense_gives_finite_values_or_an_error_and_never_a_panic(
        numbers in prop::collection::vec((any_number(), any_number(), any_number()), 0..12),
        text in prop::sample::select(vec!["R0-p(R1,CPE1)", "L0-C1-W1", "p(R1-Wo1,C1)", "R0-p(L1,C1)-Ws1"]),
    ) {
        let points: Vec<_> = numbers.iter().map(|&(f, re, im)| Point::new(f.abs(), re, im)).collect();
        if let Ok(result) = fit(&points.into(), &circuit(text), &FitOptions::default()) {
            prop_assert!(result.chi_squared.is_finite());
            for parameter in &result.parameters {
                prop_assert!(parameter.value.is_finite(), "{:?}", parameter);
                prop_assert!(parameter.std_error.is_none_or(|error| error.is_finite()));
            }
        }
    }
}
