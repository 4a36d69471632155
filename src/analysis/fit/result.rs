//! What a fit says: parameters with their errors, and how well the circuit explains the data.

use serde::{Deserialize, Serialize};

/// How residuals are weighted before they are squared and summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// 1/|Z|² of the data, for both components.
    #[default]
    Modulus,
    /// 1/max(|Z'|, 0.01|Z|)² and 1/max(|Z''|, 0.01|Z|)² of the data.
    Proportional,
    /// 1.
    Unit,
    /// 1/sigma² with the standard error of each point ([`crate::spectrum::Point::std_error_ohm`]), known
    /// beforehand: the errors of the parameters then follow from it and not from the residuals.
    Sigma,
}

impl Weight {
    /// The word used in JSON, in the recording and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Modulus => "modulus",
            Self::Proportional => "proportional",
            Self::Unit => "unit",
            Self::Sigma => "sigma",
        }
    }

    /// The weight that [`Weight::word`] names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Modulus, Self::Proportional, Self::Unit, Self::Sigma]
            .into_iter()
            .find(|weight| weight.word() == word)
    }
}

/// One fitted (or fixed) parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// `R1`, `CPE1.Q`.
    pub name: String,
    /// Unit in plain ASCII: `ohm`, `F`, `H`, `S s^n`, `ohm s^-1/2`, `1`.
    pub unit: String,
    /// Value in SI units. Only to be believed where `determined` is true.
    pub value: f64,
    /// One standard error in natural units, from the covariance scaled by the reduced chi-squared (with
    /// [`Weight::Sigma`] not scaled, see [`FitResult::error_scale`]); none where the parameter is fixed, at a bound, or where the data say nothing about it.
    pub std_error: Option<f64>,
    /// Lower bound; none where there is none.
    pub lower: Option<f64>,
    /// Upper bound; none where there is none.
    pub upper: Option<f64>,
    /// Held at its value by the user.
    pub fixed: bool,
    /// The search ended on one of the bounds.
    pub at_bound: bool,
    /// Whether the data determine the parameter: by its standard error alone, see
    /// [`FitResult::errors_rest_on_little`].
    pub determined: bool,
    /// Which arc of the cell's history the parameter belongs to, where it belongs to one.
    pub arc_id: Option<u32>,
}

/// A sum of parameters with its own error from the full covariance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    /// `R1+R2`.
    pub name: String,
    /// Value in the unit of the summands.
    pub value: f64,
    /// One standard error; none where the data do not determine the sum.
    pub std_error: Option<f64>,
    /// Whether the data determine the sum (which they may where they do not determine its parts).
    pub determined: bool,
}

/// The outcome of one fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitResult {
    /// The circuit in `R0-p(R1,CPE1)` notation.
    pub circuit: String,
    /// How residuals were weighted.
    pub weight: Weight,
    /// Whether the search ended at a minimum.
    pub converged: bool,
    /// Points offered.
    pub n_points: usize,
    /// Points used.
    pub n_used: usize,
    /// Points left out: overload, invalid, NaN, f = 0.
    pub left_out: usize,
    /// Weighted sum of squared residuals S over real and imaginary parts.
    pub chi_squared: f64,
    /// S/(N-p) with N = 2 n_used and p free parameters; none where N <= p.
    pub reduced_chi_squared: Option<f64>,
    /// 100 sqrt(reduced), with modulus weight only: the noise that would explain the residuals.
    pub noise_percent: Option<f64>,
    /// N ln(S/N) + 2p + 2p(p+1)/(N-p-1), with all weights: it takes the size of the noise from the residuals. With
    /// [`Weight::Sigma`] it therefore trusts how the known errors compare with each other, not how large they are;
    /// who trusts that too compares S + 2p + 2p(p+1)/(N-p-1).
    pub aicc: Option<f64>,
    /// N ln(S/N) + p ln N, with all weights as [`FitResult::aicc`]; with errors of trusted size S + p ln N.
    pub bic: Option<f64>,
    /// Probability of so few (or so many) runs of equal sign in the residuals if they were noise.
    pub runs_p: Option<f64>,
    /// Start points tried.
    pub starts: usize,
    /// Evaluations of model and derivatives in the final search.
    pub evaluations: usize,
    /// Time of the final search in microseconds.
    pub elapsed_us: f64,
    /// Time of finding the start in microseconds.
    pub guess_us: f64,
    /// All parameters of the circuit in its order.
    pub parameters: Vec<Parameter>,
    /// Correlation matrix of the parameters in their order; zero rows for those without a covariance.
    pub correlation: Vec<Vec<f64>>,
    /// Sums with errors from the full covariance.
    pub sums: Vec<Sum>,
    /// What the robust loss did, where one was asked for and had anything to judge by. Not recorded: fits of a
    /// session are plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robust: Option<Robust>,
}

/// What a robust loss did: Tukey's bisquare on the complex residual of each point. `chi_squared` and what follows
/// from it still count all points in full; the standard errors are P. J. Huber's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Robust {
    /// Robust standard deviation of one component of the weighted residuals: with modulus weight a fraction of |Z|.
    pub scale: f64,
    /// Points that count less than a tenth, by their place in the spectrum from 0. Of 10,000 sound points with
    /// Gaussian noise about one is named.
    pub down_weighted: Vec<usize>,
    /// Those of them that do not count at all.
    pub rejected: Vec<usize>,
}
