use num_complex::Complex64;
use num_dual::{Dual64, DualNum};
use proptest::prelude::*;

use super::*;

fn circuit(text: &str) -> Circuit {
    Circuit::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn names(circuit: &Circuit) -> Vec<&str> {
    circuit
        .parameters()
        .iter()
        .map(|parameter| parameter.name.as_str())
        .collect()
}

#[test]
fn both_notations_read_as_the_same_circuit() {
    for (boukamp, written) in [
        ("R(RQ)W", "R0-p(R1,CPE1)-W1"),
        ("LR(RQ)(RQ)", "L0-R0-p(R1,CPE1)-p(R2,CPE2)"),
        ("R(Q[RW])", "R0-p(CPE1,R1-W1)"),
        ("R(Q(RW))", "R0-p(CPE1,R1-W1)"),
        ("R(C(R(RQ)))T", "R0-p(C1,R1-p(R2,CPE1))-Wo1"),
        ("RO", "R0-Ws1"),
        ("[R[RC]]", "R0-R1-C1"),
        ("R1(R2Q7)", "R1-p(R2,CPE7)"),
        (" R ( R Q ) ", "R-p(R,CPE)"),
    ] {
        assert_eq!(circuit(boukamp), circuit(written), "{boukamp}");
    }
    assert_eq!(circuit("R(RQ)W").to_string(), "R0-p(R1,CPE1)-W1");
    assert_eq!(circuit("p(R3)").to_string(), "R3");
}

#[test]
fn parameters_are_named_by_element_and_symbol_only_where_there_are_several() {
    let circuit = circuit("L0-R0-p(R1,CPE1)-p(R2,C2)-W1-Wo1");
    let expected = [
        "L0", "R0", "R1", "CPE1.Q", "CPE1.n", "R2", "C2", "W1", "Wo1.R", "Wo1.tau",
    ];
    assert_eq!(names(&circuit), expected);
    assert_eq!(circuit.parameter_index("CPE1.n"), Some(4));
    assert_eq!(circuit.parameter_index("CPE1"), None);
}

#[test]
fn an_error_points_at_the_offending_character() {
    let shown = |text: &str| Circuit::parse(text).unwrap_err().to_string();
    assert_eq!(
        shown("R0-p(R1,X1)"),
        "no element is called 'X'; known are R, C, L, CPE, W, Wo, Ws\n  R0-p(R1,X1)\n          ^"
    );
    for (text, position) in [
        ("", 0),
        ("   ", 0),
        ("R0-", 3),
        ("R0-p(R1,CPE1", 12),
        ("R0-p(R1,CPE1))", 13),
        ("R0--R1", 3),
        ("R0-R1-R0", 6),
        ("R0-p(R1,CPE)", 8),
        ("R(RX)", 3),
        ("R(RQ", 4),
        ("R()", 2),
        ("R0-é", 3),
        ("R1234567", 1),
    ] {
        let error = Circuit::parse(text).unwrap_err();
        assert_eq!(error.position, position, "{text}: {error}");
    }
    assert_eq!(Circuit::parse("").unwrap_err().kind, CircuitErrorKind::Empty);
    assert_eq!(
        Circuit::parse("R0-R1-R0").unwrap_err().kind,
        CircuitErrorKind::Duplicate {
            name: "R0".to_owned()
        }
    );
}

#[test]
fn endless_nesting_and_endless_circuits_are_refused() {
    for open in ["(", "p(", "[", "(["] {
        let error = Circuit::parse(&open.repeat(100_000)).unwrap_err();
        assert!(
            matches!(error.kind, CircuitErrorKind::TooDeep { .. }),
            "{:?}",
            error.kind
        );
    }
    let error = Circuit::parse(&"R".repeat(100_000)).unwrap_err();
    assert!(matches!(error.kind, CircuitErrorKind::TooLong { .. }));
}

/// Z at one frequency from values in the order of the parameters.
fn assert_impedance(text: &str, parameters: &[f64], vectors: &[(f64, f64, f64)], relative: f64) {
    let circuit = circuit(text);
    for &(frequency, real, imaginary) in vectors {
        let z = circuit.impedance(parameters, frequency);
        let expected = Complex64::new(real, imaginary);
        assert!(
            (z - expected).norm() < relative * expected.norm(),
            "{text} at {frequency} Hz: {z}, not {expected}"
        );
    }
}

#[test]
fn a_cpe_arc_has_its_apex_where_the_formula_says() {
    // Q 1e-5, n 0.85, R 100 over 10 ohm: f_pk 538.557 Hz, apex R_e + 50 - j 39.4168.
    let circuit = circuit("R0-p(R1,CPE1)");
    let parameters = [10.0, 100.0, 1e-5, 0.85];
    let arc = &circuit.arcs()[0];
    assert!((arc.tau_s(&parameters) / 2.95521e-4 - 1.0).abs() < 1e-5);
    let z = circuit.impedance(&parameters, 538.557);
    assert!((z.re - 60.0).abs() < 1e-3 && (z.im + 39.4168).abs() < 1e-4, "{z}");
}

#[test]
fn preset_of_a_blocking_llzo_pellet() {
    let parameters = [
        2e-7,
        5.0,
        250.0,
        1.096621e-10,
        0.97,
        60.0,
        1.595564e-7,
        0.88,
        5e-6,
        0.92,
    ];
    let vectors = [
        (1e6, 252.77, -31.268),
        (1e5, 280.14, -28.109),
        (1e4, 312.88, -16.614),
        (1e3, 322.77, -64.835),
        (100.0, 381.77, -528.94),
        (10.0, 870.61, -4398.1),
        (1.0, 4936.4, -36582.0),
        (0.1, 38754.0, -3.0428e5),
        (0.01, 3.2004e5, -2.5308e6),
    ];
    assert_impedance("L0-R0-p(R1,CPE1)-p(R2,CPE2)-CPE3", &parameters, &vectors, 3e-5);
}

#[test]
fn preset_of_a_lithium_argyrodite_cell() {
    let parameters = [3e-7, 20.0, 46.0, 2.48148e-6, 0.85, 44.0, 4.691476e-5, 0.80];
    let vectors = [
        (1e6, 20.189, 1.1631),
        (1e5, 21.667, -4.6375),
        (1e4, 38.415, -20.219),
        (1e3, 72.617, -20.276),
        (100.0, 101.9, -12.296),
        (10.0, 109.08, -2.4559),
        (1.0, 109.87, -0.39805),
        (0.1, 109.98, -0.062948),
    ];
    assert_impedance("L0-R0-p(R1,CPE1)-p(R2,CPE2)", &parameters, &vectors, 5e-5);
}

#[test]
fn preset_of_a_dummy_cell() {
    let vectors = [
        (1e6, 100.0, -0.15915),
        (1e3, 124.70, -155.22),
        (100.0, 816.96, -450.48),
        (10.0, 1096.1, -62.585),
        (0.01, 1100.0, -0.062832),
    ];
    assert_impedance("R0-p(R1,C1)", &[100.0, 1000.0, 1e-6], &vectors, 5e-5);
}

#[test]
fn finite_diffusion_matches_published_values() {
    let transmitting = [(0.01, 5.813228, -6.083049), (0.001, 19.011260, -3.937355)];
    assert_impedance("Ws1", &[20.0, 100.0], &transmitting, 1e-6);
    let reflecting = [(0.01, 5.469983, -5.227355), (0.001, 6.650022, -32.109195)];
    assert_impedance("Wo1", &[20.0, 100.0], &reflecting, 1e-6);
}

#[test]
fn finite_diffusion_is_finite_and_smooth_for_any_argument() {
    for text in ["Ws1", "Wo1"] {
        let circuit = circuit(text);
        for exponent in -30..=30 {
            let z = circuit.impedance(&[1.0, 10f64.powi(exponent)], 1.0);
            assert!(z.is_finite(), "{text} tau 1e{exponent}: {z}");
        }
        // Where the series hands over to the closed form.
        let tau = 0.02 / std::f64::consts::TAU;
        let (below, above) = (
            circuit.impedance(&[1.0, tau * (1.0 - 1e-13)], 1.0),
            circuit.impedance(&[1.0, tau * (1.0 + 1e-13)], 1.0),
        );
        assert!(
            (below - above).norm() < 1e-11 * below.norm(),
            "{text}: {below} {above}"
        );
    }
    let z = circuit("Ws1").impedance(&[20.0, 1e-9], 1.0);
    assert!((z.re - 20.0).abs() < 1e-9, "the low frequency limit of Ws is R");
    let z = circuit("Wo1").impedance(&[20.0, 1e-3], 1.0);
    assert!(
        (z.re - 20.0 / 3.0).abs() < 1e-4,
        "the low frequency limit of Wo' is R/3"
    );
}

#[test]
fn impossible_values_give_no_panic() {
    let circuit = circuit("R0-p(R1,CPE1,R2-L1)-C1");
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e308, 5e-324] {
        for frequency in [0.0, -1.0, 1.0, f64::NAN, f64::INFINITY] {
            let _ = circuit.impedance(&vec![value; circuit.parameters().len()], frequency);
        }
    }
    assert!(circuit.impedance(&[1.0], 1.0).re.is_nan());
    let grid = Grid::new([]);
    let mut workspace = circuit.tape().workspace(&grid);
    circuit.tape().evaluate(&grid, &[1.0; 7], &mut workspace);
    assert!(workspace.impedance().0.is_empty());
}

#[test]
fn arcs_are_found_with_their_parameters() {
    let circuit = circuit("R0-p(CPE1,R1)-p(R2,C2)-p(CPE3,R3-W1)-p(R4,L4)-p(R5,R6)");
    let arcs = circuit.arcs();
    assert_eq!(arcs.len(), 3);
    let name = |index: usize| circuit.parameters()[index].name.as_str();
    assert_eq!(
        (name(arcs[0].resistance), name(arcs[0].capacitance)),
        ("R1", "CPE1.Q")
    );
    assert_eq!(arcs[0].exponent.map(name), Some("CPE1.n"));
    assert_eq!(
        (
            name(arcs[1].resistance),
            name(arcs[1].capacitance),
            arcs[1].exponent
        ),
        ("R2", "C2", None)
    );
    assert_eq!((name(arcs[2].resistance), arcs[2].simple), ("R3", false));
    assert!(!arcs[0].is_exchangeable_with(&arcs[1]) && arcs[0].is_exchangeable_with(&arcs[0]));
}

/// A complex number of dual numbers: an independent way to derivatives.
#[derive(Clone, Copy)]
struct Complex {
    re: Dual64,
    im: Dual64,
}

impl Complex {
    fn new(re: impl Into<Dual64>, im: impl Into<Dual64>) -> Self {
        Self {
            re: re.into(),
            im: im.into(),
        }
    }
    fn plus(self, other: Self) -> Self {
        Self {
            re: self.re + other.re,
            im: self.im + other.im,
        }
    }
    fn times(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }
    fn inverse(self) -> Self {
        let norm = self.re * self.re + self.im * self.im;
        Self {
            re: self.re / norm,
            im: -self.im / norm,
        }
    }
    fn from_polar(magnitude: Dual64, angle: Dual64) -> Self {
        Self {
            re: magnitude * angle.cos(),
            im: magnitude * angle.sin(),
        }
    }
}

fn oracle(circuit: &Circuit, node: &Node, parameters: &[Dual64], omega: f64) -> Complex {
    match node {
        Node::Series(children) => children
            .iter()
            .map(|child| oracle(circuit, child, parameters, omega))
            .reduce(Complex::plus)
            .unwrap(),
        Node::Parallel(children) => children
            .iter()
            .map(|child| oracle(circuit, child, parameters, omega).inverse())
            .reduce(Complex::plus)
            .unwrap()
            .inverse(),
        Node::Element(index) => {
            let element = &circuit.elements()[*index];
            let p = &parameters[element.first_parameter..];
            let zero = Dual64::from(0.0);
            match element.kind.symbol {
                "R" => Complex::new(p[0], zero),
                "L" => Complex::new(zero, p[0] * omega),
                "C" => Complex::new(zero, -(p[0] * omega).recip()),
                "W" => Complex::new(p[0] / omega.sqrt(), -p[0] / omega.sqrt()),
                "CPE" => {
                    let magnitude = (-p[1] * omega.ln()).exp() / p[0];
                    Complex::from_polar(magnitude, -p[1] * std::f64::consts::FRAC_PI_2)
                }
                "Wo" | "Ws" => {
                    let half = (p[1] * omega / 2.0).sqrt();
                    let s = Complex::new(half, half);
                    // tanh(a+ja) = (sinh 2a + j sin 2a)/(cosh 2a + cos 2a)
                    let (x, bottom) = (half * 2.0, (half * 2.0).cosh() + (half * 2.0).cos());
                    let tanh = Complex::new(x.sinh() / bottom, x.sin() / bottom);
                    let over = if element.kind.symbol == "Ws" {
                        tanh.times(s.inverse())
                    } else {
                        tanh.times(s).inverse()
                    };
                    Complex::new(p[0], zero).times(over)
                }
                other => panic!("no oracle for {other}"),
            }
        }
    }
}

#[test]
fn derivatives_agree_with_dual_numbers() {
    let text = "L0-R0-p(R1,CPE1)-p(CPE2,R2-Wo1-p(C1,R3))-p(W1,R4-L1)-Ws1-CPE3";
    let circuit = circuit(text);
    let value = |parameter: &ParameterSpec| match parameter.role {
        Role::Resistance => 30.0,
        Role::Inductance => 1e-4,
        Role::Impedance => 70.0,
        Role::Admittance => 3e-5,
        Role::Exponent => 0.83,
        Role::Time => 2e-3,
    };
    let parameters: Vec<f64> = circuit
        .parameters()
        .iter()
        .enumerate()
        .map(|(i, p)| value(p) * (1.0 - 0.013 * i as f64))
        .collect();
    let frequencies: Vec<f64> = (0..40).map(|i| 10f64.powf(5.0 - 0.2 * f64::from(i))).collect();
    let grid = Grid::new(frequencies.iter().copied());
    let mut workspace = circuit.tape().workspace(&grid);
    circuit.tape().evaluate(&grid, &parameters, &mut workspace);
    for index in 0..parameters.len() {
        let mut dual: Vec<Dual64> = parameters.iter().map(|&p| Dual64::from(p)).collect();
        dual[index] = dual[index].derivative();
        for (point, &omega) in grid.omega.iter().enumerate() {
            let z = oracle(&circuit, &circuit.root, &dual, omega);
            let (real, imaginary) = workspace.impedance();
            let value = Complex64::new(real[point] - z.re.re, imaginary[point] - z.im.re);
            assert!(
                value.norm() < 1e-11 * z.re.re.hypot(z.im.re),
                "value at {} Hz",
                frequencies[point]
            );
            let (real, imaginary) = workspace.derivative(index);
            let expected = Complex64::new(z.re.eps, z.im.eps);
            let error = (Complex64::new(real[point], imaginary[point]) - expected).norm();
            assert!(
                error < 1e-10 * expected.norm(),
                "dZ/d{} at {} Hz: off by {error}, expected {expected}",
                circuit.parameters()[index].name,
                frequencies[point]
            );
        }
    }
}

/// A circuit in the written-out notation, elements numbered by the caller.
fn tree() -> impl Strategy<Value = String> {
    let leaf =
        prop::sample::select(vec!["R", "C", "L", "CPE", "W", "Wo", "Ws"]).prop_map(|s| format!("{s}#"));
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("p({})", parts.join(","))),
            prop::collection::vec(inner, 2..4).prop_map(|parts| parts.join("-")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same(tree in tree()) {
        let mut number = 0;
        let text: String = tree.chars().map(|c| if c == '#' { number += 1; number.to_string() } else { c.to_string() }).collect();
        let first = circuit(&text);
        prop_assert_eq!(first.to_string(), text);
        let second = circuit(&first.to_string());
        prop_assert_eq!(first, second);
    }

    #[test]
    fn garbage_gives_an_error_and_never_a_panic(text in "\\PC{0,40}") {
        if let Err(error) = Circuit::parse(&text) {
            prop_assert!(error.position <= text.chars().count());
            prop_assert!(error.to_string().ends_with('^'));
        }
    }

    #[test]
    fn near_misses_give_an_error_and_never_a_panic(text in "[RCLQWOTp(),\\[\\] 0-9-]{0,60}") {
        if let Ok(circuit) = Circuit::parse(&text) {
            let printed = circuit.to_string();
            prop_assert_eq!(Circuit::parse(&printed).map(|c| c.to_string()), Ok(printed));
        }
    }
}
