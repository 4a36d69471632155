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
}

impl Weight {
    /// The word used in JSON, in the recording and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Modulus => "modulus",
            Self::Proportional => "proportional",
            Self::Unit => "unit",
        }
    }

    /// The weight that [`Weight::word`] names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Modulus, Self::Proportional, Self::Unit]
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
    /// One standard error in natural units, from the covariance scaled by the reduced chi-squared;
    /// none where the parameter is fixed, at a bound, or where the data say nothing about it.
    pub std_error: Option<f64>,
    /// Lower bound; none where there is none.
    pub lower: Option<f64>,
    /// Upper bound; none where there is none.
    pub upper: Option<f64>,
    /// Held at its value by the user.
    pub fixed: bool,
    /// The search ended on one of the bounds.
    pub at_bound: bool,
    /// Whether the data determine the parameter.
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
    /// N ln(S/N) + 2p + 2p(p+1)/(N-p-1).
    pub aicc: Option<f64>,
    /// N ln(S/N) + p ln N.
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
}

impl FitResult {
    /// The parameter of that name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The sum of that name.
    #[must_use]
    pub fn sum(&self, name: &str) -> Option<&Sum> {
        self.sums.iter().find(|sum| sum.name == name)
    }
}
