use proptest::prelude::*;

use super::*;
use crate::files::error::Place;
use crate::files::samples::assert_sample;

/// One measurement of a file: method, title and rows of Z', Z'' and frequency.
struct Measurement<'a> {
    method: &'a str,
    title: &'a str,
    rows: &'a [(f64, f64, f64)],
}

const ROWS: [(f64, f64, f64); 4] = [
    (15.25, -1.5, 10_000.0),
    (18.5, -9.75, 1_000.0),
    (41.0, -17.25, 100.0),
    (57.5, -4.125, 10.0),
];

const SAMPLE: Measurement<'_> = Measurement {
    method: "Impedance",
    title: "Pellet, 25 °C",
    rows: &ROWS,
};

/// Puts a file together: a prelude for each measurement, its table, and an oscillogram behind it.
fn file(measurements: &[Measurement<'_>]) -> Vec<u8> {
    let mut bytes = START.to_vec();
    for measurement in measurements {
        bytes.extend(b"H\0\0\0\r\nPeaks=false\r\n<\x07\0\0\r\n");
        let mut lines = vec![
            format!("Method={}", measurement.method),
            "Technique=Constant E".to_owned(),
            format!("Title={}", measurement.title),
            "E start=0".to_owned(),
            "Data Options=".to_owned(),
        ];
        lines
            .push("Report.Process data=instrument  : none\u{1c}\u{1e}channel     : 0\u{1c}\u{1e}".to_owned());
        for count in [
            "2         ",
            "Data Objects    ",
            "0         ",
            "primary_data    ",
            "3         ",
        ] {
            lines.push(count.to_owned());
        }
        lines.push(format!("{:<10}", measurement.rows.len()));
        for (real, imaginary, frequency) in measurement.rows {
            lines.push(format!("{real:.5E}  {imaginary:.5E}\t{frequency:.5E} "));
        }
        lines.push("7         ".to_owned());
        lines.push("osc_data        ".to_owned());
        lines.push("0         ".to_owned());
        for line in lines {
            bytes.extend(line.chars().map(|character| character as u8));
            bytes.extend(b"\r\n");
        }
    }
    bytes.extend(b"\0\0\0\0\r\n");
    bytes
}

fn values(reading: &Reading, spectrum: usize) -> Vec<(f64, f64, f64)> {
    let points = &reading.spectra[spectrum].spectrum.points;
    points
        .iter()
        .map(|point| (point.z_real_ohm, point.z_imag_ohm, point.frequency_hz))
        .collect()
}

#[test]
fn the_table_behind_primary_data_is_real_imaginary_and_frequency() {
    let bytes = file(&[SAMPLE]);
    assert!(recognise(&bytes));
    let reading = read("a.idf", &bytes).unwrap();
    assert_eq!(reading.format, Format::Ivium);
    assert_eq!(values(&reading, 0), ROWS);
    assert_eq!(reading.spectra[0].name, "");
    assert_eq!(reading.broken, None);
    assert!(reading.remarks[0].contains("true sign"));
}

#[test]
fn the_sample_file_is_the_one_made_here() {
    assert_sample("ivium.idf", &file(&[SAMPLE]));
}

#[test]
fn several_measurements_are_named_and_other_methods_passed_over() {
    let cyclic = Measurement {
        method: "CyclicVoltammetry",
        title: "cv",
        rows: &[(0.0, 1.0, 2.0)],
    };
    let second = Measurement {
        title: "",
        rows: &ROWS[..2],
        ..SAMPLE
    };
    let reading = read("a.ids", &file(&[SAMPLE, cyclic, second])).unwrap();
    let names: Vec<&str> = reading
        .spectra
        .iter()
        .map(|spectrum| spectrum.name.as_str())
        .collect();
    assert_eq!(names, ["measurement 1: Pellet, 25 °C", "measurement 2"]);
    assert_eq!(values(&reading, 1), ROWS[..2]);
    assert!(reading.remarks[1].contains("CyclicVoltammetry"));
}

#[test]
fn a_file_of_another_method_is_refused_with_its_name() {
    let transient = Measurement {
        method: "Transients",
        ..SAMPLE
    };
    let error = read("a.idf", &file(&[transient])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.idf: there is no impedance measurement in it; it holds Transients"
    );
}

#[test]
fn decimal_commas_and_bad_numbers_are_taken_for_what_they_are() {
    let rows = [
        (f64::NAN, -1.0, 10.0),
        (1.0, -1.0, 0.0),
        (1.0, f64::INFINITY, 5.0),
        (1.5, -1.0, 1.0),
    ];
    let bytes = file(&[Measurement {
        rows: &rows,
        ..SAMPLE
    }]);
    let status = |bytes: &[u8]| -> Vec<bool> {
        let reading = read("a.idf", bytes).unwrap();
        reading.spectra[0]
            .spectrum
            .points
            .iter()
            .map(Point::is_usable)
            .collect()
    };
    assert_eq!(status(&bytes), [false, false, false, true]);
    let with_commas: Vec<u8> = bytes
        .iter()
        .map(|&byte| if byte == b'.' { b',' } else { byte })
        .collect();
    let reading = read("a.idf", &with_commas).unwrap();
    assert_eq!(values(&reading, 0)[3], (1.5, -1.0, 1.0));
}

#[test]
fn what_is_no_row_is_an_error_at_its_byte() {
    let bytes = file(&[SAMPLE]);
    let broken = String::from_utf8_lossy(&bytes).replace("1.85000E1", "abc");
    let at = broken.find("abc").unwrap();
    let error = read("a.idf", broken.as_bytes()).unwrap_err();
    assert_eq!(error.place, Place::Offset(at));
    assert!(error.message.contains("row 2 of 4"), "{error}");
    let columns = String::from_utf8_lossy(&bytes).replace("\n3         \r", "\n4         \r");
    assert!(
        read("a.idf", columns.as_bytes())
            .unwrap_err()
            .message
            .contains("4 columns")
    );
}

#[test]
fn a_file_cut_anywhere_gives_its_whole_measurements_or_says_where_it_ends() {
    let bytes = file(&[
        SAMPLE,
        Measurement {
            title: "second",
            ..SAMPLE
        },
    ]);
    let whole = read("a.ids", &bytes).unwrap();
    let one = file(&[SAMPLE]).len();
    let rows_end = |from: usize| {
        from + bytes[from..]
            .windows(4)
            .position(|four| four == b"\n7  ")
            .unwrap()
    };
    let (first_end, second_end) = (rows_end(0), rows_end(one));
    for end in 60..bytes.len() {
        match read("a.ids", &bytes[..end]) {
            Ok(reading) => {
                let expected = if end >= second_end - 1 { 2 } else { 1 };
                assert_eq!(reading.spectra.len(), expected, "{end}");
                assert!(end >= first_end - 1, "{end}");
                assert_eq!(reading.spectra[0].spectrum, whole.spectra[0].spectrum);
                if let Some(error) = reading.broken {
                    assert!(
                        matches!(error.place, Place::Offset(at) if at <= end),
                        "{end} {error}"
                    );
                }
            }
            Err(_) => assert!(end < first_end, "{end}"),
        }
    }
}

proptest! {
    #[test]
    fn changed_bytes_never_panic_and_rows_never_outgrow_the_file(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = file(&[SAMPLE, SAMPLE]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        if let Ok(reading) = read("a.idf", &bytes) {
            prop_assert!(reading.spectra.iter().all(|spectrum| !spectrum.spectrum.points.is_empty()));
            let points: usize = reading.spectra.iter().map(|spectrum| spectrum.spectrum.points.len()).sum();
            prop_assert!(points * SHORTEST_ROW <= bytes.len());
        }
    }

    #[test]
    fn a_number_of_rows_is_no_memory(rows in any::<u64>()) {
        let mut bytes = START.to_vec();
        bytes.extend(format!("\nMethod=Impedance\nprimary_data\n3\n{rows}\n1 2 3\n").bytes());
        let outcome = read("a.idf", &bytes);
        prop_assert_eq!(outcome.is_ok(), rows == 1);
    }
}
