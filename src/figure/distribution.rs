//! The distribution of relaxation times over the time constant.

use super::{Axis, AxisMemory, Figure, Mark, Range, Scale, Stroke};
use crate::analysis::drt::Drt;
use crate::units::{Script, engineering};

/// gamma over tau at three weights of the penalty: the chosen one as a whole line, the smoother one dashed, the
/// rougher one dotted. Persistent peaks are marked and named by their areas. What lies outside the measured time
/// constants is cut.
#[must_use]
pub fn distribution(drt: &Drt) -> Figure {
    let [low, high] = drt.grid.window_s;
    let inside = |gamma: &[f64]| -> Vec<[f64; 2]> {
        let pairs = drt.grid.tau_s.iter().zip(gamma);
        pairs
            .filter(|(tau, _)| drt.grid.is_inside(**tau))
            .map(|(tau, gamma)| [*tau, *gamma])
            .collect()
    };
    let [rough, smooth] = &drt.gamma_beside_ohm;
    let lines = [
        (Stroke::Guide, inside(rough)),
        (Stroke::Foretold, inside(smooth)),
        (Stroke::Fitted, inside(&drt.gamma_ohm)),
    ];
    // The rougher line may have spikes that would flatten the other two: it is clipped at the frame.
    let most = lines[1..]
        .iter()
        .flat_map(|(_, line)| line)
        .map(|[_, gamma]| *gamma)
        .fold(0.0, f64::max);
    let most = if most > 0.0 { 1.15 * most } else { 1.0 };
    let ordinate = AxisMemory::once(Range::new(0.0, most), Scale::Linear);
    let mut figure = Figure::new(
        Axis::log("tau", "s", Range::new(low / 1.3, high * 1.3)),
        Axis::linear("gamma per ln tau", "ohm", ordinate),
    );
    for (stroke, line) in lines {
        figure.line(stroke, line);
    }
    let tops = drt.peaks.iter().map(|peak| [peak.tau_s, height(drt, peak.tau_s)]);
    figure.marks(Mark::Decade, tops.clone());
    let mut by_area: Vec<_> = drt.peaks.iter().zip(tops).collect();
    by_area.sort_by(|a, b| b.0.resistance_ohm.total_cmp(&a.0.resistance_ohm));
    for (peak, top) in by_area {
        let sign = if peak.is_cut() { "> " } else { "" };
        let area = engineering(peak.resistance_ohm, "ohm", Script::Ascii);
        figure.label(top, format!("{sign}{area}"));
    }
    figure
}

/// gamma at a time constant, between those of the grid.
fn height(drt: &Drt, tau_s: f64) -> f64 {
    let grid = &drt.grid.tau_s;
    let after = grid.partition_point(|tau| *tau < tau_s).clamp(1, grid.len() - 1);
    let share = (tau_s / grid[after - 1]).ln() / drt.grid.step;
    drt.gamma_ohm[after - 1] + share.clamp(0.0, 1.0) * (drt.gamma_ohm[after] - drt.gamma_ohm[after - 1])
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;

    use super::*;
    use crate::analysis::drt::{DrtOptions, drt};
    use crate::figure::Series;
    use crate::spectrum::Spectrum;

    #[test]
    fn three_lines_within_the_window_and_a_mark_for_each_persistent_peak() {
        let frequencies: Vec<f64> = (0..61).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i))).collect();
        let impedance: Vec<Complex64> = frequencies
            .iter()
            .map(|f| {
                let s = Complex64::new(0.0, std::f64::consts::TAU * f);
                10.0 + 20.0 / (1.0 + (s * 1e-4).powf(0.9)) + 40.0 / (1.0 + (s * 2e-2).powf(0.9))
            })
            .collect();
        let spectrum = Spectrum::from_impedance(&frequencies, &impedance);
        let drt = drt(&spectrum, &DrtOptions::default()).unwrap();
        let figure = distribution(&drt);
        let mut lines = 0;
        for series in &figure.series {
            match series {
                Series::Line(_, line) => {
                    lines += 1;
                    assert!(line.iter().all(|[tau, _]| drt.grid.is_inside(*tau)));
                }
                Series::Marks(_, marks) => assert_eq!(marks.len(), 2),
                Series::Bars(_) => panic!("there are no bars"),
            }
        }
        assert_eq!(lines, 3);
        assert!(figure.labels[0].text.contains("ohm") && figure.labels[0].at[0] > 1e-3);
        assert_eq!(figure.x.scale, Scale::Log);
    }
}
