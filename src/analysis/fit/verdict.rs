//! What follows from a fit and is not stored with it: intervals, and how far it is to be believed.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::circuit::{Circuit, Scale};

use super::result::{FitResult, Parameter, Sum, Weight};

/// Probability of the runs test below which the circuit does not explain the data. Among a thousand fits of the
/// right circuit, one or two fall below it by chance.
pub const RUNS_LEVEL: f64 = 1e-3;
/// Correlation beyond which two arcs cannot be told apart.
const DEGENERATE: f64 = 0.98;
/// Reduced chi-squared beyond which known errors of points are too small for the residuals.
const SIGMA_TOO_SMALL: f64 = 1.5;
/// Degrees of freedom below which chance can make a standard error small.
const FEW: usize = 10;

/// Time constants that differ by less in the logarithm have no order.
const SAME_TAU: f64 = 1e-6;

/// Two parameters of different arcs, or of an arc and what is in series with it, that the data hardly tell apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Degenerate {
    /// The first parameter in the order of the circuit.
    pub name: String,
    /// The other one.
    pub with: String,
    /// Their correlation.
    pub correlation: f64,
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

    /// N - p, with N = 2 n_used numbers and p free parameters, of which tied ones count once.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> usize {
        let numbers = 2 * self.n_used;
        match self.reduced_chi_squared {
            Some(reduced) if reduced > 0.0 => (self.chi_squared / reduced).round() as usize,
            _ => numbers.saturating_sub(self.parameters.iter().filter(|p| !p.fixed).count()),
        }
    }

    /// How many standard errors an interval of that level reaches to each side: the quantile of Student's t with
    /// N - p degrees of freedom, of the normal distribution where the errors of the points are known. None
    /// without degrees of freedom and for a level that is none.
    #[must_use]
    pub fn quantile(&self, level: f64) -> Option<f64> {
        let freedom = match self.weight {
            Weight::Sigma if self.robust.is_none() => f64::INFINITY,
            _ => self.degrees_of_freedom() as f64,
        };
        (level > 0.0 && level < 1.0 && freedom > 0.0).then(|| quantile(level, freedom))
    }

    /// Confidence interval of a parameter or sum, such as `interval("R1", 0.95)`: exp(ln p ± t SE(ln p)) for
    /// positive ones, p ± t SE cut at the bounds for exponents. None where there is no standard error.
    #[must_use]
    pub fn interval(&self, name: &str, level: f64) -> Option<(f64, f64)> {
        let (value, error, bounds) = match (self.parameter(name), self.sum(name)) {
            (Some(parameter), _) => {
                let bounds = self
                    .is_exponent(name)
                    .then_some((parameter.lower, parameter.upper));
                (parameter.value, parameter.std_error?, bounds)
            }
            (None, Some(sum)) => (sum.value, sum.std_error?, None),
            (None, None) => return None,
        };
        let reach = self.quantile(level)? * error;
        if let Some((lower, upper)) = bounds {
            let lower = (value - reach).max(lower.unwrap_or(f64::NEG_INFINITY));
            return Some((lower, (value + reach).min(upper.unwrap_or(f64::INFINITY))));
        }
        let factor = (reach / value).exp();
        (value > 0.0 && factor.is_finite()).then_some((value / factor, value * factor))
    }

    fn is_exponent(&self, name: &str) -> bool {
        Circuit::parse(&self.circuit).is_ok_and(|circuit| {
            circuit
                .parameter_index(name)
                .is_some_and(|index| circuit.parameters()[index].scale == Scale::Linear)
        })
    }

    /// With known errors of the points that are too small for the residuals (reduced chi-squared over 1.5): the
    /// factor that makes the standard errors such as the residuals ask for. To be told beside them.
    #[must_use]
    pub fn error_scale(&self) -> Option<f64> {
        self.reduced_chi_squared
            .filter(|reduced| {
                self.weight == Weight::Sigma && self.robust.is_none() && *reduced > SIGMA_TOO_SMALL
            })
            .map(f64::sqrt)
    }

    /// The standard error of a parameter or sum as the residuals ask for it, where [`FitResult::error_scale`] has
    /// something to say.
    #[must_use]
    pub fn scaled_error(&self, name: &str) -> Option<f64> {
        let error = match self.parameter(name) {
            Some(parameter) => parameter.std_error,
            None => self.sum(name)?.std_error,
        };
        Some(error? * self.error_scale()?)
    }

    /// Whether the residuals have a pattern (runs test): the circuit does not explain the data, and the standard
    /// errors, which take the residuals for noise, are lower limits.
    #[must_use]
    pub fn errors_are_lower_limits(&self) -> bool {
        self.runs_p.is_some_and(|p| p < RUNS_LEVEL)
    }

    /// Whether the data have so few numbers more than parameters (under ten) that chance alone can make standard
    /// errors small, and with them what counts as determined. Intervals allow for it, by Student's t.
    #[must_use]
    pub fn errors_rest_on_little(&self) -> bool {
        let errors_are_known = self.weight == Weight::Sigma && self.robust.is_none();
        !errors_are_known && self.degrees_of_freedom() < FEW
    }

    /// Pairs of parameters of different arcs, or of an arc and anything outside arcs, with a correlation beyond
    /// 0.98. Parameters of one arc, such as Q and n, are always close to each other and say nothing.
    #[must_use]
    pub fn degenerate_pairs(&self) -> Vec<Degenerate> {
        let mut pairs = Vec::new();
        for (i, first) in self.parameters.iter().enumerate() {
            for (j, second) in self.parameters.iter().enumerate().skip(i + 1) {
                let correlation = self.correlation.get(i).and_then(|row| row.get(j));
                // What is tied is one number, and no discovery.
                let is_tied = first.value == second.value && first.std_error == second.std_error;
                if let Some(&correlation) = correlation
                    && !is_tied
                    && first.arc_id != second.arc_id
                    && correlation.abs() > DEGENERATE
                {
                    pairs.push(Degenerate {
                        name: first.name.clone(),
                        with: second.name.clone(),
                        correlation,
                    });
                }
            }
        }
        pairs
    }

    /// Resistances of arcs of one make whose time constants do not have the order of their names, in the order of
    /// the circuit. The names of a first fit have that order, unless what the user says of single arcs (a held
    /// value, a bound, a tie, a start) keeps them from it; in a series names follow the arcs, which may cross.
    #[must_use]
    pub fn arcs_out_of_order(&self) -> Vec<String> {
        let Ok(circuit) = Circuit::parse(&self.circuit) else {
            return Vec::new();
        };
        let values: Vec<f64> = self.parameters.iter().map(|parameter| parameter.value).collect();
        if values.len() != circuit.parameters().len() {
            return Vec::new();
        }
        let arcs = circuit.arcs();
        // A first arc that is slower than a second one.
        let is_crossed = |first: usize, second: usize| {
            arcs[first].is_exchangeable_with(&arcs[second])
                && arcs[first].ln_tau(&values) > arcs[second].ln_tau(&values) + SAME_TAU
        };
        (0..arcs.len())
            .filter(|&own| {
                (0..own).any(|before| is_crossed(before, own))
                    || (own + 1..arcs.len()).any(|after| is_crossed(own, after))
            })
            .map(|own| self.parameters[arcs[own].resistance].name.clone())
            .collect()
    }

    /// Standard error of a sum of parameters with weights, from errors and correlations; what is fixed or at a bound
    /// counts as exact. None where a part has no error otherwise.
    #[must_use]
    pub fn combined_error(&self, weights: &[(usize, f64)]) -> Option<f64> {
        let mut parts = Vec::new();
        for &(index, weight) in weights {
            let parameter = self.parameters.get(index)?;
            match parameter.std_error {
                Some(error) => parts.push((index, weight * error)),
                None if parameter.fixed || parameter.at_bound => {}
                None => return None,
            }
        }
        let mut variance = 0.0;
        for &(i, a) in &parts {
            for &(j, b) in &parts {
                variance += a * b * self.correlation.get(i)?.get(j)?;
            }
        }
        variance.is_finite().then(|| variance.max(0.0).sqrt())
    }
}

/// Two-sided quantile of Student's t, of the normal distribution for infinite freedom.
fn quantile(level: f64, freedom: f64) -> f64 {
    let below = 0.5 + 0.5 * level;
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(distribution) if freedom.is_finite() => distribution.inverse_cdf(below),
        _ => Normal::standard().inverse_cdf(below),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.stats 1.17.1: `t.ppf(0.975, n)`, `norm.ppf(0.975)`, `t.ppf(0.995, 4)`.
    #[test]
    fn quantiles_equal_those_of_scipy() {
        for (level, freedom, expected) in [
            (0.95, 1.0, 12.706_204_736_174_694),
            (0.95, 2.0, 4.302_652_729_749_464),
            (0.95, 5.0, 2.570_581_835_636_314),
            (0.95, 195.0, 1.972_204_051_199_087),
            (0.99, 4.0, 4.604_094_871_349_992),
            (0.95, f64::INFINITY, 1.959_963_984_540_054),
        ] {
            let found = quantile(level, freedom);
            assert!(
                (found / expected - 1.0).abs() < 1e-9,
                "{level}, {freedom}: {found}"
            );
        }
    }
}
