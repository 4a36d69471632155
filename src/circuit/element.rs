//! What an element is: its name, its parameters, and one function for value and derivatives. The elements
//! themselves stand in [`super::elements`].

use num_complex::Complex64;

use super::grid::Grid;

/// How a search sees a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// As its logarithm: positive quantities that span decades.
    Log,
    /// As it is: exponents.
    Linear,
}

/// What a parameter does to the impedance of its element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A resistance: |Z| is the parameter.
    Resistance,
    /// An inductance: |Z| is proportional to it and grows with frequency.
    Inductance,
    /// |Z| is proportional to it.
    Impedance,
    /// |Z| is proportional to its inverse.
    Admittance,
    /// It bends the curve: an exponent.
    Exponent,
    /// It moves the curve along the frequency axis.
    Time,
    /// It bends the curve too, but as a positive ratio that may span decades.
    Ratio,
}

/// One parameter of an element kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SymbolSpec {
    /// `Q`, `n`.
    pub symbol: &'static str,
    /// Unit in plain ASCII.
    pub unit: &'static str,
    /// Smallest value a search may take.
    pub lower: f64,
    /// Largest value a search may take.
    pub upper: f64,
    /// How the search sees it.
    pub scale: Scale,
    /// What it does.
    pub role: Role,
    /// Whether the element has a meaning where it is held at zero, such as a rail without resistance.
    pub may_be_zero: bool,
    /// Whether the element has a meaning where it is held at infinity, such as a blocking interface.
    pub may_be_infinite: bool,
}

/// Where an element writes its impedance and derivatives at all frequencies of a grid.
pub struct Columns<'a> {
    /// Real part of the impedance.
    pub real: &'a mut [f64],
    /// Imaginary part of the impedance.
    pub imaginary: &'a mut [f64],
    /// For each parameter in turn the real parts and then the imaginary parts of dZ/dp.
    pub derivatives: &'a mut [f64],
}

impl Columns<'_> {
    /// All columns, real before imaginary parts: first of the impedance, then of the derivatives in turn. Those
    /// that do not exist are empty.
    pub(super) fn slices<const N: usize>(&mut self) -> [&mut [f64]; N] {
        let points = self.real.len().max(1);
        let mut slices = [&mut *self.real, &mut *self.imaginary]
            .into_iter()
            .chain(self.derivatives.chunks_exact_mut(points));
        std::array::from_fn(|_| slices.next().unwrap_or_default())
    }

    pub(super) fn set(
        &mut self,
        point: usize,
        z: Complex64,
        derivatives: impl IntoIterator<Item = Complex64>,
    ) {
        let n = self.real.len();
        self.real[point] = z.re;
        self.imaginary[point] = z.im;
        for (parameter, d) in derivatives.into_iter().enumerate() {
            self.derivatives[2 * n * parameter + point] = d.re;
            self.derivatives[2 * n * parameter + n + point] = d.im;
        }
    }
}

/// A kind of element.
#[derive(Debug)]
pub struct ElementKind {
    /// Its symbol in `R0-p(R1,CPE1)`.
    pub symbol: &'static str,
    /// Its letter in `R(RQ)`, where it has one.
    pub letter: Option<char>,
    /// The number that the first of its kind gets where none is written.
    pub first_number: u32,
    /// What it stands for.
    pub description: &'static str,
    /// Whether it draws a half circle by itself. Its first parameter is then the resistance and its second the
    /// time constant; any further ones are exponents.
    pub draws_arc: bool,
    /// Its parameters.
    pub parameters: &'static [SymbolSpec],
    /// Impedance and derivatives at all frequencies.
    pub fill: Fill,
    /// Admittance and its derivatives, for an element that has the simpler admittance. It is asked for where the
    /// element stands in a parallel group; of other elements the impedance is inverted there.
    pub admittance: Option<Fill>,
}

/// A function that computes an element from its parameters at all frequencies of a grid.
pub type Fill = fn(&[f64], &Grid, &mut Columns<'_>);

impl PartialEq for ElementKind {
    fn eq(&self, other: &Self) -> bool {
        self.symbol == other.symbol
    }
}

impl Eq for ElementKind {}
