use proptest::prelude::*;

use super::axis::{step_at_least, step_at_most};
use super::placement::clip_to_unit_square;
use super::*;

fn labels(axis: &Axis, most: usize) -> Vec<String> {
    axis.ticks(axis.range, most)
        .ticks
        .into_iter()
        .map(|tick| tick.label)
        .collect()
}

#[test]
fn steps_are_one_two_or_five() {
    assert_eq!(step_at_least(0.3), 0.5);
    assert_eq!(step_at_least(6.0), 10.0);
    assert_eq!(step_at_least(200.0), 200.0);
    assert_eq!(step_at_most(0.3), 0.2);
    assert_eq!(step_at_most(6.0), 5.0);
}

#[test]
fn ticks_are_round_numbers_with_one_prefix_for_the_axis() {
    let axis = Axis::linear("Z'", "ohm", Range::new(0.0, 110.0));
    assert_eq!(labels(&axis, 6), ["0", "20", "40", "60", "80", "100"]);
    let axis = Axis::linear("Z'", "ohm", Range::new(0.0, 2500.0));
    assert_eq!(labels(&axis, 5), ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]);
    assert_eq!(axis.ticks(axis.range, 5).unit, TickUnit::Group(1));
}

#[test]
fn decades_are_labelled_with_their_prefix_and_thinned_out_where_they_crowd() {
    let axis = Axis::log("f", "Hz", Range::new(0.1, 2e5));
    assert_eq!(labels(&axis, 8), ["100m", "1", "10", "100", "1k", "10k", "100k"]);
    assert_eq!(labels(&axis, 4), ["1", "100", "10k"]);
    let axis = Axis::log("|Z|", "ohm", Range::new(20.0, 200.0));
    assert_eq!(labels(&axis, 6), ["20", "50", "100", "200"]);
}

#[test]
fn times_are_counted_in_hours_where_that_suits() {
    let axis = Axis::linear("", "s", Range::new(0.0, 4.0 * 3600.0));
    assert_eq!(labels(&axis, 5), ["0", "1", "2", "3", "4"]);
    assert_eq!(axis.ticks(axis.range, 5).unit, TickUnit::Time("h"));
}

#[test]
fn sweeps_are_counted_in_whole_numbers() {
    let axis = Axis {
        whole: true,
        ..Axis::linear("sweep", "1", Range::new(0.0, 3.0))
    };
    assert_eq!(labels(&axis, 12), ["0", "1", "2", "3"]);
}

#[test]
fn an_axis_keeps_still_while_data_stay_within_and_grows_in_steps() {
    let mut memory = AxisMemory::default();
    let mut changes = 0;
    let mut before = None;
    for step in 0..=200 {
        memory.observe(Range::new(20.0, 20.0 + f64::from(step) * 0.5), false);
        changes += usize::from(memory.range() != before);
        before = memory.range();
    }
    assert!(memory.range().unwrap().holds(Range::new(20.0, 120.0)));
    assert!(changes <= 10, "{changes} changes");
}

#[test]
fn noise_around_zero_does_not_pull_the_axis_below_it() {
    let mut memory = AxisMemory::default();
    memory.observe(Range::new(-0.9, 20.0), false);
    assert_eq!(memory.range().unwrap().low, 0.0);
    memory.observe(Range::new(-5.0, 20.0), false);
    assert!(memory.range().unwrap().low <= -5.0);
}

#[test]
fn an_axis_gives_room_back_only_when_a_new_sweep_begins() {
    let mut memory = AxisMemory::default();
    memory.observe(Range::new(0.0, 1000.0), false);
    let wide = memory.range();
    memory.observe(Range::new(0.0, 100.0), false);
    assert_eq!(memory.range(), wide);
    memory.observe(Range::new(0.0, 900.0), true);
    assert_eq!(memory.range(), wide, "not worth a jump");
    memory.observe(Range::new(0.0, 100.0), true);
    assert!(memory.range().unwrap().high < 200.0);
}

#[test]
fn with_equal_aspect_one_ohm_is_as_long_in_both_directions_and_nothing_is_lost() {
    let figure = nyquist(
        &[],
        None,
        &Curve::default(),
        Range::new(0.0, 120.0),
        Range::new(0.0, 40.0),
    );
    for (width, height) in [(80.0, 20.0), (20.0, 80.0), (300.0, 200.0)] {
        let placed = figure.place(width, height);
        let per_x = placed.x.range.span() / width;
        let per_y = placed.y.range.span() / height;
        assert!((per_x / per_y - 1.0).abs() < 1e-12);
        assert!(placed.x.range.holds(figure.x.range));
        assert!(placed.y.range.holds(figure.y.range));
    }
}

#[test]
fn a_line_is_interrupted_where_a_number_is_missing() {
    let mut figure = Figure::new(
        Axis::linear("", "1", Range::new(0.0, 1.0)),
        Axis::linear("", "1", Range::new(0.0, 1.0)),
    );
    figure.line(
        Stroke::Fitted,
        [[0.0, 0.0], [1.0, 1.0], [f64::NAN, 1.0], [3.0, 3.0]],
    );
    figure.marks(Mark::Measured, [[0.0, f64::INFINITY]]);
    assert_eq!(figure.series.len(), 2);
}

#[test]
fn points_are_marked_by_what_is_said_about_them() {
    let mut points = vec![
        Point::new(1500.0, 1.0, -1.0),
        Point::new(1001.0, 2.0, -1.0),
        Point::new(700.0, 3.0, -1.0),
        Point::new(500.0, 4.0, -1.0),
        Point::new(300.0, f64::NAN, -1.0),
    ];
    points[2].status = crate::spectrum::PointStatus::Overload;
    let range = Range::new(0.0, 5.0);
    let figure = nyquist(&points, Some(3), &Curve::default(), range, range);
    let marks: Vec<_> = figure
        .series
        .iter()
        .map(|series| match series {
            Series::Marks(mark, points) => (*mark, points[0][0]),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        marks,
        [
            (Mark::Measured, 1.0),
            (Mark::Decade, 2.0),
            (Mark::Doubtful, 3.0),
            (Mark::Newest, 4.0)
        ]
    );
    assert_eq!(figure.labels[0].text, "1 kHz");
}

#[test]
fn a_segment_is_cut_at_the_border() {
    let (from, to) = clip_to_unit_square([-1.0, 0.5], [2.0, 0.5]).unwrap();
    assert_eq!((from, to), ([0.0, 0.5], [1.0, 0.5]));
    assert!(clip_to_unit_square([-1.0, 0.5], [0.5, 2.5]).is_none());
    assert!(clip_to_unit_square([f64::NAN, 0.5], [0.5, 0.5]).is_none());
}

#[test]
fn a_fit_draws_its_curve_between_the_ends_of_the_data_and_leaves_the_difference() {
    use crate::analysis::fit::{FitOptions, fit};
    use crate::circuit::Circuit;
    use crate::spectrum::Spectrum;

    let circuit = Circuit::parse("R0-p(R1,C1)").unwrap();
    let mut spectrum = Spectrum::default();
    for index in 0..31 {
        let frequency = 1e4 * 10f64.powf(-f64::from(index) / 10.0);
        let z = circuit.impedance(&[20.0, 60.0, 1e-5], frequency);
        spectrum.points.push(Point::new(frequency, z.re, z.im));
    }
    let result = fit(&spectrum, &circuit, &FitOptions::default()).unwrap();
    // What the fit has not seen: one point 1 % of |Z| too high, one clipped.
    let modulus = spectrum.points[10].impedance().norm();
    spectrum.points[10].z_real_ohm += 0.01 * modulus;
    spectrum.points[0].status = crate::spectrum::PointStatus::Overload;

    let fitted = FittedCircuit::of(&result).unwrap();
    let curve = fitted.curve(&spectrum.points);
    let ends = (curve.fitted[0].0, curve.fitted.last().unwrap().0);
    assert_eq!(
        ends,
        (spectrum.points[1].frequency_hz, spectrum.points[30].frequency_hz)
    );
    assert!(curve.fitted.windows(2).all(|pair| pair[0].0 > pair[1].0));
    let left = fitted.residuals(&spectrum.points);
    assert_eq!(left.len(), 30);
    assert!(
        (left[9].1.re - 0.01).abs() < 1e-6 && left[9].1.im.abs() < 1e-6,
        "{}",
        left[9].1
    );
    assert!(left[8].1.norm() < 1e-6);
}

proptest! {
    #[test]
    fn on_paper_no_datum_lies_beyond_its_axis(one in -1e9f64..1e9, other in -1e9f64..1e9, exponent in -9f64..9.0) {
        let data = Range::new(one, other);
        prop_assert!(AxisMemory::once(data, Scale::Linear).holds(data));
        let data = Range::new(10f64.powf(exponent), 10f64.powf(exponent + one.abs() * 1e-8));
        prop_assert!(AxisMemory::once(data, Scale::Log).holds(data));
    }

    #[test]
    fn an_axis_holds_what_it_has_seen_last(values in prop::collection::vec((-1e9f64..1e9, -1e9f64..1e9), 1..40)) {
        let mut memory = AxisMemory::default();
        for (one, other) in values {
            let data = Range::new(one, other);
            memory.observe(data, one > other);
            let range = memory.range().unwrap();
            let beyond = 0.061 * range.span();
            prop_assert!(Range::new(range.low - beyond, range.high + beyond).holds(data));
        }
    }

    #[test]
    fn ticks_lie_within_and_are_not_too_many(low in -1e6f64..1e6, span in 1e-3f64..1e6, most in 1usize..20) {
        let range = Range::new(low, low + span);
        let ticks = Axis::linear("", "ohm", range).ticks(range, most).ticks;
        prop_assert!(ticks.len() <= most + 1);
        for tick in ticks {
            prop_assert!(tick.value >= low - span * 1e-6 && tick.value <= low + span * (1.0 + 1e-6));
        }
    }
}
