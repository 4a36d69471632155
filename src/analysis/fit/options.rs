//! What a fit is asked to do, and why it may refuse.

use thiserror::Error;

use crate::circuit::Circuit;
use crate::units::typed;

use super::identity::ArcForecast;
use super::result::Weight;

/// When starts of the program's own are tried beside those given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColdStarts {
    /// Where no start is given, or where the given ones end far above the expected residual (see
    /// [`FitOptions::expected_reduced_chi_squared`]; without it, where the residuals are plainly not noise).
    #[default]
    IfPoor,
    /// Always.
    Always,
    /// Only where no start is given. A given start that ends with more than noise left still gets a second opinion:
    /// the same circuit's sizes from the data and its terms put elsewhere, starting from what was given.
    Never,
}

/// What a fit is asked to do. The default asks for everything that needs no opinion.
#[derive(Clone, Debug, PartialEq)]
pub struct FitOptions {
    /// How residuals are weighted.
    pub weight: Weight,
    /// A full parameter vector to start from, such as the optimum of the last sweep. The arcs of the result keep
    /// the names that they have here.
    pub start: Option<Vec<f64>>,
    /// Further full vectors to start from, such as the optimum of the points so far; they name no arcs.
    pub also_start: Vec<Vec<f64>>,
    /// Start values of single parameters; the others are guessed. An arc with such a value keeps its name.
    pub named_start: Vec<(String, f64)>,
    /// Parameters held at a value.
    pub fixed: Vec<(String, f64)>,
    /// Pairs of parameters of which the first has the value of the second.
    pub ties: Vec<(String, String)>,
    /// Name, lower and upper bound.
    pub bounds: Vec<(String, f64, f64)>,
    /// Sums to report beside those of all arcs and of all resistances, such as `R1+R2`.
    pub sums: Vec<String>,
    /// Whether points far from the rest are made to count less, or not at all (see [`super::result::Robust`]).
    pub robust: bool,
    /// Where the arcs of this cell are expected, which decides how arcs are named. Without it, the arcs keep
    /// their places in `start`, or are named in the order of their time constants where there is no start.
    pub arcs: Option<ArcForecast>,
    /// When starts of the program's own are tried.
    pub cold: ColdStarts,
    /// The reduced chi-squared that a good fit should reach, such as that of the last sweep.
    pub expected_reduced_chi_squared: Option<f64>,
    /// Most evaluations of model and derivatives in one full search.
    pub max_evaluations: usize,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            weight: Weight::default(),
            start: None,
            also_start: Vec::new(),
            named_start: Vec::new(),
            fixed: Vec::new(),
            ties: Vec::new(),
            bounds: Vec::new(),
            sums: Vec::new(),
            robust: false,
            arcs: None,
            cold: ColdStarts::default(),
            expected_reduced_chi_squared: None,
            max_evaluations: 300,
        }
    }
}

impl FitOptions {
    /// Whether the options make sense for a circuit: names that it has, values within the range of their parameters,
    /// no contradictions. A fit refuses the same, but cuts bounds that reach beyond a range.
    ///
    /// # Errors
    /// Says what does not.
    pub fn check(&self, circuit: &Circuit) -> Result<(), FitError> {
        super::problem::check(circuit, self)
    }

    /// Options for a refit from a known optimum.
    #[must_use]
    pub fn warm(start: Vec<f64>) -> Self {
        Self {
            start: Some(start),
            ..Self::default()
        }
    }
}

/// Why there is no fit.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum FitError {
    /// Fewer numbers than parameters.
    #[error("{used} usable points cannot determine the circuit's parameters; at least {needed} are needed")]
    TooFewPoints {
        /// Usable points.
        used: usize,
        /// The least that gives more numbers than free parameters.
        needed: usize,
    },
    /// Fewer numbers than a comparison with other circuits needs: information criteria do not exist for so few.
    #[error(
        "{used} usable points are too few to rank a circuit with {free} free parameters; at least {needed} are needed"
    )]
    TooFewToRank {
        /// Usable points.
        used: usize,
        /// Free parameters.
        free: usize,
        /// The least that gives two numbers more than free parameters.
        needed: usize,
    },
    /// A name that the circuit does not have.
    #[error("the circuit has no parameter {name}; it has {known}")]
    UnknownParameter {
        /// The name.
        name: String,
        /// All names.
        known: String,
    },
    /// A start vector of another circuit.
    #[error("a start has {given} values, but the circuit has {needed} parameters")]
    StartLength {
        /// Values given.
        given: usize,
        /// Parameters of the circuit.
        needed: usize,
    },
    /// Not a number, or outside of the parameter's own range.
    #[error("{name} = {} is impossible: it must be {allowed}", typed(*value))]
    ImpossibleValue {
        /// The parameter.
        name: String,
        /// The value.
        value: f64,
        /// Its range in words.
        allowed: String,
    },
    /// Bounds that reach beyond the parameter's own range.
    #[error(
        "the bounds {} to {} of {name} reach beyond its range: it must be {allowed}",
        typed(*lower),
        typed(*upper)
    )]
    BoundsOutsideRange {
        /// The parameter.
        name: String,
        /// Lower bound.
        lower: f64,
        /// Upper bound.
        upper: f64,
        /// Its range in words.
        allowed: String,
    },
    /// A tie that says nothing.
    #[error("{name} is tied to itself; name another parameter")]
    TiedToItself {
        /// The parameter.
        name: String,
    },
    /// A tie that closes a circle, or says again what other ties say.
    #[error("{name} = {to} says nothing: other ties make them equal already; leave one of these ties out")]
    TiedAlready {
        /// The first parameter.
        name: String,
        /// The second parameter.
        to: String,
    },
    /// A parameter that is held where its bounds do not let it be.
    #[error(
        "{name} is held at {}, outside its bounds {} to {}; change one of them",
        typed(*value),
        typed(*lower),
        typed(*upper)
    )]
    HeldOutsideBounds {
        /// The parameter.
        name: String,
        /// The value.
        value: f64,
        /// Lower bound.
        lower: f64,
        /// Upper bound.
        upper: f64,
    },
    /// A tie between parameters of different kinds.
    #[error("{name} in {unit} cannot be tied to {to} in {to_unit}; tie parameters of one unit")]
    UnequalTie {
        /// The first parameter.
        name: String,
        /// Its unit.
        unit: &'static str,
        /// The second parameter.
        to: String,
        /// Its unit.
        to_unit: &'static str,
    },
    /// Tied parameters that are held at different values.
    #[error(
        "{name} is tied to {to}, but they are held at {} and {}; hold one of them",
        typed(*value),
        typed(*to_value)
    )]
    ContradictoryTie {
        /// The first parameter.
        name: String,
        /// Its value.
        value: f64,
        /// The second parameter.
        to: String,
        /// Its value.
        to_value: f64,
    },
    /// Bounds that hold nothing.
    #[error(
        "the bounds {} to {} of {name} hold no possible value; the lower one must be the smaller",
        typed(*lower),
        typed(*upper)
    )]
    EmptyBounds {
        /// The parameter.
        name: String,
        /// Lower bound.
        lower: f64,
        /// Upper bound.
        upper: f64,
    },
    /// The user's start lies outside the user's bounds.
    #[error(
        "the start {name} = {} lies outside its bounds {} to {}; change one of them",
        typed(*value),
        typed(*lower),
        typed(*upper)
    )]
    StartOutsideBounds {
        /// The parameter.
        name: String,
        /// The start value.
        value: f64,
        /// Lower bound.
        lower: f64,
        /// Upper bound.
        upper: f64,
    },
    /// A shared parameter that is held.
    #[error("{name} is held at a value, so that it cannot be shared; do one or the other")]
    SharedAndHeld {
        /// The parameter.
        name: String,
    },
    /// A parameter that is shared in two ways.
    #[error("{name} is shared twice, by itself or through a tie; name it once")]
    SharedTwice {
        /// The parameter.
        name: String,
    },
    /// Bounds of a parameter that follows an activation energy would hold at one temperature and not at another.
    #[error(
        "{name} follows an activation energy through the series and cannot have bounds; do one or the other"
    )]
    ActivatedAndBounded {
        /// The parameter.
        name: String,
    },
    /// The robust loss judges points of one spectrum.
    #[error("the robust loss works on single spectra; fit the series without it")]
    RobustJointly,
    /// An exponent cannot be activated.
    #[error("{name} is no scale parameter, so that it has no activation energy; share it as one value")]
    NotActivated {
        /// The parameter.
        name: String,
    },
    /// Another number of temperatures than of spectra.
    #[error("{given} temperatures were given for {needed} spectra; give one for each, in their order")]
    TemperatureCount {
        /// Temperatures given.
        given: usize,
        /// Spectra.
        needed: usize,
    },
    /// Not a temperature.
    #[error("{temperature_k} K is no temperature; give kelvin above 0")]
    ImpossibleTemperature {
        /// The value.
        temperature_k: f64,
    },
    /// One temperature tells nothing of an activation energy.
    #[error("the temperatures span less than 1 K; an activation energy needs a wider range")]
    NoTemperatureSpan,
    /// A series needs spectra.
    #[error("a joint fit needs at least two spectra; {given} given")]
    TooFewSpectra {
        /// Spectra given.
        given: usize,
    },
    /// One spectrum of a series cannot be fitted.
    #[error("spectrum {number}: {source}")]
    OfSpectrum {
        /// Its place in the series, from 1.
        number: usize,
        /// Why.
        source: Box<FitError>,
    },
    /// A weight by known errors, and a point without one.
    #[error(
        "point {index} at {frequency_hz} Hz has no standard error, which the weight sigma needs; give one for \
         every point, leave the point out, or choose another weight"
    )]
    NoSigma {
        /// The point's place in the spectrum, from 0.
        index: usize,
        /// Its frequency.
        frequency_hz: f64,
    },
    /// A standard error that nothing can be divided by.
    #[error(
        "point {index} at {frequency_hz} Hz has the standard error {sigma} ohm; it must be a finite number above \
         zero"
    )]
    ImpossibleSigma {
        /// The point's place in the spectrum, from 0.
        index: usize,
        /// Its frequency.
        frequency_hz: f64,
        /// The standard error in ohm.
        sigma: f64,
    },
    /// No start gives a finite impedance.
    #[error("the circuit has no finite impedance at any start; check fixed values and bounds")]
    NoFiniteModel,
}

impl FitError {
    /// Whether the request is wrong by itself, whatever the data.
    #[must_use]
    pub fn is_of_the_request(&self) -> bool {
        match self {
            Self::TooFewPoints { .. }
            | Self::TooFewToRank { .. }
            | Self::TemperatureCount { .. }
            | Self::TooFewSpectra { .. }
            | Self::NoSigma { .. }
            | Self::ImpossibleSigma { .. }
            | Self::NoFiniteModel => false,
            Self::OfSpectrum { source, .. } => source.is_of_the_request(),
            _ => true,
        }
    }

    /// That a circuit has no parameter of that name.
    pub(super) fn unknown_parameter(circuit: &Circuit, name: &str) -> Self {
        Self::UnknownParameter {
            name: name.to_owned(),
            known: circuit
                .parameters()
                .iter()
                .map(|spec| spec.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}
