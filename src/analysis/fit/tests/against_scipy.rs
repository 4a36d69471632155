//! R0-p(R1,CPE1)-W1 with Rs 10 ohm, Rct 50 ohm, Q 1e-6, n 0.9, Z_W = 100/sqrt(jw), hence W1 = 100/sqrt(2),
//! against `scipy.optimize.curve_fit` (1.17.1, method lm, exact derivatives, ftol = xtol = gtol = 1e-14) on the
//! same numbers. `tests/data/README.md` says how the numbers were made.

use super::*;

const GAUSSIAN: &str = include_str!("../../../../tests/data/randles_gaussian_noise.csv");
const UNIFORM: &str = include_str!("../../../../tests/data/randles_uniform_noise.csv");
const TRUTH: [f64; 5] = [10.0, 50.0, 1e-6, 0.9, 100.0 * std::f64::consts::FRAC_1_SQRT_2];

fn spectrum(csv: &str) -> Spectrum {
    let points: Vec<_> = csv
        .lines()
        .skip(1)
        .map(|line| {
            let numbers: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
            crate::spectrum::Point::new(numbers[0], numbers[1], numbers[2])
        })
        .collect();
    assert_eq!(points.len(), 100);
    points.into()
}

struct Reference {
    values: [f64; 5],
    errors: [f64; 5],
    chi_squared: f64,
    /// Correlations of R0 with R1 and of Q with n.
    correlations: [f64; 2],
}

fn assert_agrees(result: &FitResult, reference: &Reference, how: &str) {
    assert!(result.converged, "{how}");
    for (parameter, (value, error)) in result
        .parameters
        .iter()
        .zip(reference.values.iter().zip(reference.errors))
    {
        let name = &parameter.name;
        assert!(
            (parameter.value / value - 1.0).abs() < 1e-6,
            "{how}: {name} = {}, scipy {value}",
            parameter.value
        );
        let found = parameter.std_error.unwrap();
        assert!(
            (found / error - 1.0).abs() < 1e-4,
            "{how}: SE of {name} = {found}, scipy {error}"
        );
        assert!(
            parameter.determined && !parameter.at_bound && !parameter.fixed,
            "{how}: {name}"
        );
    }
    assert!(
        (result.chi_squared / reference.chi_squared - 1.0).abs() < 1e-9,
        "{how}"
    );
    let correlations = [result.correlation[0][1], result.correlation[2][3]];
    for (found, expected) in correlations.into_iter().zip(reference.correlations) {
        assert!(
            (found - expected).abs() < 1e-5,
            "{how}: correlation {found}, scipy {expected}"
        );
    }
}

fn from_everywhere(csv: &str, weight: Weight, reference: &Reference) {
    let (spectrum, circuit) = (spectrum(csv), circuit("R0-p(R1,CPE1)-W1"));
    let options = FitOptions {
        weight,
        ..FitOptions::default()
    };
    assert_agrees(
        &fit(&spectrum, &circuit, &options).unwrap(),
        reference,
        "without a start",
    );
    let far: [[f64; 5]; 4] = [
        TRUTH,
        [5.0, 100.0, 1e-5, 0.8, 50.0],
        // Each ten times off, in turn up and down.
        [100.0, 5.0, 1e-5, 0.6, 700.0],
        [1.0, 500.0, 1e-7, 0.6, 7.0],
    ];
    for start in far {
        let options = FitOptions {
            start: Some(start.to_vec()),
            cold: ColdStarts::Never,
            ..options.clone()
        };
        assert_agrees(
            &fit(&spectrum, &circuit, &options).unwrap(),
            reference,
            &format!("from {start:?}"),
        );
    }
}

const GAUSSIAN_MODULUS: Reference = Reference {
    values: [
        10.03926733049116,
        49.990519635816995,
        1.012458457620372e-06,
        0.8993534748355797,
        70.65453127205993,
    ],
    errors: [
        0.019173249390835454,
        0.06336041942845079,
        1.760093300475114e-08,
        0.0014772418762356253,
        0.08386509524215534,
    ],
    chi_squared: 0.005808346019840135,
    correlations: [-0.4166211485370734, -0.9896900444785552],
};

#[test]
fn gaussian_noise_with_modulus_weights() {
    from_everywhere(GAUSSIAN, Weight::Modulus, &GAUSSIAN_MODULUS);
}

#[test]
fn gaussian_noise_leads_back_to_the_truth() {
    let result = fit(
        &spectrum(GAUSSIAN),
        &circuit("R0-p(R1,CPE1)-W1"),
        &FitOptions::default(),
    )
    .unwrap();
    for (parameter, truth) in result.parameters.iter().zip(TRUTH) {
        let error = parameter.std_error.unwrap();
        assert!(
            (parameter.value - truth).abs() < 3.0 * error,
            "{}: {}",
            parameter.name,
            parameter.value
        );
    }
    let noise = result.noise_percent.unwrap();
    assert!((noise - 0.5).abs() < 0.1, "the noise was 0.5 %, found {noise} %");
    assert!(result.runs_p.unwrap() > 0.01);
}

#[test]
fn gaussian_noise_with_unit_weights() {
    let reference = Reference {
        values: [
            10.001923749438296,
            50.249975623968886,
            1.0601053268261674e-06,
            0.8952602276558683,
            70.620388257959,
        ],
        errors: [
            0.42654766097290686,
            0.4905427322982005,
            1.5224273349687438e-07,
            0.013682230010165367,
            0.04125186126565434,
        ],
        chi_squared: 479.7406632550156,
        correlations: [-0.907893357090167, -0.9818307454330132],
    };
    from_everywhere(GAUSSIAN, Weight::Unit, &reference);
}

#[test]
fn gaussian_noise_with_proportional_weights() {
    let reference = Reference {
        values: [
            10.119523269966951,
            49.8083263395287,
            9.206954207995006e-07,
            0.907921911905594,
            70.69567841172595,
        ],
        errors: [
            0.07269041895955618,
            0.1866416767983432,
            2.636789000953502e-08,
            0.002291365415544823,
            0.2284570882734647,
        ],
        chi_squared: 0.144368154444651,
        correlations: [-0.18948085122341932, -0.9800943381107946],
    };
    from_everywhere(GAUSSIAN, Weight::Proportional, &reference);
}

/// Uniform noise of 0 to 2 ohm has a mean of 1 ohm, which the fit must follow and not explain away.
#[test]
fn uniform_noise_with_unit_weights() {
    let reference = Reference {
        values: [
            11.66946139423255,
            49.283349814216464,
            9.611597706107861e-07,
            0.9078411785550972,
            70.6486061493855,
        ],
        errors: [
            0.24193565227208835,
            0.27860956788480556,
            8.05604153604991e-08,
            0.007987350470268363,
            0.023746234054139264,
        ],
        chi_squared: 159.07547096954602,
        correlations: [-0.9055975728104468, -0.9821055126507385],
    };
    from_everywhere(UNIFORM, Weight::Unit, &reference);
}

#[test]
fn uniform_noise_with_modulus_weights() {
    let reference = Reference {
        values: [
            11.469407697116564,
            49.04825906146805,
            8.593560324960851e-07,
            0.9210570972386171,
            70.4173550745722,
        ],
        errors: [
            0.09469786567576884,
            0.3026923455239577,
            7.371117675232227e-08,
            0.007359807043535348,
            0.39672572216335084,
        ],
        chi_squared: 0.129661565070743,
        correlations: [-0.4178537363894772, -0.9895030308277953],
    };
    from_everywhere(UNIFORM, Weight::Modulus, &reference);
}

#[test]
fn criteria_follow_their_formulae() {
    let result = fit(
        &spectrum(GAUSSIAN),
        &circuit("R0-p(R1,CPE1)-W1"),
        &FitOptions::default(),
    )
    .unwrap();
    let (n, p, s) = (200.0, 5.0, GAUSSIAN_MODULUS.chi_squared);
    let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-6 * expected.abs();
    assert!(near(result.reduced_chi_squared, s / (n - p)));
    assert!(near(result.noise_percent, 100.0 * (s / (n - p)).sqrt()));
    assert!(near(
        result.aicc,
        n * (s / n).ln() + 2.0 * p + 2.0 * p * (p + 1.0) / (n - p - 1.0)
    ));
    assert!(near(result.bic, n * (s / n).ln() + p * n.ln()));
    // Var(R0 + R1) from both errors and their correlation.
    let [a, b] = [GAUSSIAN_MODULUS.errors[0], GAUSSIAN_MODULUS.errors[1]];
    let expected = (a * a + b * b + 2.0 * a * b * GAUSSIAN_MODULUS.correlations[0]).sqrt();
    let sum = result.sum("R0+R1").unwrap();
    assert!(near(sum.std_error, expected) && sum.determined);
    assert_eq!((result.n_points, result.n_used, result.left_out), (100, 100, 0));
    assert_eq!(result.circuit, "R0-p(R1,CPE1)-W1");
}
