//! A circuit's outer series as terms: each a size times a shape.

use crate::circuit::{ArcShape, Circuit, ElementKind, Grid, Node, Role, Scale, elements};

/// Where a parameter may lie, in natural units. One that is held has equal limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Least value.
    pub lower: f64,
    /// Largest value.
    pub upper: f64,
    /// Where the user wants the search for it to start.
    pub start: Option<f64>,
}

impl Limit {
    /// The value that the user has settled, if only as a start.
    fn settled(&self) -> Option<f64> {
        self.start.or((self.lower == self.upper).then_some(self.lower))
    }
}

/// How far beyond the time constants that the measured frequencies show a time constant is looked for, in ln.
const BEYOND: f64 = 4.6;

/// One of the numbers that make a shape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dimension {
    pub role: Role,
    /// Whether the number is the logarithm of its parameter.
    pub logarithmic: bool,
    pub lower: f64,
    pub upper: f64,
}

impl Dimension {
    pub fn is_held(&self) -> bool {
        self.lower >= self.upper
    }

    pub fn natural(&self, coordinate: f64) -> f64 {
        if self.logarithmic {
            coordinate.exp()
        } else {
            coordinate
        }
    }
}

/// A term whose impedance at unit size is that of one element.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    /// The element that has this shape: for a resistance beside a CPE a Zarc.
    pub kind: &'static ElementKind,
    pub dimensions: Vec<Dimension>,
    /// Whether it is a resistance beside a capacitance or CPE, by its parameters: R, Q, and perhaps n.
    parallel: bool,
}

/// One term of the outer series.
#[derive(Clone, Debug)]
pub(super) struct Term<'a> {
    pub node: &'a Node,
    /// All its parameters. Where it has a [`Unit`], the first is its size, and the others follow in the order of
    /// the unit's dimensions.
    pub parameters: Vec<usize>,
    /// None for a group that is nested, or has several sizes.
    pub unit: Option<Unit>,
    /// Its size, where the user has settled it.
    pub held_size: Option<f64>,
    /// What the user has settled of its parameters.
    pub settled: Vec<Option<f64>>,
    pub is_arc: bool,
}

pub(super) fn terms<'a>(circuit: &'a Circuit, limits: &[Limit], grid: &Grid) -> Vec<Term<'a>> {
    circuit
        .outer_series()
        .iter()
        .map(|node| {
            let mut term = match node {
                Node::Element(index) => element_term(circuit, node, *index, limits, grid),
                _ => group_term(circuit, node, limits, grid),
            };
            term.settled = term
                .parameters
                .iter()
                .map(|&index| limits[index].settled())
                .collect();
            term
        })
        .collect()
}

fn element_term<'a>(
    circuit: &'a Circuit,
    node: &'a Node,
    index: usize,
    limits: &[Limit],
    grid: &Grid,
) -> Term<'a> {
    let element = &circuit.elements()[index];
    let parameters: Vec<usize> =
        (element.first_parameter..element.first_parameter + element.kind.parameters.len()).collect();
    let one_size = element.kind.parameters[1..]
        .iter()
        .all(|symbol| !is_size(symbol.role));
    let dimensions = element.kind.parameters[1..]
        .iter()
        .zip(&parameters[1..])
        .map(|(symbol, &index)| dimension(symbol.role, symbol.scale, Some(&limits[index]), grid))
        .collect();
    let first_role = element.kind.parameters[0].role;
    Term {
        node,
        held_size: limits[parameters[0]]
            .settled()
            .map(|value| {
                if first_role == Role::Admittance {
                    value.recip()
                } else {
                    value
                }
            })
            .filter(|_| one_size),
        unit: one_size.then_some(Unit {
            kind: element.kind,
            dimensions,
            parallel: false,
        }),
        is_arc: element.kind.draws_arc,
        settled: Vec::new(),
        parameters,
    }
}

fn group_term<'a>(circuit: &'a Circuit, node: &'a Node, limits: &[Limit], grid: &Grid) -> Term<'a> {
    let mut own = Vec::new();
    collect(circuit, node, &mut own);
    let arc = circuit
        .arcs()
        .iter()
        .find(|arc| arc.simple && arc.indices().all(|index| own.contains(&index)))
        .filter(|arc| matches!(arc.shape, ArcShape::Parallel { .. }));
    let Some(arc) = arc else {
        return Term {
            node,
            parameters: own,
            unit: None,
            held_size: None,
            is_arc: false,
            settled: Vec::new(),
        };
    };
    let parameters: Vec<usize> = arc.indices().collect();
    let kind = relaxation(arc.has_exponent());
    let settled: Vec<Option<f64>> = parameters.iter().map(|&index| limits[index].settled()).collect();
    let exponent = parameters.get(2).map(|&index| &limits[index]);
    let mut time = dimension(Role::Time, Scale::Log, None, grid);
    if let [Some(r), Some(q), rest @ ..] = settled.as_slice()
        && let Some(n) = rest.first().copied().unwrap_or(Some(1.0))
    {
        let ln_tau = (r.ln() + q.ln()) / n;
        (time.lower, time.upper) = (ln_tau, ln_tau);
    }
    let dimensions = std::iter::once(time)
        .chain(exponent.map(|limit| dimension(Role::Exponent, Scale::Linear, Some(limit), grid)))
        .collect();
    Term {
        node,
        held_size: settled[0],
        unit: Some(Unit {
            kind,
            dimensions,
            parallel: true,
        }),
        parameters,
        is_arc: true,
        settled: Vec::new(),
    }
}

/// The element that is a depressed arc, or one of a single time constant.
pub(super) fn relaxation(depressed: bool) -> &'static ElementKind {
    static KINDS: std::sync::LazyLock<[&'static ElementKind; 2]> = std::sync::LazyLock::new(|| {
        let kind = |symbol: &str| elements::all().find(|kind| kind.symbol == symbol);
        match (kind("K"), kind("Zarc")) {
            (Some(single), Some(depressed)) => [single, depressed],
            _ => unreachable!("the table of elements has K and Zarc"),
        }
    });
    KINDS[usize::from(depressed)]
}

fn collect(circuit: &Circuit, node: &Node, own: &mut Vec<usize>) {
    match node {
        Node::Element(index) => {
            let element = &circuit.elements()[*index];
            own.extend(element.first_parameter..element.first_parameter + element.kind.parameters.len());
        }
        Node::Series(children) | Node::Parallel(children) => {
            children.iter().for_each(|child| collect(circuit, child, own));
        }
    }
}

fn dimension(role: Role, scale: Scale, limit: Option<&Limit>, grid: &Grid) -> Dimension {
    let logarithmic = scale == Scale::Log;
    let (mut lower, mut upper) = (f64::NEG_INFINITY, f64::INFINITY);
    if let Some(limit) = limit {
        let settled = limit.settled();
        let scaled = |value: f64| if logarithmic { value.ln() } else { value };
        lower = scaled(settled.unwrap_or(limit.lower));
        upper = scaled(settled.unwrap_or(limit.upper));
    }
    if role == Role::Time && lower < upper {
        let (fastest, slowest) = time_window(grid);
        let (low, high) = (fastest - BEYOND, slowest + BEYOND);
        if low < upper && high > lower {
            (lower, upper) = (lower.max(low), upper.min(high));
        }
    }
    Dimension {
        role,
        logarithmic,
        lower,
        upper,
    }
}

/// ln of the shortest and longest time constants that the measured frequencies show, with half a unit to spare.
pub(super) fn time_window(grid: &Grid) -> (f64, f64) {
    let slowest = grid.ln_omega.iter().copied().fold(f64::INFINITY, f64::min);
    let fastest = grid.ln_omega.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (-fastest - 0.5, -slowest + 0.5)
}

/// Whether |Z| of an element is proportional to the parameter or to its inverse.
pub(super) fn is_size(role: Role) -> bool {
    matches!(
        role,
        Role::Resistance | Role::Inductance | Role::Impedance | Role::Admittance
    )
}

impl Term<'_> {
    /// Whether its place on the frequency axis is to be found.
    pub fn has_free_time(&self) -> bool {
        match &self.unit {
            Some(unit) => unit
                .dimensions
                .iter()
                .any(|d| d.role == Role::Time && !d.is_held()),
            None => true,
        }
    }

    /// Whether the two may be exchanged for each other without a difference.
    pub fn is_exchangeable_with(&self, other: &Self) -> bool {
        match (&self.unit, &other.unit) {
            (Some(mine), Some(theirs)) => {
                mine.kind == theirs.kind
                    && mine.dimensions == theirs.dimensions
                    && self.held_size == other.held_size
            }
            _ => false,
        }
    }

    /// Shape of given parameters, for a term that has a unit.
    pub fn shape_of(&self, parameters: &[f64]) -> Vec<f64> {
        let Some(unit) = &self.unit else { return Vec::new() };
        let own = |place: usize| parameters[self.parameters[place]];
        unit.dimensions
            .iter()
            .enumerate()
            .map(|(place, dimension)| {
                let value = if unit.parallel && place == 0 {
                    let n = if self.parameters.len() > 2 { own(2) } else { 1.0 };
                    (own(0).ln() + own(1).ln()) / n
                } else if dimension.logarithmic {
                    own(place + 1).ln()
                } else {
                    own(place + 1)
                };
                let middle = 0.5 * (dimension.lower + dimension.upper);
                let value = if value.is_finite() { value } else { middle };
                value.clamp(dimension.lower, dimension.upper)
            })
            .collect()
    }

    /// The parameters at unit size, in the order of [`Term::parameters`], for a term that has a unit.
    pub fn unit_parameters(&self, shape: &[f64]) -> Vec<f64> {
        let Some(unit) = &self.unit else { return Vec::new() };
        let mut values = vec![1.0];
        values.extend(
            unit.dimensions
                .iter()
                .zip(shape)
                .map(|(d, &value)| d.natural(value)),
        );
        if unit.parallel {
            let n = shape.get(1).copied().unwrap_or(1.0);
            values[1] = (n * shape[0]).exp();
        }
        values
    }

    /// Writes the parameters of this size: `unit` are those of size 1.
    pub fn write(&self, circuit: &Circuit, unit: &[f64], size: f64, parameters: &mut [f64]) {
        for (&index, &value) in self.parameters.iter().zip(unit) {
            parameters[index] = match circuit.parameters()[index].role {
                Role::Resistance | Role::Inductance | Role::Impedance => value * size,
                Role::Admittance => value / size,
                Role::Exponent | Role::Time | Role::Ratio => value,
            };
        }
    }
}
