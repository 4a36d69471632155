//! Equivalent circuits: grammar, elements, and evaluation with exact derivatives.
