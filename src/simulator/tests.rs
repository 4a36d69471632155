//! The device as a client meets it, in device time.

use num_complex::Complex64;

use super::*;
use crate::circuit::Circuit;
use crate::instrument::method_script::{Decoder, ErrorCode, Line, Package, Value, VariableType, status};

/// 100 ohm and 1 kohm beside 1 µF, three points.
pub(super) const EIS: &str = "e\nvar f\nvar r\nvar j\nset_pgstat_chan 0\nset_pgstat_mode 3\nset_max_bandwidth 200k\n\
    set_range_minmax da 0 0\nset_range ba 1m\nset_autoranging ba 1m 1m\nset_e 0\ncell_on\n\
    meas_loop_eis f r j 10m 100k 10 3 0\n  pck_start\n    pck_add f\n    pck_add r\n    pck_add j\n  pck_end\n\
    endloop\non_finished:\n  cell_off\n\n";

pub(super) fn device() -> Device {
    let circuit = Circuit::parse("R0-p(R1,C1)").unwrap();
    let model = CellModel {
        open_circuit_v: 0.0004,
        open_circuit_drift_v_per_s: 1e-6,
        ..CellModel::constant(circuit, vec![100.0, 1000.0, 1e-6])
    };
    device_with(model)
}

fn device_with(cell: CellModel) -> Device {
    let persona = Persona::es4_hr();
    let serial = persona.serial(7);
    Device::new(DeviceSettings {
        persona,
        serial,
        cell,
        seed: 7,
    })
}

/// Sends at a moment and returns what comes back at once.
fn ask(device: &mut Device, text: &str, now_s: f64) -> String {
    device.receive(text.as_bytes(), now_s);
    String::from_utf8(device.advance(now_s)).unwrap()
}

/// Runs a script to its end and returns its output.
fn run(device: &mut Device, script: &str, now_s: f64) -> Vec<Line> {
    let mut output = ask(device, script, now_s);
    while let Some(deadline_s) = device.deadline_s() {
        output.push_str(&String::from_utf8(device.advance(deadline_s)).unwrap());
    }
    Decoder::new().feed(output.as_bytes())
}

fn packages(lines: &[Line]) -> Vec<&Package> {
    lines
        .iter()
        .filter_map(|line| match line {
            Line::Package(package) => Some(package),
            _ => None,
        })
        .collect()
}

fn impedance(package: &Package) -> Complex64 {
    let part = |kind| package.get(kind).unwrap().value.as_f64();
    Complex64::new(part(VariableType::Z_REAL), part(VariableType::Z_IMAG))
}

fn runtime_error(code: ErrorCode, line: u32) -> Option<Line> {
    Some(Line::RuntimeError {
        code,
        line: Some(line),
    })
}

#[test]
fn the_device_says_who_it_is() {
    let mut device = device();
    assert_eq!(
        ask(&mut device, "t\n", 0.0),
        "tes4_hr1500#Mar 12 2026 14:28:01\nR*\n"
    );
    assert_eq!(ask(&mut device, "i\n", 0.0), "iES4HR26S0007\n");
    assert_eq!(ask(&mut device, "v\n", 0.0), "v01.09.00\n");
    assert_eq!(ask(&mut device, "\n", 0.0), "\n");
}

#[test]
fn what_cannot_be_done_now_is_refused_by_its_letter() {
    for (command, answer) in [
        ("Z", "Z!0006"),
        ("Y", "Y!0006"),
        ("h", "h!0006"),
        ("H", "H!0006"),
        ("x", "x!0003"),
        ("AT+GCAP", "A!0003"),
        ("r", "r!000C"),
    ] {
        assert_eq!(
            ask(&mut device(), &format!("{command}\n"), 0.0),
            format!("{answer}\n")
        );
    }
    let long = "q".repeat(300);
    assert_eq!(ask(&mut device(), &format!("{long}\n"), 0.0), "q!0008\n");
}

#[test]
fn a_command_in_pieces_is_taken_when_it_ends() {
    let mut device = device();
    for piece in ["\x11", "i"] {
        assert_eq!(ask(&mut device, piece, 0.0), "");
    }
    assert_eq!(ask(&mut device, "\x13\n", 0.0), "iES4HR26S0007\n");
}

#[test]
fn after_an_error_the_device_is_deaf_for_50_ms() {
    let mut device = device();
    assert_eq!(ask(&mut device, "x\ni\n", 0.0), "x!0003\n");
    assert_eq!(ask(&mut device, "i\n", 0.049), "");
    assert_eq!(ask(&mut device, "i\n", 0.051), "iES4HR26S0007\n");
}

#[test]
fn a_sweep_gives_the_impedance_of_the_cell_between_its_markers() {
    let mut device = device();
    let lines = run(&mut device, EIS, 1.0);
    assert_eq!(
        lines[..2],
        [Line::Accepted('e'), Line::LoopStart { technique: 0x000D }]
    );
    assert_eq!(lines[lines.len() - 2..], [Line::LoopEnd, Line::Empty]);
    let packages = packages(&lines);
    // The values that a published decoder found for this cell.
    let expected = [
        (1e5, 100.003, -1.59154),
        (1e3, 124.705, -155.223),
        (10.0, 1096.07, -62.5848),
    ];
    assert_eq!(packages.len(), expected.len());
    for (package, (frequency, real, imaginary)) in packages.into_iter().zip(expected) {
        let reported = package.get(VariableType::SET_FREQUENCY).unwrap();
        assert!((reported.value.as_f64() / frequency - 1.0).abs() < 1e-5);
        assert_eq!(reported.status, None);
        assert!(
            (impedance(package) - Complex64::new(real, imaginary)).norm() < 0.01,
            "{package}"
        );
        let real = package.get(VariableType::Z_REAL).unwrap();
        let imaginary = package.get(VariableType::Z_IMAG).unwrap();
        assert_eq!((real.range, imaginary.range), (Some(21), Some(2)));
        assert_eq!(real.status, Some(0));
    }
    assert!(!device.cell_is_on());
}

#[test]
fn a_point_takes_the_overhead_and_its_periods_and_comes_when_it_ends() {
    let mut device = device();
    assert_eq!(ask(&mut device, EIS, 0.0), "e\nM000D\n");
    let mut ends = Vec::new();
    while let Some(deadline_s) = device.deadline_s() {
        ends.push(deadline_s);
        assert_eq!(device.advance(deadline_s - 1e-6), b"");
        assert!(!device.advance(deadline_s).is_empty());
    }
    let mut expected = Vec::new();
    let mut end = 0.0;
    for frequency in [1e5, 1e3, 10.0] {
        end += 0.43 + 2.1 / frequency;
        expected.push(end);
    }
    assert_eq!(ends.len(), 3);
    for (end, expected) in ends.iter().zip(expected) {
        assert!((end - expected).abs() < 1e-5, "{ends:?}");
    }
}

#[test]
fn frequencies_are_those_of_32_bit_floats() {
    let script = EIS.replace("100k 10 3", "100k 100m 61");
    let lines = run(&mut device(), &script, 0.0);
    let reported: Vec<_> = packages(&lines)
        .iter()
        .map(|package| package.get(VariableType::SET_FREQUENCY).unwrap().value.as_f64())
        .collect();
    assert_eq!(reported.len(), 61);
    let last = reported[60];
    assert!(last != 0.1 && (last / 0.1 - 1.0).abs() < 2e-5, "{last}");
    assert_eq!(reported[0], 1e5);
}

#[test]
fn a_current_beyond_a_pinned_range_is_clipped_flagged_and_wrong() {
    let lines = run(&mut device(), &EIS.replace("ba 1m 1m", "ba 10u 10u"), 0.0);
    for package in packages(&lines) {
        assert_eq!(
            package.get(VariableType::Z_REAL).unwrap().status,
            Some(status::OVERLOAD)
        );
    }
    // At 10 Hz the peak is 12.9 uA and at 100 kHz 141 uA: the more is clipped, the larger Z seems.
    let packages = packages(&lines);
    assert!(impedance(packages[0]).norm() > 8.0 * 100.0);
    assert!(impedance(packages[2]).norm() > 1.02 * 1097.8);
    assert!((impedance(packages[0]).arg() - (-0.0159f64)).abs() < 1e-3);
}

#[test]
fn a_signal_lost_in_its_range_is_flagged() {
    let lines = run(&mut device(), &EIS.replace("ba 1m 1m", "ba 100m 100m"), 0.0);
    for package in packages(&lines) {
        assert_eq!(
            package.get(VariableType::Z_REAL).unwrap().status,
            Some(status::UNDERLOAD)
        );
    }
}

#[test]
fn autoranging_follows_the_current_and_a_change_of_range_costs_a_period() {
    let mut device = device();
    let script = EIS.replace("set_autoranging ba 1m 1m", "set_autoranging ba 100n 1m");
    ask(&mut device, &script, 0.0);
    let mut ends = vec![0.0];
    let mut output = Vec::new();
    while let Some(deadline_s) = device.deadline_s() {
        ends.push(deadline_s);
        output.extend(device.advance(deadline_s));
    }
    let lines = Decoder::new().feed(&output);
    let ranges: Vec<_> = packages(&lines)
        .iter()
        .map(|package| package.get(VariableType::Z_REAL).unwrap().range.unwrap())
        .collect();
    // Peaks of 141, 71 and 12.9 uA.
    assert_eq!(ranges, [21, 18, 18]);
    assert!((ends[2] - ends[1] - (0.43 + 3.1 / 1e3)).abs() < 1e-6);
    assert!((ends[3] - ends[2] - (0.43 + 2.1 / 10.0)).abs() < 1e-5);
}

#[test]
fn noise_does_not_depend_on_when_the_device_is_asked() {
    let mut model = CellModel::constant(Circuit::parse("R0-p(R1,C1)").unwrap(), vec![100.0, 1000.0, 1e-6]);
    model.noise_relative = 1e-3;
    let mut steady = device_with(model.clone());
    let early = run(&mut steady, EIS, 0.0);
    let mut late = device_with(model);
    late.receive(EIS.as_bytes(), 5.0);
    let output = late.advance(1000.0);
    assert_eq!(Decoder::new().feed(&output), early);
    let again = run(&mut steady, EIS, 2000.0);
    assert_ne!(packages(&again), packages(&early));
}

#[test]
fn the_truth_of_each_sweep_can_be_fetched() {
    let mut model = CellModel::constant(Circuit::parse("R0-p(R1,C1)").unwrap(), vec![100.0, 1000.0, 1e-6]);
    model.growth = vec![Growth {
        target: 1,
        sqrt_rate_ohm: 0.0,
        linear_rate_ohm: 3600.0,
        activation_energy_ev: 0.0,
        coupled: Some(2),
    }];
    let mut device = device_with(model);
    run(&mut device, EIS, 100.0);
    let truths = device.take_truths();
    let [truth] = truths.as_slice() else {
        panic!("{truths:?}")
    };
    assert_eq!((truth.sweep, truth.t_start_s), (1, 100.0));
    // 1 ohm a second; three points of 0.43 s, the last one with 0.21 s more.
    let duration = 3.0 * 0.43 + 2.1 * (1e-5 + 1e-3 + 0.1);
    let resistance = truth.values["R1"];
    assert!((truth.t_end_s - 100.0 - duration).abs() < 1e-5);
    assert_eq!(resistance.start, 1000.0);
    assert!((resistance.end - 1000.0 - duration).abs() < 1e-5);
    let middles = [0.215, 0.645, duration - 0.32];
    assert!((resistance.mean - 1000.0 - middles.iter().sum::<f64>() / 3.0).abs() < 2e-3);
    assert!(truth.values["C1"].end < truth.values["C1"].start);
    assert!(device.take_truths().is_empty());
}

#[test]
fn errors_of_loading_say_where_and_nothing_runs() {
    let mut device = device();
    assert_eq!(
        ask(&mut device, "e\nno_such_command 1\n\n", 0.0),
        "e!4001: Line 1, Col 16\n"
    );
    assert_eq!(
        ask(&mut device, "e\ncell_on\nwait 2.5\n\n", 1.0),
        "e!4004: Line 2, Col 8\n"
    );
    assert!(!device.is_running() && !device.cell_is_on());
    assert_eq!(ask(&mut device, "r\n", 2.0), "r!000C\n");
}

#[test]
fn after_a_run_time_error_nothing_is_finished_and_the_cell_stays_as_it_is() {
    let script = "e\nvar p\ncell_on\nmeas_loop_ocp p 100m 1\nendloop\non_finished:\ncell_off\n\n";
    let mut device = device();
    let lines = run(&mut device, script, 0.0);
    assert_eq!(
        lines.last().cloned(),
        runtime_error(ErrorCode::OPEN_CIRCUIT_CELL_ON, 3)
    );
    assert!(device.cell_is_on() && !device.is_running());
    let lines = run(&mut device, "e\ncell_off\n\n", 1.0);
    assert_eq!(lines, [Line::Accepted('e'), Line::Empty]);
    assert!(!device.cell_is_on());
}

#[test]
fn limits_are_checked_when_the_command_runs() {
    for (from, to, code, line) in [
        ("cell_on\n", "", ErrorCode::CELL_MUST_BE_ON, 11),
        ("set_e 0\n", "set_e 6100m\n", ErrorCode::INVALID_POTENTIAL, 10),
        ("da 0 0", "da 0 7", ErrorCode::INVALID_POTENTIAL, 7),
        ("10 3 0", "10 3 -7", ErrorCode::INVALID_POTENTIAL, 12),
        ("100k 10", "300k 10", ErrorCode::INVALID_FREQUENCY, 12),
        ("100k 10 3", "100k 0 3", ErrorCode::INVALID_FREQUENCY, 12),
        ("10m 100k", "1 100k", ErrorCode::INVALID_AMPLITUDE, 12),
        ("mode 3", "mode 2", ErrorCode::WRONG_PGSTAT_MODE, 12),
        ("mode 3", "mode 9", ErrorCode::MODE_NOT_SUPPORTED, 5),
        ("chan 0", "chan 1", ErrorCode::CHANNEL_NOT_AVAILABLE, 4),
    ] {
        let lines = run(&mut device(), &EIS.replace(from, to), 0.0);
        assert_eq!(lines.last().cloned(), runtime_error(code, line), "{to}");
        assert_eq!(packages(&lines).len(), 0);
    }
}

#[test]
fn an_aborted_script_winds_down_and_finishes() {
    let mut device = device();
    ask(&mut device, EIS, 0.0);
    assert!(device.cell_is_on());
    let answer = ask(&mut device, "Z\n", 0.6);
    assert!(
        answer.starts_with('P') && answer.ends_with("\nZ\n*\n\n"),
        "{answer}"
    );
    assert!(!device.cell_is_on() && !device.is_running());
    assert_eq!(ask(&mut device, "i\n", 0.6), "iES4HR26S0007\n");
    assert_eq!(device.take_truths().len(), 1);
}

#[test]
fn while_a_script_runs_only_identity_and_run_time_commands_are_answered() {
    let mut device = device();
    ask(&mut device, EIS, 0.0);
    assert_eq!(
        ask(&mut device, "t\n", 0.1),
        "tes4_hr1500#Mar 12 2026 14:28:01\nR*\n"
    );
    assert_eq!(ask(&mut device, "\n", 0.1), "");
    assert_eq!(ask(&mut device, "i\n", 0.1), "i!0006\n");
    assert_eq!(ask(&mut device, "Z\n", 0.3), "Z\n*\n\n");
}

#[test]
fn a_halted_script_goes_on_where_it_was() {
    let mut device = device();
    ask(&mut device, EIS, 0.0);
    assert_eq!(ask(&mut device, "h\n", 0.2), "h\n");
    assert_eq!(device.deadline_s(), None);
    assert_eq!(ask(&mut device, "", 500.0), "");
    assert_eq!(ask(&mut device, "H\n", 500.0), "H\n");
    assert!((device.deadline_s().unwrap() - (500.0 + 0.23 + 2.1e-5)).abs() < 1e-6);
}

#[test]
fn a_skipped_loop_ends_and_the_script_goes_on() {
    let script =
        "e\nvar p\nmeas_loop_ocp p 1 100\npck_start\npck_add p\npck_end\nendloop\nsend_string \"on\"\n\n";
    let mut device = device();
    assert_eq!(ask(&mut device, script, 0.0), "e\nM000B\n");
    assert_eq!(ask(&mut device, "Y\n", 0.5), "Y\n*\nTon\n\n");
}

#[test]
fn the_rest_potential_drifts_slowly() {
    let script = "e\nvar p\nvar t\ntimer_start\nmeas_loop_ocp p 1 100\ntimer_get t\npck_start\npck_add t\npck_add p\npck_end\nendloop\n\n";
    let lines = run(&mut device(), script, 0.0);
    let packages = packages(&lines);
    assert_eq!(packages.len(), 100);
    let value = |package: &Package, kind| package.get(kind).unwrap().value.as_f64();
    assert_eq!(value(packages[99], VariableType::TIME), 100.0);
    let (first, last) = (
        value(packages[0], VariableType::POTENTIAL),
        value(packages[99], VariableType::POTENTIAL),
    );
    assert!(
        (first - 401e-6).abs() < 2e-5 && (last - first - 99e-6).abs() < 2e-5,
        "{first} {last}"
    );
}

#[test]
fn a_constant_potential_gives_the_current_of_the_cell() {
    let script = "e\nvar p\nvar c\nset_pgstat_mode 2\nset_range ba 1m\nset_autoranging ba 1n 1m\nset_e 500m\ncell_on\n\
        wait 1\nmeas_loop_ca p c 500m 100m 1\npck_start\npck_add p\npck_add c\npck_end\nendloop\non_finished:\ncell_off\n\n";
    let lines = run(&mut device(), script, 0.0);
    assert_eq!(lines[1], Line::LoopStart { technique: 7 });
    let packages = packages(&lines);
    assert_eq!(packages.len(), 10);
    let current = packages[9].get(VariableType::CURRENT).unwrap();
    assert!(
        (current.value.as_f64() - 0.4996 / 1100.0).abs() < 1e-6,
        "{current}"
    );
    assert_eq!(
        (current.status, current.range, current.noise),
        (Some(0), Some(21), Some(0))
    );
    assert_eq!(
        packages[9].get(VariableType::SET_POTENTIAL).unwrap().value,
        Value::Number(0.5)
    );
}

#[test]
fn a_galvanostatic_sweep_gives_the_same_impedance() {
    let script = EIS
        .replace("mode 3", "mode 6")
        .replace("eis", "geis")
        .replace("10m", "100u");
    let lines = run(&mut device(), &script, 0.0);
    assert_eq!(lines[1], Line::LoopStart { technique: 0x000E });
    assert!((impedance(packages(&lines)[2]) - Complex64::new(1096.07, -62.5848)).norm() < 0.01);
}

#[test]
fn loops_conditions_and_arithmetic_of_a_script_are_executed() {
    let script = "e\nvar a\nvar b\nstore_var a 0i ja\nloop a < 9i\n  add_var a 1i\n  if a == 2i\n    send_string \"two\"\n\
        \x20 elseif a == 3i\n    copy_var b a\n  elseif a > 3i\n    breakloop\n  else\n    wait 10m\n  endif\nendloop\n\
        mul_var b 2\npck_start\npck_add a\npck_add b\npck_end\n\n";
    let mut device = device();
    let output = ask(&mut device, script, 0.0);
    assert_eq!(output, "e\nL\n");
    let output = String::from_utf8(device.advance(1.0)).unwrap();
    assert_eq!(output, "Ttwo\n+\nPja8000004i;ja85B8D80u\n\n");
}

#[test]
fn a_script_that_never_waits_does_not_hold_the_device() {
    let mut device = device();
    assert_eq!(ask(&mut device, "e\nloop 1i == 1i\nendloop\n\n", 0.0), "e\nL\n");
    assert_eq!(device.advance(1.0), b"");
    assert_eq!(ask(&mut device, "Z\n", 1.0), "Z\n+\n\n");
}

#[test]
fn a_loaded_script_runs_as_often_as_asked() {
    let mut device = device();
    assert_eq!(ask(&mut device, "l\nsend_string \"hi\"\n\n", 0.0), "l\n");
    for _ in 0..2 {
        assert_eq!(ask(&mut device, "r\n", 0.0), "r\nThi\n\n");
    }
}

#[test]
fn a_value_that_was_measured_can_be_sent() {
    let script = "e\nvar v\nmeas 100m v ab\npck_start\npck_add v\npck_end\n\n";
    let lines = run(&mut device(), script, 0.0);
    let potential = packages(&lines)[0]
        .get(VariableType::POTENTIAL)
        .unwrap()
        .value
        .as_f64();
    assert!((potential - 4e-4).abs() < 2e-5, "{potential}");
}

proptest::proptest! {
    #[test]
    fn no_input_in_any_pieces_makes_the_device_panic_or_forget_its_identity(
        pieces in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..40), 0..20),
        script in "(e|l|r|Z|Y|h|H|var a|cell_on|meas_loop_ocp a 1 9|endloop|loop 1i < 2i|wait 1|pck_start|pck_add a|pck_end|on_finished:|abort|)(\n(e|Z|Y|h|H|var a|cell_on|meas_loop_ocp a 1 9|endloop|wait 1|pck_start|pck_add a|pck_end|)){0,25}",
    ) {
        let mut device = device();
        let mut now_s = 0.0;
        device.receive(script.as_bytes(), now_s);
        for piece in pieces {
            now_s += 0.3;
            device.receive(&piece, now_s);
            device.advance(now_s);
        }
        // Whatever state it is in: end a script that is being sent, abort one that runs.
        for text in ["\n\n", "\nH\n", "\nZ\n"] {
            now_s += 1.0;
            ask(&mut device, text, now_s);
        }
        proptest::prop_assert_eq!(ask(&mut device, "i\n", now_s + 1.0), "iES4HR26S0007\n");
    }
}

fn device_of(persona: &str, model: CellModel) -> Device {
    let persona = Persona::of_device(persona).unwrap();
    Device::new(DeviceSettings {
        serial: persona.serial(7),
        persona,
        cell: model,
        seed: 7,
    })
}

/// 10 ohm, and a volt for a coulomb.
fn battery() -> CellModel {
    CellModel {
        open_circuit_v: 1.0,
        open_circuit_v_per_c: 1.0,
        ..CellModel::constant(Circuit::parse("R0").unwrap(), vec![10.0])
    }
}

#[test]
fn a_constant_current_drives_the_potential_by_resistance_and_charge_and_a_resting_cell_keeps_the_charge() {
    let mut device = device_of("es4_hr", battery());
    let script = "e\nvar p\nvar c\nset_pgstat_mode 6\nset_range ba 10m\nset_i 0\ncell_on\n\
                  meas_loop_cp p c 1m 1 100\npck_start\npck_add p\npck_add c\npck_end\nendloop\non_finished:\n\
                  set_i 0\ncell_off\n\n";
    let lines = run(&mut device, script, 0.0);
    assert_eq!(lines[1], Line::LoopStart { technique: 0x000A });
    let packages = packages(&lines);
    assert_eq!(packages.len(), 100);
    for (index, package) in packages.iter().enumerate() {
        let potential = package.get(VariableType::POTENTIAL).unwrap().value.as_f64();
        let expected = 1.0 + 0.01 + 1e-3 * (index as f64 + 1.0);
        assert!(
            (potential - expected).abs() < 1e-4,
            "{index}: {potential} {expected}"
        );
        assert_eq!(
            package.get(VariableType::SET_CURRENT).unwrap().value.as_f64(),
            1e-3
        );
    }
    assert!((device.cell_potential_v(500.0) - 1.1).abs() < 1e-6);
    let switched: Vec<bool> = device
        .take_switched()
        .iter()
        .map(|switched| switched.cell_on)
        .collect();
    assert_eq!(switched, [true, false]);
}

#[test]
fn a_restart_switches_the_cell_off_and_what_has_flowed_before_counts() {
    let mut device = device_of("es4_hr", battery());
    let script = "e\nvar p\nvar c\nset_pgstat_mode 6\nset_range ba 10m\nset_i 0\ncell_on\n\
                  meas_loop_cp p c 1m 1 100\npck_start\npck_add p\npck_add c\npck_end\nendloop\non_finished:\n\
                  cell_off\n\n";
    ask(&mut device, script, 0.0);
    device.advance(50.0);
    device.restart(50.0);
    assert!(!device.cell_is_on());
    let switched = device.take_switched();
    let on: Vec<bool> = switched.iter().map(|switched| switched.cell_on).collect();
    assert_eq!(on, [true, false]);
    assert!((switched[1].charge_c - 0.05).abs() < 1.5e-3, "{switched:?}");
    // A device whose cell is off has nothing to tell.
    device.restart(60.0);
    assert!(device.take_switched().is_empty());
    assert!((device.cell_potential_v(500.0) - 1.05).abs() < 1e-2);
}

#[test]
fn scans_of_a_voltammogram_are_marked_and_go_by_their_vertices() {
    let mut device = device_of("es4_hr", battery());
    let script = "e\nvar p\nvar c\nset_pgstat_mode 2\nset_range ba 100m\nset_e 1\ncell_on\n\
                  meas_loop_cv p c 1 1100m 900m 50m 1 nscans(2)\npck_start\npck_add p\npck_end\nendloop\n\
                  on_finished:\ncell_off\n\n";
    let lines = run(&mut device, script, 0.0);
    let marks: String = lines
        .iter()
        .map(|line| line.to_string().chars().next().unwrap_or('.'))
        .collect();
    assert_eq!(marks, "eMCPPPPPPPPP-CPPPPPPPPP-*.");
    assert_eq!(lines[2], Line::ScanStart { number: 0 });
    let potentials: Vec<f64> = packages(&lines)
        .iter()
        .map(|package| package.get(VariableType::SET_POTENTIAL).unwrap().value.as_f64())
        .collect();
    for (read, expected) in potentials
        .iter()
        .zip([1.0, 1.05, 1.1, 1.05, 1.0, 0.95, 0.9, 0.95, 1.0, 1.0])
    {
        assert!((read - expected).abs() < 1e-6, "{potentials:?}");
    }
}

#[test]
fn a_persona_refuses_what_is_beyond_it() {
    let run_on = |persona: &str, script: &str| {
        let lines = run(
            &mut device_of(persona, battery()),
            &format!("e\nvar p\nvar c\n{script}\n\n"),
            0.0,
        );
        match lines.last() {
            Some(Line::RuntimeError { code, .. }) => Some(code.0),
            _ => None,
        }
    };
    assert_eq!(run_on("espico", "set_pgstat_mode 3\nset_e 3700m"), Some(0x000F));
    assert_eq!(run_on("es4_lr", "set_pgstat_mode 3\nset_e 3700m"), Some(0x000F));
    assert_eq!(run_on("es4_hr", "set_pgstat_mode 3\nset_e 3700m"), None);
    assert_eq!(run_on("espico", "set_pgstat_mode 6"), Some(0x0021));
    assert_eq!(
        run_on("espico", "set_pgstat_mode 3\nset_range_minmax da -1 1"),
        Some(0x000F)
    );
    assert_eq!(
        run_on("espico", "set_pgstat_mode 2\nset_range_minmax da -1 1"),
        None
    );
    assert_eq!(run_on("espico", "set_pgstat_mode 2\nset_e -1500m"), Some(0x000F));
    let geis = "set_pgstat_mode 3\nset_e 0\ncell_on\nmeas_loop_geis p c p 1m 1k 10 3 0\nendloop";
    assert_eq!(run_on("espico", geis), Some(0x001B));
    let fast = "set_pgstat_mode 3\nset_e 0\ncell_on\nmeas_loop_eis p c p 10m 1M 10 3 0\nendloop";
    assert_eq!(run_on("es4_hr", fast), Some(0x0011));
    assert_eq!(run_on("nexus1", fast), None);
}

#[test]
fn a_device_says_what_it_can_do() {
    let techniques = |persona: &str| {
        let text = ask(&mut device_of(persona, battery()), "CM\n", 0.0);
        match Decoder::new().feed(text.as_bytes()).as_slice() {
            [Line::Capabilities(mask)] => mask.techniques(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(techniques("espico"), ["ocp", "peis", "ca", "cv", "lsv"]);
    assert_eq!(techniques("nexus1").len(), 7);
}
