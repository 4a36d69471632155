//! Whether one circuit is a special case of another, and where it lies in the other's parameter range.
//!
//! Only what can be proved counts. A circuit is on the edge of another that has further elements: in series they
//! vanish as their impedance goes to zero, in parallel as it goes to infinity. So is C, which is a CPE with n = 1.
//! W is a CPE with n = 1/2, inside the range. A parameter held at an inner value, or tied to another, is inside too.

use super::Candidate;
use crate::circuit::{Circuit, Node, Scale};

/// More steps than this are not worth a comparison.
const MOST_STEPS: usize = 20_000;
/// The exponent at which a CPE is a Warburg element.
const WARBURG_EXPONENT: f64 = 0.5;

/// Where the smaller circuit lies in the parameter range of the larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Interior,
    Boundary,
}

/// What becomes of an element of the larger circuit in the smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is this element of the smaller one, of the same kind or of a special case.
    Element(usize),
    /// Its impedance goes to zero.
    Short,
    /// Its impedance goes to infinity.
    Open,
}

/// How a smaller circuit lies in a larger one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Nesting {
    pub place: Place,
    /// For each element of the larger circuit what it is in the smaller.
    pub origins: Vec<Origin>,
}

/// How `small` lies in `large`; none where it does not, or where that cannot be shown.
pub(super) fn find(small: &Candidate, large: &Candidate) -> Option<Nesting> {
    if small.circuit == large.circuit {
        return by_conditions(small, large);
    }
    if small.is_conditioned() || large.is_conditioned() {
        return None;
    }
    let mut search = Search {
        small: &small.circuit,
        large: &large.circuit,
        steps: 0,
    };
    let mut found = Vec::new();
    let matched = search.series(
        &refs(small.circuit.outer_series()),
        &refs(large.circuit.outer_series()),
        &mut found,
    );
    if !matched {
        return None;
    }
    let mut origins = vec![Origin::Short; large.circuit.elements().len()];
    for &(element, origin) in &found {
        origins[element] = origin;
    }
    let is_interior = found.iter().all(|&(element, origin)| match origin {
        Origin::Element(from) => {
            let symbols = (
                small.circuit.elements()[from].kind.symbol,
                large.circuit.elements()[element].kind.symbol,
            );
            symbols.0 == symbols.1 || symbols == ("W", "CPE")
        }
        Origin::Short | Origin::Open => false,
    });
    let place = if is_interior {
        Place::Interior
    } else {
        Place::Boundary
    };
    Some(Nesting { place, origins })
}

/// The same circuit, in which more is held or tied.
fn by_conditions(small: &Candidate, large: &Candidate) -> Option<Nesting> {
    let keeps = large.fixed.iter().all(|fixed| small.fixed.contains(fixed))
        && large.ties.iter().all(|tie| small.ties.contains(tie));
    if !keeps {
        return None;
    }
    let is_inner = |(name, value): &(String, f64)| {
        let index = small.circuit.parameter_index(name);
        index.is_some_and(|index| {
            let spec = &small.circuit.parameters()[index];
            spec.scale == Scale::Log || (*value > spec.lower && *value < spec.upper)
        })
    };
    let place = if small.fixed.iter().all(is_inner) {
        Place::Interior
    } else {
        Place::Boundary
    };
    Some(Nesting {
        place,
        origins: (0..large.circuit.elements().len()).map(Origin::Element).collect(),
    })
}

fn refs(nodes: &[Node]) -> Vec<&Node> {
    nodes.iter().collect()
}

type Found = Vec<(usize, Origin)>;

struct Search<'a> {
    small: &'a Circuit,
    large: &'a Circuit,
    steps: usize,
}

impl Search<'_> {
    fn series(&mut self, small: &[&Node], large: &[&Node], found: &mut Found) -> bool {
        self.group(small, large, &mut vec![false; large.len()], Origin::Short, found)
    }

    /// Whether each of `small` can be one of `large`; those that are left over vanish as `vanished` says.
    fn group(
        &mut self,
        small: &[&Node],
        large: &[&Node],
        taken: &mut Vec<bool>,
        vanished: Origin,
        found: &mut Found,
    ) -> bool {
        let Some((first, rest)) = small.split_first() else {
            for (node, _) in large.iter().zip(taken.iter()).filter(|(_, taken)| !**taken) {
                vanish(node, vanished, found);
            }
            return true;
        };
        if small.len() > taken.iter().filter(|taken| !**taken).count() {
            return false;
        }
        for index in 0..large.len() {
            self.steps += 1;
            if taken[index] || self.steps > MOST_STEPS {
                continue;
            }
            let before = found.len();
            taken[index] = true;
            if self.node(first, large[index], found) && self.group(rest, large, taken, vanished, found) {
                return true;
            }
            taken[index] = false;
            found.truncate(before);
        }
        false
    }

    fn node(&mut self, small: &Node, large: &Node, found: &mut Found) -> bool {
        match (small, large) {
            (Node::Element(from), Node::Element(to)) => {
                let fits = self.can_be(*from, *to);
                if fits {
                    found.push((*to, Origin::Element(*from)));
                }
                fits
            }
            (_, Node::Series(inner)) => {
                let own = match small {
                    Node::Series(own) => refs(own),
                    single => vec![single],
                };
                self.series(&own, &refs(inner), found)
            }
            (_, Node::Parallel(inner)) => {
                let own = match small {
                    Node::Parallel(own) => refs(own),
                    single => vec![single],
                };
                let inner = refs(inner);
                self.group(&own, &inner, &mut vec![false; inner.len()], Origin::Open, found)
            }
            (_, Node::Element(_)) => false,
        }
    }

    /// Whether an element is of the same kind as the other, or of a special case of it.
    fn can_be(&self, from: usize, to: usize) -> bool {
        let (from, to) = (&self.small.elements()[from], &self.large.elements()[to]);
        match (from.kind.symbol, to.kind.symbol) {
            (same, other) if same == other => true,
            ("C", "CPE") => true,
            ("W", "CPE") => {
                let exponent = &self.large.parameters()[to.first_parameter + 1];
                exponent.lower < WARBURG_EXPONENT && WARBURG_EXPONENT < exponent.upper
            }
            _ => false,
        }
    }
}

fn vanish(node: &Node, how: Origin, found: &mut Found) {
    match node {
        Node::Element(index) => found.push((*index, how)),
        Node::Series(children) | Node::Parallel(children) => {
            children.iter().for_each(|child| vanish(child, how, found));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(small: &str, large: &str) -> Option<Place> {
        let parse = |text| Candidate::parse(text).unwrap();
        find(&parse(small), &parse(large)).map(|nesting| nesting.place)
    }

    #[test]
    fn a_further_element_or_a_cpe_for_a_capacitance_lies_on_the_boundary() {
        for (small, large) in [
            ("R0-p(R1,CPE1)", "R0-p(R1,CPE1)-p(R2,CPE2)"),
            ("R0-p(R1,CPE1)", "R0-p(R1,CPE1)-W1"),
            ("R0-p(R1,C1)", "R0-p(R1,CPE1)"),
            ("R0-p(R1,C1)", "R0-p(R1,CPE1)-p(R2,CPE2)"),
            ("R0-p(R1,CPE1)", "R0-p(R1-W1,CPE1)"),
            ("R0-CPE1", "R0-p(R1,CPE1)"),
            ("R0-p(R1,CPE1)-W1", "R0-p(R1,CPE1)-p(R2,CPE2)"),
            ("R0-p(R1,CPE1)", "L0-R0-p(CPE1,R1)"),
        ] {
            assert_eq!(place(small, large), Some(Place::Boundary), "{small} in {large}");
        }
    }

    #[test]
    fn warburg_in_place_of_a_cpe_and_inner_conditions_lie_inside() {
        for (small, large) in [
            ("R0-p(R1,CPE1)-W1", "R0-p(R1,CPE1)-CPE2"),
            ("R0-p(R1,CPE1); CPE1.n=0.9", "R0-p(R1,CPE1)"),
            (
                "R0-p(R1,CPE1)-p(R2,CPE2); CPE2.n=CPE1.n",
                "R0-p(R1,CPE1)-p(R2,CPE2)",
            ),
            ("R0-p(R1,CPE1); R0=5; CPE1.n=0.9", "R0-p(R1,CPE1); R0=5"),
        ] {
            assert_eq!(place(small, large), Some(Place::Interior), "{small} in {large}");
        }
        assert_eq!(
            place("R0-p(R1,CPE1); CPE1.n=1", "R0-p(R1,CPE1)"),
            Some(Place::Boundary),
            "a bound is no inner value"
        );
    }

    #[test]
    fn what_cannot_be_shown_is_not_claimed() {
        for (small, large) in [
            ("R0-p(R1,CPE1)-W1", "R0-p(R1,CPE1)-Wo1"),
            ("R0-p(R1,CPE1)-p(R2,CPE2)", "R0-p(R1,CPE1)"),
            ("R0-p(R1,CPE1); R0=5", "R0-p(R1,CPE1)-W1"),
            ("R0-p(R1,CPE1); R0=5", "R0-p(R1,CPE1); R0=6"),
            ("R0-p(R1,CPE1)-Wo1", "R0-p(R1,CPE1)-p(R2,CPE2)-C3"),
        ] {
            assert_eq!(place(small, large), None, "{small} in {large}");
        }
    }

    #[test]
    fn the_elements_of_the_larger_circuit_are_traced_to_the_smaller() {
        let parse = |text| Candidate::parse(text).unwrap();
        let nesting = find(&parse("p(R1,C1)-R0"), &parse("R0-p(R1,CPE1)-p(R2,CPE2)")).unwrap();
        assert_eq!(
            nesting.origins,
            [
                Origin::Element(2),
                Origin::Element(0),
                Origin::Element(1),
                Origin::Short,
                Origin::Short
            ]
        );
    }

    #[test]
    fn a_circuit_of_very_many_equal_elements_ends_the_search() {
        let many = |count: usize, last: &str| {
            let series: Vec<String> = (0..count).map(|i| format!("p(R{i},C{i})")).collect();
            format!("{}-{last}", series.join("-"))
        };
        assert_eq!(place(&many(20, "W1"), &many(25, "L0")), None);
    }
}
