//! Direct current through a line profile, from both ends: what is asked for, what ends it, and when the cell is off.

use super::*;
use crate::instrument::{DirectEnd, DirectJob, Ranging};
use crate::profile::{Bound, DirectTechnique, Quantity, Side};
use crate::simulator::CellSwitched;
use crate::spectrum::Sample;

/// 10 kohm in series with 10 kohm beside 1 µF, resting at 0.1 V.
fn dummy() -> CellModel {
    let circuit = Circuit::parse("R0-p(R1,C1)").unwrap();
    CellModel {
        open_circuit_v: 0.1,
        ..CellModel::constant(circuit, vec![1e4, 1e4, 1e-6])
    }
}

fn pair() -> Pair {
    let profile = shipped("rodeostat");
    let mut pair = Pair::new(&profile);
    let settings = LineDeviceSettings::new(&profile, None, dummy(), 1).unwrap();
    pair.device = LineDevice::new(settings);
    pair
}

fn job(technique: DirectTechnique, interval_s: f64, bounds: &[Bound]) -> DirectJob {
    DirectJob {
        technique,
        interval_s,
        piece_s: 60.0,
        bounds: bounds.to_vec(),
        ranging: Ranging::Auto {
            low_a: 1e-6,
            high_a: 1e-3,
        },
        pgstat_mode: 2,
        max_bandwidth_hz: 0.0,
        channel: 0,
        open_circuit_v: None,
        check_sign: false,
        before_s: 0.0,
        before_c: 0.0,
    }
}

fn hold(potential_v: f64, duration_s: f64) -> DirectTechnique {
    DirectTechnique::ChronoAmperometry {
        potential_v,
        duration_s,
    }
}

fn scans(start_v: f64, vertex1_v: f64, vertex2_v: f64, rate_v_per_s: f64, scans: u32) -> DirectTechnique {
    DirectTechnique::CyclicVoltammetry {
        start_v,
        vertex1_v,
        vertex2_v,
        step_v: 0.01,
        rate_v_per_s,
        scans,
    }
}

fn bound(quantity: Quantity, side: Side, value: f64) -> Bound {
    Bound {
        quantity,
        side,
        value,
        safety: true,
    }
}

fn samples(pair: &Pair) -> Vec<Sample> {
    let samples = pair.outputs.iter().filter_map(|output| match output {
        Output::Sample(sample) => Some(sample.clone()),
        _ => None,
    });
    samples.collect()
}

fn complete(done: &Done) -> DirectEnd {
    match done {
        Done {
            outcome: Outcome::DirectComplete(end),
            cell: CellSwitch::Off,
        } => *end,
        other => panic!("{other:?}"),
    }
}

/// The cell is off, and has been on once a piece.
fn switched(pair: &mut Pair) -> Vec<CellSwitched> {
    assert_eq!(pair.device.cell_is_on(), Some(false));
    pair.device.take_switched()
}

#[test]
fn a_long_hold_runs_in_pieces_and_counts_time_and_charge_over_all_of_them() {
    let mut pair = pair();
    assert_eq!(
        pair.run(Job::Connect { take_over: false }).outcome,
        Outcome::Connected
    );
    let done = pair.run(Job::Direct(job(hold(0.5, 150.0), 0.5, &[])));
    let end = complete(&done);
    assert!((end.elapsed_s - 150.0).abs() < 1e-6, "{end:?}");
    // 0.4 V over 20 kohm.
    assert!(
        (end.charge_c - 150.0 * 2e-5).abs() < 0.01 * 150.0 * 2e-5,
        "{end:?}"
    );
    let samples = samples(&pair);
    assert!(
        samples
            .windows(2)
            .all(|pair| pair[1].device_t_s >= pair[0].device_t_s)
    );
    let last = samples.last().unwrap();
    assert_eq!((last.device_t_s, last.potential_v), (Some(150.0), Some(0.5)));
    assert!((last.current_a.unwrap() - 2e-5).abs() < 1e-6);
    assert!((last.charge_c.unwrap() - end.charge_c).abs() < 1e-15);
    let switched = switched(&mut pair);
    assert_eq!(switched.len(), 6, "three pieces: {switched:?}");
    let longest = switched
        .chunks(2)
        .map(|piece| piece[1].t_s - piece[0].t_s)
        .fold(0.0, f64::max);
    assert!(longest < 60.1, "{longest}");
}

#[test]
fn scans_go_to_their_vertices_whether_they_are_asked_for_whole_or_drawn_leg_by_leg() {
    // 20 s a scan is asked for whole, 200 s a scan is drawn.
    for (rate, test) in [(0.1, "cyclic"), (0.01, "linearSweep")] {
        let mut pair = pair();
        pair.run(Job::Connect { take_over: false });
        let technique = scans(0.0, 0.5, -0.5, rate, 2);
        let done = pair.run(Job::Direct(job(technique, 0.01 / rate, &[])));
        assert!((complete(&done).elapsed_s - 4.0 / rate).abs() < 1e-6, "{done:?}");
        assert!(
            pair.sent
                .contains(&format!(r#""command":"runTest","test":"{test}""#)),
            "{}",
            pair.sent
        );
        for sample in samples(&pair) {
            let s = (sample.device_t_s.unwrap() * rate).rem_euclid(2.0);
            let potential_v = if s <= 0.5 {
                s
            } else if s <= 1.5 {
                1.0 - s
            } else {
                s - 2.0
            };
            let is_v = sample.potential_v.unwrap();
            assert!(
                (is_v - potential_v).abs() < 1e-3,
                "{is_v} V at {:?} s",
                sample.device_t_s
            );
        }
        switched(&mut pair);
    }
}

#[test]
fn a_bound_ends_it_with_the_first_sample_beyond_and_the_cell_is_off() {
    for bound in [
        bound(Quantity::Charge, Side::Above, 1e-4),
        bound(Quantity::Current, Side::Above, 3.9e-5),
        bound(Quantity::CurrentModulus, Side::Below, 2.1e-5),
    ] {
        let mut pair = pair();
        pair.run(Job::Connect { take_over: false });
        let done = pair.run(Job::Direct(job(hold(0.5, 150.0), 0.01, &[bound])));
        let end = complete(&done);
        assert_eq!(end.bound, Some(bound));
        let switched = switched(&mut pair);
        assert_eq!(switched.len(), 2, "{switched:?}");
        let on_s = switched[1].t_s - switched[0].t_s;
        assert!(
            (on_s - end.elapsed_s).abs() < 0.1,
            "{bound}: on for {on_s} s, {end:?}"
        );
        // Nothing that came after the end was taken for an answer, and the next job is in step.
        assert!(
            !pair
                .outputs
                .iter()
                .any(|output| matches!(output, Output::Remark(_))),
            "{:?}",
            pair.outputs
        );
        complete(&pair.run(Job::Direct(job(hold(0.2, 1.0), 0.1, &[]))));
    }
}

#[test]
fn an_end_on_request_at_once_or_after_a_sample_leaves_the_cell_off() {
    for at_once in [true, false] {
        let mut pair = pair();
        pair.run(Job::Connect { take_over: false });
        pair.driver
            .start(Job::Direct(job(hold(0.5, 50.0), 0.1, &[])), pair.now_s);
        while samples(&pair).len() < 20 {
            assert_eq!(pair.step(), None);
        }
        if at_once {
            pair.driver.abort(pair.now_s);
        } else {
            pair.driver.end_after_point(pair.now_s);
        }
        let done = pair.until_done();
        assert!(
            matches!(done.outcome, Outcome::Aborted { points } if points >= 20),
            "{done:?}"
        );
        assert_eq!(done.cell, CellSwitch::Off);
        switched(&mut pair);
    }
}

#[test]
fn a_computer_that_dies_leaves_an_instrument_that_ends_by_itself_within_a_piece() {
    let mut pair = pair();
    pair.run(Job::Connect { take_over: false });
    pair.driver
        .start(Job::Direct(job(hold(0.5, 1000.0), 0.5, &[])), pair.now_s);
    while pair.now_s < 70.0 {
        assert_eq!(pair.step(), None);
    }
    assert_eq!(pair.device.cell_is_on(), Some(true));
    // Nobody is there any more: only the device goes on.
    pair.device.advance(1e4);
    let switched = switched(&mut pair);
    let (on, off) = (switched[switched.len() - 2], switched[switched.len() - 1]);
    assert!(on.t_s < 70.0 && off.t_s - on.t_s <= 60.0 + 1e-6, "{switched:?}");
}

#[test]
fn a_cable_that_dies_ends_the_job_as_unreachable_with_the_cell_not_known_to_be_off() {
    let mut pair = pair();
    pair.run(Job::Connect { take_over: false });
    pair.dead_from_s = pair.now_s + 20.0;
    let done = pair.run(Job::Direct(job(hold(0.5, 50.0), 0.5, &[])));
    assert!(
        matches!(done.outcome, Outcome::Failed(InstrumentError::NoAnswer { .. })),
        "{done:?}"
    );
    assert!(matches!(done.cell, CellSwitch::MayBeOn { .. }), "{done:?}");
}

#[test]
fn a_current_beyond_its_range_ends_what_has_limits_and_is_told_once_where_nothing_is_watched() {
    let mut limited = job(hold(0.5, 10.0), 0.1, &[bound(Quantity::Charge, Side::Above, 1.0)]);
    limited.ranging = Ranging::Pinned(1e-5);
    let mut pair = pair();
    pair.run(Job::Connect { take_over: false });
    let done = pair.run(Job::Direct(limited.clone()));
    assert!(
        matches!(&done.outcome, Outcome::Failed(InstrumentError::ScriptFailed { reason, .. }) if reason.contains("range")),
        "{done:?}"
    );
    assert_eq!(done.cell, CellSwitch::Off);
    limited.bounds.clear();
    complete(&pair.run(Job::Direct(limited.clone())));
    let remarks = pair
        .outputs
        .iter()
        .filter(|output| matches!(output, Output::Remark(_)));
    assert_eq!(remarks.count(), 2, "once a job");
    // A limit that the range cannot show is refused before anything is sent.
    limited.bounds = vec![bound(Quantity::Current, Side::Above, 1e-4)];
    let sent = pair.sent.len();
    let done = pair.run(Job::Direct(limited));
    assert!(
        matches!(done.outcome, Outcome::Failed(InstrumentError::ImpossibleJob(_))),
        "{done:?}"
    );
    assert_eq!((done.cell, pair.sent.len()), (CellSwitch::Untouched, sent));
}

/// The rodeostat with something in its profile changed, on the driver's side alone.
fn fed(rows: &[&str]) -> (Vec<Output>, Option<Done>, String) {
    let profile = shipped("rodeostat");
    let mut driver = LineDriver::new(LineSettings::new(&profile, 1.0).unwrap());
    driver.start(Job::Direct(job(hold(0.5, 1.0), 0.1, &[])), 0.0);
    let (mut outputs, mut done, mut sent, mut now_s) = (Vec::new(), None, String::new(), 0.0);
    let mut rows = rows.iter();
    for _ in 0..200 {
        while let Some(output) = driver.take_output() {
            match output {
                Output::Send(bytes) => {
                    let line = String::from_utf8(bytes).unwrap();
                    sent.push_str(&line);
                    let reply = if line.contains("AllElect") {
                        "{\"success\":true,\"response\":{\"command\":\"setAllElectConnected\",\"connected\":false}}\r\n"
                    } else {
                        "{\"success\":true,\"response\":{}}\r\n"
                    };
                    driver.receive(reply.as_bytes(), now_s);
                }
                Output::Done(ended) => done = Some(ended),
                output => outputs.push(output),
            }
        }
        if done.is_some() {
            break;
        }
        now_s += 0.1;
        match rows.next() {
            Some(row) => driver.receive(format!("{row}\r\n").as_bytes(), now_s),
            None => driver.tick(now_s),
        }
    }
    (outputs, done, sent)
}

#[test]
fn rows_that_end_too_early_or_never_are_failures_with_the_cell_off() {
    let (_, done, _) = fed(&[
        r#"{"t":100,"v":0.5,"i":20.0}"#,
        r#"{"t":200,"v":0.5,"i":20.0}"#,
        "{}",
    ]);
    let done = done.unwrap();
    assert!(
        matches!(&done.outcome, Outcome::Failed(InstrumentError::ScriptFailed { reason, .. }) if reason.contains("0.200 s")),
        "{done:?}"
    );
    assert_eq!(done.cell, CellSwitch::Off);
    let rows: Vec<String> = (1..100)
        .map(|n| format!(r#"{{"t":{},"v":0.5,"i":20.0}}"#, 100 * n))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let (outputs, done, sent) = fed(&rows);
    let done = done.unwrap();
    assert!(
        matches!(&done.outcome, Outcome::Failed(InstrumentError::ScriptFailed { reason, .. }) if reason.contains("goes on")),
        "{done:?}"
    );
    assert!(sent.contains("stopTest"), "{sent}");
    assert!(outputs.len() < 40, "{}", outputs.len());
}
