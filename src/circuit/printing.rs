//! Writes a circuit in either notation.

use std::fmt;

use super::grammar::{Join, Notation};
use super::{Circuit, Element, NoLetter, Node};

impl fmt::Display for Circuit {
    /// The `R0-p(R1,CPE1)-W1` notation, whichever was read.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(&self.root, out)
    }
}

impl Circuit {
    /// The circuit in Boukamp's notation: `R(RQ)W` where the elements have the numbers that they are counted to
    /// anyway, `R1(R2Q7)W1` otherwise. It reads back as the same circuit.
    ///
    /// # Errors
    /// Where an element has no letter there, such as a Zarc.
    pub fn to_boukamp(&self) -> Result<String, NoLetter> {
        let numbered = !self.is_numbered_as_counted();
        let mut out = String::new();
        self.write_boukamp(&self.root, Join::Series, numbered, &mut out)?;
        Ok(out)
    }

    /// In which notation the circuit was written.
    #[must_use]
    pub fn notation(&self) -> Notation {
        self.notation
    }

    /// How the letters of Boukamp's notation were read that stand for an element of another symbol, once each:
    /// `O read as Ws: diffusion to a transmitting end ...`. Empty where no such letter was written.
    #[must_use]
    pub fn echo(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.notation == Notation::WrittenOut {
            return lines;
        }
        for Element { kind, .. } in &self.elements {
            if let Some(letter) = kind.letter.filter(|letter| kind.symbol != letter.to_string()) {
                let line = format!("{letter} read as {}: {}", kind.symbol, kind.description);
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
        lines
    }

    fn write(&self, node: &Node, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (children, separator) = match node {
            Node::Element(index) => return out.write_str(&self.elements[*index].name),
            Node::Series(children) => (children, "-"),
            Node::Parallel(children) => {
                out.write_str("p(")?;
                (children, ",")
            }
        };
        for (index, child) in children.iter().enumerate() {
            if index > 0 {
                out.write_str(separator)?;
            }
            self.write(child, out)?;
        }
        if matches!(node, Node::Parallel(_)) {
            out.write_str(")")?;
        }
        Ok(())
    }

    /// `around` is how the members of the group around the node are joined.
    fn write_boukamp(
        &self,
        node: &Node,
        around: Join,
        numbered: bool,
        out: &mut String,
    ) -> Result<(), NoLetter> {
        let (children, join) = match node {
            Node::Element(index) => {
                let element = &self.elements[*index];
                let letter = element.kind.letter.ok_or_else(|| NoLetter {
                    element: element.name.clone(),
                    circuit: self.to_string(),
                })?;
                out.push(letter);
                if numbered {
                    out.push_str(number(element));
                }
                return Ok(());
            }
            Node::Series(children) => (children, Join::Series),
            Node::Parallel(children) => (children, Join::Parallel),
        };
        // Round brackets join otherwise than what is around them, square ones in series.
        let (open, close) = match (join, around) {
            (Join::Series, Join::Series) => ("", ""),
            (Join::Series, Join::Parallel) => ("[", "]"),
            (Join::Parallel, Join::Series) => ("(", ")"),
            (Join::Parallel, Join::Parallel) => ("[(", ")]"),
        };
        out.push_str(open);
        for child in children {
            self.write_boukamp(child, join, numbered, out)?;
        }
        out.push_str(close);
        Ok(())
    }

    /// Whether each element has the number that it would be given if none were written.
    fn is_numbered_as_counted(&self) -> bool {
        self.elements.iter().enumerate().all(|(index, element)| {
            let before = self.elements[..index]
                .iter()
                .filter(|other| other.kind == element.kind)
                .count();
            number(element) == (element.kind.first_number as usize + before).to_string()
        })
    }
}

fn number(element: &Element) -> &str {
    &element.name[element.kind.symbol.len()..]
}
