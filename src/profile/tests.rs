use super::library::find;
use super::*;

fn text(kind: Kind, name: &str) -> &'static str {
    shipped_text(kind, name).unwrap()
}

fn plan(text: &str) -> Result<Plan, ProfileError> {
    Plan::parse("my_plan.toml", text)
}

#[test]
fn every_shipped_profile_is_valid_and_bears_its_own_name() {
    for kind in Kind::ALL {
        for listed in list(kind) {
            let Some(text) = shipped_text(kind, &listed.name) else {
                continue;
            };
            let name = match kind {
                Kind::Instrument => Instrument::parse(&listed.name, text).unwrap().name,
                Kind::Cell => Cell::parse(&listed.name, text).unwrap().name,
                Kind::Plan => Plan::parse(&listed.name, text).unwrap().name,
            };
            assert_eq!(name, listed.name);
        }
    }
}

#[test]
fn an_unknown_key_is_refused_with_file_line_field_and_the_nearest_name() {
    let wrong = text(Kind::Plan, "eis_once").replace("f_min_hz", "f_mim_hz");
    let error = plan(&wrong).unwrap_err();
    let line = wrong.lines().position(|line| line.contains("f_mim_hz")).unwrap() + 1;
    assert_eq!(error.line, Some(line));
    assert_eq!(error.field, "f_mim_hz");
    assert!(
        error
            .to_string()
            .starts_with(&format!("my_plan.toml:{line}: f_mim_hz: ")),
        "{error}"
    );
    assert!(error.message.contains("did you mean `f_min_hz`"), "{error}");
}

#[test]
fn a_bare_amplitude_and_one_in_millivolt_are_refused() {
    let bare = text(Kind::Plan, "eis_once").replace("amplitude_vrms = 0.010", "amplitude = 0.010");
    assert!(
        plan(&bare)
            .unwrap_err()
            .message
            .contains("amplitude_vrms, in volt rms")
    );
    let millivolt = text(Kind::Plan, "eis_once").replace("amplitude_vrms = 0.010", "amplitude_vrms = 10");
    let error = plan(&millivolt).unwrap_err();
    assert_eq!(error.field, "step[0].amplitude_vrms");
    assert_eq!(error.line, Some(9));
    assert!(error.message.contains("10 mV is 0.010"), "{error}");
}

#[test]
fn a_quantity_with_its_unit_in_quotes_is_refused_with_what_to_write() {
    let quoted = text(Kind::Plan, "eis_once").replace("f_max_hz = 200e3", "f_max_hz = \"200 kHz\"");
    let error = plan(&quoted).unwrap_err();
    assert!(error.message.contains("write the bare number"), "{error}");
    assert_eq!(error.field, "f_max_hz");
}

#[test]
fn a_key_with_another_unit_is_led_to_the_right_one() {
    let kilohertz = text(Kind::Plan, "eis_once").replace("f_max_hz = 200e3", "f_max_khz = 200");
    assert!(
        plan(&kilohertz)
            .unwrap_err()
            .message
            .contains("did you mean `f_max_hz`")
    );
}

#[test]
fn impossible_ranges_are_refused_with_their_line() {
    let swapped = text(Kind::Plan, "eis_once").replace("f_min_hz = 0.1", "f_min_hz = 300e3");
    let error = plan(&swapped).unwrap_err();
    assert_eq!((error.field.as_str(), error.line), ("step[0].f_min_hz", Some(7)));
    let never = text(Kind::Plan, "eis_repeat").replace("repeat = 20", "repeat = 0");
    assert_eq!(plan(&never).unwrap_err().field, "repeat");
}

#[test]
fn a_cell_with_an_unknown_parameter_or_a_bad_circuit_is_refused() {
    let good = text(Kind::Cell, "dummy_r_rc");
    let unknown = good.replace("C1 = 1e-6", "C1 = 1e-6\nR7 = 3.0");
    let error = Cell::parse("c.toml", &unknown).unwrap_err();
    assert!(error.to_string().contains("circuit.start.R7"), "{error}");
    assert!(error.message.contains("R0, R1, C1"), "{error}");
    let missing = good.replace("C1 = 1e-6", "");
    assert!(
        Cell::parse("c.toml", &missing)
            .unwrap_err()
            .message
            .contains("`C1`")
    );
    let broken = good.replace("R0-p(R1,C1)", "R0-p(R1,C1");
    let error = Cell::parse("c.toml", &broken).unwrap_err();
    assert_eq!(error.field, "circuit.model");
    assert!(error.line.is_some());
}

#[test]
fn text_that_is_no_toml_is_refused_with_its_line() {
    let error = plan("name = \"x\"\nrepeat = = 3\n").unwrap_err();
    assert_eq!(error.line, Some(2));
}

#[test]
fn a_name_that_is_not_known_is_answered_with_those_that_are() {
    let error = find(Kind::Cell, "li_lpscl_lii").unwrap_err();
    assert!(error.message.contains("did you mean `li_lpscl_li`"), "{error}");
    let error = find(Kind::Plan, "no/such/file.toml").unwrap_err();
    assert!(error.message.contains("cannot be read"), "{error}");
}

#[test]
fn a_sweep_begins_and_ends_exactly_at_its_frequencies() {
    let plan = plan(text(Kind::Plan, "eis_repeat")).unwrap();
    let frequencies = plan.steps[0].sweep().unwrap().frequencies_hz();
    assert_eq!(frequencies.len(), 64);
    assert_eq!((frequencies[0], frequencies[63]), (200e3, 0.1));
    assert!(frequencies.windows(2).all(|pair| pair[1] < pair[0]));
}

#[test]
fn a_bias_is_ocp_or_a_number() {
    let with = |bias: &str| {
        plan(&text(Kind::Plan, "eis_once").replace("bias = \"ocp\"", bias))
            .map(|plan| plan.steps[0].sweep().unwrap().bias)
    };
    assert_eq!(with(""), Ok(Bias::OpenCircuit));
    assert_eq!(with("bias = 3.7"), Ok(Bias::Potential(3.7)));
    assert_eq!(with("bias = 0"), Ok(Bias::Potential(0.0)));
    assert!(with("bias = \"rest\"").unwrap_err().message.contains("ocp"));
}

/// A plan with one step and limits of potential.
fn one_step(limits: &str, step: &str) -> Result<Plan, ProfileError> {
    plan(&format!("name = \"x\"\n[limits]\n{limits}\n[[step]]\n{step}\n"))
}

const WINDOW: &str = "potential_min_v = 2.8\npotential_max_v = 4.2";

#[test]
fn a_step_that_polarises_needs_leave_and_limits() {
    let charge = "technique = \"cp\"\ncurrent_a = 1e-3\nduration_s = 100.0";
    let error = one_step(WINDOW, charge).unwrap_err();
    assert_eq!((error.field.as_str(), error.line), ("step[0].current_a", Some(7)));
    assert!(error.message.contains("allow_polarisation = true"), "{error}");
    let allowed = format!("{charge}\nallow_polarisation = true");
    let error = one_step("potential_max_v = 4.2", &allowed).unwrap_err();
    assert!(
        error.message.contains("potential_min_v and potential_max_v"),
        "{error}"
    );
    let plan = one_step(WINDOW, &allowed).unwrap();
    let Step::Direct(step) = &plan.steps[0] else {
        panic!()
    };
    assert_eq!((step.interval_s, step.piece_s), (1.0, 60.0));
    assert_eq!((plan.sweeps(), plan.all_steps()), (0, 1));
    // Next to the open circuit nothing is polarised.
    assert!(
        one_step(
            "",
            "technique = \"ca\"\npotential_v = 0.0\nvs_ocp = true\nduration_s = 10.0"
        )
        .is_ok()
    );
    assert!(one_step("", "technique = \"ca\"\npotential_v = 0.0\nduration_s = 10.0").is_err());
}

#[test]
fn a_key_of_another_technique_and_a_missing_one_are_refused_by_name() {
    let wrong = "technique = \"cp\"\ncurrent_a = 1e-3\nduration_s = 100.0\nscan_rate_v_per_s = 0.1";
    let error = one_step(WINDOW, wrong).unwrap_err();
    assert_eq!(error.field, "step[0].scan_rate_v_per_s");
    assert!(
        error.message.contains("no key of a step of technique `cp`"),
        "{error}"
    );
    let missing =
        "technique = \"lsv\"\nstart_v = 3.0\nend_v = 3.1\nstep_v = 0.001\nallow_polarisation = true";
    let error = one_step(WINDOW, missing).unwrap_err();
    assert!(error.message.contains("needs `scan_rate_v_per_s`"), "{error}");
    let both = "technique = \"geis\"\nf_max_hz = 1e3\nf_min_hz = 1.0\npoints_per_decade = 5\namplitude_vrms = 0.01\n\
                amplitude_arms = 1e-3";
    assert!(one_step("", both).unwrap_err().message.contains("only one of"));
}

#[test]
fn what_has_been_held_for_a_while_has_the_rest_left_and_a_scan_nothing() {
    let hold = DirectTechnique::ChronoAmperometry {
        potential_v: 4.0,
        duration_s: 100.0,
    };
    assert_eq!(hold.rest_after(30.0).map(|rest| rest.duration_s()), Some(70.0));
    assert_eq!(hold.rest_after(100.0), None);
    assert_eq!(hold.shifted(0.1).potentials_v(), Some((4.1, 4.1)));
    let scan = DirectTechnique::CyclicVoltammetry {
        start_v: 0.0,
        vertex1_v: 0.5,
        vertex2_v: -0.5,
        step_v: 0.01,
        rate_v_per_s: 0.1,
        scans: 2,
    };
    assert_eq!(scan.rest_after(1.0), None);
    assert!((scan.duration_s() - 40.0).abs() < 1e-9);
    assert_eq!(scan.potentials_v(), Some((-0.5, 0.5)));
}

#[test]
fn a_line_profile_is_refused_with_file_line_field_and_the_nearest_name() {
    let good = text(Kind::Instrument, "bt4560");
    for (right, wrong, field, says) in [
        ("retries = 1", "retires = 1", "retires", "did you mean `retries`"),
        (
            "{frequency_hz:.4g}",
            "{frequnecy_hz:.4g}",
            "line.sweep.set[0]",
            "did you mean `frequency_hz`",
        ),
        ("{frequency_hz:.4g}", "{frequency_hz:.4q}", "set", "no format"),
        (
            "is = \"z_imag\"",
            "is = \"z_image\"",
            "x",
            "did you mean `z_imag`",
        ),
        (
            "unit = \"V\"",
            "unit = \"mohm\"",
            "line.columns.v.unit",
            "does not belong",
        ),
        (
            "\"x:+.7E\", \"v:+.6E\"] }\n\n# The",
            "\"xx:+.7E\", \"v:+.6E\"] }\n\n# The",
            "line.sweep.row",
            "did you mean `x`",
        ),
        (
            "column = \"v\"\nabove",
            "column = \"w\"\nabove",
            "line.verdict[0].column",
            "unknown name `w`",
        ),
        (
            "set = [\"FREQ {frequency_hz:.4g}\"]",
            "set = []",
            "line.sweep.set",
            "no command sets",
        ),
        (
            "switch = \"none\"",
            "switch = \"command\"",
            "line.cell.off",
            "no step confirms",
        ),
        (
            "mode = \"per_point\"\nset",
            "mode = \"listen\"\nset",
            "line.sweep.mode",
            "nothing can be sent",
        ),
        (
            "row_base_s = 5.0",
            "row_base_s = -5.0",
            "line.time.row_base_s",
            "out of range",
        ),
        (
            "protocol = \"line\"",
            "protocol = \"lines\"",
            "protocol",
            "did you mean `line`",
        ),
    ] {
        assert!(good.contains(right), "{right}");
        let wrong_text = good.replacen(right, wrong, 1);
        let error = Instrument::parse("my.toml", &wrong_text).unwrap_err();
        assert_eq!(error.field, field, "{error}");
        assert!(error.message.contains(says), "{error}");
        let at = wrong_text.find(wrong).unwrap();
        let first = wrong_text[..at].lines().count().max(1);
        let line = error.line.unwrap();
        assert!(
            (first - 1..=first + 3).contains(&line)
                || field.starts_with("line.cell")
                || field == "line.sweep.mode",
            "{error}: line {line}, changed at {first}"
        );
    }
}

mod any_text {
    use proptest::prelude::*;

    use super::*;

    const LINE_PROFILES: [&str; 7] = [
        "bt4560",
        "im3590",
        "sciospec_lcr1",
        "helpstat",
        "ad5940",
        "ad5940_battery",
        "rodeostat",
    ];

    fn cut(text: &str, at: f64) -> usize {
        let at = (at * text.len() as f64) as usize;
        (at..=text.len())
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(text.len())
    }

    proptest! {
        #[test]
        fn any_text_is_a_profile_or_refused_in_words(text in "[ -~\\n\"=\\[\\]{}µ]{0,200}") {
            let refused = [
                Instrument::parse("f", &text).err(),
                Cell::parse("f", &text).err(),
                Plan::parse("f", &text).err(),
            ];
            for error in refused.into_iter().flatten() {
                prop_assert!(!error.to_string().is_empty());
            }
        }

        #[test]
        fn a_shipped_profile_with_a_piece_exchanged_is_a_profile_or_refused(
            which in 0..LINE_PROFILES.len(), from in 0.0..1.0_f64, length in 0.0..0.05_f64,
            piece in prop_oneof![
                Just(String::new()), "[ -~\\n]{0,12}", Just("-1e300".to_owned()), Just("nan".to_owned()),
                Just("{".to_owned()), Just("99999999999".to_owned()), Just("\"\"".to_owned()),
            ]
        ) {
            let good = text(Kind::Instrument, LINE_PROFILES[which]);
            let start = cut(good, from);
            let end = cut(good, (from + length).min(1.0)).max(start);
            let changed = format!("{}{piece}{}", &good[..start], &good[end..]);
            if let Err(error) = Instrument::parse("f", &changed) {
                prop_assert!(!error.message.is_empty());
            }
        }
    }
}
