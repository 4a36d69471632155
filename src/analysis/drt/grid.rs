//! The time constants at which a distribution is sought.

use std::f64::consts::TAU;

/// Decades that the grid goes on beyond the data at each end, so that what lies there need not be squeezed into
/// the window.
const BEYOND_DECADES: f64 = 0.5;

/// Time constants evenly spaced in their logarithm.
#[derive(Clone, Debug, PartialEq)]
pub struct TauGrid {
    /// The time constants in s, ascending.
    pub tau_s: Vec<f64>,
    /// The step in ln tau.
    pub step: f64,
    /// 1/(2 pi f) of the highest and the lowest frequency in s: what lies outside is not measured.
    pub window_s: [f64; 2],
}

impl TauGrid {
    /// A grid of `count` time constants, at least two, over data from `low_hz` to `high_hz` and a little beyond. Where a
    /// tail stands for all that is slower, the grid ends with the data.
    #[must_use]
    pub fn new(low_hz: f64, high_hz: f64, count: usize, has_tail: bool) -> Self {
        let window_s = [1.0 / (TAU * high_hz), 1.0 / (TAU * low_hz)];
        let beyond = BEYOND_DECADES * std::f64::consts::LN_10;
        let first = window_s[0].ln() - beyond;
        let last = window_s[1].ln() + if has_tail { 0.0 } else { beyond };
        let step = (last - first) / (count.max(2) - 1) as f64;
        Self {
            tau_s: (0..count.max(2))
                .map(|k| (first + step * k as f64).exp())
                .collect(),
            step,
            window_s,
        }
    }

    /// Whether a time constant lies within what was measured.
    #[must_use]
    pub fn is_inside(&self, tau_s: f64) -> bool {
        // A hair's breadth for rounding: a tail's grid ends exactly at the window's end.
        tau_s >= self.window_s[0] * (1.0 - 1e-9) && tau_s <= self.window_s[1] * (1.0 + 1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_goes_beyond_the_window_unless_a_tail_stands_there() {
        let grid = TauGrid::new(0.1, 1e5, 50, false);
        assert_eq!(grid.tau_s.len(), 50);
        assert!((grid.window_s[1] * TAU * 0.1 - 1.0).abs() < 1e-12);
        assert!(!grid.is_inside(grid.tau_s[0]) && !grid.is_inside(grid.tau_s[49]));
        assert!((grid.tau_s[49] / grid.window_s[1] - 10f64.sqrt()).abs() < 1e-9);
        let grid = TauGrid::new(0.1, 1e5, 50, true);
        assert!(!grid.is_inside(grid.tau_s[0]) && grid.is_inside(grid.tau_s[49]));
    }
}
