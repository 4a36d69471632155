//! Plain text in its dialects.

use super::*;
use crate::spectrum::PointStatus;

fn triples(reading: &Reading) -> Vec<(f64, f64, f64)> {
    let points = reading.spectra.iter().flat_map(|of| &of.spectrum.points);
    points
        .map(|p| (p.frequency_hz, p.z_real_ohm, p.z_imag_ohm))
        .collect()
}

const EXPECTED: [(f64, f64, f64); 2] = [(1000.0, 12.5, -3.25), (100.0, 20.0, -1.0)];

#[test]
fn columns_are_found_in_every_dialect() {
    for content in [
        "1000,12.5,-3.25\n100,20,-1\n",
        "1000, 12.5, -3.25\r\n100, 20, -1",
        "1000;12.5;-3.25\n100;20;-1\n",
        "1000\t12.5\t-3.25\n100\t20\t-1\n",
        "1000  12.5 -3.25\n\n100 20 -1",
        "1000;12,5;-3,25\n100;20;-1,0\n",
        "1000\t12,5\t-3,25\n100\t20\t-1,0\n",
        "1000,0 12,5 -3,25\n100,0 20,0 -1,0\n",
        "\"1000\",\"12.5\",\"-3.25\"\n\"100\",\"20\",\"-1\"\n",
        "# a remark\nfrequency_hz,z_real_ohm,z_imag_ohm\n1000,12.5,-3.25\n# another\n100,20,-1\n",
        "f_hz;z_re_ohm;z_im_ohm\n1000;12.5;-3.25\n100;20;-1\n",
        "FREQ,ZRE,ZIM\n1000,12.5,-3.25\n100,20,-1\n",
        "Z real;Z imag;Freq (Hz)\n12,5;-3,25;1000\n20,0;-1,0;100\n",
        "Frequency (Hz) Z' (Ohm) Z'' (Ohm)\n1000 12.5 -3.25\n100 20 -1\n",
        "Frequency  Z real  Z imag\n1000 12.5 -3.25\n100 20 -1\n",
        "freq,Zre,-Zim\n1000,12.5,3.25\n100,20,1\n",
        "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\n1000\t12.5\t3.25\n100\t20\t1\n",
        "# freq,Re(Z),-Im(Z)\n1.000e+03,1.25e1,3.25\n1e2,20,1\n",
        "Freq,Z',Z''\n(Hz),(Ohm),(Ohm)\n1000,12.5,-3.25\n100,20,-1\n",
        "Freq,Z',Z''\nkHz,kOhm,Ohm\n1,0.0125,-3.25\n0.1,0.02,-1\n",
        "f/kHz,Z'/mOhm,-Z''/Ohm\n1,12500,3.25\n0.1,20000,1\n",
        "Sample 12 of May\n25 C, 1.5 mm\n\nf,Z',Z''\n1000,12.5,-3.25\n100,20,-1\n",
        "date;f;Z';Z''\n2026-11-05;1000;12,5;-3,25\n2026-11-05;100;20;-1\n",
    ] {
        let reading = text(content).unwrap_or_else(|error| panic!("{content}\n{error}"));
        assert_eq!(sizes(&reading), [2], "{content}");
        for (found, expected) in triples(&reading).into_iter().zip(EXPECTED) {
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs();
            assert!(close(found.0, expected.0), "{content} {found:?}");
            assert!(
                close(found.1, expected.1) && close(found.2, expected.2),
                "{content} {found:?}"
            );
        }
    }
}

#[test]
fn numbers_are_read_to_the_last_bit() {
    let content = "0.1,0.30000000000000004,-2.2250738585072014e-308\n10,1.7976931348623157e308,-5e-324\n";
    let expected = [
        (0.1, 0.300_000_000_000_000_04, -2.225_073_858_507_201_4e-308),
        (10.0, f64::MAX, -5e-324),
    ];
    assert_eq!(triples(&text(content).unwrap()), expected);
}

#[test]
fn modulus_and_phase_give_the_impedance() {
    let degrees = text("f;|Z|;phase (deg)\n10;2;-90\n1;3;0\n").unwrap();
    let radians = text("f;|Z|;-phase (rad)\n10;2;1.5707963267948966\n1;3;0\n").unwrap();
    for reading in [degrees, radians] {
        let found = triples(&reading);
        assert!(
            found[0].1.abs() < 1e-15 && (found[0].2 + 2.0).abs() < 1e-15,
            "{found:?}"
        );
        assert!((found[1].1 - 3.0).abs() < 1e-15 && found[1].2 == 0.0, "{found:?}");
    }
}

#[test]
fn several_spectra_are_told_apart() {
    let row = |f: f64| format!("{f},1,-1\n");
    let sweep = [100.0, 10.0, 1.0].map(row).concat();
    let header = "f,Z',Z''\n";
    for (content, names) in [
        (
            "sweep,f,Z',Z''\n1,10,1,-1\n1,1,1,-1\n2,10,1,-1\n2,1,1,-1\n".to_owned(),
            ["sweep 1", "sweep 2"],
        ),
        (
            "spectrum,f,Z',Z''\na,10,1,-1\nb,10,1,-1\na,1,1,-1\nb,1,1,-1\n".to_owned(),
            ["spectrum a", "spectrum b"],
        ),
        (format!("{header}{sweep}\n{sweep}"), ["spectrum 1", "spectrum 2"]),
        (
            format!("{header}{sweep}{header}{sweep}"),
            ["spectrum 1", "spectrum 2"],
        ),
        (format!("{header}{sweep}{sweep}"), ["sweep 1", "sweep 2"]),
        (
            format!("first cell\n{header}{sweep}\nsecond cell\n{header}{sweep}"),
            ["spectrum 1", "second cell"],
        ),
    ] {
        let reading = text(&content).unwrap_or_else(|error| panic!("{content}\n{error}"));
        assert_eq!(reading.spectra.len(), 2, "{content}");
        let found: Vec<&str> = reading.spectra.iter().map(|of| of.name.as_str()).collect();
        assert_eq!(found, names, "{content}");
    }
    let double_spaced = "f,Z',Z''\n100,1,-1\n\n10,1,-1\n\n1,1,-1\n";
    assert_eq!(
        sizes(&text(double_spaced).unwrap()),
        [3],
        "a blank line after every row"
    );
}

#[test]
fn a_repeated_header_may_have_other_columns() {
    let reading = text("f,Z',Z''\n10,1,-2\n1,1,-2\nZ',-Z'',f\n1,2,10\n1,2,1\n").unwrap();
    assert_eq!(sizes(&reading), [2, 2]);
    assert_eq!(reading.spectra[0].spectrum, reading.spectra[1].spectrum);
}

#[test]
fn what_is_no_number_is_refused_with_line_and_column() {
    for (content, expected) in [
        (
            "1000,12.5,-3.25\n100,x,-1\n",
            "a.csv:2: column 2: Z' is \"x\", not a number",
        ),
        (
            "f;Z';Z''\n1;2;3\n1;2\n1;2;3\n",
            "a.csv:3: column 3: \"Z''\" is missing: the row has 2 fields",
        ),
        (
            "f,Z',Z''\n1,2,3\n1,2,3,4\n",
            "a.csv:3: the row has 4 fields, the header 3: which column is which cannot be told",
        ),
        (
            "f;Z';Z''\n10;2.5;3\n1;1,234;3\n",
            "a.csv:3: column 2: Z' is \"1,234\", but the numbers before it have the other decimal sign",
        ),
    ] {
        assert_eq!(text(content).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_text_without_a_spectrum_is_refused_with_what_is_needed() {
    for (content, word) in [
        ("", "the file is empty"),
        (" \r\n\n", "the file is empty"),
        ("\u{feff}\n", "the file is empty"),
        ("\u{7}\u{1}\n\u{2}1\0\0", "no other known format"),
        ("f;Z';Z''\n1.000,5;12,5;-3\n", "without signs between thousands"),
        ("f,Z1,Z2\n1,2,3\n", "rename them: f/Hz"),
        ("# only a remark\n", "three columns are needed"),
        ("1,2\n", "three columns are needed"),
        ("f,Z',Z''\n", "no point"),
        ("0,1,-1\n0,1,-1\n", "frequency above 0"),
        ("time,voltage\n1,2\n", "no column for the frequency"),
        (
            "time,voltage,current\n1,2,3\n2,2,3\n",
            "the columns are \"time\", \"voltage\", \"current\"",
        ),
        ("f,Z',Y''\n1,2,3\n2,2,3\n", "no column for Z''"),
        ("10,\u{1b}[2J,-1\n", "\\u{1b}"),
        ("f_mhz,Z',Z''\n1,2,3\n", "mHz or MHz"),
        ("f,Z' (Ohm cm2),Z'' (Ohm cm2)\n1,2,3\n", "area"),
        ("1000,5,12,5,-3,25\n100,0,20,0,-1,0\n", "decimal signs"),
        ("\0\0\0", "no text"),
        (&"1,2,3,".repeat(20_000), "longer than"),
        (
            &format!("f,Z',Z''\n1,2,3\n{}\n", "1,".repeat(40_000)),
            "a.csv:3: the line is longer than",
        ),
    ] {
        let error = text(content).unwrap_err().to_string();
        assert!(error.contains(word), "{content:?}: {error}");
    }
}

#[test]
fn numbers_that_are_none_make_invalid_points() {
    let reading =
        text("f,Z',Z''\n1000,NaN,-1\n100,1,inf\n10,---,-1\n0,1,-1\n-1,1,-1\n1,,-1\n0.1,1,-1\n").unwrap();
    let points = &reading.spectra[0].spectrum.points;
    assert_eq!(points.len(), 7);
    assert!(
        points[..6]
            .iter()
            .all(|point| point.status == PointStatus::Invalid)
    );
    assert!(points[6].is_usable());
    for told in [
        "4 of 7 rows lack a number",
        "1 of 7 rows have the frequency 0",
        "1 of 7 rows have a frequency below 0",
    ] {
        assert!(
            reading.remarks.iter().any(|remark| remark.contains(told)),
            "{told}: {:?}",
            reading.remarks
        );
    }
}

#[test]
fn a_row_cut_off_at_the_end_leaves_those_before_and_is_told_with_line_and_column() {
    for (content, place) in [
        ("f,Z',Z''\n10,1,-1\n1,2", "a.csv:3: column 3: \"Z''\" is missing"),
        (
            "f,Z',Z''\n10,1,-1\n1,2\n",
            "a.csv:3: column 3: \"Z''\" is missing",
        ),
        ("f,Z',Z''\n10,1,-1\n1,2,", "a.csv:3: column 3: Z'' is \"\""),
        ("f,Z',Z''\n10,1,-1\n1,2,-", "a.csv:3: column 3: Z'' is \"-\""),
        ("f,Z',Z''\n10,1,-1\n1,2,-1e", "a.csv:3: column 3: Z'' is \"-1e\""),
        (
            "f,Z',Z''\n\"10\",\"1\",\"-1\"\n\"1\",\"2\",\"-1",
            "a.csv:3: column 3: Z'' is",
        ),
        (
            "f,Z',Z'',t\n10,1,-1,4\n1,2,-1",
            "a.csv:3: column 3: the row ends here with 3 fields, those before it with 4",
        ),
        (
            "10\t1\t-1.250\n5\t1\t-2.100\n2\t1\t-3.000\n1\t1\t-4.1",
            "a.csv:4: column 3: the last number, \"-4.1\", has fewer digits",
        ),
    ] {
        let reading = text(content).unwrap_or_else(|error| panic!("{content}: {error}"));
        let rows = content.lines().count() - usize::from(content.starts_with('f')) - 1;
        assert_eq!(sizes(&reading), [rows], "{content}");
        let broken = reading.broken.unwrap().to_string();
        assert!(broken.starts_with(place), "{content}: {broken}");
    }
    let only_row = text("f,Z',Z'',t\n10,1,-1").unwrap_err().to_string();
    assert!(
        only_row.contains("with 3 fields, the header with 4: the file is cut off"),
        "{only_row}"
    );
}

#[test]
fn a_last_line_without_an_end_is_told_where_digits_may_be_missing() {
    let remarked = |content: &str| {
        let reading = text(content).unwrap();
        assert_eq!(reading.broken, None, "{content}");
        let is_told =
            |remark: &String| remark.starts_with("line 3 has no end") && remark.contains("column 3");
        reading.remarks.iter().any(is_told)
    };
    assert!(remarked("f,Z',Z''\n10,1,-1\n1,2,-1"));
    assert!(!remarked("f,Z',Z''\n10,1,-1\n1,2,-1\n"));
    assert!(!remarked("f,Z',Z''\r10,1,-1\r1,2,-1\r"));
}

#[test]
fn spectra_side_by_side_are_read_apart() {
    let reading = text("freq,Zre,Zim,Zre,Zim\n10,1,-1,3,-3\n1,2,-2,4,-4\n").unwrap();
    let names: Vec<&str> = reading.spectra.iter().map(|of| of.name.as_str()).collect();
    assert_eq!(names, ["columns 2 and 3", "columns 4 and 5"]);
    assert_eq!(
        triples(&reading),
        [
            (10.0, 1.0, -1.0),
            (1.0, 2.0, -2.0),
            (10.0, 3.0, -3.0),
            (1.0, 4.0, -4.0)
        ]
    );
    assert!(
        reading
            .remarks
            .iter()
            .any(|remark| remark.contains("side by side"))
    );
    let longer = "f;Z';-Z'';;f;Z';-Z''\n10;1;1;;30;1;1\n1;2;2;;20;2;2\n;;;;10;3;3\n";
    let reading = text(longer).unwrap();
    assert_eq!(sizes(&reading), [2, 3], "each with its own frequencies");
    assert_eq!(triples(&reading)[2], (30.0, 1.0, -1.0));
    // A fault leaves none: all of them end with the table.
    assert!(text("f,Zre,Zim,Zre,Zim\n10,1,-1,3,-3\n1,2,-2,x,-4\n0.1,2,-2,2,-4\n").is_err());
    let cut = text("f,Zre,Zim,Zre,Zim\n10,1,-1,3,-3\n1,2,-2,5").unwrap();
    assert_eq!(sizes(&cut), [1, 1]);
    assert!(cut.broken.is_some());
}

#[test]
fn columns_that_mean_the_same_under_other_names_are_told() {
    let reading = text("freq,Zre,Zim,Re(Z),Im(Z)\n10,1,-1,3,-3\n1,2,-2,4,-4\n").unwrap();
    assert_eq!(sizes(&reading), [2]);
    assert!(
        reading
            .remarks
            .iter()
            .any(|remark| remark.contains("\"Re(Z)\" (column 4) could stand for the same"))
    );
}

#[test]
fn odd_files_of_spreadsheets_and_old_computers_are_read() {
    let utf16_without_mark: Vec<u8> = "f;Z';Z''\n1000;12,5;-3,25\n100;20;-1,0\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for bytes in [
        &b"\xef\xbb\xbff;Z';Z''\r\n1000;12,5;-3,25\r\n100;20;-1,0\r\n"[..],
        b"sep=;\r\nf;Z';Z''\r\n1000;12,5;-3,25\r\n100;20;-1,0\r\n",
        b"f\tZ'\tZ''\r1000\t12.5\t-3.25\r100\t20\t-1\r",
        b"f (Hz),Z\x92 (\xb5Ohm),Z\x92\x92 (\xb5Ohm)\n1000,12.5e6,-3.25e6\n100,20e6,-1e6\n",
        &utf16_without_mark,
    ] {
        let reading = read("a.csv", bytes).unwrap_or_else(|error| panic!("{error}"));
        for (found, expected) in triples(&reading).into_iter().zip(EXPECTED) {
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs();
            assert!(
                close(found.0, expected.0) && close(found.1, expected.1) && close(found.2, expected.2),
                "{found:?}"
            );
        }
        assert_eq!(sizes(&reading), [2]);
    }
}

#[test]
fn bytes_0_behind_a_text_end_it_and_are_told_with_their_line() {
    let reading = text("f,Z',Z''\n10,1,-1\n1,2,-2\n\0\0\0\0\0\0").unwrap();
    assert_eq!(sizes(&reading), [2]);
    let broken = reading.broken.unwrap().to_string();
    assert!(broken.starts_with("a.csv:3: bytes 0 follow"), "{broken}");
    let within_a_row = text("f,Z',Z''\n10,1,-1\n1,2\0\0\0\0").unwrap();
    assert_eq!(sizes(&within_a_row), [1]);
    assert!(
        within_a_row
            .broken
            .unwrap()
            .to_string()
            .starts_with("a.csv:3: column 3")
    );
    let only_head = text("f,Z',Z''\n\0\0").unwrap_err().to_string();
    assert!(only_head.starts_with("a.csv:1: bytes 0 follow"), "{only_head}");
}

#[test]
fn whole_spectra_before_a_fault_are_given() {
    let reading = text("f,Z',Z''\n10,1,-1\n1,1,-1\n\n10,1,-1\n1,x,-1\n1,1,-1\n").unwrap();
    assert_eq!(sizes(&reading), [2]);
    assert_eq!(
        reading.broken.unwrap().to_string(),
        "a.csv:6: column 2: Z' is \"x\", not a number"
    );
    let taking_turns = "sweep,f,Z',Z''\n1,10,1,-1\n2,10,1,-1\n1,1,1,-1\n2,1,x,-1\n1,0.1,1,-1\n";
    assert!(text(taking_turns).is_err(), "neither of the two is whole");
}

#[test]
fn a_sign_that_looks_reversed_is_told_and_not_changed() {
    let reading = text("1000,1,2\n100,5,5\n10,9,2\n").unwrap();
    assert_eq!(triples(&reading)[0].2, 2.0);
    assert!(
        reading
            .remarks
            .iter()
            .any(|remark| remark.contains("name the column -Z''"))
    );
    assert!(reading.remarks.iter().any(|remark| remark.contains("true sign")));
    for content in [
        "1000,1,2\n100,5,-5\n10,9,-2\n",
        "f,Z',-Z''\n1000,1,-2\n100,5,-5\n10,9,-2\n",
    ] {
        let reading = text(content).unwrap();
        assert!(
            !reading.remarks.iter().any(|remark| remark.contains("reversed")),
            "{content}"
        );
    }
}

#[test]
fn standard_errors_are_taken_by_number_where_there_is_no_header() {
    let reading = with_sigma(b"10,1,-1,0.5\n1,1,-1,0.25\n", "4").unwrap();
    let errors: Vec<Option<f64>> = usable(&reading).map(|point| point.std_error_ohm).collect();
    assert_eq!(errors, [Some(0.5), Some(0.25)]);
    let error = with_sigma(b"f,Z',Z'',s\n10,1,-1,0\n", "s").unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.csv:2: column 4: the standard error is 0; it must be above 0"
    );
}

#[test]
fn commas_that_may_stand_between_thousands_are_refused_and_one_that_cannot_decides() {
    let ambiguous = "f/Hz\tRe/Ohm\tIm/Ohm\n100,000\t12\t-1\n10,000\t14\t-3\n1,000\t19\t-5\n";
    let error = read("a.txt", ambiguous.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("1,000 may be 1 or 1000"), "{error}");
    let clear = ambiguous.replace("\t-3\n", "\t-3,25\n");
    let reading = read("a.txt", clear.as_bytes()).unwrap();
    assert_eq!(reading.spectra[0].spectrum.points[0].frequency_hz, 100.0);
    assert_eq!(reading.spectra[0].spectrum.points[1].z_imag_ohm, -3.25);
}
