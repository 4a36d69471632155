//! What every sample must give.

use super::*;

fn reading(name: &str) -> Reading {
    read(name, sample(name).bytes).unwrap()
}

fn replaced(name: &str, from: &str, to: &str) -> Result<Reading, ReadError> {
    let text: String = sample(name).bytes.iter().copied().map(char::from).collect();
    assert!(text.contains(from), "{from} is in {name}");
    let changed: Vec<u8> = text.replace(from, to).chars().map(|c| c as u8).collect();
    read(name, &changed)
}

fn has_remark(reading: &Reading, part: &str) -> bool {
    reading.remarks.iter().any(|remark| remark.contains(part))
}

#[test]
fn every_sample_is_recognised_and_holds_the_impedance_of_the_model() {
    for sample in SAMPLES {
        let reading = read(sample.name, sample.bytes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(reading.format, sample.format, "{}", sample.name);
        assert_eq!(sizes(&reading), sample.sizes, "{}", sample.name);
        assert_eq!(reading.broken, None, "{}", sample.name);
        for point in usable(&reading) {
            let expected = model(point.frequency_hz);
            let distance = (point.impedance() - expected).norm() / expected.norm();
            assert!(distance < 1e-5, "{}: {point:?}, {expected}", sample.name);
        }
        assert!(
            usable(&reading).any(|point| (point.frequency_hz - 1e5).abs() < 1.0),
            "{}",
            sample.name
        );
        assert!(
            sample.name == "plain.csv" || !reading.remarks.is_empty(),
            "{} says nothing of the sign",
            sample.name
        );
    }
}

#[test]
fn names_stand_where_there_are_several_spectra_and_only_there() {
    let names = |name: &str| -> Vec<String> { reading(name).spectra.into_iter().map(|of| of.name).collect() };
    assert_eq!(names("ec_lab_peis.mpt"), ["cycle 1", "cycle 2"]);
    assert_eq!(
        names("ec_lab_modulo_bat.mpt"),
        ["cycle 1, sweep 1", "cycle 1, sweep 2"]
    );
    assert_eq!(names("versa_studio.par"), ["segment 2", "segment 3"]);
    assert_eq!(names("plain_blocks.txt"), ["spectrum 1", "cycle 2"]);
    assert_eq!(names("gamry.DTA"), [""]);
}

#[test]
fn amplitudes_are_rms() {
    let first = |name: &str| {
        let point = reading(name).spectra[0].spectrum.points[0].clone();
        (point.amplitude_vrms, point.amplitude_arms)
    };
    let close = |found: Option<f64>, expected: f64| (found.unwrap() / expected - 1.0).abs() < 1e-12;
    // Va = 14.1 mV and Ia = 2 mA are zero to peak; VAC = 10 mV, IACREQ = 0.5 mA and 20 mV are rms.
    assert!(close(
        first("ec_lab_peis.mpt").0,
        0.0141 * std::f64::consts::FRAC_1_SQRT_2
    ));
    assert!(close(
        first("ec_lab_geis_comma.mpt").1,
        0.002 * std::f64::consts::FRAC_1_SQRT_2
    ));
    assert!(close(first("gamry.DTA").0, 0.01));
    assert!(close(first("gamry_aborted.DTA").1, 5e-4));
    assert!(close(first("versa_studio.par").0, 0.02));
    assert_eq!(first("gamry_aborted.DTA").0, None);
    assert_eq!(first("ch_instruments.txt"), (None, None));
}

#[test]
fn time_potential_and_current_are_kept_in_si_units() {
    let points = reading("ec_lab_peis.mpt").spectra[0].spectrum.points.clone();
    let point = reading("ec_lab_peis.mpt").spectra[1].spectrum.points[0].clone();
    assert_eq!(point.potential_v, Some(0.0242));
    assert!((point.current_a.unwrap() / -6.8e-6 - 1.0).abs() < 1e-12);
    // The stamps are ends: the second point began when the first one ended.
    assert_eq!((points[0].t_start_s, points[1].t_start_s), (None, Some(0.450021)));
    for name in ["gamry.DTA", "gamry_drift_corrected.DTA"] {
        let point = reading(name).spectra[0].spectrum.points[1].clone();
        assert_eq!(
            (point.t_start_s, point.potential_v, point.current_a),
            (Some(4.0), Some(1.5002), Some(-2.5e-6)),
            "{name}"
        );
    }
    let point = reading("eco_chemie.dfr").spectra[0].spectrum.points[2].clone();
    assert_eq!(
        (point.t_start_s, point.potential_v, point.current_a),
        (Some(7.0), Some(1.5), Some(1.1e-9))
    );
}

#[test]
fn what_was_decided_is_said() {
    assert!(has_remark(
        &reading("ec_lab_peis.mpt"),
        "\"-Im(Z)/Ohm\" with its sign turned"
    ));
    assert!(has_remark(&reading("ec_lab_peis.mpt"), "zero to peak"));
    assert!(has_remark(
        &reading("ec_lab_geis_comma.mpt"),
        "calculated from the modulus"
    ));
    assert!(has_remark(
        &reading("ec_lab_modulo_bat.mpt"),
        "start again: taken for 2 spectra"
    ));
    assert!(has_remark(
        &reading("ec_lab_modulo_bat.mpt"),
        "7 of 25 rows have the frequency 0"
    ));
    assert!(has_remark(
        &reading("gamry.DTA"),
        "\"Zimag\" with the sign it has there"
    ));
    assert!(has_remark(&reading("gamry_aborted.DTA"), "aborted"));
    assert!(has_remark(
        &reading("gamry_drift_corrected.DTA"),
        "drift-corrected"
    ));
    assert!(has_remark(
        &reading("zplot_without_comments.z"),
        "announces 12 points, there are 9"
    ));
    assert!(!has_remark(&reading("zplot.z"), "announces"));
    assert!(has_remark(
        &reading("versa_studio.par"),
        "1 segments without impedance"
    ));
    assert!(has_remark(
        &reading("autolab_nova.txt"),
        "\"-Z'' (Ω)\" with its sign turned"
    ));
    assert!(has_remark(
        &reading("eco_chemie.P00"),
        "\"-Z''/Ohm\" with its sign turned"
    ));
    assert!(has_remark(&reading("plain_utf16.txt"), "multiplied by 1e3 to Hz"));
}

#[test]
fn an_aborted_run_that_says_false_is_not_called_aborted() {
    let reading = replaced(
        "gamry_aborted.DTA",
        "EXPERIMENTABORTED\tTOGGLE\tT",
        "EXPERIMENTABORTED\tTOGGLE\tF",
    );
    assert!(!has_remark(&reading.unwrap(), "aborted"));
}

#[test]
fn several_tables_of_one_gamry_file_are_several_spectra() {
    let text: String = sample("gamry.DTA")
        .bytes
        .iter()
        .copied()
        .map(char::from)
        .collect();
    let twice = format!("{text}{}", &text[text.find("ZCURVE").unwrap()..]);
    let bytes: Vec<u8> = twice.chars().map(|c| c as u8).collect();
    let reading = read("a.DTA", &bytes).unwrap();
    assert_eq!(sizes(&reading), [9, 9]);
    assert_eq!(reading.spectra[1].name, "ZCURVE 2");
    // The second table breaks off in words: the first is given.
    let broken: Vec<u8> = twice
        .replacen("\t8\t25\t10\t", "\t8\t25\tten\t", 2)
        .replacen("\t8\t25\tten\t", "\t8\t25\t10\t", 1)
        .chars()
        .map(|c| c as u8)
        .collect();
    let reading = read("a.DTA", &broken).unwrap();
    assert_eq!(sizes(&reading), [9]);
    let error = reading.broken.unwrap().to_string();
    assert!(error.contains("column 4: the frequency is \"ten\""), "{error}");
}

#[test]
fn a_text_in_place_of_a_number_is_told_with_line_and_column() {
    for (name, from, to, expected) in [
        (
            "gamry.DTA",
            "\t1000\t",
            "\tabc\t",
            "gamry.DTA:27: column 4: the frequency is \"abc\", not a number",
        ),
        (
            "versa_studio.par",
            ",1000,",
            ",x,",
            "versa_studio.par:41: column 10: the frequency is \"x\", not a number",
        ),
        (
            "zplot.z",
            "1.000000E+03",
            "one",
            "zplot.z:21: column 1: the frequency is \"one\", not a number",
        ),
        (
            "eco_chemie.dfr",
            " 1.000000000e+03",
            "one",
            "eco_chemie.dfr:40: a number must stand here, not \"one\"",
        ),
    ] {
        let found = replaced(name, from, to);
        let message = match &found {
            Err(error) => error.to_string(),
            Ok(reading) => reading.broken.as_ref().unwrap().to_string(),
        };
        assert_eq!(message, expected);
    }
}

#[test]
fn spectra_before_a_fault_are_given() {
    let text: String = sample("ec_lab_peis.mpt")
        .bytes
        .iter()
        .copied()
        .map(char::from)
        .collect();
    let at = text.rfind("1.0000000E+003\t5").unwrap();
    let bytes: Vec<u8> = format!("{}x{}", &text[..at], &text[at..])
        .chars()
        .map(|c| c as u8)
        .collect();
    let reading = read("a.mpt", &bytes).unwrap();
    assert_eq!(sizes(&reading), [9]);
    assert_eq!(reading.spectra[0].name, "", "it is the only one now");
    assert!(reading.broken.unwrap().message.contains("not a number"));
}

#[test]
fn a_missing_column_is_told_with_those_there_are() {
    let error = replaced("ec_lab_peis.mpt", "freq/Hz\t", "Ewe/V\t")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("ec_lab_peis.mpt:32: the header has no column for the frequency"),
        "{error}"
    );
    assert!(
        error.contains("\"Re(Z)/Ohm\"") && error.contains("Potentio"),
        "{error}"
    );
    let error = replaced("zplot.z", "\tZ''(b)\t", "\tY''\t")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no column for Z''") && error.contains("\"Y''\""),
        "{error}"
    );
}

#[test]
fn files_of_these_programs_without_impedance_are_refused_with_words() {
    for (text, word) in [
        (
            "EC-LAB SETTING FILE\n\nNumber of linked techniques : 1\n",
            "holds no data",
        ),
        (
            "EXPLAIN\nTAG\tCV\nCURVE\tTABLE\t1\n\tPt\tT\n\t#\ts\n\t0\t1\n",
            "\"CV\" holds no impedance",
        ),
        ("ZPLOT2 ASCII\n  Data Points: 4\n", "no line of names"),
        ("<Application>\nName=VersaStudio\n</Application>\n", "no segment"),
        ("VERSION8.0\n 2\n 1\n 1000\n 10\n", "after 0 of 2 points"),
    ] {
        let error = super::text(text).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn a_file_cut_off_in_a_row_gives_the_rows_before_unless_it_tells_their_number() {
    let cut = |name: &str, by: usize| {
        let bytes = sample(name).bytes;
        read(name, &bytes[..bytes.len() - by])
    };
    for (name, by) in [
        ("ec_lab_peis.mpt", 60),
        ("gamry.DTA", 40),
        ("zplot.z", 50),
        ("parstat.txt", 30),
    ] {
        let reading = cut(name, by).unwrap();
        let whole: usize = sample(name).sizes.iter().sum();
        assert_eq!(sizes(&reading).iter().sum::<usize>(), whole - 1, "{name}");
        assert!(reading.broken.is_some(), "{name}");
        for point in usable(&reading) {
            let expected = model(point.frequency_hz);
            assert!(
                (point.impedance() - expected).norm() < 1e-5 * expected.norm(),
                "{name}"
            );
        }
    }
    for (name, by) in [
        ("eco_chemie.P00", 70),
        ("eco_chemie.P00", 120),
        ("eco_chemie.dfr", 40),
    ] {
        let error = cut(name, by).unwrap_err().to_string();
        assert!(error.contains("of 9 points"), "{error}");
    }
    let bytes = sample("versa_studio.par").bytes;
    let end = bytes
        .windows(11)
        .rposition(|window| window == b"</Segment3>")
        .unwrap();
    let reading = read("a.par", &bytes[..end + 4]).unwrap();
    assert_eq!(sizes(&reading), [9, 5]);
    assert!(reading.broken.unwrap().message.contains("</Segment3>"));
}

#[test]
fn a_par_cut_off_in_a_later_head_gives_the_segments_before_and_says_so() {
    let bytes = sample("versa_studio.par").bytes;
    let at = |needle: &str| {
        let found = bytes
            .windows(needle.len())
            .rposition(|window| window == needle.as_bytes());
        found.unwrap()
    };
    let (third, definition, graph) = (at("<Segment3>"), at("Definition="), at("Title"));
    for (end, sizes_before, words) in [
        (third + 4, &[9][..], "inside the last block"),
        (third + 10, &[9], "inside the head of <Segment3>"),
        (third + 18, &[9], "inside the head of <Segment3>"),
        (definition + 40, &[9], "inside the head of <Segment3>"),
        (graph, &[9, 5], "inside the last block"),
    ] {
        let reading = read("a.par", &bytes[..end]).unwrap();
        assert_eq!(sizes(&reading), sizes_before, "{words}");
        assert!(
            has_remark(&reading, "1 segments without impedance"),
            "{:?}",
            reading.remarks
        );
        let broken = reading.broken.unwrap().to_string();
        assert!(broken.starts_with("a.par:") && broken.contains(words), "{broken}");
    }
    let in_first_head = read("a.par", &bytes[..at("<Segment2>") + 20])
        .unwrap_err()
        .to_string();
    assert!(
        in_first_head.contains("the head of <Segment2>"),
        "{in_first_head}"
    );
}

#[test]
fn whatever_a_text_is_cut_to_no_number_is_taken_that_is_wrong_without_a_word() {
    for sample in SAMPLES {
        let whole = read(sample.name, sample.bytes).unwrap();
        let whole: Vec<&Point> = usable(&whole).collect();
        for end in sample.bytes.len().saturating_sub(1200)..sample.bytes.len() {
            let Ok(reading) = read(sample.name, &sample.bytes[..end]) else {
                continue;
            };
            let doubted = reading.broken.is_some() || has_remark(&reading, "has no end");
            for point in usable(&reading) {
                let known = whole.iter().any(|other| {
                    other.frequency_hz == point.frequency_hz && other.impedance() == point.impedance()
                });
                assert!(known || doubted, "{} cut to {end} bytes: {point:?}", sample.name);
            }
            let count = usable(&reading).count();
            let text = crate::files::text::decode(&sample.bytes[..end]);
            // A line of nothing but a tab is the beginning of the next row.
            let text = text.trim_end_matches(['\t', ' ']);
            assert!(
                count == whole.len() || doubted || text.ends_with(['\n', '\r']),
                "{} cut to {end} bytes has {count} points",
                sample.name
            );
        }
    }
}

#[test]
fn a_column_of_standard_errors_can_be_chosen_in_every_text_with_columns() {
    for (name, column) in [
        ("plain.csv", "noise"),
        ("ec_lab_peis.mpt", "|Z|/Ohm"),
        ("gamry.DTA", "Zmod"),
        ("zplot.z", "Ampl"),
        ("versa_studio.par", "AC Amplitude"),
        ("autolab_nova.txt", "Z (Ω)"),
        ("eco_chemie.P00", "Edc/V"),
    ] {
        let reading = with_sigma(sample(name).bytes, column).unwrap();
        assert!(
            usable(&reading).all(|point| point.std_error_ohm.is_some()),
            "{name}"
        );
        let error = with_sigma(sample(name).bytes, "no such").unwrap_err().message;
        assert!(error.contains(column), "{name}: {error}");
    }
    let reading = with_sigma(sample("plain.csv").bytes, "Noise").unwrap();
    let point = &reading.spectra[0].spectrum.points[0];
    assert!((point.std_error_ohm.unwrap() * 1000.0 / model(1e5).norm() - 1.0).abs() < 1e-12);
    assert!(with_sigma(sample("eco_chemie.dfr").bytes, "x").is_err());
}
