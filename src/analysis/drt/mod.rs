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
mod error;
mod estimate;
mod grid;
mod nnls;
mod peaks;
mod report;
mod system;
mod tail;
pub mod tracking;

#[cfg(test)]
mod tests;

pub use error::DrtError;
pub use grid::TauGrid;
pub use peaks::Peak;
pub use tail::Tail;

use estimate::Estimate;
use system::{Data, System};

use super::noise::Noise;
use crate::spectrum::{Point, Spectrum};

/// Points at frequencies of their own that a distribution needs.
pub const LEAST_POINTS: usize = 12;
/// Decades of frequency that it needs.
pub const LEAST_DECADES: f64 = 2.0;

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
    let data = Data::new(
        usable
            .iter()
            .map(|point| (point.frequency_hz, point.impedance()))
            .collect(),
    );
    let noise = Noise::of(spectrum).map(|noise| noise.percent(spectrum) / 100.0);
    let singular = |lambda: f64| move || DrtError::Singular { lambda };
    let mut choice = tail::choose(&data, options.taus, noise).ok_or_else(singular(1e-3))?;
    let main = main_estimate(&mut choice.system, options.lambda, &mut choice.free)
        .ok_or_else(singular(options.lambda.unwrap_or(1e-3)))?;
    let main = choice.settle(&data, main).ok_or_else(singular(1e-3))?;
    let free: Vec<bool> = (0..choice.free.len())
        .map(|unknown| main.solution.is_free(unknown))
        .collect();
    let beside = |factor: f64| {
        let lambda = main.lambda * factor;
        Estimate::at(&choice.system, lambda, &mut free.clone()).ok_or_else(singular(lambda))
    };
    let (rough, smooth) = (beside(0.1)?, beside(10.0)?);
    let is_lambda_chosen = options.lambda.is_none();
    let mut drt = report::assemble(
        &data,
        &mut choice,
        &main,
        [&rough, &smooth],
        noise,
        is_lambda_chosen,
    )?;
    drt.remarks = report::remarks(&drt, noise);
    Ok(drt)
}

fn main_estimate(system: &mut System, lambda: Option<f64>, free: &mut [bool]) -> Option<Estimate> {
    match lambda {
        Some(lambda) => choice::given(system, lambda, free),
        None => choice::by_cross_validation(system, free),
    }
}

fn check(usable: &[&Point]) -> Result<(), DrtError> {
    let frequencies = usable.iter().map(|point| point.frequency_hz);
    let mut distinct: Vec<f64> = frequencies.clone().collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup_by(|a, b| *a / *b - 1.0 < 1e-3);
    if distinct.len() < LEAST_POINTS {
        return Err(DrtError::TooFewPoints {
            usable: distinct.len(),
        });
    }
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
