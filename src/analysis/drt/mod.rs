//! Distribution of relaxation times: which processes are in a spectrum, without a circuit.
//!
//! Z(w) = R_inf + jwL + integral of gamma(ln tau)/(1+jw tau) d ln tau, with a capacitance, a Warburg impedance or a
//! constant phase element beside it where the low end is open. The distribution is smooth as far as the data allow
//! (Tikhonov regularisation: A. N. Tikhonov's penalty on the second derivative in ln tau, as in T. H. Wan, M. Saccoccio,
//! C. Chen and F. Ciucci 2015, doi:10.1016/j.electacta.2015.09.097) and nowhere below zero.
//!
//! No distribution is unique. So a peak is reported only where it is there at the chosen weight of the penalty, at a
//! tenth of it and at ten times as much, and where the data are not described without it; and nothing is said of
//! time constants outside 1/(2 pi f) of the data. An area is noise plus a choice; its band is the noise alone.

mod choice;
pub mod closed_form;
mod dense;
mod estimate;
mod grid;
mod nnls;
mod peaks;
mod system;
mod tail;

pub use grid::TauGrid;
pub use peaks::Peak;
pub use tail::Tail;

use estimate::Estimate;
use system::{Data, System};
use tail::TailChoice;

use super::noise::Noise;
use crate::spectrum::{Point, Spectrum};

/// Points that a distribution needs.
pub const LEAST_POINTS: usize = 12;
/// Decades of frequency that it needs.
pub const LEAST_DECADES: f64 = 2.0;
/// Root mean square of the residuals over |Z| in per cent from which on the data are not relaxations.
const UNEXPLAINED_PERCENT: f64 = 5.0;

/// How a distribution is sought.
#[derive(Clone, Debug, PartialEq)]
pub struct DrtOptions {
    /// Time constants.
    pub taus: usize,
    /// Weight of the penalty; none lets cross-validation choose.
    pub lambda: Option<f64>,
}

impl Default for DrtOptions {
    fn default() -> Self {
        Self {
            taus: 100,
            lambda: None,
        }
    }
}

/// Why there is no distribution.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DrtError {
    /// Fewer points than unknowns worth speaking of.
    #[error("{usable} usable points are too few for a distribution of relaxation times; it needs {LEAST_POINTS}")]
    TooFewPoints {
        /// Usable points.
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

/// A distribution of relaxation times.
#[derive(Clone, Debug, PartialEq)]
pub struct Drt {
    /// Weight of the penalty: the square of the weighted residuals plus lambda times the integral over ln tau of
    /// the second derivative's square, gamma in units of the harmonic mean square of |Z|.
    pub lambda: f64,
    /// Whether the data chose it.
    pub is_lambda_chosen: bool,
    /// Time constants, step and window.
    pub grid: TauGrid,
    /// gamma per ln tau in ohm.
    pub gamma_ohm: Vec<f64>,
    /// One standard error of gamma in ohm: noise at fixed lambda. None where the solution is held at zero.
    pub band_ohm: Vec<Option<f64>>,
    /// gamma at a tenth of lambda and at ten times lambda.
    pub gamma_beside_ohm: [Vec<f64>; 2],
    /// The series resistance in ohm, with all that is faster than the grid.
    pub r_infinity_ohm: f64,
    /// The series inductance in H; zero where the data show none.
    pub inductance_h: f64,
    /// The area of the whole grid in ohm.
    pub r_polarisation_ohm: f64,
    /// The part of that area outside the window in ohm: faster and slower than what was measured.
    pub masked_ohm: [f64; 2],
    /// What was fitted beside it at the low end.
    pub tail: Option<Tail>,
    /// Peaks within the window that persist, from fast to slow.
    pub peaks: Vec<Peak>,
    /// Time constants in s of maxima within the window that do not.
    pub passing_tau_s: Vec<f64>,
    /// Root mean square of the residuals over |Z| in per cent.
    pub rms_residual_percent: f64,
    /// How many parameters the data were given to fit (trace of the influence matrix).
    pub freedom: f64,
    /// Points used.
    pub n_used: usize,
    /// Remarks in words.
    pub remarks: Vec<String>,
}

/// The distribution of relaxation times of the usable points of a spectrum.
///
/// # Errors
/// Where it has no meaning, with the reason.
pub fn drt(spectrum: &Spectrum, options: &DrtOptions) -> Result<Drt, DrtError> {
    if let Some(lambda) = options.lambda
        && !(lambda.is_finite() && lambda > 0.0)
    {
        return Err(DrtError::WrongLambda { lambda });
    }
    let usable: Vec<&Point> = spectrum.points.iter().filter(|point| point.is_usable()).collect();
    check(&usable)?;
    let data = Data::new(usable.iter().map(|point| (point.frequency_hz, point.impedance())).collect());
    let noise = Noise::of(spectrum).map(|noise| noise.percent(spectrum) / 100.0);
    let singular = |lambda: f64| move || DrtError::Singular { lambda };
    let mut choice = tail::choose(&data, options.taus, noise).ok_or_else(singular(1e-3))?;
    let main = main_estimate(&mut choice.system, options.lambda, &mut choice.free)
        .ok_or_else(singular(options.lambda.unwrap_or(1e-3)))?;
    let free: Vec<bool> = (0..choice.free.len()).map(|unknown| main.solution.is_free(unknown)).collect();
    let beside = |factor: f64| {
        let lambda = main.lambda * factor;
        Estimate::at(&choice.system, lambda, &mut free.clone()).ok_or_else(singular(lambda))
    };
    let (rough, smooth) = (beside(0.1)?, beside(10.0)?);
    assemble(&data, &choice, options, &main, [&rough, &smooth])
}

fn main_estimate(system: &mut System, lambda: Option<f64>, free: &mut [bool]) -> Option<Estimate> {
    match lambda {
        Some(lambda) => choice::given(system, lambda, free),
        None => choice::by_cross_validation(system, free),
    }
}

fn check(usable: &[&Point]) -> Result<(), DrtError> {
    if usable.len() < LEAST_POINTS {
        return Err(DrtError::TooFewPoints { usable: usable.len() });
    }
    let frequencies = usable.iter().map(|point| point.frequency_hz);
    let low = frequencies.clone().fold(f64::INFINITY, f64::min);
    let decades = (frequencies.fold(0.0, f64::max) / low).log10();
    // A hair's breadth: instruments round their frequencies.
    if decades < LEAST_DECADES - 0.02 {
        return Err(DrtError::TooNarrow { decades });
    }
    let inductive = usable.iter().filter(|point| point.z_imag_ohm > 0.0).count();
    if 10 * inductive > 7 * usable.len() {
        return Err(DrtError::Inductive {
            inductive,
            usable: usable.len(),
        });
    }
    Ok(())
}

fn assemble(
    data: &Data,
    choice: &TailChoice,
    options: &DrtOptions,
    main: &Estimate,
    beside: [&Estimate; 2],
) -> Result<Drt, DrtError> {
    let TailChoice { system, grid, .. } = choice;
    let layout = system.layout;
    let scale = data.scale_ohm;
    let in_ohm = |estimate: &Estimate| -> Vec<f64> {
        estimate.solution.values[..layout.taus].iter().map(|gamma| gamma * scale).collect()
    };
    let rms_residual_percent = 100.0 * (main.chi_squared / main.rows as f64).sqrt();
    if rms_residual_percent > UNEXPLAINED_PERCENT {
        return Err(DrtError::Unexplained {
            rms_percent: rms_residual_percent,
        });
    }
    let gamma_ohm = in_ohm(main);
    let (persistent, passing) = peaks::persistent(system, grid, main, beside);
    let area = |chosen: &dyn Fn(f64) -> bool| -> f64 {
        let pairs = grid.tau_s.iter().zip(&gamma_ohm);
        pairs.filter(|(tau, _)| chosen(**tau)).map(|(_, gamma)| gamma * grid.step).sum()
    };
    let values = &main.solution.values;
    let tail = layout.tail().zip(choice.exponent);
    Ok(Drt {
        lambda: main.lambda,
        is_lambda_chosen: options.lambda.is_none(),
        band_ohm: (0..layout.taus)
            .map(|k| main.std_error_of(system, &[(k, scale)]))
            .collect(),
        gamma_beside_ohm: beside.map(in_ohm),
        r_infinity_ohm: values[layout.r_infinity()] * scale,
        inductance_h: values[layout.inductance()] * scale / data.high(),
        r_polarisation_ohm: area(&|_| true),
        masked_ohm: [
            area(&|tau| !grid.is_inside(tau) && tau < grid.window_s[0]),
            area(&|tau| !grid.is_inside(tau) && tau > grid.window_s[1]),
        ],
        tail: tail
            .filter(|(unknown, _)| values[*unknown] > 0.0)
            .map(|(unknown, exponent)| Tail::new(exponent, values[unknown] * scale, data.low())),
        peaks: persistent
            .iter()
            .map(|maximum| peaks::describe(system, grid, main, maximum, scale))
            .collect(),
        passing_tau_s: passing.iter().map(|maximum| maximum.ln_tau.exp()).collect(),
        rms_residual_percent,
        freedom: main.freedom,
        n_used: data.omega.len(),
        remarks: Vec::new(),
        grid: grid.clone(),
        gamma_ohm,
    })
}
