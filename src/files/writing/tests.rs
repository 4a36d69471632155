use proptest::prelude::*;

use super::*;
use crate::files::{read, reading::FileSpectrum};
use crate::spectrum::PointStatus;

/// Finite and nonzero, over the whole range of what may be measured and more.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        -1e9..1e9_f64,
        (any::<bool>(), -30.0..30.0_f64).prop_map(|(minus, decade)| {
            let value = 10f64.powf(decade);
            if minus { -value } else { value }
        }),
        Just(-0.0),
    ]
}

fn point() -> impl Strategy<Value = Point> {
    let optional = || prop::option::of(number());
    (
        number(),
        number(),
        number(),
        optional(),
        optional(),
        prop::option::of(0.0..1e3_f64),
    )
        .prop_map(|(frequency, real, imaginary, time, potential, error)| Point {
            t_start_s: time,
            potential_v: potential,
            std_error_ohm: error.map(|error| error + 1e-9),
            ..Point::new(frequency.abs() + 1e-30, real + 1e-200, imaginary)
        })
}

fn named(points: Vec<Point>) -> FileSpectrum {
    FileSpectrum {
        name: String::new(),
        spectrum: points.into(),
    }
}

fn bits(spectra: &[FileSpectrum]) -> Vec<Vec<[u64; 3]>> {
    let of_point = |point: &Point| [point.frequency_hz, point.z_real_ohm, point.z_imag_ohm].map(f64::to_bits);
    spectra
        .iter()
        .map(|of| of.spectrum.points.iter().map(of_point).collect())
        .collect()
}

/// Frequencies that fall, so that no reader takes one spectrum for two.
fn falling(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| b.frequency_hz.total_cmp(&a.frequency_hz));
    points.dedup_by_key(|point| point.frequency_hz);
    points
}

fn written(format: Format, spectra: &[FileSpectrum]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(format, spectra, &mut bytes).unwrap();
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_written_is_read_to_the_last_bit(
        spectra in prop::collection::vec(prop::collection::vec(point(), 1..12), 1..4)
    ) {
        let spectra: Vec<FileSpectrum> = spectra.into_iter().map(falling).map(named).collect();
        for format in [Format::Plain, Format::EcLabText] {
            let reading = read("a", &written(format, &spectra)).unwrap();
            prop_assert_eq!(reading.format, format);
            prop_assert_eq!(bits(&reading.spectra), bits(&spectra));
        }
        let reading = read("a", &written(Format::ZPlot, &spectra[..1])).unwrap();
        prop_assert_eq!(reading.format, Format::ZPlot);
        prop_assert_eq!(bits(&reading.spectra), bits(&spectra[..1]));
    }

    #[test]
    fn plain_text_keeps_what_is_known_of_a_point(points in prop::collection::vec(point(), 1..12)) {
        let spectra = [named(falling(points))];
        let reading = read("a", &written(Format::Plain, &spectra)).unwrap();
        prop_assert_eq!(&reading.spectra[0].spectrum, &spectra[0].spectrum);
    }
}

fn two_points() -> Vec<Point> {
    vec![Point::new(1000.0, 10.0, -1.0), Point::new(100.0, 20.0, -2.0)]
}

#[test]
fn points_that_are_not_usable_stay_so_in_plain_text_and_are_left_out_elsewhere() {
    let mut points = two_points();
    points[0].status = PointStatus::Overload;
    points.push(Point {
        status: PointStatus::Invalid,
        ..Point::new(10.0, f64::NAN, f64::NAN)
    });
    let spectra = [named(points)];
    let reading = read("a", &written(Format::Plain, &spectra)).unwrap();
    let statuses: Vec<PointStatus> = reading.spectra[0]
        .spectrum
        .points
        .iter()
        .map(|p| p.status)
        .collect();
    assert_eq!(
        statuses,
        [PointStatus::Overload, PointStatus::Ok, PointStatus::Invalid]
    );
    for format in [Format::ZPlot, Format::EcLabText] {
        let mut bytes = Vec::new();
        let remarks = write(format, &spectra, &mut bytes).unwrap();
        assert!(remarks[0].starts_with("2 of 3 points"), "{remarks:?}");
        assert_eq!(read("a", &bytes).unwrap().spectra[0].spectrum.points.len(), 1);
    }
}

#[test]
fn what_is_not_known_is_no_column_in_ec_lab_text() {
    let bytes = written(Format::EcLabText, &[named(two_points())]);
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(!text.contains("time/s") && !text.contains("<Ewe>"), "{text}");
    let untimed = read("a", &written(Format::ZPlot, &[named(two_points())])).unwrap();
    assert_eq!(untimed.spectra[0].spectrum.points[1].t_start_s, None);
    let mut points = two_points();
    for (index, point) in points.iter_mut().enumerate() {
        point.t_start_s = Some(10.0 + 5.0 * index as f64);
        point.potential_v = Some(1.5);
    }
    let reading = read("a", &written(Format::EcLabText, &[named(points)])).unwrap();
    let found: Vec<_> = reading.spectra[0]
        .spectrum
        .points
        .iter()
        .map(|p| (p.t_start_s, p.potential_v, p.current_a))
        .collect();
    assert_eq!(found, [(None, Some(1.5), None), (Some(15.0), Some(1.5), None)]);
}

#[test]
fn amplitudes_come_back_as_rms() {
    for galvanostatic in [false, true] {
        let mut points = two_points();
        for point in &mut points {
            if galvanostatic {
                point.amplitude_arms = Some(2e-3);
            } else {
                point.amplitude_vrms = Some(0.01);
            }
        }
        let reading = read("a", &written(Format::EcLabText, &[named(points)])).unwrap();
        let point = &reading.spectra[0].spectrum.points[0];
        let close = |found: Option<f64>, expected: f64| (found.unwrap() / expected - 1.0).abs() < 1e-14;
        if galvanostatic {
            assert!(close(point.amplitude_arms, 2e-3));
        } else {
            assert!(close(point.amplitude_vrms, 0.01));
        }
    }
}

#[test]
fn what_cannot_be_written_is_refused_with_words() {
    let spectra = [named(two_points()), named(two_points())];
    let mut bytes = Vec::new();
    let error = write(Format::ZPlot, &spectra, &mut bytes).unwrap_err();
    assert!(error.to_string().contains("one spectrum, not 2"), "{error}");
    assert_eq!(write(Format::Plain, &[], &mut bytes), Err(WriteError::NoPoint));
    assert_eq!(
        write(Format::EcLabText, &[named(Vec::new())], &mut bytes),
        Err(WriteError::NoPoint)
    );
    let error = write(Format::Gamry, &spectra, &mut bytes).unwrap_err();
    assert!(error.to_string().contains(".csv"), "{error}");
    assert!(bytes.is_empty());
}

#[test]
fn extensions_choose_the_format() {
    assert_eq!(format_of_extension("CSV"), Some(Format::Plain));
    assert_eq!(format_of_extension("z"), Some(Format::ZPlot));
    assert_eq!(format_of_extension("mpt"), Some(Format::EcLabText));
    assert_eq!(format_of_extension("dta"), None);
}

#[test]
fn exponents_have_the_digits_of_their_format() {
    assert_eq!(scientific(1_000.320_1, 3), "1.0003201E+003");
    assert_eq!(scientific(-0.5, 2), "-5.0E-01");
    assert_eq!(scientific(0.0, 2), "0.0E+00");
    assert_eq!(scientific(5e-324, 2), "5.0E-324");
}

#[test]
fn a_file_says_that_its_spectrum_is_corrected() {
    let corrected = FileSpectrum {
        name: "instant of sweep 2 at 12.0 s, drift-corrected".to_owned(),
        spectrum: two_points().into(),
    };
    let spectra = [corrected];
    for format in [Format::Plain, Format::ZPlot, Format::EcLabText] {
        let bytes = written(format, &spectra);
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(
            text.contains("instant of sweep 2 at 12.0 s; drift-corrected"),
            "{text}"
        );
        let reading = read("a", &bytes).unwrap();
        assert_eq!(reading.format, format);
        assert_eq!(bits(&reading.spectra), bits(&spectra));
    }
    // The only spectrum of a file is read without a name; of several each has its own.
    let [spectrum] = spectra;
    let several = [named(two_points()), spectrum];
    let reading = read("a", &written(Format::Plain, &several)).unwrap();
    assert_eq!(bits(&reading.spectra), bits(&several));
    assert!(
        reading.spectra[1].name.ends_with("drift-corrected"),
        "{:?}",
        reading.spectra[1].name
    );
    let measured = written(Format::Plain, &[named(two_points())]);
    assert!(measured.starts_with(b"frequency_hz,"));
}
