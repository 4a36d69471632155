//! Equivalent circuits: grammar, elements, and evaluation with exact derivatives.
//!
//! A [`Circuit`] is parsed once and compiled to a [`Tape`], which evaluates impedance and derivatives of all
//! frequencies together. An element is one entry of a table in [`elements`].

pub mod arc;
pub mod dispatch;
pub mod element;
pub mod elements;
pub mod error;
mod grammar;
pub mod grid;
pub(crate) mod pointwise;
mod printing;
pub mod tape;

use num_complex::Complex64;

pub use arc::{Arc, ArcShape};
pub use element::{ElementKind, Role, Scale};
pub use error::{CircuitError, CircuitErrorKind, NoLetter};
pub use grammar::Notation;
pub use grid::Grid;
pub use tape::{Tape, Workspace};

/// How elements are joined.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// Index into [`Circuit::elements`].
    Element(usize),
    /// One after the other: impedances add.
    Series(Vec<Node>),
    /// Side by side: admittances add.
    Parallel(Vec<Node>),
}

/// One element of a circuit.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// `R1`, `CPE1`.
    pub name: String,
    /// What it is.
    pub kind: &'static ElementKind,
    /// Where its parameters begin in the circuit's parameter vector.
    pub first_parameter: usize,
    /// Whether it lies in the outermost series, so that the whole current passes it.
    pub in_series: bool,
}

/// One parameter of a circuit: what it is called, and where a search for it may go.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// `R1`, `CPE1.Q`.
    pub name: String,
    /// Unit in plain ASCII: `ohm`, `F`, `S s^n`.
    pub unit: &'static str,
    /// Smallest value a search may take.
    pub lower: f64,
    /// Largest value a search may take.
    pub upper: f64,
    /// Whether the search sees the parameter or its logarithm.
    pub scale: Scale,
    /// What the parameter does to the impedance of its element.
    pub role: Role,
    /// Whether it may be held at zero.
    pub may_be_zero: bool,
    /// Whether it may be held at infinity.
    pub may_be_infinite: bool,
    /// Index of its element.
    pub element: usize,
}

impl ParameterSpec {
    /// Whether the parameter has a meaning at this value. What a search may not reach by itself, a user may ask for.
    #[must_use]
    pub fn allows(&self, value: f64) -> bool {
        value.is_finite() && value > 0.0 && (self.scale == Scale::Log || value <= self.upper)
    }

    /// Whether it has a meaning where it is held at an end: a rail without resistance, a blocking interface.
    #[must_use]
    pub fn allows_held(&self, value: f64) -> bool {
        (value == 0.0 && self.may_be_zero) || (value == f64::INFINITY && self.may_be_infinite)
    }

    /// The range of [`ParameterSpec::allows`] in words.
    #[must_use]
    pub fn allowed(&self) -> String {
        match self.scale {
            Scale::Log => "a finite number above zero".to_owned(),
            Scale::Linear => format!("above 0 and at most {}", self.upper),
        }
    }
}

/// An equivalent circuit, ready to be evaluated. Two are equal that consist of the same elements in the same
/// places, in whichever notation and however spaced they were written.
///
/// ```
/// use interphase::circuit::Circuit;
///
/// let circuit = Circuit::parse("R(RQ)")?;
/// assert_eq!(circuit.to_string(), "R0-p(R1,CPE1)");
/// let z = circuit.impedance(&[100.0, 1000.0, 1e-6, 1.0], 1000.0);
/// assert!((z.re - 124.70).abs() < 0.01);
/// # Ok::<(), interphase::circuit::CircuitError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Circuit {
    root: Node,
    notation: Notation,
    elements: Vec<Element>,
    parameters: Vec<ParameterSpec>,
    arcs: Vec<Arc>,
    tape: Tape,
}

impl Circuit {
    /// Reads `R0-p(R1,CPE1)-W1` or Boukamp's `R(RQ)W`, nested to any sensible depth.
    ///
    /// In the second notation R and L are counted from 0 and every other letter from 1.
    ///
    /// # Errors
    /// Says what is wrong, and where: see [`CircuitErrorKind`].
    pub fn parse(text: &str) -> Result<Self, CircuitError> {
        let (root, named, notation) = grammar::parse(text)?;
        let mut elements = Vec::with_capacity(named.len());
        let mut parameters = Vec::new();
        for (index, (name, kind)) in named.into_iter().enumerate() {
            let first_parameter = parameters.len();
            for symbol in kind.parameters {
                parameters.push(ParameterSpec {
                    name: if kind.parameters.len() == 1 {
                        name.clone()
                    } else {
                        format!("{name}.{}", symbol.symbol)
                    },
                    unit: symbol.unit,
                    lower: symbol.lower,
                    upper: symbol.upper,
                    scale: symbol.scale,
                    role: symbol.role,
                    may_be_zero: symbol.may_be_zero,
                    may_be_infinite: symbol.may_be_infinite,
                    element: index,
                });
            }
            elements.push(Element {
                name,
                kind,
                first_parameter,
                in_series: false,
            });
        }
        match &root {
            Node::Element(index) => elements[*index].in_series = true,
            Node::Series(children) => {
                for child in children {
                    if let Node::Element(index) = child {
                        elements[*index].in_series = true;
                    }
                }
            }
            Node::Parallel(_) => {}
        }
        let arcs = arc::find(&root, &elements);
        let tape = Tape::compile(&root, &elements, parameters.len());
        Ok(Self {
            root,
            notation,
            elements,
            parameters,
            arcs,
            tape,
        })
    }

    /// The elements in the order in which they are written.
    #[must_use]
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The parameters in the order in which the elements are written.
    #[must_use]
    pub fn parameters(&self) -> &[ParameterSpec] {
        &self.parameters
    }

    /// Where the parameter of that name stands in the parameter vector.
    #[must_use]
    pub fn parameter_index(&self, name: &str) -> Option<usize> {
        self.parameters
            .iter()
            .position(|parameter| parameter.name == name)
    }

    /// The arcs in the order in which they are written.
    #[must_use]
    pub fn arcs(&self) -> &[Arc] {
        &self.arcs
    }

    /// The compiled form, for many frequencies at once.
    #[must_use]
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// Impedance in ohm at one frequency in Hz, with its true sign (negative imaginary part when capacitive).
    ///
    /// NaN where a value of `parameters` is missing, and where the circuit has no finite impedance.
    #[must_use]
    pub fn impedance(&self, parameters: &[f64], frequency_hz: f64) -> Complex64 {
        if parameters.len() != self.parameters.len() {
            return Complex64::new(f64::NAN, f64::NAN);
        }
        let grid = Grid::new([frequency_hz]);
        let mut workspace = self.tape.workspace(&grid);
        self.tape.evaluate(&grid, parameters, &mut workspace);
        let (real, imaginary) = workspace.impedance();
        Complex64::new(real[0], imaginary[0])
    }

    /// What the outermost series consists of; the circuit itself where it is not a series.
    pub(crate) fn outer_series(&self) -> &[Node] {
        match &self.root {
            Node::Series(children) => children,
            single => std::slice::from_ref(single),
        }
    }
}

impl PartialEq for Circuit {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root && self.elements == other.elements
    }
}

impl std::str::FromStr for Circuit {
    type Err = CircuitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
