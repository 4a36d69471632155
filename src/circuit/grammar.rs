//! Reads both notations into one tree.

use std::collections::BTreeMap;

use super::Node;
use super::element::ElementKind;
use super::elements;
use super::error::{CircuitError, CircuitErrorKind as Kind};

/// Parallel groups within each other. In Boukamp's notation each may need a second pair of brackets.
const DEPTH_LIMIT: usize = 16;
const BRACKET_LIMIT: usize = 2 * DEPTH_LIMIT;
const ELEMENT_LIMIT: usize = 64;
const DIGIT_LIMIT: usize = 6;

type Named = Vec<(String, &'static ElementKind)>;

/// The two ways to write a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// `R0-p(R1,CPE1)-W1`, as in impedance.py.
    WrittenOut,
    /// `R(RQ)W`, after B. A. Boukamp 1986, doi:10.1016/0167-2738(86)90031-7.
    Boukamp,
}

/// The tree, the elements in the order in which they are written, and the notation.
pub(super) fn parse(text: &str) -> Result<(Node, Named, Notation), CircuitError> {
    let characters: Vec<char> = text.chars().collect();
    let fail = |(kind, position)| CircuitError {
        kind,
        text: text.to_owned(),
        position,
    };
    let mut parser = Parser {
        numbered: characters.iter().any(char::is_ascii_digit),
        characters,
        position: 0,
        elements: Vec::new(),
        counters: BTreeMap::new(),
    };
    let notation = parser.notation();
    let root = match notation {
        Notation::Boukamp => parser.boukamp(),
        Notation::WrittenOut => parser.written_out(),
    }
    .map_err(fail)?;
    Ok((root, parser.elements, notation))
}

/// What is wrong and at which character.
type Failure = (Kind, usize);

struct Parser {
    characters: Vec<char>,
    position: usize,
    /// Whether any element carries a number, so that all must.
    numbered: bool,
    elements: Named,
    counters: BTreeMap<&'static str, u32>,
}

impl Parser {
    /// Boukamp's notation joins capital letters by writing one after the other, the other one by `-` and `,`.
    fn notation(&self) -> Notation {
        let text: String = self.characters.iter().filter(|c| !c.is_whitespace()).collect();
        let single = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let written_out = text.contains(|c: char| matches!(c, '-' | ',') || c.is_ascii_lowercase())
            || elements::all().any(|kind| kind.symbol == single);
        if written_out {
            Notation::WrittenOut
        } else {
            Notation::Boukamp
        }
    }

    fn peek(&mut self) -> Option<char> {
        while self
            .characters
            .get(self.position)
            .is_some_and(|c| c.is_whitespace())
        {
            self.position += 1;
        }
        self.characters.get(self.position).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.position += 1;
        }
        found
    }

    fn unexpected(&mut self, expected: &'static str) -> Failure {
        match self.peek() {
            Some(found) => (Kind::Unexpected { found, expected }, self.position),
            None if self.elements.is_empty() && self.position == self.characters.len() && self.is_blank() => {
                (Kind::Empty, 0)
            }
            None => (Kind::EndsEarly { expected }, self.characters.len()),
        }
    }

    fn is_blank(&self) -> bool {
        self.characters.iter().all(|c| c.is_whitespace())
    }

    fn check_depth(&self, depth: usize, limit: usize) -> Result<(), Failure> {
        if depth > limit {
            return Err((Kind::TooDeep { limit }, self.position));
        }
        Ok(())
    }

    // ---- R0-p(R1,CPE1)-W1

    fn written_out(&mut self) -> Result<Node, Failure> {
        let root = self.series(0)?;
        match self.peek() {
            None => Ok(root),
            Some(_) => Err(self.unexpected("'-' and a further element, or the end")),
        }
    }

    fn series(&mut self, depth: usize) -> Result<Node, Failure> {
        self.check_depth(depth, DEPTH_LIMIT)?;
        let mut children = vec![self.branch(depth)?];
        while self.take('-') {
            children.push(self.branch(depth)?);
        }
        Ok(joined(children, Join::Series))
    }

    fn branch(&mut self, depth: usize) -> Result<Node, Failure> {
        if !self.take('p') {
            return self.element();
        }
        if !self.take('(') {
            return Err(self.unexpected("'(' behind p"));
        }
        let mut children = vec![self.series(depth + 1)?];
        while self.take(',') {
            children.push(self.series(depth + 1)?);
        }
        if !self.take(')') {
            return Err(self.unexpected("',' and a further branch, or ')'"));
        }
        Ok(joined(children, Join::Parallel))
    }

    fn element(&mut self) -> Result<Node, Failure> {
        let Some(first) = self.peek().filter(char::is_ascii_alphabetic) else {
            return Err(self.unexpected("an element such as R1 or CPE1, or p(...)"));
        };
        let start = self.position;
        let mut symbol = String::from(first);
        self.position += 1;
        while let Some(c) = self
            .characters
            .get(self.position)
            .filter(|c| c.is_ascii_alphabetic())
        {
            symbol.push(*c);
            self.position += 1;
        }
        match elements::all().find(|kind| kind.symbol == symbol) {
            Some(kind) => self.add(kind, symbol, start),
            None => {
                let known = elements::all().map(|kind| kind.symbol.to_owned());
                let nearest = nearest_symbol(&symbol);
                Err((unknown(symbol, nearest, known), start))
            }
        }
    }

    // ---- R(RQ)W

    fn boukamp(&mut self) -> Result<Node, Failure> {
        let root = self.boukamp_group(0, Join::Series)?;
        match self.peek() {
            None => Ok(root),
            Some(_) => Err(self.unexpected("an element or '('")),
        }
    }

    fn boukamp_group(&mut self, depth: usize, join: Join) -> Result<Node, Failure> {
        self.check_depth(depth, BRACKET_LIMIT)?;
        let mut children = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                '(' | '[' => {
                    self.position += 1;
                    // Round brackets alternate between parallel and series; square ones are always series.
                    let inner = if c == '(' { join.other() } else { Join::Series };
                    children.push(self.boukamp_group(depth + 1, inner)?);
                    if !self.take(if c == '(' { ')' } else { ']' }) {
                        return Err(self.unexpected("an element or the closing bracket"));
                    }
                }
                c if c.is_ascii_alphabetic() => {
                    let start = self.position;
                    self.position += 1;
                    let Some(kind) = elements::all().find(|kind| kind.letter == Some(c)) else {
                        return Err((self.no_letter(c, start), start));
                    };
                    children.push(self.add(kind, c.to_string(), start)?);
                }
                _ => break,
            }
        }
        if children.is_empty() {
            return Err(self.unexpected("an element such as R or Q"));
        }
        Ok(joined(children, join))
    }

    /// What is wrong with a letter that stands for nothing: perhaps an element that has none begins with it.
    fn no_letter(&self, letter: char, start: usize) -> Kind {
        let rest: String = self.characters[start..].iter().collect();
        let without = elements::all()
            .filter(|kind| kind.letter.is_none() && rest.starts_with(kind.symbol))
            .max_by_key(|kind| kind.symbol.len());
        if let Some(kind) = without {
            return Kind::NoLetter { symbol: kind.symbol };
        }
        let known = elements::all().filter_map(|kind| Some(format!("{} ({})", kind.letter?, kind.symbol)));
        unknown(letter.to_string(), None, known)
    }

    // ---- both

    /// Reads the number behind a symbol, or counts where the text has no numbers at all.
    fn add(&mut self, kind: &'static ElementKind, written: String, start: usize) -> Result<Node, Failure> {
        if self.elements.len() == ELEMENT_LIMIT {
            return Err((Kind::TooLong { limit: ELEMENT_LIMIT }, start));
        }
        let mut digits = String::new();
        while let Some(digit) = self.characters.get(self.position).filter(|c| c.is_ascii_digit()) {
            digits.push(*digit);
            self.position += 1;
        }
        if digits.len() > DIGIT_LIMIT {
            return Err((Kind::NumberTooLong, start + written.len()));
        }
        if digits.is_empty() {
            if self.numbered {
                return Err((Kind::NoNumber { name: written }, start));
            }
            let counter = self.counters.entry(kind.symbol).or_insert(kind.first_number);
            digits = counter.to_string();
            *counter += 1;
        }
        let name = format!("{}{digits}", kind.symbol);
        if self.elements.iter().any(|(other, _)| *other == name) {
            return Err((Kind::Duplicate { name }, start));
        }
        self.elements.push((name, kind));
        Ok(Node::Element(self.elements.len() - 1))
    }
}

fn unknown(name: String, nearest: Option<&'static str>, known: impl Iterator<Item = String>) -> Kind {
    Kind::UnknownElement {
        name,
        nearest,
        known: known.collect::<Vec<_>>().join(", "),
    }
}

/// The symbol that was probably meant: that of a letter of the other notation, or one that differs in little more
/// than case.
fn nearest_symbol(written: &str) -> Option<&'static str> {
    let by_letter =
        elements::all().find(|kind| kind.letter.is_some_and(|letter| letter.to_string() == written));
    let distance = |symbol: &str| {
        strsim::damerau_levenshtein(&symbol.to_ascii_lowercase(), &written.to_ascii_lowercase())
    };
    by_letter.map(|kind| kind.symbol).or_else(|| {
        elements::all()
            .map(|kind| (distance(kind.symbol), kind.symbol))
            .filter(|(distance, symbol)| 2 * distance <= symbol.len())
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, symbol)| symbol)
    })
}

/// How the members of a group are joined.
#[derive(Clone, Copy)]
pub(super) enum Join {
    Series,
    Parallel,
}

impl Join {
    fn other(self) -> Self {
        match self {
            Self::Series => Self::Parallel,
            Self::Parallel => Self::Series,
        }
    }
}

/// A group of one is that one, and a series within a series is one series.
fn joined(mut children: Vec<Node>, join: Join) -> Node {
    if children.len() == 1
        && let Some(only) = children.pop()
    {
        return only;
    }
    match join {
        Join::Parallel => Node::Parallel(children),
        Join::Series => {
            let flatten = |child| match child {
                Node::Series(inner) => inner,
                other => vec![other],
            };
            Node::Series(children.into_iter().flat_map(flatten).collect())
        }
    }
}
