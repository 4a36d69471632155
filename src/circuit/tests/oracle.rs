//! What each element is, written down a second time in complex dual numbers, which differentiate by themselves.

use std::f64::consts::FRAC_PI_2;

use num_dual::{Dual64, DualNum};

use super::super::{Circuit, Node};

/// A complex number of dual numbers.
#[derive(Clone, Copy)]
pub(super) struct Complex {
    pub re: Dual64,
    pub im: Dual64,
}

impl Complex {
    fn one() -> Self {
        Self::new(1.0, 0.0)
    }
    fn new(re: impl Into<Dual64>, im: impl Into<Dual64>) -> Self {
        Self {
            re: re.into(),
            im: im.into(),
        }
    }
    fn plus(self, other: Self) -> Self {
        Self::new(self.re + other.re, self.im + other.im)
    }
    fn minus(self, other: Self) -> Self {
        Self::new(self.re - other.re, self.im - other.im)
    }
    fn times(self, other: Self) -> Self {
        Self::new(
            self.re * other.re - self.im * other.im,
            self.re * other.im + self.im * other.re,
        )
    }
    fn scaled(self, factor: impl Into<Dual64>) -> Self {
        let factor = factor.into();
        Self::new(self.re * factor, self.im * factor)
    }
    fn inverse(self) -> Self {
        let norm = self.re * self.re + self.im * self.im;
        Self::new(self.re / norm, -self.im / norm)
    }
    fn over(self, other: Self) -> Self {
        self.times(other.inverse())
    }
    fn from_polar(magnitude: Dual64, angle: Dual64) -> Self {
        Self::new(magnitude * angle.cos(), magnitude * angle.sin())
    }
    fn exp(self) -> Self {
        Self::from_polar(self.re.exp(), self.im)
    }
    /// ln(1+self)
    fn ln_1p(self) -> Self {
        let grown = self.re * 2.0 + self.re * self.re + self.im * self.im;
        Self::new(grown.ln_1p() * 0.5, self.im.atan2(self.re + 1.0))
    }
    /// Of what does not point to the left.
    fn sqrt(self) -> Self {
        let norm = (self.re * self.re + self.im * self.im).sqrt();
        let re = ((norm + self.re) * 0.5).sqrt();
        Self::new(re, self.im / (re * 2.0))
    }
    fn norm(self) -> f64 {
        self.re.re.hypot(self.im.re)
    }
    fn coth(self) -> Self {
        let decay = self.scaled(-2.0).exp();
        Complex::one().plus(decay).over(Complex::one().minus(decay))
    }
    fn csch(self) -> Self {
        self.scaled(-1.0)
            .exp()
            .scaled(2.0)
            .over(Complex::one().minus(self.scaled(-2.0).exp()))
    }
    /// tanh(sqrt(self))/sqrt(self), by Lambert's continued fraction where the closed form loses digits.
    fn tanh_over_root(self) -> Self {
        if self.norm() > 1.0 {
            let root = self.sqrt();
            return root.coth().times(root).inverse();
        }
        (0..30)
            .rev()
            .fold(Complex::one(), |rest, k| {
                let odd = Complex::one().scaled(f64::from(2 * k + 1));
                if k == 29 { odd } else { odd.plus(self.over(rest)) }
            })
            .inverse()
    }
}

/// (jw)^n
fn power(omega: f64, n: Dual64) -> Complex {
    Complex::from_polar((n * omega.ln()).exp(), n * FRAC_PI_2)
}

/// The impedance of one element at one frequency; none where nobody has written it down.
pub(super) fn element(symbol: &str, p: &[Dual64], omega: f64) -> Option<Complex> {
    let zero = Dual64::from(0.0);
    let real = |value: Dual64| Complex::new(value, zero);
    // (jw tau)^n
    let relaxation = |tau: Dual64, n: Dual64| power(omega, n).scaled((tau.ln() * n).exp());
    let one = Dual64::from(1.0);
    Some(match symbol {
        "R" => real(p[0]),
        "L" => Complex::new(zero, p[0] * omega),
        "La" => power(omega, p[1]).scaled(p[0]),
        "C" => Complex::new(zero, -(p[0] * omega).recip()),
        "CPE" => power(omega, p[1]).scaled(p[0]).inverse(),
        "W" => Complex::new(p[0] / omega.sqrt(), -p[0] / omega.sqrt()),
        "Ws" => Complex::new(zero, p[1] * omega).tanh_over_root().scaled(p[0]),
        "Wo" => {
            let u = Complex::new(zero, p[1] * omega);
            real(p[0]).over(u.times(u.tanh_over_root()))
        }
        "Zarc" | "Art" => real(p[0]).over(Complex::one().plus(relaxation(p[1], p[2]))),
        "K" => real(p[0]).over(Complex::one().plus(relaxation(p[1], one))),
        "HN" => relaxation(p[1], p[2]).ln_1p().scaled(-p[3]).exp().scaled(p[0]),
        "G" => real(p[0]).over(Complex::one().plus(Complex::new(zero, p[1] * omega)).sqrt()),
        "Gs" => {
            let u = Complex::one().plus(Complex::new(zero, p[1] * omega)).sqrt();
            u.scaled(p[2]).coth().over(u).scaled(p[0])
        }
        "TLM" => {
            let (ion, e, sum) = (p[0], p[1], p[0] + p[1]);
            let admittance = real(p[2].recip()).plus(power(omega, p[4]).scaled(p[3]));
            let v = admittance.scaled(sum).sqrt();
            let across = Complex::one()
                .plus(v.csch().over(v).scaled(2.0))
                .scaled(ion * e / sum);
            across.plus(v.coth().over(v).scaled((ion * ion + e * e) / sum))
        }
        _ => return None,
    })
}

/// The impedance of a part of a circuit.
pub(super) fn node(circuit: &Circuit, part: &Node, parameters: &[Dual64], omega: f64) -> Complex {
    match part {
        Node::Series(children) => children
            .iter()
            .map(|child| node(circuit, child, parameters, omega))
            .reduce(Complex::plus)
            .unwrap(),
        Node::Parallel(children) => children
            .iter()
            .map(|child| node(circuit, child, parameters, omega).inverse())
            .reduce(Complex::plus)
            .unwrap()
            .inverse(),
        Node::Element(index) => {
            let part = &circuit.elements()[*index];
            let own = &parameters[part.first_parameter..part.first_parameter + part.kind.parameters.len()];
            element(part.kind.symbol, own, omega)
                .unwrap_or_else(|| panic!("no oracle for {}", part.kind.symbol))
        }
    }
}
