//! The elements that a circuit may contain, one family a file. Each element is one entry of its family's table.

mod constant_phase;
mod diffusion;
mod lumped;

use super::element::{ElementKind, Role, Scale, SymbolSpec};

static FAMILIES: &[&[ElementKind]] = &[lumped::ELEMENTS, constant_phase::ELEMENTS, diffusion::ELEMENTS];

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
    }
}

pub(super) const RESISTANCE: SymbolSpec = log("R", "ohm", 1e-9, 1e15, Role::Resistance);
pub(super) const TIME: SymbolSpec = log("tau", "s", 1e-12, 1e9, Role::Time);
pub(super) const EXPONENT: SymbolSpec = SymbolSpec {
    symbol: "n",
    unit: "1",
    lower: 0.3,
    upper: 1.0,
    scale: Scale::Linear,
    role: Role::Exponent,
};
