//! The potentiostat's settings and how its ranges limit what it reads.

use std::f64::consts::PI;

use super::cell::Cell;
use super::persona::Persona;
use crate::instrument::method_script::{PotentialRange, status};
use crate::profile::CurrentRange;

/// A signal below this share of its range is too small for it.
const UNDERLOAD_SHARE: f64 = 0.005;

/// A signal above this share of its range is close to its end.
const WARNING_SHARE: f64 = 0.9;

/// What of a range autoranging lets a signal fill.
const AUTORANGE_SHARE: f64 = 0.8;

/// Potentiostat mode for impedance.
pub(super) const MODE_HIGH_SPEED: u32 = 3;
/// Potentiostat mode with the widest range.
pub(super) const MODE_MAX_RANGE: u32 = 4;
/// Galvanostat.
pub(super) const MODE_GALVANOSTAT: u32 = 6;

/// Settings, as scripts change them. They outlive a script, and so does the state of the cell switch.
#[derive(Clone, Debug)]
pub(super) struct Potentiostat {
    pub(super) persona: Persona,
    pub(super) cell_on: bool,
    pub(super) mode: u32,
    pub(super) potential_v: f64,
    pub(super) current_a: f64,
    /// When what is applied to the cell last changed, in device time.
    pub(super) applied_since_s: f64,
    /// Indices of the lowest and highest current range that may be used.
    current_bounds: (usize, usize),
    current_range: usize,
    potential_bounds: (usize, usize),
}

impl Potentiostat {
    pub(super) fn new(persona: Persona) -> Self {
        let current = persona.current_ranges.len().saturating_sub(1);
        let potential = persona.potential_ranges.len().saturating_sub(1);
        Self {
            persona,
            cell_on: false,
            mode: 0,
            potential_v: 0.0,
            current_a: 0.0,
            applied_since_s: 0.0,
            current_bounds: (current, current),
            current_range: current,
            potential_bounds: (0, potential),
        }
    }

    /// Whether the cell is held at a potential.
    pub(super) fn holds_potential(&self) -> bool {
        self.cell_on && self.mode != MODE_GALVANOSTAT
    }

    /// The direct current in A that it drives through the cell.
    pub(super) fn driven_current(&self, cell: &Cell, now_s: f64) -> f64 {
        if !self.cell_on {
            0.0
        } else if self.mode == MODE_GALVANOSTAT {
            self.current_a
        } else {
            cell.direct_current(now_s, self.potential_v, now_s - self.applied_since_s)
        }
    }

    /// Chooses the current range for a current in A: the finest that takes it.
    pub(super) fn set_current_range(&mut self, current_a: f64) {
        let index = self.current_index(current_a);
        self.current_bounds = (index, index);
        self.current_range = index;
    }

    /// Lets the device choose among the current ranges between two currents in A.
    pub(super) fn set_current_bounds(&mut self, low_a: f64, high_a: f64) {
        let (low, high) = (self.current_index(low_a), self.current_index(high_a));
        self.current_bounds = (low.min(high), low.max(high));
        self.current_range = self
            .current_range
            .clamp(self.current_bounds.0, self.current_bounds.1);
    }

    /// Lets the device choose among the potential ranges between two potentials in V.
    pub(super) fn set_potential_bounds(&mut self, low_v: f64, high_v: f64) {
        let (low, high) = (self.potential_index(low_v), self.potential_index(high_v));
        self.potential_bounds = (low.min(high), low.max(high));
    }

    /// Moves to the range for a peak current in A and says whether the range changed.
    pub(super) fn range_current(&mut self, peak_a: f64) -> bool {
        let (low, high) = self.current_bounds;
        let ranges = self.current_ranges();
        let best = (low..=high)
            .find(|&index| peak_a <= AUTORANGE_SHARE * ranges[index].limit_a)
            .unwrap_or(high);
        std::mem::replace(&mut self.current_range, best) != best
    }

    /// The current range in use.
    pub(super) fn current_range(&self) -> &CurrentRange {
        let ranges = self.current_ranges();
        &ranges[self.current_range.min(ranges.len() - 1)]
    }

    /// The code of the current range in use.
    pub(super) fn current_code(&self) -> u8 {
        let code = self.current_range().code;
        if self.mode == MODE_GALVANOSTAT {
            code + self.persona.galvanostat_offset
        } else {
            code
        }
    }

    /// The current ranges of the mode.
    fn current_ranges(&self) -> &[CurrentRange] {
        let fast = matches!(self.mode, MODE_HIGH_SPEED | MODE_MAX_RANGE);
        if fast || self.persona.direct_current_ranges.is_empty() {
            &self.persona.current_ranges
        } else {
            &self.persona.direct_current_ranges
        }
    }

    /// The code of the potential range for a peak potential in V.
    pub(super) fn potential_code(&self, peak_v: f64) -> u8 {
        let (low, high) = self.potential_bounds;
        let range = self
            .persona
            .potential_ranges
            .get(self.potential_index(peak_v).clamp(low, high));
        range.map_or_else(|| self.current_code(), |range| range.code)
    }

    /// The peak potential in V that is read without clipping: that of a pinned range; the device's own
    /// signals fit the widest one.
    pub(super) fn potential_limit(&self) -> f64 {
        let high = self.potential_bounds.1;
        let ranges = &self.persona.potential_ranges;
        if high + 1 >= ranges.len() {
            f64::INFINITY
        } else {
            ranges[high].limit_v
        }
    }

    pub(super) fn potential_is_valid(&self, potential_v: f64) -> bool {
        let (low, high) = self.persona.potential_v;
        let mode = self.persona.modes.iter().find(|mode| mode.number == self.mode);
        let in_mode =
            mode.is_none_or(|mode| (mode.potential_min_v..=mode.potential_max_v).contains(&potential_v));
        (low..=high).contains(&potential_v) && in_mode
    }

    /// Whether the mode reaches from one potential to another in V without changing its window.
    pub(super) fn window_is_valid(&self, low_v: f64, high_v: f64) -> bool {
        let mode = self.persona.modes.iter().find(|mode| mode.number == self.mode);
        mode.is_none_or(|mode| high_v - low_v <= mode.window_v * (1.0 + 1e-9))
    }

    pub(super) fn frequency_is_valid(&self, frequency_hz: f64) -> bool {
        let (low, high) = self.persona.frequency_hz;
        // A frequency reaches the device as a 32-bit float, which may lie just beyond the limit.
        (low * (1.0 - 1e-6)..=high * (1.0 + 1e-6)).contains(&frequency_hz)
    }

    fn current_index(&self, current_a: f64) -> usize {
        let ranges = self.current_ranges();
        let takes = |range: &CurrentRange| range.limit_a * (1.0 + 1e-9) >= current_a.abs();
        ranges.iter().position(takes).unwrap_or(ranges.len() - 1)
    }

    fn potential_index(&self, potential_v: f64) -> usize {
        let ranges = &self.persona.potential_ranges;
        let takes = |range: &PotentialRange| range.limit_v * (1.0 + 1e-9) >= potential_v.abs();
        ranges
            .iter()
            .position(takes)
            .unwrap_or(ranges.len().saturating_sub(1))
    }
}

/// Status bits of a signal with a peak in a range with a limit.
pub(super) fn load_status(peak: f64, limit: f64) -> u8 {
    if peak > limit {
        status::OVERLOAD
    } else if peak > WARNING_SHARE * limit {
        status::OVERLOAD_WARNING
    } else if peak < UNDERLOAD_SHARE * limit {
        status::UNDERLOAD
    } else {
        0
    }
}

/// Share of a sine's amplitude that is left in its fundamental after clipping at `limit`: the describing
/// function of saturation, `(2/pi) (asin r + r sqrt(1 - r²))` with `r = limit/peak` (Gelb and Vander Velde,
/// Multiple-Input Describing Functions, 1968).
pub(super) fn clipped_share(peak: f64, limit: f64) -> f64 {
    if peak <= limit {
        return 1.0;
    }
    let ratio = (limit / peak).max(0.0);
    2.0 / PI * (ratio.asin() + ratio * (1.0 - ratio * ratio).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_keeps_the_fundamental_of_the_clipped_sine() {
        assert_eq!(clipped_share(1.0, 2.0), 1.0);
        // The fundamental by quadrature.
        let (peak, limit, steps) = (2.0, 0.7, 100_000);
        let fundamental: f64 = (0..steps)
            .map(|k| 2.0 * PI * (f64::from(k) + 0.5) / f64::from(steps))
            .map(|phase| (peak * phase.sin()).clamp(-limit, limit) * phase.sin())
            .sum::<f64>()
            * 2.0
            / f64::from(steps);
        assert!((clipped_share(peak, limit) - fundamental / peak).abs() < 1e-6);
    }

    #[test]
    fn a_pinned_range_stays_and_a_free_one_follows_the_signal() {
        let mut potentiostat = Potentiostat::new(Persona::es4_hr());
        potentiostat.set_current_range(1e-4);
        assert!(!potentiostat.range_current(1e-2));
        assert_eq!(potentiostat.current_range().code, 18);
        potentiostat.set_current_bounds(1e-6, 1e-2);
        assert!(potentiostat.range_current(2e-3));
        assert_eq!(potentiostat.current_range().code, 24);
        assert!(potentiostat.range_current(1e-9));
        assert_eq!(potentiostat.current_range().code, 12);
        assert!(!potentiostat.range_current(1e-7));
    }

    #[test]
    fn the_high_range_model_has_no_range_below_100_na() {
        let mut potentiostat = Potentiostat::new(Persona::es4_hr());
        potentiostat.set_current_range(1e-9);
        assert_eq!(potentiostat.current_range().code, 9);
    }

    #[test]
    fn status_says_how_a_signal_fills_its_range() {
        assert_eq!(load_status(1.1, 1.0), status::OVERLOAD);
        assert_eq!(load_status(0.95, 1.0), status::OVERLOAD_WARNING);
        assert_eq!(load_status(0.5, 1.0), 0);
        assert_eq!(load_status(0.004, 1.0), status::UNDERLOAD);
    }
}
