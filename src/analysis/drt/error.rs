//! Why there is no distribution.

use super::{LEAST_DECADES, LEAST_POINTS};

/// Why there is no distribution.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DrtError {
    /// Fewer points than unknowns worth speaking of.
    #[error(
        "{usable} usable points at different frequencies are too few for a distribution of relaxation times; it needs {LEAST_POINTS}"
    )]
    TooFewPoints {
        /// Usable points at frequencies of their own.
        usable: usize,
    },
    /// The frequencies span too little.
    #[error(
        "the data span {decades:.1} decades of frequency; a distribution of relaxation times needs {LEAST_DECADES}: measure a wider range"
    )]
    TooNarrow {
        /// Decades of frequency.
        decades: f64,
    },
    /// Nothing relaxes.
    #[error(
        "{inductive} of {usable} points are inductive (Z'' > 0): what is left is no sum of relaxations; check leads, cabling and shorts, or leave the inductive points out"
    )]
    Inductive {
        /// Points with Z'' above zero.
        inductive: usize,
        /// Usable points.
        usable: usize,
    },
    /// Only series elements.
    #[error("the data are described by {found} alone: there is no relaxation within the measured range")]
    NoRelaxation {
        /// What describes them (`a resistance and a capacitance`).
        found: String,
    },
    /// The data are no sum of relaxations.
    #[error(
        "relaxations leave {rms_percent:.1} % of |Z| unexplained: the data are no sum of relaxations (an inductive loop, drift during the sweep or wrong points); validate them first"
    )]
    Unexplained {
        /// Root mean square of the residuals over |Z| in per cent.
        rms_percent: f64,
    },
    /// The weight of the penalty that was asked for smooths away what was measured.
    #[error(
        "lambda = {lambda:e} leaves {rms_percent:.1} % of |Z| unexplained; take a smaller one, or leave the choice to the data"
    )]
    TooSmooth {
        /// Weight of the penalty.
        lambda: f64,
        /// Root mean square of the residuals over |Z| in per cent.
        rms_percent: f64,
    },
    /// The tail and the slow relaxations are one.
    #[error(
        "the tail at low frequencies (a phase near {phase_deg:.0} degrees) hides the relaxations: how large they are depends on which law is taken for it; measure to lower frequencies, or fit a circuit"
    )]
    TailNotSeparable {
        /// Phase of the tail in degrees.
        phase_deg: f64,
    },
    /// The weight of the penalty that was asked for.
    #[error("lambda = {lambda} is impossible: it must be a finite number above zero, such as 1e-3")]
    WrongLambda {
        /// What was asked for.
        lambda: f64,
    },
    /// The arithmetic failed.
    #[error("the linear system has no solution at lambda = {lambda:e}; try a larger one")]
    Singular {
        /// Weight of the penalty.
        lambda: f64,
    },
}
