use super::*;
use crate::circuit::elements::all;

/// Angular frequencies over sixty decades.
fn omegas() -> Vec<f64> {
    (0..=600)
        .map(|i| 10f64.powf(-30.0 + 0.1 * f64::from(i)))
        .collect()
}

/// Shapes in the corners and the middle of what a search may take; sizes and times are 1, so that w tau = w.
fn shapes(kind: &ElementKind) -> Vec<Vec<f64>> {
    let mut shapes = vec![Vec::new()];
    for symbol in kind.parameters {
        let values = match symbol.role {
            Role::Exponent => vec![symbol.lower, 0.5 * (symbol.lower + symbol.upper), symbol.upper],
            Role::Ratio => vec![symbol.lower, 1.0, symbol.upper],
            _ if symbol.may_be_zero => vec![1.0, 0.0, 1e6],
            _ if symbol.may_be_infinite => vec![1.0, f64::INFINITY],
            _ => vec![1.0],
        };
        shapes = shapes
            .iter()
            .flat_map(|shape| {
                values
                    .iter()
                    .map(move |value| [shape.as_slice(), &[*value]].concat())
            })
            .collect();
    }
    shapes
}

#[test]
fn every_element_is_finite_for_any_argument() {
    let omegas = omegas();
    for kind in all() {
        let circuit = circuit(&format!("{}1", kind.symbol));
        for shape in shapes(kind) {
            for (omega, (z, derivatives)) in omegas.iter().zip(evaluate(&circuit, &shape, &omegas)) {
                assert!(z.is_finite(), "{} {shape:?} at {omega}/s: {z}", kind.symbol);
                for (symbol, d) in kind.parameters.iter().zip(derivatives) {
                    assert!(
                        d.is_finite(),
                        "{} {shape:?} at {omega}/s: dZ/d{} is {d}",
                        kind.symbol,
                        symbol.symbol
                    );
                }
            }
        }
    }
}

#[test]
fn every_passive_element_is_monotonic_in_frequency() {
    let omegas = omegas();
    for kind in all() {
        let circuit = circuit(&format!("{}1", kind.symbol));
        for shape in shapes(kind) {
            let found = evaluate(&circuit, &shape, &omegas);
            for (omega, pair) in omegas.iter().zip(found.windows(2)) {
                let (low, high) = (pair[0].0, pair[1].0);
                let rounding = 1e-13 * low.norm().max(high.norm());
                let right = if kind.symbol.starts_with('L') {
                    // An inductance stores what a capacitance stores, seen in the admittance.
                    high.norm() >= low.norm()
                } else {
                    high.re <= low.re + rounding
                };
                assert!(
                    right,
                    "{} {shape:?} at {omega}/s: {low}, then {high}",
                    kind.symbol
                );
                assert!(
                    low.re >= -rounding,
                    "{} {shape:?} at {omega}/s gives energy",
                    kind.symbol
                );
            }
        }
    }
}

#[test]
fn no_element_jumps_where_one_formula_hands_over_to_another() {
    // |s| = 1 of the relaxations, w tau = 0.02 of finite diffusion, |v²| = 1 of the transmission line.
    for kind in all() {
        let circuit = circuit(&format!("{}1", kind.symbol));
        for shape in shapes(kind) {
            for switch in [1.0, 0.02, 0.5] {
                let found = evaluate(
                    &circuit,
                    &shape,
                    &[switch * (1.0 - 1e-15), switch * (1.0 + 1e-15)],
                );
                let (below, above) = (&found[0], &found[1]);
                let close = |a: Complex64, b: Complex64| (a - b).norm() <= 1e-12 * a.norm();
                assert!(
                    close(below.0, above.0),
                    "{} {shape:?}: {} {}",
                    kind.symbol,
                    below.0,
                    above.0
                );
                for (symbol, (a, b)) in kind.parameters.iter().zip(below.1.iter().zip(&above.1)) {
                    assert!(
                        close(*a, *b),
                        "{} {shape:?}: dZ/d{} {a} {b}",
                        kind.symbol,
                        symbol.symbol
                    );
                }
            }
        }
    }
}

#[test]
fn every_entry_is_complete() {
    let mut symbols: Vec<&str> = Vec::new();
    let mut letters: Vec<char> = Vec::new();
    for kind in all() {
        assert!(!symbols.contains(&kind.symbol), "{} is there twice", kind.symbol);
        symbols.push(kind.symbol);
        if let Some(letter) = kind.letter {
            assert!(
                letter.is_ascii_uppercase() && !letters.contains(&letter),
                "letter {letter}"
            );
            letters.push(letter);
        }
        assert!(
            !kind.description.is_empty() && !kind.parameters.is_empty(),
            "{}",
            kind.symbol
        );
        for symbol in kind.parameters {
            assert!(
                symbol.lower < symbol.upper && !symbol.unit.is_empty(),
                "{}",
                kind.symbol
            );
            assert!(
                symbol.scale == Scale::Linear || symbol.lower > 0.0,
                "{}",
                kind.symbol
            );
            assert_eq!(
                symbol.scale == Scale::Linear,
                symbol.role == Role::Exponent,
                "{}",
                kind.symbol
            );
        }
        if kind.draws_arc {
            let roles: Vec<Role> = kind.parameters.iter().map(|symbol| symbol.role).collect();
            assert_eq!(roles[..2], [Role::Impedance, Role::Time], "{}", kind.symbol);
            assert!(
                roles[2..].iter().all(|role| *role == Role::Exponent),
                "{}",
                kind.symbol
            );
        }
    }
    assert_eq!(
        symbols,
        [
            "R", "C", "L", "La", "CPE", "W", "Wo", "Ws", "Zarc", "K", "HN", "Art", "G", "Gs", "TLM"
        ]
    );
    letters.sort_unstable();
    assert_eq!(letters, ['C', 'G', 'L', 'O', 'Q', 'R', 'T', 'W']);
}

#[test]
fn finite_diffusion_matches_published_values() {
    let transmitting = [(0.01, 5.813228, -6.083049), (0.001, 19.011260, -3.937355)];
    assert_impedance("Ws1", &[20.0, 100.0], &transmitting, 1e-6);
    let reflecting = [(0.01, 5.469983, -5.227355), (0.001, 6.650022, -32.109195)];
    assert_impedance("Wo1", &[20.0, 100.0], &reflecting, 1e-6);
}

#[test]
fn finite_diffusion_ends_in_a_resistance_or_in_a_third_of_it_and_a_capacitance() {
    let z = circuit("Ws1").impedance(&[20.0, 1e-9], 1.0);
    assert!((z.re - 20.0).abs() < 1e-9);
    // R/3 = 6.6667 ohm and tau/R = 5 F.
    let frequency = 1e-6;
    let z = circuit("Wo1").impedance(&[20.0, 100.0], frequency);
    assert!((z.re - 20.0 / 3.0).abs() < 1e-4);
    assert!((-1.0 / (std::f64::consts::TAU * frequency * z.im) - 5.0).abs() < 1e-6);
}

#[test]
fn an_arc_has_its_apex_where_the_formula_says() {
    // Q 1e-5, n 0.85, R 100 over 10 ohm: tau 2.95521e-4 s, f_pk 538.557 Hz, apex R_e + 50 - j 39.4168.
    let group = circuit("R0-p(R1,CPE1)");
    let parameters = [10.0, 100.0, 1e-5, 0.85];
    let tau = group.arcs()[0].tau_s(&parameters);
    assert!((tau / 2.95521e-4 - 1.0).abs() < 1e-5);
    let apex = (538.557, 60.0, -39.4168);
    assert_impedance("R0-p(R1,CPE1)", &parameters, &[apex], 1e-6);
    for text in ["R0-Zarc1", "R0-Art1"] {
        assert_impedance(text, &[10.0, 100.0, tau, 0.85], &[apex], 1e-6);
    }
    assert_impedance("R0-HN1", &[10.0, 100.0, tau, 0.85, 1.0], &[apex], 1e-6);
    // The depression, (1-n) 90° = 13.5°, lies between the real axis and the radius to the high frequency end.
    let depression = ((1.0 - 0.85) * 90.0_f64).to_radians();
    assert!((39.4168 - 50.0 * ((1.0 - depression.sin()) / depression.cos())).abs() < 1e-4);
}

#[test]
fn elements_that_contain_each_other_agree() {
    let frequencies = [1e-4, 0.1, 1.0, 20.0, 1e5];
    let same = |left: (&str, &[f64]), right: (&str, &[f64])| {
        for frequency in frequencies {
            let (a, b) = (
                circuit(left.0).impedance(left.1, frequency),
                circuit(right.0).impedance(right.1, frequency),
            );
            assert!(
                (a - b).norm() < 1e-13 * a.norm(),
                "{} {} at {frequency} Hz: {a} {b}",
                left.0,
                right.0
            );
        }
    };
    let q = 0.02_f64.powf(0.8) / 50.0;
    same(("Zarc1", &[50.0, 0.02, 0.8]), ("p(R1,CPE1)", &[50.0, q, 0.8]));
    same(("Zarc1", &[50.0, 0.02, 0.8]), ("Art1", &[50.0, 0.02, 0.8]));
    same(("Zarc1", &[50.0, 0.02, 1.0]), ("K1", &[50.0, 0.02]));
    same(("K1", &[50.0, 0.02]), ("p(R1,C1)", &[50.0, 4e-4]));
    same(("HN1", &[50.0, 0.02, 0.8, 1.0]), ("Zarc1", &[50.0, 0.02, 0.8]));
    same(("HN1", &[50.0, 0.02, 1.0, 0.5]), ("G1", &[50.0, 0.02]));
    same(("Gs1", &[50.0, 0.02, 1e3]), ("G1", &[50.0, 0.02]));
    same(("La1", &[1e-3, 1.0]), ("L1", &[1e-3]));
}

#[test]
fn the_finite_gerischer_of_a_thin_layer_is_an_arc_and_a_third_of_the_layer() {
    // coth(x)/x -> 1/x² + 1/3
    let (r, tau, phi) = (50.0, 0.02, 1e-3);
    let arc = circuit("K1");
    for frequency in [0.1, 8.0, 100.0] {
        let thin = circuit("Gs1").impedance(&[r, tau, phi], frequency);
        let expected = arc.impedance(&[r / phi, tau], frequency) + r * phi / 3.0;
        assert!(
            (thin - expected).norm() < 1e-9 * expected.norm(),
            "{thin} {expected}"
        );
    }
}

#[test]
fn the_published_distribution_of_a_depressed_arc_adds_up_to_it() {
    let (r, tau, n) = (100.0_f64, 1.0, 0.8_f64);
    let width = (1.0 - n) * std::f64::consts::PI;
    let gamma = |x: f64| r / std::f64::consts::TAU * width.sin() / ((n * x).cosh() - width.cos());
    for (x, expected) in [
        (0.0, 48.98285),
        (0.5, 34.38599),
        (1.0, 17.70359),
        (2.0, 5.28989),
        (4.0, 0.815054),
    ] {
        assert!((gamma(x) - expected).abs() < 1e-5, "{x}: {}", gamma(x));
    }
    let peak = r / std::f64::consts::TAU * (n * std::f64::consts::FRAC_PI_2).tan();
    assert!((gamma(0.0) - peak).abs() < 1e-12);
    let zarc = circuit("Zarc1");
    for frequency in [1e-3, 0.1, 0.159, 3.0, 100.0] {
        let omega = std::f64::consts::TAU * frequency;
        let step = 0.02;
        let sum: Complex64 = (-2500..=2500)
            .map(|i| step * f64::from(i))
            .map(|x| gamma(x) * step / Complex64::new(1.0, omega * x.exp()))
            .sum();
        let z = zarc.impedance(&[r, tau, n], frequency);
        assert!((z - sum).norm() < 1e-10 * r, "{frequency} Hz: {z}, not {sum}");
    }
}

#[test]
fn impossible_values_give_no_panic() {
    let circuit = circuit("R0-p(R1,CPE1,R2-L1)-C1-La1-Zarc1-K1-HN1-Art1-G1-Gs1-TLM1-Ws1-Wo1");
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e308, 5e-324] {
        for frequency in [0.0, -1.0, 1.0, f64::NAN, f64::INFINITY] {
            let _ = circuit.impedance(&vec![value; circuit.parameters().len()], frequency);
        }
    }
    assert!(circuit.impedance(&[1.0], 1.0).re.is_nan());
    let grid = Grid::new([]);
    let mut workspace = circuit.tape().workspace(&grid);
    circuit
        .tape()
        .evaluate(&grid, &vec![1.0; circuit.parameters().len()], &mut workspace);
    assert!(workspace.impedance().0.is_empty());
}
