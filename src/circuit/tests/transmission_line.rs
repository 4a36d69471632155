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
            (1997724908.4451535, -10043241271.32908),
            (0.33333333331015366, -1.1653210523675719e-10),
            (0.33333333335302018, 9.8972472949745313e-11),
            (0.0, 0.0),
            (-2045670294983.8371, 10284279061840.978),
            (21023566051.963526, -188141360024.49281),
        ],
    ),
    // |v²| = 0.000573
    (
        BLOCKING,
        0.01,
        [
            (11245.032605357718, -56477.296341689946),
            (0.33332920985153471, -2.0722048038178567e-5),
            (0.33333683478625803, 1.7599830362533384e-5),
            (0.0, 0.0),
            (-11503649.5038032, 57832750.871375868),
            (-36979.696203349972, -277733.93600766305),
        ],
    ),
    // |v²| = 0.632
    (
        BLOCKING,
        30.0,
        [
            (21.108123355938063, -51.52002440885157),
            (0.32707507056702968, -0.021979706956914203),
            (0.33789303129045522, 0.019102455168781456),
            (0.0, 0.0),
            (-10528.964756537147, 52139.9711392261),
            (-114.95347900999564, 157.03073647866669),
        ],
    ),
    // |v²| = 1.16
    (
        BLOCKING,
        60.0,
        [
            (16.386273726695862, -28.470529339141757),
            (0.31953964169527606, -0.038682053711988759),
            (0.3427455212469437, 0.034522077395590814),
            (0.0, 0.0),
            (-5910.3722619870708, 28071.56117500812),
            (-66.693169641285241, 103.17446563560528),
        ],
    ),
    // |v²| = 5.73e3
    (
        BLOCKING,
        1e6,
        [
            (3.0085459042834062, -0.23083493080165972),
            (0.014045204671672983, -0.004744132241198227),
            (0.81551772520929242, 0.0089688339450389839),
            (0.0, 0.0),
            (-144.01186662946761, 118.18748457044977),
            (-2.124263604031195, 1.3736397751814886),
        ],
    ),
    // |v²| = 0.503
    (
        [30.0, 0.0, 60.0, 0.0009765625, 0.875],
        0.5,
        [
            (69.250456452715694, -1.8645718881402335),
            (0.3124771151070143, -0.0006055063598549878),
            (0.3523980432398528, 0.00057811593036587654),
            (0.9898420296309954, -0.061406997195534122),
            (-497.27613096503439, -1882.1254496127626),
            (3.2237512607002856, 0.51120159075835138),
        ],
    ),
    // |v²| = 0.000556
    (
        [2.0, 500.0, 1e6, 9.5367431640625e-7, 1.0],
        0.5,
        [
            (814915.1263133376, -388502.02751769289),
            (0.33335268850259535, 9.2289712936221982e-6),
            (0.33331119011217413, -1.0557784122008717e-5),
            (0.51288015732964216, -0.63306233897709699),
            (-316531169488.5485, -256440078664.82108),
            (593393.15538408744, -304656.29657708503),
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
