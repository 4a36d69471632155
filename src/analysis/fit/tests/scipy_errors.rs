//! Standard errors of both circuits against scipy's covariance, to 1e-6. `tests/data/README.md` says how the
//! numbers were made.

use super::*;

const REFERENCE: &str = include_str!("../../../../tests/data/reference_circuit.csv");
const HARD: &str = include_str!("../../../../tests/data/hard_circuit.csv");

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

fn assert_errors(result: &FitResult, values: &[f64], errors: &[f64]) {
    assert!(result.converged);
    for ((parameter, value), error) in result.parameters.iter().zip(values).zip(errors) {
        let found = parameter.std_error.unwrap();
        assert!(
            (found / error - 1.0).abs() < 1e-6,
            "SE of {} = {found}, scipy {error}",
            parameter.name
        );
        assert!(
            (parameter.value / value - 1.0).abs() < 1e-7,
            "{} = {}, scipy {value}",
            parameter.name,
            parameter.value
        );
    }
}

const REFERENCE_VALUES: [f64; 5] = [
    9.990168207444725,
    50.08937361149298,
    9.875366591275557e-07,
    0.9011824662185157,
    70.73411867278726,
];

#[test]
fn errors_of_the_reference_circuit_are_those_of_scipy() {
    let result = fit(
        &spectrum(REFERENCE),
        &circuit("R0-p(R1,CPE1)-W1"),
        &FitOptions::default(),
    )
    .unwrap();
    let errors = [
        0.018576755341279266,
        0.061660476952453684,
        1.6671506984719503e-08,
        0.00143370426151511,
        0.0817581204552135,
    ];
    assert_errors(&result, &REFERENCE_VALUES, &errors);
    assert!((result.chi_squared / 0.005508778354396133 - 1.0).abs() < 1e-12);
    assert!((result.correlation[0][1] + 0.4145724503609528).abs() < 1e-6);
    assert!((result.correlation[2][3] + 0.9897266264374194).abs() < 1e-6);
}

#[test]
fn errors_of_the_hard_circuit_are_those_of_scipy() {
    let result = fit(
        &spectrum(HARD),
        &circuit("R0-p(R1,CPE1)-p(R2,CPE2)-Wo1"),
        &FitOptions::default(),
    )
    .unwrap();
    let values = [
        4.979472630742155,
        20.01701658539952,
        1.0153724915573717e-06,
        0.8983993719339324,
        39.94567162930077,
        0.0009882954388049344,
        0.8545317760692152,
        50.38824664206847,
        30.28960191658591,
    ];
    let errors = [
        0.011821051907815,
        0.03530448511374266,
        2.212402283580751e-08,
        0.0017424450142096484,
        0.11906849166657642,
        1.1958007411455626e-05,
        0.002757876713481522,
        0.5512168852421725,
        0.34509555537432196,
    ];
    assert_errors(&result, &values, &errors);
    assert!((result.chi_squared / 0.005105889090989694 - 1.0).abs() < 1e-12);
    assert!((result.correlation[5][6] + 0.9300195670527388).abs() < 1e-6);
}

fn with_sigma(mut spectrum: Spectrum, fraction: f64) -> Spectrum {
    for point in &mut spectrum.points {
        point.std_error_ohm = Some(fraction * point.impedance().norm());
    }
    spectrum
}

/// `curve_fit(..., absolute_sigma=True)` with half a percent of |Z| as sigma.
#[test]
fn errors_from_known_sigmas_are_those_of_scipy_and_not_scaled() {
    let options = FitOptions {
        weight: Weight::Sigma,
        ..FitOptions::default()
    };
    let circuit = circuit("R0-p(R1,CPE1)-W1");
    let result = fit(&with_sigma(spectrum(REFERENCE), 0.005), &circuit, &options).unwrap();
    let errors = [
        0.01747549644190169,
        0.0580051481430755,
        1.5683194166057015e-08,
        0.0013487120468865157,
        0.07691137213487502,
    ];
    assert_errors(&result, &REFERENCE_VALUES, &errors);
    let reduced = result.reduced_chi_squared.unwrap();
    assert!((reduced - 0.005508778354396133 / 0.005f64.powi(2) / 195.0).abs() < 1e-9);
    assert_eq!(result.noise_percent, None);
    assert_eq!((result.error_scale(), result.scaled_error("R1")), (None, None));
    let normal = 1.959_963_984_540_054;
    assert!((result.quantile(0.95).unwrap() - normal).abs() < 1e-9);

    // Half the sigma: half the errors, and the residuals are twice as large as they should be.
    let halved = fit(&with_sigma(spectrum(REFERENCE), 0.0025), &circuit, &options).unwrap();
    let error = halved.parameter("R1").unwrap().std_error.unwrap();
    assert!((error / errors[1] - 0.5).abs() < 1e-6);
    let scaled = halved.scaled_error("R1").unwrap();
    assert!(
        (scaled / 0.061660476952453684 - 1.0).abs() < 1e-6,
        "what the residuals ask for is what modulus weight gives: {scaled}"
    );
    let sum = halved.sum("R0+R1").unwrap().std_error.unwrap();
    assert!((halved.scaled_error("R0+R1").unwrap() / sum - halved.error_scale().unwrap()).abs() < 1e-12);
}

#[test]
fn points_without_a_possible_sigma_are_refused_by_name() {
    let options = FitOptions {
        weight: Weight::Sigma,
        ..FitOptions::default()
    };
    let circuit = circuit("R0-p(R1,CPE1)-W1");
    let refused = |change: &dyn Fn(&mut Spectrum)| {
        let mut spectrum = with_sigma(spectrum(REFERENCE), 0.005);
        change(&mut spectrum);
        fit(&spectrum, &circuit, &options)
    };
    let missing = refused(&|spectrum| spectrum.points[7].std_error_ohm = None).unwrap_err();
    assert!(matches!(missing, FitError::NoSigma { index: 7, .. }), "{missing}");
    assert!(missing.to_string().contains("point 7 at "), "{missing}");
    for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = refused(&|spectrum| spectrum.points[3].std_error_ohm = Some(sigma)).unwrap_err();
        assert!(
            matches!(error, FitError::ImpossibleSigma { index: 3, .. }),
            "{error}"
        );
    }
    // A point that is not used needs none.
    let unused = refused(&|spectrum| {
        spectrum.points[7].std_error_ohm = None;
        spectrum.points[7].status = crate::spectrum::PointStatus::Overload;
    });
    assert_eq!(unused.unwrap().left_out, 1);
}
