//! What can be wrong with the text of a circuit, shown with a caret under the place.

use std::fmt;

use thiserror::Error;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CircuitErrorKind {
    /// Nothing was written.
    #[error("a circuit needs at least one element, such as R0-p(R1,CPE1)")]
    Empty,
    /// A character that cannot stand here.
    #[error("'{found}' cannot stand here; expected {expected}")]
    Unexpected {
        /// The character.
        found: char,
        /// What would be right.
        expected: &'static str,
    },
    /// The text ends too early.
    #[error("the circuit ends too early; expected {expected}")]
    EndsEarly {
        /// What would be right.
        expected: &'static str,
    },
    /// No element is called so.
    #[error("no element is called '{name}'{}; known are {known}", suggestion(*nearest))]
    UnknownElement {
        /// What was written.
        name: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
        /// All symbols of the notation in use.
        known: String,
    },
    /// An element that Boukamp's notation has no letter for.
    #[error("{symbol} has no letter in the notation R(RQ); write the circuit as R0-p(R1,{symbol}1)")]
    NoLetter {
        /// The element's symbol.
        symbol: &'static str,
    },
    /// The same name twice.
    #[error("the name {name} is used twice; give each element its own number")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// Some elements have a number and this one has none.
    #[error("{name} has no number although other elements have one; write {name}1, for example")]
    NoNumber {
        /// The element's symbol.
        name: String,
    },
    /// The number behind an element is too large.
    #[error("the number of an element has at most 6 digits")]
    NumberTooLong,
    /// Groups within groups within groups.
    #[error("groups are nested more than {limit} deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// More elements than any spectrum can tell apart.
    #[error("the circuit has more than {limit} elements")]
    TooLong {
        /// The limit.
        limit: usize,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; perhaps {nearest} is meant"))
}

/// Why a text is not a circuit, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitError {
    /// What is wrong.
    pub kind: CircuitErrorKind,
    /// The text as it was given.
    pub text: String,
    /// Index of the offending character (not byte), from 0; the text's length where it ends too early.
    pub position: usize,
}

impl fmt::Display for CircuitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One column a character, so that the caret stands where it should.
        let shown: String = self
            .text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        write!(
            out,
            "{}\n  {shown}\n  {:>width$}",
            self.kind,
            '^',
            width = self.position + 1
        )
    }
}

impl std::error::Error for CircuitError {}

/// Why a circuit cannot be written in Boukamp's notation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{element} has no letter in the notation R(RQ); the circuit can only be written as {circuit}")]
pub struct NoLetter {
    /// The first element without a letter.
    pub element: String,
    /// The circuit in the other notation.
    pub circuit: String,
}
