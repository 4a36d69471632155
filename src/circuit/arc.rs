//! Arcs: parallel groups of a resistance and a capacitance or CPE, which draw a half circle each.

use super::{Element, Node, Role};

/// A parallel group with one resistance and one capacitance or CPE, by indices into the parameter vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arc {
    /// The resistance.
    pub resistance: usize,
    /// The capacitance in F, or the CPE's Q in S s^n.
    pub capacitance: usize,
    /// The CPE's exponent; none for a capacitance.
    pub exponent: Option<usize>,
    /// Whether the group stands in the outermost series and consists of these two elements alone. Then two arcs
    /// of the same make can change places without changing the impedance.
    pub simple: bool,
}

impl Arc {
    /// ln of the time constant (R Q)^(1/n) in s.
    #[must_use]
    pub fn ln_tau(&self, parameters: &[f64]) -> f64 {
        let n = self.exponent.map_or(1.0, |index| parameters[index]);
        (parameters[self.resistance].ln() + parameters[self.capacitance].ln()) / n
    }

    /// The time constant (R Q)^(1/n) in s.
    #[must_use]
    pub fn tau_s(&self, parameters: &[f64]) -> f64 {
        self.ln_tau(parameters).exp()
    }

    /// Whether the two may change places.
    #[must_use]
    pub fn is_exchangeable_with(&self, other: &Self) -> bool {
        self.simple && other.simple && self.exponent.is_some() == other.exponent.is_some()
    }

    /// Its parameters: resistance, capacitance, and exponent where there is one.
    pub fn indices(&self) -> impl Iterator<Item = usize> {
        [self.resistance, self.capacitance]
            .into_iter()
            .chain(self.exponent)
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
        Node::Element(_) => {}
        Node::Series(children) => children
            .iter()
            .for_each(|child| collect(child, depth, elements, arcs)),
        Node::Parallel(children) => {
            arcs.extend(arc_of(children, depth, elements));
            children
                .iter()
                .for_each(|child| collect(child, depth + 1, elements, arcs));
        }
    }
}

fn arc_of(branches: &[Node], depth: usize, elements: &[Element]) -> Option<Arc> {
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
        capacitance: capacitive.first_parameter,
        exponent: (capacitive.kind.parameters.len() == 2).then_some(capacitive.first_parameter + 1),
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
