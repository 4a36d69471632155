//! Complex nonlinear least squares (CNLS): a circuit's parameters from a spectrum.

pub mod result;

pub use result::{FitResult, Parameter, Sum, Weight};
