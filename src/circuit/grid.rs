//! Frequencies, with what the elements need of them computed once.

/// A set of frequencies prepared for evaluation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// Angular frequency in 1/s.
    pub omega: Vec<f64>,
    /// Its natural logarithm.
    pub ln_omega: Vec<f64>,
    /// One over its square root.
    pub inverse_sqrt_omega: Vec<f64>,
}

impl Grid {
    /// Prepares frequencies given in Hz. Those that are not positive give NaN impedances.
    #[must_use]
    pub fn new(frequencies_hz: impl IntoIterator<Item = f64>) -> Self {
        let omega: Vec<f64> = frequencies_hz
            .into_iter()
            .map(|f| f * std::f64::consts::TAU)
            .collect();
        let ln_omega = omega.iter().map(|w| w.ln()).collect();
        let inverse_sqrt_omega = omega.iter().map(|w| w.sqrt().recip()).collect();
        Self {
            omega,
            ln_omega,
            inverse_sqrt_omega,
        }
    }

    /// Number of frequencies.
    #[must_use]
    pub fn len(&self) -> usize {
        self.omega.len()
    }

    /// Whether there is no frequency at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.omega.is_empty()
    }
}
