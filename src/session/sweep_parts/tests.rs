use super::*;
use crate::profile::{Cell, Instrument, Kind, Plan, shipped_text};

fn profiles(cell: &str, plan: &str) -> Profiles {
    let text = |kind, name| shipped_text(kind, name).unwrap();
    Profiles {
        instrument: Instrument::parse("es4_hr", text(Kind::Instrument, "es4_hr")).unwrap(),
        cell: Cell::parse(cell, text(Kind::Cell, cell)).unwrap(),
        plan: Plan::parse(plan, text(Kind::Plan, plan)).unwrap(),
    }
}

fn job_of(profiles: &Profiles) -> SweepJob {
    let step = profiles.plan.steps[0].sweep().unwrap();
    let given = Circumstances {
        open_circuit_v: Some(0.0),
        bias_v: 0.0,
        least_range_a: 0.0,
        reply_s: 2.0,
    };
    sweep_job(profiles, step, &Moduli::guessed(profiles, step), given).unwrap()
}

#[test]
fn a_sweep_within_two_and_a_half_decades_has_one_part() {
    let job = job_of(&profiles("li_lpscl_li", "eis_once"));
    assert_eq!((job.parts.len(), job.n_points), (1, 64));
    assert_eq!(job.parts[0].ranging, Ranging::Pinned(1e-3));
}

#[test]
fn a_blocking_cell_is_measured_in_parts_that_share_three_points() {
    let profiles = profiles("llzo_pellet_blocking", "eis_once");
    let step = profiles.plan.steps[0].sweep().unwrap();
    let grid = step.frequencies_hz();
    let moduli = Moduli::guessed(&profiles, step);
    let job = job_of(&profiles);
    assert!(job.parts.len() > 1, "{:?}", job.parts);
    assert_eq!(
        job.n_points,
        job.parts.iter().map(|part| part.n_points).sum::<u32>()
    );
    for pair in job.parts.windows(2) {
        let at = |f: f64| {
            grid.iter()
                .position(|known| (known / f - 1.0).abs() < 1e-9)
                .unwrap()
        };
        assert_eq!(at(pair[0].f_min_hz) + 1, at(pair[1].f_max_hz) + OVERLAP);
        assert!(largest_range_a(&pair[1..]) < largest_range_a(&pair[..1]));
    }
    let mut index = 0;
    for part in &job.parts {
        let within: Vec<f64> = (0..part.n_points)
            .map(|k| moduli.at(part.frequency_hz(k)))
            .collect();
        let (low, high) = within
            .iter()
            .fold((f64::MAX, 0.0f64), |(l, h), z| (l.min(*z), h.max(*z)));
        assert!(high / low <= 10f64.powf(SPAN_DECADES) * 1.001, "{high} {low}");
        // The peak current fills seven tenths of the range at the most, and a part of it that is not lost.
        let peak_a = 0.010 * std::f64::consts::SQRT_2 / low;
        let range_a = largest_range_a(std::slice::from_ref(part));
        assert!(peak_a <= 0.7 * range_a, "{peak_a} {range_a}");
        assert_eq!(job.part_of(index).0, *part);
        index += part.n_points;
    }
    let frequencies: Vec<f64> = (0..job.n_points).map(|index| job.frequency_hz(index)).collect();
    assert_eq!(frequencies[0], grid[0]);
    assert!((frequencies[frequencies.len() - 1] / grid[63] - 1.0).abs() < 1e-9);
}

#[test]
fn a_galvanostatic_sweep_has_a_current_for_each_decade() {
    let profiles = profiles("li_lpscl_li", "geis_once");
    let step = profiles.plan.steps[0].sweep().unwrap();
    let moduli = Moduli::guessed(&profiles, step);
    let job = job_of(&profiles);
    assert_eq!((job.n_points, job.bias_a, job.pgstat_mode), (64, Some(0.0), 6));
    assert!(job.parts.len() >= 6, "{:?}", job.parts);
    for part in &job.parts {
        let potentials: Vec<f64> = (0..part.n_points)
            .map(|k| part.amplitude * moduli.at(part.frequency_hz(k)))
            .collect();
        let largest = potentials.iter().copied().fold(0.0, f64::max);
        assert!((largest - 0.010).abs() < 1e-6, "{potentials:?}");
        assert!(part.f_max_hz / part.f_min_hz <= 13.0);
    }
    let frequencies: Vec<f64> = (0..64).map(|index| job.frequency_hz(index)).collect();
    for (asked, got) in step.frequencies_hz().iter().zip(&frequencies) {
        assert!((asked / got - 1.0).abs() < 1e-9, "{asked} {got}");
    }
}

#[test]
fn an_overloaded_point_is_measured_again_in_the_next_range() {
    let profiles = profiles("li_lpscl_li", "eis_once");
    let job = job_of(&profiles);
    let rest = rest_from(&profiles, &job, 10).unwrap();
    assert_eq!(rest.n_points, 54);
    assert!((rest.f_max_hz / job.frequency_hz(10) - 1.0).abs() < 1e-12);
    assert_eq!(rest.parts[0].ranging, Ranging::Pinned(1e-2));
    let mut largest = job.clone();
    largest.parts[0].ranging = Ranging::Pinned(0.1);
    assert_eq!(rest_from(&profiles, &largest, 10), None);
}
#[test]
fn where_the_current_is_set_an_overloaded_point_is_measured_again_with_less_of_it() {
    let profiles = profiles("li_lpscl_li", "geis_once");
    let job = job_of(&profiles);
    assert!(job.stop_at_overload);
    let (before, first) = job.part_of(30);
    let rest = rest_from(&profiles, &job, 30).unwrap();
    assert!((rest.f_max_hz / job.frequency_hz(30) - 1.0).abs() < 1e-12);
    assert_eq!(rest.n_points, 34);
    assert_eq!(rest.parts[0].n_points, before.n_points - first);
    assert!((rest.parts[0].amplitude / before.amplitude - 0.1).abs() < 1e-12);
    assert!(largest_range_a(&rest.parts) < largest_range_a(&job.parts));
    // It ends where hardly any current is left.
    let mut lowered = 0;
    let mut last = rest;
    while let Some(next) = rest_from(&profiles, &last, 0) {
        (last, lowered) = (next, lowered + 1);
    }
    assert!((1..=6).contains(&lowered), "{lowered}");
}

#[test]
fn a_galvanostatic_sweep_with_a_direct_current_keeps_to_the_largest_current_and_is_refused_beyond() {
    let mut profiles = profiles("li_lpscl_li", "geis_once");
    profiles.plan.limits.current_max_a = Some(1e-4);
    let mut step = profiles.plan.steps[0].sweep().unwrap().clone();
    let moduli = Moduli::guessed(&profiles, &step);
    step.bias_a = -0.9e-4;
    let parts = galvanostatic_parts(&profiles, &step, &moduli).unwrap();
    let peak_a = |part: &SweepPart| part.amplitude * std::f64::consts::SQRT_2 + 0.9e-4;
    assert!(
        parts.iter().all(|part| peak_a(part) <= 1e-4 * (1.0 + 1e-9)),
        "{parts:?}"
    );
    assert!(parts.iter().all(|part| part.amplitude > 0.0), "{parts:?}");
    step.bias_a = 1e-4;
    let refused = galvanostatic_parts(&profiles, &step, &moduli).unwrap_err();
    assert!(
        refused.to_string().contains("nothing for the excitation"),
        "{refused}"
    );
}

#[test]
fn a_sweep_away_from_open_circuit_waits_for_the_session_and_one_at_open_circuit_does_not() {
    let profiles = profiles("li_lpscl_li", "eis_once");
    let step = SweepStep {
        f_min_hz: 1e-5,
        ..profiles.plan.steps[0].sweep().unwrap().clone()
    };
    let moduli = Moduli::guessed(&profiles, &step);
    let given = |open_circuit_v, bias_v, reply_s| Circumstances {
        open_circuit_v,
        bias_v,
        least_range_a: 0.0,
        reply_s,
    };
    let job = |given| sweep_job(&profiles, &step, &moduli, given).unwrap();
    let timing = &profiles.instrument.timing;
    let time_s = |f_hz: f64| timing.point_overhead_s + timing.point_periods / f_hz;

    let resting = job(given(Some(0.0), 0.0, 2.0));
    assert_eq!(resting.hold_s, None);
    let driven = job(given(Some(0.0), 0.05, 2.0));
    assert_eq!(driven.hold_s, Some(60.0));
    // Also where no leave is needed.
    let nearby = job(given(Some(0.0), 0.006, 2.0));
    assert_eq!(nearby.hold_s, Some(60.0));
    assert_eq!(through_overload(&nearby, 3).open_circuit_v, None);
    assert_eq!(job(given(Some(0.0), 0.004, 2.0)).hold_s, None);
    // What goes on with it does not ask a cell that was driven whether it rests.
    assert_eq!(driven.open_circuit_v, Some(0.0));
    assert_eq!(through_overload(&driven, 3).open_circuit_v, None);
    assert_eq!(through_overload(&resting, 3).open_circuit_v, Some(0.0));
    assert_eq!(through_overload(&driven, 3).n_points, driven.n_points - 3);
    assert_eq!(driven.n_points, resting.n_points);
    for index in 0..driven.n_points {
        assert!((driven.frequency_hz(index) / resting.frequency_hz(index) - 1.0).abs() < 1e-9);
    }
    // No longer than its longest point, which cannot be cut short, and the hold after it.
    let alone_s = longest_alone_s(&driven, timing);
    assert!((alone_s - 60.0 - time_s(1e-5)).abs() < 1.0, "{alone_s}");
    assert!(longest_alone_s(&resting, timing) > 3.0 * alone_s);
    assert!((10..=30).contains(&driven.parts.len()), "{}", driven.parts.len());
    let pieces = driven.parts.iter().filter(|part| part.n_points > 1);
    for part in pieces {
        let lasts_s: f64 = (0..part.n_points)
            .map(|index| time_s(part.frequency_hz(index)))
            .sum();
        assert!(lasts_s <= ALONE_S.max(time_s(1e-5) / 16.0), "{part:?}");
    }
    // Where nobody knows where the cell rests, it may be driven; a fast clock needs a longer hold.
    assert_eq!(job(given(None, 0.0, 2000.0)).hold_s, Some(2000.0));
}
