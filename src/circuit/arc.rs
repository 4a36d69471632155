//! Arcs, which draw a half circle each: parallel groups of a resistance and a capacitance or CPE, and elements
//! that are arcs by themselves (Zarc, K, HN, Art).

use super::{Element, ElementKind, Node, Role};

/// An arc, by indices into the parameter vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arc {
    /// The resistance: the width of the arc on the real axis.
    pub resistance: usize,
    /// What gives it its time constant.
    pub shape: ArcShape,
    /// Whether it stands in the outermost series and, where it is a group, consists of two elements alone. Then
    /// two arcs of the same make can change places without changing the impedance.
    pub simple: bool,
}

/// What gives an arc its time constant, by indices into the parameter vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArcShape {
    /// A capacitance or CPE beside the resistance.
    Parallel {
        /// The capacitance in F, or the CPE's Q in S s^n.
        capacitance: usize,
        /// The CPE's exponent; none for a capacitance.
        exponent: Option<usize>,
    },
    /// One element, whose parameters are the resistance, the time constant, and exponents.
    Element {
        /// Which.
        kind: &'static ElementKind,
        /// The time constant in s.
        time: usize,
    },
}

impl Arc {
    /// ln of the time constant in s: (R Q)^(1/n), or the element's own.
    #[must_use]
    pub fn ln_tau(&self, parameters: &[f64]) -> f64 {
        match self.shape {
            ArcShape::Parallel {
                capacitance,
                exponent,
            } => {
                let n = exponent.map_or(1.0, |index| parameters[index]);
                (parameters[self.resistance].ln() + parameters[capacitance].ln()) / n
            }
            ArcShape::Element { time, .. } => parameters[time].ln(),
        }
    }

    /// The time constant in s.
    #[must_use]
    pub fn tau_s(&self, parameters: &[f64]) -> f64 {
        self.ln_tau(parameters).exp()
    }

    /// Whether the arc may be depressed, so that it has an exponent.
    #[must_use]
    pub fn has_exponent(&self) -> bool {
        match &self.shape {
            ArcShape::Parallel { exponent, .. } => exponent.is_some(),
            ArcShape::Element { kind, .. } => kind.parameters.len() > 2,
        }
    }

    /// Writes the parameters of an arc of that resistance, time constant and exponent, if it has one. A second
    /// exponent becomes 1: the arc is not skewed.
    pub fn place(&self, parameters: &mut [f64], resistance_ohm: f64, tau_s: f64, exponent: f64) {
        let n = if self.has_exponent() { exponent } else { 1.0 };
        let second = match self.shape {
            ArcShape::Parallel { .. } => tau_s.powf(n) / resistance_ohm,
            ArcShape::Element { .. } => tau_s,
        };
        for (index, value) in self.indices().zip([resistance_ohm, second, n, 1.0]) {
            parameters[index] = value;
        }
    }

    /// Whether the two may change places.
    #[must_use]
    pub fn is_exchangeable_with(&self, other: &Self) -> bool {
        let same_make = match (&self.shape, &other.shape) {
            (ArcShape::Element { kind: mine, .. }, ArcShape::Element { kind: theirs, .. }) => mine == theirs,
            (ArcShape::Parallel { .. }, ArcShape::Parallel { .. }) => {
                self.has_exponent() == other.has_exponent()
            }
            _ => false,
        };
        self.simple && other.simple && same_make
    }

    /// Its parameters: resistance, capacitance or time constant, and exponents where there are any.
    pub fn indices(&self) -> impl Iterator<Item = usize> + use<> {
        let (second, rest) = match self.shape {
            ArcShape::Parallel {
                capacitance,
                exponent,
            } => (capacitance, exponent.map_or(0..0, |index| index..index + 1)),
            ArcShape::Element { kind, time } => (time, time + 1..self.resistance + kind.parameters.len()),
        };
        [self.resistance, second].into_iter().chain(rest)
    }
}

pub(super) fn find(root: &Node, elements: &[Element]) -> Vec<Arc> {
    let mut arcs = Vec::new();
    collect(root, 0, elements, &mut arcs);
    arcs
}

/// `depth` counts the parallel groups around the node.
fn collect(node: &Node, depth: usize, elements: &[Element], arcs: &mut Vec<Arc>) {
    match node {
        Node::Element(index) => arcs.extend(arc_of_element(&elements[*index], depth)),
        Node::Series(children) => children
            .iter()
            .for_each(|child| collect(child, depth, elements, arcs)),
        Node::Parallel(children) => {
            arcs.extend(arc_of_group(children, depth, elements));
            children
                .iter()
                .for_each(|child| collect(child, depth + 1, elements, arcs));
        }
    }
}

fn arc_of_element(element: &Element, depth: usize) -> Option<Arc> {
    element.kind.draws_arc.then_some(Arc {
        resistance: element.first_parameter,
        shape: ArcShape::Element {
            kind: element.kind,
            time: element.first_parameter + 1,
        },
        simple: depth == 0,
    })
}

fn arc_of_group(branches: &[Node], depth: usize, elements: &[Element]) -> Option<Arc> {
    let [first, second] = branches else { return None };
    let (capacitive, other) = if is_capacitive(first, elements) {
        (first, second)
    } else {
        (second, first)
    };
    let Node::Element(capacitive) = capacitive else {
        return None;
    };
    let capacitive = &elements[*capacitive];
    if !is_admittance(capacitive) {
        return None;
    }
    // A charge transfer resistance in series with diffusion is an arc too, if not one that can change places.
    let resistance = match other {
        Node::Element(index) => Some(*index).filter(|&index| is_resistance(&elements[index])),
        Node::Series(children) => children.iter().find_map(|child| match child {
            Node::Element(index) if is_resistance(&elements[*index]) => Some(*index),
            _ => None,
        }),
        Node::Parallel(_) => None,
    }?;
    Some(Arc {
        resistance: elements[resistance].first_parameter,
        shape: ArcShape::Parallel {
            capacitance: capacitive.first_parameter,
            exponent: (capacitive.kind.parameters.len() == 2).then_some(capacitive.first_parameter + 1),
        },
        simple: depth == 0 && matches!(other, Node::Element(_)),
    })
}

fn is_capacitive(node: &Node, elements: &[Element]) -> bool {
    matches!(node, Node::Element(index) if is_admittance(&elements[*index]))
}

fn is_admittance(element: &Element) -> bool {
    element.kind.parameters[0].role == Role::Admittance
}

fn is_resistance(element: &Element) -> bool {
    element.kind.parameters[0].role == Role::Resistance
}
