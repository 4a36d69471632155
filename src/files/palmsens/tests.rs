use proptest::prelude::*;

use super::*;
use crate::files::error::Place;
use crate::files::samples::assert_sample;

/// An array of a session.
fn array(kind: i64, unit: &str, values: &[String]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("{{\"V\":{value}}}")).collect();
    let name = match kind {
        0 => "Time",
        2 | ALTERNATING_CURRENT => "MicroAmpere",
        FREQUENCY => "Hertz",
        REAL => "ZRe",
        IMAGINARY => "ZIm",
        _ => "Volt",
    };
    format!(
        "{{\"Type\":\"PalmSens.Data.DataArray\",\"ArrayType\":{kind},\"Unit\":{{\"Type\":\"PalmSens.Units.{name}\",\"S\":\"\u{2126}\",\
         {unit}}},\"DataValues\":[{}]}}",
        values.join(",")
    )
}

fn words(numbers: &[f64]) -> Vec<String> {
    numbers.iter().map(|number| format!("{number:?}")).collect()
}

const FREQUENCIES: [f64; 4] = [10_000.0, 1_000.0, 100.0, 10.0];
const REALS: [f64; 4] = [15.25, 18.5, 41.0, 57.5];
const MINUS_IMAGINARIES: [f64; 4] = [1.5, 9.75, 17.25, 4.125];

/// The arrays of a sweep.
fn sweep(reals: &[f64]) -> Vec<String> {
    let statuses: Vec<String> = [0, 2, 3, 1]
        .iter()
        .map(|status| format!("12.5,\"C\":6,\"S\":{status}"))
        .collect();
    vec![
        array(2, "\"Q\":\"Current\"", &words(&[-3.0, -2.0, -1.0, 0.0])),
        array(FREQUENCY, "\"Q\":\"Frequency\"", &words(&FREQUENCIES)),
        array(REAL, "\"Q\":\"Z'\"", &words(reals)),
        array(IMAGINARY, "\"Q\":\"-Z''\"", &words(&MINUS_IMAGINARIES)),
        array(ALTERNATING_CURRENT, "\"Q\":\"Current\"", &statuses),
        array(MEASURED_POTENTIAL, "\"Q\":\"Potential\"", &words(&[0.5; 4])),
        array(ALTERNATING_POTENTIAL, "\"Q\":\"Potential\"", &words(&[0.01; 4])),
        // An array with a value more than there are points says nothing about any of them.
        array(0, "\"Q\":\"Time\"", &words(&[0.0; 5])),
    ]
}

fn data_set(arrays: &[String]) -> String {
    format!(
        "\"DataSet\":{{\"Type\":\"PalmSens.Data.DataSetEIS\",\"Values\":[{}]}}",
        arrays.join(",")
    )
}

fn measurement(title: &str, method: &str, data_set: &str, impedance: &str) -> String {
    format!(
        "{{\"Title\":\"{title}\",\"TimeStamp\":638283044195322907,\"Method\":\"#PSTrace\\r\\nMETHOD_ID={method}\\r\\n\
         TECHNIQUE=14\\r\\n\",{data_set},\"Curves\":[],\"EISDataList\":[{impedance}]}}"
    )
}

fn session(measurements: &[String]) -> String {
    format!(
        "{{\"Type\":\"PalmSens.DataFiles.SessionFile\",\"CoreVersion\":\"5.9\",\"Measurements\":[{}]}}",
        measurements.join(",")
    )
}

/// In UTF-16 with a byte order mark at both ends.
fn encoded(text: &str) -> Vec<u8> {
    let units = [0xfeff].into_iter().chain(text.encode_utf16()).chain([0xfeff]);
    units.flat_map(u16::to_le_bytes).collect()
}

fn one(method: &str) -> String {
    session(&[measurement(
        "Pellet 7, µ-cell",
        method,
        &data_set(&sweep(&REALS)),
        "",
    )])
}

fn values(spectrum: &FileSpectrum) -> Vec<(f64, f64, f64)> {
    let points = &spectrum.spectrum.points;
    points
        .iter()
        .map(|point| (point.frequency_hz, point.z_real_ohm, point.z_imag_ohm))
        .collect()
}

fn expected() -> Vec<(f64, f64, f64)> {
    FREQUENCIES
        .into_iter()
        .zip(REALS)
        .zip(MINUS_IMAGINARIES)
        .map(|((f, re), im)| (f, re, -im))
        .collect()
}

fn names(reading: &Reading) -> Vec<&str> {
    reading
        .spectra
        .iter()
        .map(|spectrum| spectrum.name.as_str())
        .collect()
}

#[test]
fn arrays_are_found_by_their_number_and_the_sign_by_their_unit() {
    let bytes = encoded(&one("eis"));
    assert!(recognise(&bytes));
    let reading = read("a.pssession", &bytes).unwrap();
    assert_eq!(reading.format, Format::PalmSens);
    assert_eq!(names(&reading), [""]);
    assert_eq!(values(&reading.spectra[0]), expected());
    assert_eq!(reading.broken, None);
    assert_eq!(reading.remarks, ["the file holds -Z''; Z'' is its negative"]);
    let points = &reading.spectra[0].spectrum.points;
    let statuses: Vec<PointStatus> = points.iter().map(|point| point.status).collect();
    use PointStatus::{Ok, Overload, Underload, Warning};
    assert_eq!(statuses, [Ok, Underload, Warning, Overload]);
    assert_eq!(points[0].amplitude_vrms, Some(0.01));
    assert_eq!(points[0].amplitude_arms, None);
    assert_eq!(points[0].potential_v, Some(0.5));
    assert_eq!(points[0].current_a, Some(-3e-6));

    let true_sign = one("eis").replace("-Z''", "Z''");
    let reading = read("a.pssession", &encoded(&true_sign)).unwrap();
    assert_eq!(reading.spectra[0].spectrum.points[0].z_imag_ohm, 1.5);
    assert!(reading.remarks[0].contains("true sign"));
}

#[test]
fn a_galvanostatic_measurement_has_its_amplitude_in_ampere() {
    let reading = read("a.pssession", &encoded(&one("geis"))).unwrap();
    let point = &reading.spectra[0].spectrum.points[0];
    assert_eq!(
        (point.amplitude_vrms, point.amplitude_arms),
        (None, Some(12.5e-6))
    );
}

#[test]
fn the_sample_file_is_the_one_made_here() {
    assert_sample("palmsens.pssession", &encoded(&one("eis")));
}

#[test]
fn measurements_and_channels_are_named_by_their_titles() {
    let set = data_set(&sweep(&REALS));
    let entry = |title: &str, reals: &[f64]| format!("{{\"Title\":\"{title}\",{}}}", data_set(&sweep(reals)));
    let channels = [
        entry("CH 1: 4 freqs", &REALS),
        entry("CH 2: 4 freqs", &[1.0, 2.0, 3.0, 4.0]),
    ]
    .join(",");
    let text = session(&[
        measurement("first", "eis", &set, &entry("Fixed at 4 freqs", &REALS)),
        measurement("cv", "cv", "\"DataSet\":{\"Values\":[]}", ""),
        measurement("second", "eis", &set, &channels),
        measurement("third", "eis", "\"DataSet\":null", &entry("only here", &REALS)),
    ]);
    let reading = read("a.pssession", &encoded(&text)).unwrap();
    assert_eq!(
        names(&reading),
        [
            "first",
            "second, CH 1: 4 freqs",
            "second, CH 2: 4 freqs",
            "third, only here"
        ]
    );
    assert_eq!(reading.spectra[2].spectrum.points[3].z_real_ohm, 4.0);
    assert!(
        reading
            .remarks
            .iter()
            .any(|remark| remark.ends_with("passed over: cv"))
    );
}

#[test]
fn a_scan_that_repeats_its_frequencies_is_several_spectra() {
    let twice = |numbers: &[f64]| words(&[numbers, numbers, &numbers[..2]].concat());
    let arrays = [
        array(FREQUENCY, "\"Q\":null", &twice(&FREQUENCIES)),
        array(REAL, "\"Q\":null", &twice(&REALS)),
        array(IMAGINARY, "\"Q\":null", &twice(&MINUS_IMAGINARIES)),
    ];
    let text = session(&[measurement("t", "eis", &data_set(&arrays), "")]);
    let reading = read("a.pssession", &encoded(&text)).unwrap();
    assert_eq!(names(&reading), ["t, scan 1", "t, scan 2", "t, scan 3"]);
    assert_eq!(values(&reading.spectra[1]), expected());
    assert_eq!(values(&reading.spectra[2]), expected()[..2]);
    assert!(
        reading
            .remarks
            .iter()
            .any(|remark| remark.contains("does not say which sign"))
    );
    // One frequency again and again is one trace.
    let point = Point::new(1.0, 1.0, -1.0);
    assert_eq!(repeats(&[point.clone(), point.clone(), point]).len(), 1);
}

#[test]
fn words_for_numbers_and_lengths_that_differ_are_no_end() {
    let mut arrays = sweep(&REALS);
    let three = ["\"NaN\"", "\"Infinity\"", "7"].map(str::to_owned);
    arrays[2] = array(REAL, "\"Q\":\"Z'\"", &three);
    let text = session(&[measurement("t", "eis", &data_set(&arrays), "")]);
    let reading = read("a.pssession", &encoded(&text)).unwrap();
    let points = &reading.spectra[0].spectrum.points;
    let usable: Vec<bool> = points.iter().map(Point::is_usable).collect();
    assert_eq!(usable, [false, false, true]);
    assert!(
        reading
            .remarks
            .iter()
            .any(|remark| remark.contains("first 3 of each"))
    );
}

#[test]
fn a_session_without_impedance_says_what_it_holds() {
    let text = session(&[measurement("cv", "cv", "\"DataSet\":{\"Values\":[]}", "")]);
    let error = read("a.pssession", &encoded(&text)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.pssession: there is no impedance measurement in it; it holds cv"
    );
    assert!(
        read("a.pssession", &encoded(&session(&[])))
            .unwrap_err()
            .message
            .contains("no measurement")
    );
}

#[test]
fn a_session_cut_anywhere_gives_its_whole_measurements_or_says_where_it_ends() {
    let set = data_set(&sweep(&REALS));
    let first = measurement("first", "eis", &set, "");
    let head = session(&[]);
    let head = head.len() - 2;
    let bytes = encoded(&session(&[first.clone(), measurement("second", "eis", &set, "")]));
    let first_end = 2 + 2 * (head + first.encode_utf16().count());
    for end in (60..bytes.len() - 2).step_by(3) {
        match read("a.pssession", &bytes[..end]) {
            Ok(reading) => {
                assert!(end >= first_end, "{end}");
                assert_eq!(values(&reading.spectra[0]), expected());
                let broken = reading.broken.unwrap();
                assert!(
                    matches!(broken.place, Place::Offset(at) if at + 4 >= end && at <= end),
                    "{end} {broken}"
                );
            }
            Err(error) => {
                assert!(end < first_end + 2, "{end} {error}");
                assert!(
                    matches!(error.place, Place::Offset(at) if at + 4 >= end && at <= end),
                    "{end} {error}"
                );
            }
        }
    }
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    for key in ["Measurements", "Other"] {
        for opening in ["[", "{\"a\":", "[{\"DataSet\":"] {
            let text = format!("{{\"Type\":\"PalmSens.\",\"{key}\":{}", opening.repeat(20_000));
            assert!(read("a.pssession", &encoded(&text)).is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn changed_bytes_never_panic_and_points_never_outgrow_the_file(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = encoded(&one("eis"));
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(reading) = read("a.pssession", &bytes) {
            let points: usize = reading.spectra.iter().map(|spectrum| spectrum.spectrum.points.len()).sum();
            prop_assert!(points <= 4);
            prop_assert!(reading.spectra.iter().all(|spectrum| !spectrum.spectrum.points.is_empty()));
        }
    }
}
