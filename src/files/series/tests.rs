use super::*;
use crate::spectrum::PointStatus;

fn series(text: &str) -> Series {
    read_series("a.csv", text.as_bytes()).unwrap().unwrap()
}

fn refusal(text: &str) -> String {
    read_series("a.csv", text.as_bytes()).unwrap_err().to_string()
}

fn samples(series: &Series) -> Vec<(Option<f64>, Option<f64>, Option<f64>)> {
    series
        .rows
        .iter()
        .map(|row| match &row.measured {
            Measured::Sample(sample) => (row.t_s, sample.potential_v, sample.current_a),
            Measured::Point(..) => panic!("a point"),
        })
        .collect()
}

#[test]
fn battery_data_is_known_by_labels_and_by_machine_names() {
    let expected = [(Some(0.5), Some(3.7), Some(0.0125)), (Some(1.5), Some(3.8), None)];
    for text in [
        "Test Time / s,Voltage / V,Current / A\n0.5,3.7,0.0125\n1.5,3.8,\n",
        "current_ampere,test_time_second,voltage_volt,step_index\n0.0125,0.5,3.7,1\nnan,1.5,3.8,1\n",
        "\u{feff}Test Time / s;Voltage / mV;Current / mA\n0,5;3700;12,5\n1,5;3800;\n",
        "\n\"Test Time / s\",\"Voltage / V\",\"Current / A\"\r\n0.5,3.7,0.0125\r\n1.5,3.8,\r\n",
    ] {
        let found = series(text);
        assert_eq!(found.origin, Origin::BatteryData, "{text}");
        assert_eq!(samples(&found), expected, "{text}");
    }
    assert!(
        series("test_time_second,voltage_volt,current_ampere,cycle_count\n0,1,2,3\n").remarks[0]
            .contains("cycle_count")
    );
}

#[test]
fn what_is_wrong_with_a_time_series_is_told_with_line_and_column() {
    for (text, words) in [
        (
            "Test Time / s,Voltage / V\n0,3.7\n",
            [
                "a.csv:1:",
                "Current / A",
                "the columns are Test Time / s, Voltage / V",
            ],
        ),
        (
            "Voltage / V,Current / A\n0,3.7\n",
            ["a.csv:1:", "Test Time / s", "test_time_second"],
        ),
        (
            "Test Time / s,Voltage / V,Current / A\n0,3.7,0\n1,x,0\n",
            ["a.csv:3: column 2:", "\"Voltage / V\"", "\"x\""],
        ),
        (
            "Test Time / s,Voltage / V,Current / A\n,3.7,0\n",
            ["a.csv:2: column 1:", "\"Test Time / s\"", "not a number"],
        ),
        (
            "Test Time / s,Voltage / V,Current / A\n0,3.7,0\n1,3.\n",
            ["a.csv:3:", "2 fields", "cut off"],
        ),
        (
            "seq,utc,t_s,technique,device_t_s,potential_v,current_a,charge_c,temperature_k,pressure_mpa\n\
             1,2026-11-23T08:00:00Z,0.5,ocp,,x,,,,\n",
            ["a.csv:2: column 6:", "potential_v", "\"x\""],
        ),
        (
            "{\"seq\":1,\"kind\":\"sample\",\"potential_v\":1}\n{\"seq\":2,\"ki",
            ["a.csv:2:", "no line of JSON", "cut off"],
        ),
    ] {
        let message = refusal(text);
        for word in words {
            assert!(message.contains(word), "{text}\n{message}: {word}");
        }
    }
}

#[test]
fn the_time_of_the_day_keeps_all_its_digits() {
    let header = "Test Time / s,Voltage / V,Current / A,Unix Time / s\n";
    let found = series(&format!("{header}0,1,2,1795420800.000001\n1,1,2,\n"));
    assert_eq!(found.rows[0].utc_ns, Some(1_795_420_800_000_001_000));
    assert_eq!(found.rows[1].utc_ns, None);
}

#[test]
fn the_time_of_the_day_is_read_in_every_way_of_writing_and_in_its_unit() {
    for (name, field, expected) in [
        ("Unix Time / s", "-5.5", -5_500_000_000),
        ("Unix Time / s", "-0.25", -250_000_000),
        ("Unix Time / s", "1.5e+09", 1_500_000_000_000_000_000),
        ("unix_time_second", "1700000000,5", 1_700_000_000_500_000_000),
        (
            "Unix Time / ms",
            "1700000000123.456789",
            1_700_000_000_123_456_789,
        ),
        (
            "Unix Time / \u{b5}s",
            "1700000000123456",
            1_700_000_000_123_456_000,
        ),
        ("Unix Time / ns", "1700000000123456789", 1_700_000_000_123_456_789),
    ] {
        let text = format!("Test Time / s;Voltage / V;Current / A;{name}\n0;1;2;{field}\n");
        assert_eq!(series(&text).rows[0].utc_ns, Some(expected), "{name}: {field}");
    }
    let header = "Test Time / s,Voltage / V,Current / A,Unix Time / s\n";
    // What an f64 holds of it: within 256 ns.
    let found = series(&format!("{header}0,1,2,1.700000000123456789e+09\n"));
    let ns = found.rows[0].utc_ns.unwrap();
    assert!(ns.abs_diff(1_700_000_000_123_456_789) <= 256, "{ns}");
    for (text, words) in [
        (
            format!("{header}0,1,2,1700000000123\n"),
            ["a.csv:2: column 4:", "the unit"],
        ),
        (
            format!("{header}0,1,2,x\n"),
            ["a.csv:2: column 4:", "not a number"],
        ),
        (
            header.replace("Unix Time / s", "Unix Time / h") + "0,1,2,3\n",
            ["a.csv:1:", "\"Unix Time / h\""],
        ),
    ] {
        let message = refusal(&text);
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
}

#[test]
fn a_minus_in_the_header_turns_the_sign() {
    let found =
        series("Test Time / s,Frequency / Hz,Z Real / Ohm,-Z Imag / mOhm\n0,1000,10,2.5\n1,100,10,-3\n");
    let imaginary: Vec<f64> = found
        .rows
        .iter()
        .map(|row| match &row.measured {
            Measured::Point(_, point) => point.z_imag_ohm,
            Measured::Sample(_) => panic!("a sample"),
        })
        .collect();
    assert_eq!(imaginary, [-0.0025, 0.003]);
}

#[test]
fn a_time_that_no_clock_reaches_is_refused_where_it_stands() {
    for time in ["1e300", "-1e300", "9.1e9"] {
        for (text, place) in [
            (
                format!("Test Time / s,Voltage / V,Current / A\n0,1,2\n{time},1,2\n"),
                "a.csv:3: column 1:",
            ),
            (
                format!("Test Time / s,Frequency / Hz,Z Real / Ohm,Z Imag / Ohm\n{time},1,2,3\n"),
                "a.csv:2: column 1:",
            ),
            (
                format!("EC-Lab ASCII FILE\nNb header lines : 3\ntime/s\tEwe/V\n0\t1\n{time}\t1\n"),
                "a.csv:5: column 1:",
            ),
            (
                format!(
                    "seq,utc,t_s,technique,device_t_s,potential_v,current_a,charge_c,temperature_k,pressure_mpa\n\
                     1,2026-11-23T08:00:00Z,{time},ocp,,1,,,,\n"
                ),
                "a.csv:2: column 3:",
            ),
            (
                format!("{{\"seq\":1,\"kind\":\"sample\",\"t_s\":{time},\"potential_v\":1}}\n"),
                "a.csv:1:",
            ),
        ] {
            let message = refusal(&text);
            assert!(
                message.starts_with(place) && message.contains("285 years"),
                "{message}"
            );
        }
    }
}

#[test]
fn values_that_are_infinite_and_columns_without_a_unit_are_told() {
    let found = series("Test Time,Voltage,Current / A\n0,1,2\n1,inf,nan\n2,,-1e999\n");
    let told = found.remarks.join("\n");
    assert!(
        told.contains("2 values, the first in line 3, are infinite"),
        "{told}"
    );
    assert!(
        told.contains("no unit") && told.contains(": Test Time, Voltage"),
        "{told}"
    );
    assert!(!told.contains("Current"), "{told}");
    let found = series("EC-Lab ASCII FILE\nNb header lines : 3\ntime/s\tEwe/V\tI/mA\n0\t1.#INF\t1\n");
    assert!(
        found
            .remarks
            .iter()
            .any(|remark| remark.contains("1 value, in line 4")),
        "{:?}",
        found.remarks
    );
    let found = series(
        "seq,utc,t_s,technique,device_t_s,potential_v,current_a,charge_c,temperature_k,pressure_mpa\n\
         1,2026-11-23T08:00:00Z,0.5,ocp,,inf,,,,\n",
    );
    assert!(
        found.remarks[0].contains("1 value, in line 2"),
        "{:?}",
        found.remarks
    );
    let found = series("Test Time / s,Voltage / V,Current / A\n0,nan,2\n");
    assert!(found.remarks.is_empty(), "{:?}", found.remarks);
}

#[test]
fn the_extension_for_impedance_keeps_sweeps_errors_and_statuses() {
    let found = series(
        "Test Time / s,Sweep Index / 1,Frequency / Hz,Z Real / Ohm,Z Imag / Ohm,Sigma Z / Ohm,Status\n\
         5.25,3,1000,10.5,-2.5,0.01,ok\n,3,100,,,,invalid\n9,4,1000,1,2,,overload\n",
    );
    let points: Vec<(u32, PointStatus, Option<f64>, Option<f64>)> = found
        .rows
        .iter()
        .map(|row| match &row.measured {
            Measured::Point(sweep, point) => (*sweep, point.status, point.t_start_s, point.std_error_ohm),
            Measured::Sample(_) => panic!("a sample"),
        })
        .collect();
    assert_eq!(
        points,
        [
            (3, PointStatus::Ok, Some(5.25), Some(0.01)),
            (3, PointStatus::Invalid, None, None),
            (4, PointStatus::Overload, Some(9.0), None),
        ]
    );
}

#[test]
fn direct_current_of_ec_lab_is_read_in_amperes() {
    let text = "EC-Lab ASCII FILE\r\nNb header lines : 5\r\n\r\nChronoamperometry / Chronocoulometry\r\n\
                mode\ttime/s\tEwe/V\t<I>/mA\tcycle number\t\r\n\
                1\t1.0000000E+001\t3.7000000E+000\t1.2500000E+001\t1.0\t\r\n\
                1\t2,0000000E+001\t3,7000000E+000\t-0,3\t1,0\t\r\n";
    // One decimal sign in one file.
    assert!(
        refusal(text).contains("a.csv:7: column 2: \"time/s\""),
        "{}",
        refusal(text)
    );
    let found = series(&text.replace(
        "2,0000000E+001\t3,7000000E+000\t-0,3\t1,0",
        "2.0E+001\t3.7\t-0.3\t1",
    ));
    assert_eq!(found.origin, Origin::EcLabText);
    assert_eq!(
        samples(&found),
        [
            (Some(10.0), Some(3.7), Some(0.0125)),
            (Some(20.0), Some(3.7), Some(-0.3e-3)),
        ]
    );
    let Measured::Sample(sample) = &found.rows[0].measured else {
        panic!("a sample");
    };
    assert_eq!((sample.technique.as_str(), sample.device_t_s), ("ca", Some(10.0)));
    let absolute = text.replace("1.0000000E+001", "11/05/2026 09:30:00.1");
    assert!(
        refusal(&absolute).contains("relative times"),
        "{}",
        refusal(&absolute)
    );
    let nothing = text.replace("time/s", "step time/s");
    assert!(refusal(&nothing).contains("a.csv:5:"), "{}", refusal(&nothing));
}

#[test]
fn spectra_are_none_of_its_business() {
    for text in [
        "frequency_hz,z_real_ohm,z_imag_ohm\n1000,1,-1\n",
        "f,Z',Z'',t_s\n1000,1,-1,2\n",
        "1000,1,-1\n",
        "",
        "EC-Lab ASCII FILE\r\nNb header lines : 3\r\nfreq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\ttime/s\tEwe/V\tI/mA\r\n",
    ] {
        assert_eq!(read_series("a.csv", text.as_bytes()).unwrap(), None, "{text}");
    }
}

#[test]
fn no_beginning_of_a_file_is_taken_without_a_word() {
    let text = "Test Time / s,Voltage / V,Current / A,Unix Time / s\n0.5,3.7,0.0125,1795420800.5\n";
    let table = "seq,utc,t_s,technique,device_t_s,potential_v,current_a,charge_c,temperature_k,pressure_mpa\n\
                 1,2026-11-23T08:00:00Z,0.5,\"o,c\",,1.5,,,,\n";
    for text in [text, table] {
        for end in 0..text.len() {
            // Reading must not panic; a row that has lost a field is refused.
            let _ = read_series("a.csv", &text.as_bytes()[..end]);
        }
    }
}
