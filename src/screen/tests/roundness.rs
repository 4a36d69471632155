//! A half circle looks like one, measured on the dots of the screen.

use super::{cells, session};
use crate::analysis::fit::Parameter;
use crate::event::{Event, EventBody, Fit, PointMeasured, Stamp, SweepStarted};
use crate::screen::{GlyphSet, View};
use crate::spectrum::Point;
use crate::state::State;

/// R0 = 20 ohm in series with 100 ohm beside 1 µF: the two ends are measured, the curve between is fitted.
fn half_circle() -> State {
    let circuit = "R0-p(R1,C1)";
    let mut state = State::new();
    let mut seq = 0;
    let mut apply = |body| {
        seq += 1;
        state.apply(&Event {
            seq,
            stamp: Stamp::default(),
            body,
        });
    };
    apply(EventBody::SweepStarted(SweepStarted {
        sweep: 1,
        n_points: 3,
        f_max_hz: 1e7,
        f_min_hz: 1e7,
        ..SweepStarted::default()
    }));
    for (index, (frequency, real, imaginary)) in
        [(1.3e7, 20.0, -0.01), (1591.5, 70.0, -50.0), (0.3, 120.0, -0.01)]
            .into_iter()
            .enumerate()
    {
        let point = Point::new(frequency, real, imaginary);
        apply(EventBody::Point(PointMeasured {
            sweep: 1,
            index: index as u32,
            point,
        }));
    }
    let mut result = session::fit_result(circuit);
    result.parameters = [("R0", 20.0), ("R1", 100.0), ("C1", 1e-6)]
        .map(|(name, value)| Parameter {
            name: name.into(),
            value,
            ..session::parameter()
        })
        .to_vec();
    apply(EventBody::Fit(Fit {
        sweep: 1,
        is_final: true,
        engine: "test".into(),
        result,
    }));
    state
}

#[test]
fn a_half_circle_is_twice_as_wide_as_high_at_every_size_and_cell() {
    let state = half_circle();
    for (width, height) in [(80, 24), (100, 40), (119, 30), (200, 60), (160, 50), (300, 80)] {
        for cell_aspect in [2.0, 1.8, 2.3] {
            let mut view = View {
                glyphs: GlyphSet::Braille,
                cell_aspect,
                ..View::default()
            };
            view.observe(&state);
            let buffer = cells(&state, &view, width, height);
            // The Nyquist plot begins right of its axis in column 4 and ends above its axis line.
            let axis_row = (1..height).find(|y| buffer[(4, *y)].symbol() == "└").unwrap();
            let right = (5..width).find(|x| buffer[(*x, 1)].symbol() == "┬").unwrap();
            let (mut columns, mut rows) = (Vec::new(), Vec::new());
            for y in 2..axis_row {
                for x in 5..right {
                    let symbol = buffer[(x, y)].symbol().chars().next().unwrap();
                    let pattern = (symbol as u32)
                        .checked_sub(0x2800)
                        .filter(|pattern| *pattern < 256);
                    for (bit, (column, row)) in
                        [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
                            .into_iter()
                            .enumerate()
                    {
                        if pattern.is_some_and(|pattern| pattern >> bit & 1 == 1) {
                            columns.push(u32::from(x) * 2 + column);
                            rows.push(u32::from(axis_row - y) * 4 - row);
                        }
                    }
                }
            }
            let across = f64::from(columns.iter().max().unwrap() - columns.iter().min().unwrap() + 1) / 2.0;
            // From the axis up: the lowest cells at both ends are covered by marks.
            let up = f64::from(*rows.iter().max().unwrap()) / 4.0 * cell_aspect;
            let dot = 1.0f64.max(cell_aspect / 2.0);
            assert!(
                (across - 2.0 * up).abs() <= dot.max(0.05 * across),
                "{width}x{height}, cells 1:{cell_aspect}: {across} wide, {up} high"
            );
            assert!(
                across > 0.25 * f64::from(right),
                "{width}x{height}: {across} of {right}"
            );
        }
    }
}
