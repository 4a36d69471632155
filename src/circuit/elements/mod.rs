//! The elements that a circuit may contain, one family a file. Each element is one entry of its family's table.

mod constant_phase;
mod diffusion;
mod gerischer;
mod hyperbolic;
mod inductor;
mod lumped;
mod relaxation;
mod transmission_line;

use super::element::{ElementKind, Role, Scale, SymbolSpec};

static FAMILIES: &[&[ElementKind]] = &[
    lumped::ELEMENTS,
    inductor::ELEMENTS,
    constant_phase::ELEMENTS,
    diffusion::ELEMENTS,
    relaxation::ELEMENTS,
    gerischer::ELEMENTS,
    transmission_line::ELEMENTS,
];

/// All elements.
pub fn all() -> impl Iterator<Item = &'static ElementKind> {
    FAMILIES.iter().copied().flatten()
}

pub(super) const fn log(
    symbol: &'static str,
    unit: &'static str,
    lower: f64,
    upper: f64,
    role: Role,
) -> SymbolSpec {
    SymbolSpec {
        symbol,
        unit,
        lower,
        upper,
        scale: Scale::Log,
        role,
        may_be_zero: false,
        may_be_infinite: false,
    }
}

pub(super) const fn exponent(symbol: &'static str, lower: f64) -> SymbolSpec {
    SymbolSpec {
        scale: Scale::Linear,
        ..log(symbol, "1", lower, 1.0, Role::Exponent)
    }
}

pub(super) const RESISTANCE: SymbolSpec = log("R", "ohm", 1e-9, 1e15, Role::Resistance);
/// The resistance of an element whose impedance is a multiple of it.
pub(super) const SIZE: SymbolSpec = log("R", "ohm", 1e-9, 1e15, Role::Impedance);
pub(super) const TIME: SymbolSpec = log("tau", "s", 1e-12, 1e9, Role::Time);
pub(super) const EXPONENT: SymbolSpec = exponent("n", 0.3);
