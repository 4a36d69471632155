use super::*;

/// The line of `segments` segments, solved for the current on the ionic rail. An interface stands in the middle
/// of each segment.
fn ladder([r_ion, r_e, r_ct, q, n]: [f64; 5], omega: f64, segments: usize) -> Complex64 {
    let count = segments as f64;
    let interface = count / (1.0 / r_ct + q * Complex64::new(0.0, omega).powf(n));
    let (ion, electron) = (r_ion / count, r_e / count);
    // interface (2 i_k - i_(k-1) - i_(k+1)) + (ion + electron) i_k = electron, from i_0 = 1 to i_N = 0.
    let diagonal = 2.0 * interface + ion + electron;
    let (mut upper, mut right) = (vec![Complex64::new(0.0, 0.0)], vec![Complex64::new(1.0, 0.0)]);
    for k in 1..segments {
        let pivot = diagonal - interface * upper[k - 1];
        upper.push(interface / pivot);
        right.push((electron + interface * right[k - 1]) / pivot);
    }
    let mut current = vec![Complex64::new(0.0, 0.0); segments + 1];
    current[0] = right[0];
    for k in (1..segments).rev() {
        current[k] = right[k] + upper[k] * current[k + 1];
    }
    // Along the ionic rail to the first interface, across it, and along the electronic rail to the other end.
    let along: Complex64 = current[1..segments].iter().map(|i| electron * (1.0 - i)).sum();
    0.5 * ion + interface * (current[0] - current[1]) + along + 0.5 * electron
}

const LINES: [[f64; 5]; 7] = [
    [30.0, 3.0, 60.0, 5e-3, 1.0],
    [30.0, 0.0, 60.0, 5e-3, 0.9],
    [30.0, 3.0, f64::INFINITY, 1e-3, 0.85],
    [30.0, 0.0, f64::INFINITY, 1e-3, 1.0],
    [1.0, 400.0, 5.0, 1e-4, 0.7],
    [20.0, 20.0, 1e4, 1e-3, 0.5],
    [1e-3, 1e-3, 100.0, 1e-3, 0.8],
];

#[test]
fn the_line_agrees_with_a_ladder_of_2000_segments() {
    let line = circuit("TLM1");
    for parameters in LINES {
        for exponent in -4..=4 {
            let omega = 10f64.powi(exponent);
            let z = line.impedance(&parameters, omega / std::f64::consts::TAU);
            let expected = ladder(parameters, omega, 2000);
            let error = (z - expected).norm() / expected.norm();
            assert!(
                error < 2e-5,
                "{parameters:?} at {omega}/s: {z}, not {expected}: {error}"
            );
        }
    }
}

#[test]
fn the_error_of_the_ladder_shrinks_with_the_square_of_its_segments() {
    // So that the agreement above is more than two things that are equally wrong.
    let parameters = LINES[0];
    let z = circuit("TLM1").impedance(&parameters, 100.0 / std::f64::consts::TAU);
    let error = |segments| (ladder(parameters, 100.0, segments) - z).norm();
    for (coarse, fine) in [(100, 200), (200, 400), (400, 800)] {
        let ratio = error(coarse) / error(fine);
        assert!((3.9..4.1).contains(&ratio), "{coarse}: {ratio}");
    }
}

#[test]
fn preset_of_a_composite_cathode_agrees_with_its_ladder_of_20_segments() {
    for omega in [1e-3, 0.1, 1.0, 10.0] {
        let z = circuit("TLM1").impedance(&LINES[0], omega / std::f64::consts::TAU);
        let expected = ladder(LINES[0], omega, 20);
        assert!(
            (z - expected).norm() < 1e-3 * expected.norm(),
            "{omega}/s: {z}, not {expected}"
        );
    }
}

#[test]
fn a_blocking_pore_matches_published_values() {
    // sqrt(R_ion z) coth sqrt(R_ion/z) with R_ion 30 ohm and 1 mF.
    let vectors = [
        (100.0, 4.90993, -4.90389),
        (10.0, 9.78222, -17.1311),
        (1.0, 9.99774, -159.28056),
    ];
    assert_impedance("TLM1", &[30.0, 0.0, f64::INFINITY, 1e-3, 1.0], &vectors, 1e-6);
    assert_impedance("TLM1", &[30.0, 1e-9, 1e15, 1e-3, 1.0], &vectors, 1e-6);
    let z = circuit("TLM1").impedance(&[30.0, 0.0, f64::INFINITY, 1e-3, 1.0], 1e-6);
    assert!((z.re - 10.0).abs() < 1e-6, "R_ion/3: {z}");
}

#[test]
fn the_line_has_the_limits_of_its_parts() {
    let line = circuit("TLM1");
    // So fast that the interface is a short circuit: both rails side by side.
    let z = line.impedance(&[30.0, 6.0, 60.0, 5e-3, 1.0], 1e15);
    assert!((z - 5.0).norm() < 1e-5, "{z}");
    // So slow that only R_ct is left of the interface; short rails add a third of their sum.
    let z = line.impedance(&[3e-3, 6e-3, 60.0, 5e-3, 1.0], 1e-12);
    assert!((z - 60.003).norm() < 1e-6, "{z}");
}

/// Z and its derivatives by R_ion, R_e, R_ct, Q and n, computed with 60 digits (mpmath) from the textbook formula
/// and central differences.
type Reference = ([f64; 5], f64, [(f64, f64); 6]);

const BLOCKING: [f64; 5] = [30.0, 3.0, f64::INFINITY, 0.0009765625, 0.875];

const REFERENCES: [Reference; 7] = [
    // |v²| = 3.22e-9
    (
        BLOCKING,
        1e-8,
        [
            (1997724908.44515, -10043241271.3291),
            (0.333333333310154, -1.16532105236757e-10),
            (0.33333333335302, 9.89724729497453e-11),
            (0.0, 0.0),
            (-2045670294983.8371, 10284279061840.978),
            (21023566051.9635, -188141360024.493),
        ],
    ),
    // |v²| = 0.000573
    (
        BLOCKING,
        0.01,
        [
            (11245.0326053577, -56477.2963416899),
            (0.333329209851535, -2.07220480381786e-5),
            (0.333336834786258, 1.75998303625334e-5),
            (0.0, 0.0),
            (-11503649.5038032, 57832750.8713759),
            (-36979.69620335, -277733.936007663),
        ],
    ),
    // |v²| = 0.632
    (
        BLOCKING,
        30.0,
        [
            (21.1081233559381, -51.5200244088516),
            (0.32707507056703, -0.0219797069569142),
            (0.337893031290455, 0.0191024551687815),
            (0.0, 0.0),
            (-10528.9647565371, 52139.9711392261),
            (-114.953479009996, 157.030736478667),
        ],
    ),
    // |v²| = 1.16
    (
        BLOCKING,
        60.0,
        [
            (16.3862737266959, -28.4705293391418),
            (0.319539641695276, -0.0386820537119888),
            (0.342745521246944, 0.0345220773955908),
            (0.0, 0.0),
            (-5910.37226198707, 28071.5611750081),
            (-66.6931696412852, 103.174465635605),
        ],
    ),
    // |v²| = 5.73e3
    (
        BLOCKING,
        1e6,
        [
            (3.00854590428341, -0.23083493080166),
            (0.014045204671673, -0.00474413224119823),
            (0.815517725209292, 0.00896883394503898),
            (0.0, 0.0),
            (-144.011866629468, 118.18748457045),
            (-2.12426360403119, 1.37363977518149),
        ],
    ),
    // |v²| = 0.503
    (
        [30.0, 0.0, 60.0, 0.0009765625, 0.875],
        0.5,
        [
            (69.2504564527157, -1.86457188814023),
            (0.312477115107014, -0.000605506359854988),
            (0.352398043239853, 0.000578115930365876),
            (0.989842029630995, -0.0614069971955341),
            (-497.276130965034, -1882.12544961276),
            (3.22375126070029, 0.511201590758351),
        ],
    ),
    // |v²| = 0.000556
    (
        [2.0, 500.0, 1e6, 9.5367431640625e-7, 1.0],
        0.5,
        [
            (814915.126313338, -388502.027517693),
            (0.333352688502595, 9.2289712936222e-6),
            (0.333311190112174, -1.05577841220087e-5),
            (0.512880157329642, -0.633062338977097),
            (-316531169488.5485, -256440078664.821),
            (593393.155384087, -304656.296577085),
        ],
    ),
];

#[test]
fn the_line_keeps_its_digits_where_the_textbook_formula_loses_them() {
    let line = circuit("TLM1");
    for (parameters, omega, expected) in REFERENCES {
        let (z, derivatives) = evaluate(&line, &parameters, &[omega]).remove(0);
        for (index, (found, (re, im))) in std::iter::once(z).chain(derivatives).zip(expected).enumerate() {
            let expected = Complex64::new(re, im);
            assert!(
                (found - expected).norm() <= 1e-12 * expected.norm(),
                "{index} of {parameters:?} at {omega}/s: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn only_a_rail_may_be_held_at_zero_and_only_the_interface_at_infinity() {
    let circuit = circuit("R0-TLM1-Gs1");
    let names = |flag: fn(&ParameterSpec) -> bool| -> Vec<&str> {
        let flagged = circuit.parameters().iter().filter(|spec| flag(spec));
        flagged.map(|spec| spec.name.as_str()).collect()
    };
    assert_eq!(names(|spec| spec.may_be_zero), ["TLM1.R_e"]);
    assert_eq!(names(|spec| spec.may_be_infinite), ["TLM1.R_ct"]);
}
