//! A circuit to be compared, with what is held or tied in it.

use std::fmt;

use super::super::fit::{FitError, FitOptions, Weight};
use crate::circuit::{Circuit, CircuitError};

/// A circuit to be compared, with what is held or tied in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The circuit.
    pub circuit: Circuit,
    /// Parameters held at a value.
    pub fixed: Vec<(String, f64)>,
    /// Pairs of parameters of which the first has the value of the second.
    pub ties: Vec<(String, String)>,
}

/// Why a text is not a candidate.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CandidateError {
    /// The circuit is wrong.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
    /// A condition that is none.
    #[error("`{0}` is no condition; write NAME=VALUE or NAME=NAME behind the circuit's `;`")]
    Condition(String),
    /// A name that the circuit does not have.
    #[error("the circuit has no parameter {name}; it has {known}")]
    UnknownParameter {
        /// The name.
        name: String,
        /// All names.
        known: String,
    },
    /// Two conditions on one parameter, of which one would be forgotten.
    #[error("{0} has two conditions; give it one")]
    GivenTwice(String),
    /// Conditions that contradict the circuit or each other.
    #[error(transparent)]
    Contradiction(#[from] FitError),
}

impl Candidate {
    /// A circuit with nothing held.
    #[must_use]
    pub fn new(circuit: Circuit) -> Self {
        Self {
            circuit,
            fixed: Vec::new(),
            ties: Vec::new(),
        }
    }

    /// Reads a circuit and conditions behind it: `R0-p(R1,CPE1)-p(R2,CPE2); CPE2.n=CPE1.n; R0=5`.
    ///
    /// # Errors
    /// Where the circuit or a condition is none, or names no parameter.
    pub fn parse(text: &str) -> Result<Self, CandidateError> {
        let mut parts = text.split(';');
        let mut candidate = Self::new(Circuit::parse(parts.next().unwrap_or_default().trim())?);
        for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .map(|(name, value)| (name.trim(), value.trim()))
                .ok_or_else(|| CandidateError::Condition(part.to_owned()))?;
            candidate.check_name(name)?;
            let is_conditioned = |of: &str| of == name;
            if candidate.fixed.iter().any(|(of, _)| is_conditioned(of))
                || candidate.ties.iter().any(|(of, _)| is_conditioned(of))
            {
                return Err(CandidateError::GivenTwice(name.to_owned()));
            }
            match value.parse::<f64>() {
                Ok(number) if number.is_finite() && number > 0.0 => {
                    candidate.fixed.push((name.to_owned(), number));
                }
                Ok(_) => return Err(CandidateError::Condition(part.to_owned())),
                Err(_) => {
                    candidate.check_name(value)?;
                    candidate.ties.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        candidate.options(Weight::default()).check(&candidate.circuit)?;
        Ok(candidate)
    }

    fn check_name(&self, name: &str) -> Result<(), CandidateError> {
        if self.circuit.parameter_index(name).is_some() {
            return Ok(());
        }
        let names = self.circuit.parameters().iter().map(|spec| spec.name.as_str());
        Err(CandidateError::UnknownParameter {
            name: name.to_owned(),
            known: names.collect::<Vec<_>>().join(", "),
        })
    }

    /// How many parameters a fit is free to choose.
    #[must_use]
    pub fn free(&self) -> usize {
        let count = self.circuit.parameters().len();
        let index = |name: &str| self.circuit.parameter_index(name);
        let mut group: Vec<usize> = (0..count).collect();
        for (name, to) in &self.ties {
            if let (Some(from), Some(into)) = (index(name), index(to)) {
                let (from, into) = (group[from], group[into]);
                group
                    .iter_mut()
                    .filter(|other| **other == from)
                    .for_each(|other| *other = into);
            }
        }
        let held: Vec<usize> = self
            .fixed
            .iter()
            .filter_map(|(name, _)| index(name))
            .map(|index| group[index])
            .collect();
        (0..count)
            .filter(|&index| group[index] == index && !held.contains(&index))
            .count()
    }

    /// Whether anything is held or tied.
    #[must_use]
    pub fn is_conditioned(&self) -> bool {
        !(self.fixed.is_empty() && self.ties.is_empty())
    }

    pub(super) fn options(&self, weight: Weight) -> FitOptions {
        FitOptions {
            weight,
            fixed: self.fixed.clone(),
            ties: self.ties.clone(),
            ..FitOptions::default()
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.circuit)?;
        for (name, value) in &self.fixed {
            write!(out, "; {name}={value:?}")?;
        }
        for (name, to) in &self.ties {
            write!(out, "; {name}={to}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_that_cannot_hold_are_refused() {
        for (text, said) in [
            ("R0-p(R1,CPE1); CPE1.n=2", "above 0 and at most 1"),
            ("R0-p(R1,CPE1); CPE1.n=0.9; CPE1.n=0.8", "two conditions"),
            ("R0-p(R1,CPE1); R1=R1", "tied to itself"),
            ("R0-p(R1,CPE1); R1=CPE1.Q", "cannot be tied"),
        ] {
            let message = Candidate::parse(text).unwrap_err().to_string();
            assert!(message.contains(said), "{text}: {message}");
        }
    }

    #[test]
    fn conditions_stand_behind_the_circuit_and_take_freedom() {
        let candidate = Candidate::parse("R0-p(R1,CPE1)-p(R2,CPE2); CPE2.n=CPE1.n; R0=5").unwrap();
        assert_eq!(candidate.fixed, [("R0".to_owned(), 5.0)]);
        assert_eq!(candidate.free(), 5);
        assert_eq!(Candidate::parse(&candidate.to_string()), Ok(candidate));
        let chain = Candidate::parse("R0-p(R1,C1); R0=R1; R1=5").unwrap();
        assert_eq!(chain.free(), 1);
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in [
            "R0-p(R1",
            "R0-C1; R0",
            "R0-C1; R0=-1",
            "R0-C1; R7=5",
            "R0-C1; R0=R7",
        ] {
            assert!(Candidate::parse(text).is_err(), "{text}");
        }
    }
}
