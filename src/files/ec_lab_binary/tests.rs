use proptest::prelude::*;

use super::sample::{Cell, File, PEIS, Settings, impedance, peis_record};
use super::*;
use crate::files::error::Place;
use crate::files::samples::assert_sample;
use crate::spectrum::PointStatus;

fn reading(file: &File) -> Reading {
    read("a.mpr", &file.bytes()).unwrap()
}

fn names(reading: &Reading) -> Vec<&str> {
    reading
        .spectra
        .iter()
        .map(|spectrum| spectrum.name.as_str())
        .collect()
}

#[test]
fn every_version_gives_the_same_spectra() {
    for version in [0, 2, 3, 10, 11] {
        let reading = reading(&File::peis(version, 2));
        assert_eq!(reading.format, Format::EcLabBinary);
        assert_eq!(reading.broken, None, "{version}");
        assert_eq!(names(&reading), ["cycle 1", "cycle 2"]);
        for (spectrum, r1) in reading.spectra.iter().zip([40.0, 50.0]) {
            assert_eq!(spectrum.spectrum.points.len(), 6);
            for point in &spectrum.spectrum.points {
                let z = impedance(point.frequency_hz, r1);
                assert!(
                    (point.impedance() - z).norm() < 1e-6 * z.norm(),
                    "{version} {point:?}"
                );
                assert!(point.z_imag_ohm < 0.0 && point.is_usable());
                assert_eq!(point.potential_v, Some(3.25));
                assert_eq!(point.current_a, Some(-0.125e-3));
                assert_eq!(point.range.as_deref(), Some("10 mA"));
                assert!((point.amplitude_vrms.unwrap() - 0.010).abs() < 1e-8);
            }
        }
        // A point begins when the one before it ends; of the first of a sweep nothing is known.
        let starts: Vec<_> = reading.spectra[1]
            .spectrum
            .points
            .iter()
            .map(|point| point.t_start_s)
            .collect();
        assert_eq!(
            starts,
            [None, Some(3.5), Some(4.0), Some(4.5), Some(5.0), Some(5.5)]
        );
        assert!(reading.remarks.iter().any(|remark| remark.contains("-Im(Z)")));
        assert!(
            reading
                .remarks
                .iter()
                .any(|remark| remark.contains("14.1421 mV is zero to peak: 10.0000 mV rms"))
        );
    }
}

#[test]
fn the_sample_file_is_the_one_made_here() {
    assert_sample("ec_lab_two_cycles.mpr", &File::peis(3, 2).bytes());
    assert_sample("ec_lab_11_50.mpr", &File::peis(11, 1).bytes());
}

#[test]
fn the_only_sweep_has_no_name() {
    assert_eq!(names(&reading(&File::peis(3, 1))), [""]);
}

#[test]
fn modulus_and_phase_serve_where_the_parts_are_missing() {
    let mut file = File::peis(2, 1);
    file.ids.drain(1..3);
    for record in &mut file.records {
        record.drain(1..3);
    }
    for point in &reading(&file).spectra[0].spectrum.points {
        let z = impedance(point.frequency_hz, 40.0);
        assert!((point.impedance() - z).norm() < 1e-5 * z.norm());
        assert!(point.z_imag_ohm < 0.0);
    }
}

#[test]
fn an_unknown_column_is_stepped_over_and_said() {
    let mut file = File::peis(11, 2);
    file.ids.insert(1, 9999);
    for record in &mut file.records {
        record.insert(1, Cell::U16(0xabcd));
    }
    let with = reading(&file);
    let without = reading(&File::peis(11, 2));
    assert_eq!(with.spectra, without.spectra);
    assert!(
        with.remarks.iter().any(|remark| remark.contains("[9999]")),
        "{:?}",
        with.remarks
    );
}

#[test]
fn two_unknown_columns_around_the_impedance_are_refused_by_name() {
    let mut file = File::peis(11, 1);
    file.ids.insert(1, 9999);
    file.ids.insert(6, 9998);
    for record in &mut file.records {
        record.insert(1, Cell::F32(1.0));
        record.insert(6, Cell::F64(1.0));
    }
    let error = read("a.mpr", &file.bytes()).unwrap_err();
    assert!(
        error.message.contains("[9999, 9998]") && error.message.contains(".mpt"),
        "{error}"
    );
    assert!(matches!(error.place, Place::Offset(_)));
}

#[test]
fn a_width_that_is_not_what_it_was_taken_for_is_found_out() {
    // The length of a point gives it away.
    let mut file = File::peis(3, 1);
    for record in &mut file.records {
        record[6] = Cell::F64(3.25);
    }
    let error = read("a.mpr", &file.bytes()).unwrap_err();
    assert!(error.message.contains("make"), "{error}");
    // Two widths exchanged keep the length: |Z| gives it away.
    let mut file = File::peis(3, 1);
    file.ids.swap(2, 3);
    let error = read("a.mpr", &file.bytes()).unwrap_err();
    assert!(error.message.contains("|Z| does not agree"), "{error}");
}

#[test]
fn what_the_file_or_the_numbers_call_bad_is_kept_as_invalid() {
    let mut file = File::peis(2, 1);
    file.ids.splice(0..0, [1, 3]);
    for record in &mut file.records {
        record.splice(0..0, [Cell::U8(1), Cell::Shared]);
    }
    file.records[0][0] = Cell::U8(0b1001);
    file.records[1][2] = Cell::F32(0.0);
    file.records[2][3] = Cell::F32(f64::NAN);
    file.records[3][4] = Cell::F32(f64::INFINITY);
    let points = &reading(&file).spectra[0].spectrum.points;
    let invalid: Vec<bool> = points
        .iter()
        .map(|point| point.status == PointStatus::Invalid)
        .collect();
    assert_eq!(invalid, [true, true, true, true, false, false]);
}

#[test]
fn stretches_without_a_frequency_make_no_spectrum() {
    let mut file = File::peis(3, 2);
    let rest: Vec<_> = (0..3).map(|index| peis_record(index, 0.0, 7.0, 0)).collect();
    file.records.splice(6..6, rest);
    let reading = reading(&file);
    assert_eq!(names(&reading), ["cycle 1", "cycle 2"]);
    assert!(
        reading
            .remarks
            .iter()
            .any(|remark| remark.starts_with("1 stretches"))
    );
}

#[test]
fn rows_of_settings_and_loops_separate_sweeps_too() {
    let mut file = File::peis(3, 1);
    file.records
        .extend((0..3).map(|index| peis_record(index, 1e4 / f64::from(index as u32 + 1), 1.0, 1)));
    let found = reading(&file);
    assert_eq!(names(&found), ["sequence 1", "sequence 2"]);
    let amplitude = |spectrum: usize| found.spectra[spectrum].spectrum.points[0].amplitude_vrms.unwrap();
    assert!((amplitude(0) - 0.010).abs() < 1e-8 && (amplitude(1) - 0.005).abs() < 1e-8);

    let mut file = File::peis(3, 2);
    file.ids.truncate(9);
    for record in &mut file.records {
        record.truncate(9);
    }
    file.loops = vec![0, 6, 9];
    assert_eq!(names(&reading(&file)), ["loop 1", "loop 2", "loop 3"]);
}

#[test]
fn sweeps_of_one_cycle_are_told_apart_by_their_own_count() {
    let mut file = File::peis(3, 1);
    file.ids.push(469);
    for (index, record) in file.records.iter_mut().enumerate() {
        record.push(Cell::U32(1 + u32::from(index >= 4)));
    }
    let reading = reading(&file);
    assert_eq!(names(&reading), ["sweep 1", "sweep 2"]);
    assert_eq!(reading.spectra[0].spectrum.points.len(), 4);
}

#[test]
fn an_amplitude_whose_frequencies_do_not_fit_is_not_given() {
    let mut file = File::peis(3, 1);
    file.settings = Some(Settings {
        rows: vec![(1.0, 1, 1.0, 2, 10.0)],
        ..Settings::default()
    });
    let reading = reading(&file);
    assert_eq!(reading.spectra[0].spectrum.points[0].amplitude_vrms, None);
    assert!(
        !reading
            .remarks
            .iter()
            .any(|remark| remark.contains("zero to peak"))
    );
}

#[test]
fn a_file_cut_anywhere_gives_its_whole_sweeps_or_says_where_it_ends() {
    for version in [3, 11] {
        let file = File::peis(version, 3);
        let bytes = file.bytes();
        let whole = reading(&file);
        let record = 8 * 4 + 2 * 8 + 2 * 2;
        let log = bytes.len() - 20 - if version == 3 { 57 } else { 65 };
        let data = log - 18 * record;
        for end in MAGIC.len()..bytes.len() {
            let records = end.saturating_sub(data).min(18 * record) / record;
            // Whether a sweep is whole shows only when the next one begins, or the table ends.
            let expected = if records == 18 {
                3
            } else {
                records.saturating_sub(1) / 6
            };
            match read("a.mpr", &bytes[..end]) {
                Ok(reading) => {
                    assert_eq!(reading.spectra.len(), expected, "{end}");
                    for (read, true_one) in reading.spectra.iter().zip(&whole.spectra) {
                        assert_eq!(read.spectrum, true_one.spectrum);
                    }
                    let place = reading.broken.map(|error| error.place);
                    let in_header = (log + 1..log + bytes.len() - log - 20).contains(&end);
                    let expected = match end {
                        _ if end == log => None,
                        _ if in_header => Some(Place::Offset(log)),
                        _ => Some(Place::Offset(end)),
                    };
                    assert_eq!(place, expected, "{end}");
                }
                Err(error) => {
                    assert_eq!(expected, 0, "{end} {error}");
                    assert!(matches!(error.place, Place::Offset(_) | Place::Whole), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_count_of_points_beyond_the_file_is_no_memory() {
    for claimed in [u32::MAX, 1_000_000, 13] {
        let mut file = File::peis(3, 2);
        file.claimed = Some(claimed);
        let outcome = read("a.mpr", &file.bytes());
        match outcome {
            Ok(reading) => {
                assert_eq!(reading.spectra.len(), 1);
                assert!(reading.broken.unwrap().message.contains(&claimed.to_string()));
            }
            Err(error) => assert!(error.message.contains("columns"), "{error}"),
        }
    }
    let mut file = File::peis(3, 2);
    file.claimed = Some(0);
    assert!(
        read("a.mpr", &file.bytes())
            .unwrap_err()
            .message
            .contains("nothing was measured")
    );
}

#[test]
fn files_without_impedance_say_so() {
    let mut file = File::peis(3, 1);
    file.ids = vec![4, 6, 8];
    file.records = vec![vec![Cell::F64(1.0), Cell::F32(1.0), Cell::F32(1.0)]; 4];
    let error = read("a.mpr", &file.bytes()).unwrap_err();
    assert!(error.message.contains("not an impedance"), "{error}");
    let mut file = File::peis(3, 1);
    file.version = 7;
    assert!(
        read("a.mpr", &file.bytes())
            .unwrap_err()
            .message
            .contains("version 7")
    );
    assert!(
        read("a.mpr", MAGIC)
            .unwrap_err()
            .message
            .contains("no data module")
    );
    assert_eq!(PEIS.len(), File::peis(3, 1).records[0].len());
}

proptest! {
    #[test]
    fn changed_bytes_never_panic_and_points_never_outgrow_the_file(
        version in prop::sample::select(vec![0_u32, 2, 3, 10, 11]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut file = File::peis(version, 2);
        file.settings = None;
        let mut bytes = file.bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(reading) = read("a.mpr", &bytes) {
            let points: usize = reading.spectra.iter().map(|spectrum| spectrum.spectrum.points.len()).sum();
            prop_assert!(points * 12 <= bytes.len());
            prop_assert!(!reading.spectra.is_empty());
            prop_assert!(reading.spectra.iter().all(|spectrum| !spectrum.spectrum.points.is_empty()));
        }
    }

    #[test]
    fn garbage_behind_the_magic_never_panics(garbage in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = MAGIC.to_vec();
        bytes.resize(52, b' ');
        bytes.extend(garbage);
        prop_assert!(read("a.mpr", &bytes).is_err());
    }
}
