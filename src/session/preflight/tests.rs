use super::*;
use crate::profile::{Cell, Kind, shipped_text};
use crate::session::sweep_parts::Moduli;
use crate::spectrum::Point;

fn profiles() -> Profiles {
    let text = |kind, name| shipped_text(kind, name).unwrap();
    Profiles {
        instrument: Instrument::parse("es4_hr", text(Kind::Instrument, "es4_hr")).unwrap(),
        cell: Cell::parse("li_lpscl_li", text(Kind::Cell, "li_lpscl_li")).unwrap(),
        plan: Plan::parse("eis_repeat", text(Kind::Plan, "eis_repeat")).unwrap(),
    }
}

fn sweep_of(plan: &Plan) -> &SweepStep {
    plan.steps[0].sweep().unwrap()
}

#[test]
fn a_sweep_of_the_shipped_plan_takes_64_points_and_about_130_s() {
    let profiles = profiles();
    let step = sweep_of(&profiles.plan);
    assert_eq!(step.n_points(), 64);
    // 64 x 0.43 s, and 2.1 periods of frequencies that end at 0.1 Hz with ten a decade: 4.862 / f_min.
    let expected = 64.0 * 0.43 + 2.1 * 4.862 / 0.1;
    assert!((sweep_duration_s(&profiles.instrument, step) - expected).abs() < 0.01 * expected);
    assert!((plan_duration_s(&profiles.instrument, &profiles.plan) - (19.0 * 600.0 + expected)).abs() < 2.0);
}

#[test]
fn the_range_is_chosen_by_the_peak_current_at_the_smallest_modulus() {
    let profiles = profiles();
    let step = sweep_of(&profiles.plan);
    let smallest = Moduli::guessed(&profiles, step).smallest_ohm();
    assert!((20.0..22.0).contains(&smallest), "{smallest}");
    let (peak, range) = current_range(&profiles, step, 0.0, smallest).unwrap();
    // 10 mV rms over 21.4 ohm at its smallest: 0.66 mA peak, below 70 % of 1 mA.
    assert!((peak - 0.010 * 2f64.sqrt() / smallest).abs() < 1e-9);
    assert_eq!(range.label, "1 mA");
    // A bias 5 mV away draws a direct current as well.
    assert_eq!(
        current_range(&profiles, step, 0.005, smallest).unwrap().1.label,
        "10 mA"
    );
}

#[test]
fn a_single_glitch_does_not_choose_the_range() {
    let mut points: Vec<Point> = (0..20)
        .map(|index| Point::new(1.0, 100.0 + f64::from(index), 0.0))
        .collect();
    points[7].z_real_ohm = 0.01;
    let smallest = Moduli::measured(&points).map(|moduli| moduli.smallest_ohm());
    assert!(smallest.is_some_and(|smallest| (100.0..103.0).contains(&smallest)));
    assert_eq!(Moduli::measured(&points[..2]), None);
}

#[test]
fn a_current_beyond_instrument_or_plan_is_refused() {
    let mut profiles = profiles();
    let step = sweep_of(&profiles.plan).clone();
    assert!(matches!(
        current_range(&profiles, &step, 0.0, 0.15),
        Err(Refusal::Range(_))
    ));
    profiles.plan.limits.current_max_a = Some(1e-4);
    let refused = current_range(&profiles, &step, 0.0, 50.0).unwrap_err();
    assert!(refused.to_string().contains("current_max_a"), "{refused}");
}

#[test]
fn a_bias_is_the_open_circuit_potential_unless_the_plan_gives_one() {
    let profiles = profiles();
    let step = sweep_of(&profiles.plan);
    assert_eq!(bias_of(&profiles.instrument, &profiles.plan, step, 3.7), Ok(3.7));
}

#[test]
fn a_bias_more_than_20_mv_from_the_open_circuit_potential_needs_leave() {
    let profiles = profiles();
    let mut step = sweep_of(&profiles.plan).clone();
    step.bias = Bias::Potential(0.0);
    let bias = |step: &SweepStep, ocp_v| bias_of(&profiles.instrument, &profiles.plan, step, ocp_v);
    assert_eq!(bias(&step, 0.019), Ok(0.0));
    assert!(matches!(bias(&step, 3.7), Err(Refusal::Polarises { .. })));
    step.allow_polarisation = true;
    assert_eq!(bias(&step, 3.7), Ok(0.0));
}

#[test]
fn a_limit_of_charge_is_refused_beside_a_sweep_away_from_open_circuit() {
    let profiles = profiles();
    let mut plan = profiles.plan.clone();
    plan.limits.charge_max_c = Some(1.0);
    assert_eq!(check_plan(&profiles.instrument, &plan), Ok(()));
    let with = |bias: Bias, technique, bias_a| {
        let mut plan = plan.clone();
        if let Step::Sweep(sweep) = &mut plan.steps[0] {
            (sweep.bias, sweep.technique, sweep.bias_a) = (bias, technique, bias_a);
        }
        check_plan(&profiles.instrument, &plan)
    };
    assert_eq!(with(Bias::OpenCircuit, Technique::Geis, 0.0), Ok(()));
    for refused in [
        with(Bias::Potential(0.1), Technique::Peis, 0.0),
        with(Bias::OpenCircuit, Technique::Geis, 1e-6),
    ] {
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("charge_max_c cannot be watched"), "{refused}");
    }
}

#[test]
fn a_direct_current_that_would_drive_the_cell_out_of_its_limits_is_refused() {
    let mut profiles = profiles();
    profiles.cell.potential_window_v = Some([-0.5, 0.5]);
    profiles.plan.limits.potential_max_v = Some(0.2);
    let mut step = sweep_of(&profiles.plan).clone();
    step.technique = Technique::Geis;
    let mut check = |bias_a, ohm| {
        step.bias_a = bias_a;
        check_bias_current(&profiles, &step, ohm, 0.0)
    };
    assert_eq!(check(1e-4, 1e3), Ok(()));
    let refused = check(1e-4, 3e3).unwrap_err().to_string();
    assert!(
        refused.contains("plan eis_repeat") && refused.contains("lower bias_a"),
        "{refused}"
    );
    assert_eq!(check(-1e-4, 3e3), Ok(()));
    assert!(
        check(-1e-4, 6e3)
            .unwrap_err()
            .to_string()
            .contains("cell li_lpscl_li")
    );
    assert_eq!(check(0.0, 6e9), Ok(()));
}

#[test]
fn a_potential_out_of_bounds_is_refused() {
    let profiles = profiles();
    let mut plan = profiles.plan.clone();
    plan.limits.potential_max_v = Some(4.2);
    let refused = bias_of(&profiles.instrument, &plan, sweep_of(&plan), 4.195).unwrap_err();
    assert!(refused.to_string().contains("plan eis_repeat"), "{refused}");
    assert!(bias_of(&profiles.instrument, &plan, sweep_of(&plan), 6.1).is_err());
}

#[test]
fn what_the_instrument_cannot_do_is_refused_before_anything_is_sent() {
    let profiles = profiles();
    let mut plan = profiles.plan.clone();
    let Step::Sweep(sweep) = &mut plan.steps[0] else {
        panic!()
    };
    sweep.f_max_hz = 1e6;
    let refused = check_plan(&profiles.instrument, &plan).unwrap_err();
    assert!(refused.to_string().contains("at most 200000 Hz"), "{refused}");
    assert_eq!(check_plan(&profiles.instrument, &profiles.plan), Ok(()));
}
