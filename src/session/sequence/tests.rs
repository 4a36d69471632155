use super::*;
use crate::profile::{Kind, shipped_text};

fn sequence() -> FitSequence {
    let text = shipped_text(Kind::Cell, "dummy_r_rc").unwrap();
    FitSequence::for_cell(&Cell::parse("dummy_r_rc", text).unwrap()).unwrap()
}

fn points(resistance: f64) -> Vec<Point> {
    let circuit = Circuit::parse("R0-p(R1,C1)").unwrap();
    (0..40)
        .map(|index| {
            let frequency = 1e5 * 10f64.powf(-f64::from(index) / 8.0);
            let z = circuit.impedance(&[100.0, resistance, 1e-6], frequency);
            let wiggle = 1.0 + 1e-3 * f64::from(index * 7919 % 13 - 6) / 6.0;
            Point::new(frequency, z.re * wiggle, z.im * wiggle)
        })
        .collect()
}

#[test]
fn a_parameter_is_followed_from_sweep_to_sweep() {
    let mut sequence = sequence();
    for (sweep, resistance) in [(1, 1000.0), (2, 1100.0), (3, 1500.0)] {
        let fit = sequence.finish(sweep, &points(resistance)).unwrap();
        let found = fit.result.parameter("R1").unwrap();
        assert!((found.value - resistance).abs() < 0.01 * resistance, "{found:?}");
        assert!(fit.is_final && found.determined);
    }
}

#[test]
fn too_few_points_give_no_fit_and_more_give_a_live_one() {
    let mut sequence = sequence();
    let points = points(1000.0);
    assert!(sequence.partial(1, &points[..1]).is_none());
    let fit = sequence.partial(1, &points[..25]).unwrap();
    assert!(!fit.is_final);
    assert_eq!(fit.result.n_used, 25);
}

mod arcs;
mod battery;
