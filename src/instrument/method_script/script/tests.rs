use proptest::prelude::*;

use super::*;
use crate::instrument::SweepJob;

fn job() -> SweepJob {
    SweepJob {
        f_max_hz: 200e3,
        f_min_hz: 0.1,
        n_points: 64,
        amplitude_vrms: 0.01,
        bias_v: 0.620_41,
        current_range_a: 0.01,
        pgstat_mode: 3,
        max_bandwidth_hz: 200e3,
        ..SweepJob::default()
    }
}

fn text(script: &Script) -> String {
    String::from_utf8(script.wire_lines().concat()).unwrap()
}

#[test]
fn a_sweep_sets_bias_and_range_before_the_cell_is_on_and_ends_with_the_cell_off() {
    let expected = "e\nvar f\nvar r\nvar j\nset_pgstat_chan 0\nset_pgstat_mode 3\nset_max_bandwidth 200k\n\
        set_range_minmax da 620410u 620410u\nset_range ba 10m\nset_autoranging ba 10m 10m\nset_e 620410u\n\
        cell_on\nmeas_loop_eis f r j 10m 200k 100m 64 620410u\npck_start\npck_add f\npck_add r\npck_add j\n\
        pck_end\nendloop\non_finished:\ncell_off\n\n";
    assert_eq!(text(&Script::sweep(&job()).unwrap()), expected);
}

#[test]
fn a_driven_sweep_ends_between_its_parts_unless_it_is_told_to_go_on() {
    let part = |f_max_hz, f_min_hz| crate::instrument::SweepPart {
        f_max_hz,
        f_min_hz,
        n_points: 2,
        amplitude: 0.01,
        ranging: Ranging::Pinned(0.01),
    };
    let job = SweepJob {
        parts: vec![part(1.0, 0.1), part(0.05, 0.01)],
        hold_s: Some(60.0),
        ..job()
    };
    let script = text(&Script::sweep(&job).unwrap());
    let hold = "endloop\nstore_var n 0i ja\nmeas_loop_ca p c 620410u 100m 60\nadd_var n 1i\npck_start\npck_add p\n\
        pck_add c\npck_end\nendloop\nif n >= 600i\nsend_string \"nobody says to go on\"\nabort\nendif\n\
        meas_loop_eis f r j 10m 50m 10m 2 620410u\n";
    assert!(script.contains(hold), "{script}");
    assert!(script.contains("var p\nvar c\nvar n\n"));
    assert_eq!(
        script.matches("meas_loop_ca").count(),
        1,
        "before the first part there is nothing to wait for"
    );
    let galvanostatic = SweepJob {
        bias_a: Some(1e-3),
        pgstat_mode: 6,
        ..job
    };
    let script = text(&Script::sweep(&galvanostatic).unwrap());
    assert!(script.contains("meas_loop_cp p c 1m 100m 60\n"), "{script}");
}

#[test]
fn the_open_circuit_potential_is_read_with_the_cell_off() {
    let script = text(&Script::open_circuit(5.0, 0.5, 0, 3, 200e3).unwrap());
    let off = script.find("cell_off\nmeas_loop_ocp p 500m 5\n");
    assert!(off.is_some(), "{script}");
    assert!(!script.contains("cell_on"));
}

#[test]
fn a_line_is_named_as_the_device_counts_it() {
    let script = Script::sweep(&job()).unwrap();
    assert_eq!(script.line(1), Some("var f"));
    assert_eq!(script.place(Some(10)), "line 10: `set_e 620410u`");
    assert_eq!(script.line(0), None);
    assert_eq!(script.place(Some(99)), "line 99");
}

#[test]
fn impossible_numbers_are_refused_by_name() {
    let refused = |change: fn(&mut SweepJob)| {
        let mut job = job();
        change(&mut job);
        Script::sweep(&job).unwrap_err().to_string()
    };
    assert!(refused(|job| job.bias_v = f64::NAN).starts_with("bias_v"));
    assert!(refused(|job| job.amplitude_vrms = 0.0).starts_with("amplitude_vrms"));
    assert!(refused(|job| job.f_min_hz = 1e6).starts_with("f_min_hz"));
    assert!(refused(|job| job.n_points = 0).starts_with("n_points"));
    assert!(Script::open_circuit(1.0, 2.0, 0, 3, 1e3).is_err());
}

proptest! {
    #[test]
    fn every_script_has_short_lines_without_decimal_points_and_ends_with_one_empty_line(
        decades in (-3.0f64..5.3, 0.1f64..8.0), bias in -10.0f64..10.0, range in -9.0f64..0.0, n in 2u32..1000,
    ) {
        let f_max_hz = 10f64.powf(decades.0);
        let job = SweepJob {
            f_max_hz, f_min_hz: f_max_hz / 10f64.powf(decades.1), n_points: n, bias_v: bias,
            current_range_a: 10f64.powf(range), ..job()
        };
        let text = text(&Script::sweep(&job).unwrap());
        prop_assert!(text.ends_with("cell_off\n\n"));
        prop_assert_eq!(text.matches("\n\n").count(), 1);
        prop_assert!(!text.contains('.') && !text.contains('\r') && text.is_ascii());
        prop_assert!(text.lines().all(|line| line.len() <= MAX_SCRIPT_LINE_BYTES));
    }
}
