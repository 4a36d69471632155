//! A circuit as a list of steps, each of which treats all frequencies before the next begins.
//!
//! Series and parallel are the same to it: both are sums, of impedances or of admittances. Each step has one of the
//! two forms by nature; where the sum that it belongs to is of the other form, it is inverted. Derivatives are
//! exact, by the adjoint method: the root passes 1 to its summands, and an inversion v = 1/u multiplies by
//! dv/du = -v². So only an inverted step has adjoints of its own; the others share those of the sum above.

use super::element::{Columns, ElementKind, Fill};
use super::grid::Grid;
use super::pointwise::{Pointwise, map};
use super::{Element, Node};

/// Summands that one step takes; of a longer sum the first ones are a sum of their own.
const MOST_SUMMANDS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Impedance,
    Admittance,
}

#[derive(Clone, Debug, PartialEq)]
enum Operation {
    Element {
        kind: &'static ElementKind,
        first_parameter: usize,
    },
    /// Of earlier steps.
    Sum(Vec<usize>),
}

#[derive(Clone, Debug, PartialEq)]
struct Step {
    operation: Operation,
    /// What the operation gives by nature.
    form: Form,
    /// Which adjoints the result of an inversion, if there is one, is multiplied by; none where they are 1.
    outer: Option<usize>,
    /// Where the result is inverted, its own adjoints.
    inversion: Option<usize>,
}

impl Step {
    fn fill(&self, kind: &ElementKind) -> Fill {
        match (self.form, kind.admittance) {
            (Form::Admittance, Some(admittance)) => admittance,
            _ => kind.fill,
        }
    }

    /// Which adjoints hold for what the operation gives.
    fn adjoint(&self) -> Option<usize> {
        self.inversion.or(self.outer)
    }
}

/// A compiled circuit. Summands stand before their sums; the root is last.
#[derive(Clone, Debug, PartialEq)]
pub struct Tape {
    steps: Vec<Step>,
    /// For each parameter which adjoints its derivative is multiplied by.
    adjoint_of: Vec<Option<usize>>,
    adjoints: usize,
}

/// Memory of an evaluation: allocate once, use for every evaluation on a grid of the same size.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    points: usize,
    /// For each step the real and then the imaginary parts.
    values: Vec<f64>,
    adjoints: Vec<f64>,
    /// For each parameter the real and then the imaginary parts.
    derivatives: Vec<f64>,
    /// One column: what is about to be inverted or multiplied.
    scratch: Vec<f64>,
}

impl Workspace {
    /// Real and imaginary parts of the impedance that the last evaluation found.
    #[must_use]
    pub fn impedance(&self) -> (&[f64], &[f64]) {
        self.impedance_column().split_at(self.points)
    }

    /// Real and imaginary parts of the derivative by one parameter.
    #[must_use]
    pub fn derivative(&self, parameter: usize) -> (&[f64], &[f64]) {
        self.derivative_column(parameter).split_at(self.points)
    }

    /// The same in one piece, real parts first.
    #[must_use]
    pub fn derivative_column(&self, parameter: usize) -> &[f64] {
        &self.derivatives[self.column(parameter)]
    }

    /// The impedance in one piece, real parts first.
    #[must_use]
    pub fn impedance_column(&self) -> &[f64] {
        &self.values[self.values.len() - 2 * self.points..]
    }

    fn column(&self, index: usize) -> std::ops::Range<usize> {
        2 * self.points * index..2 * self.points * (index + 1)
    }
}

impl Tape {
    pub(super) fn compile(root: &Node, elements: &[Element], parameters: usize) -> Self {
        let mut tape = Self {
            steps: Vec::new(),
            adjoint_of: vec![None; parameters],
            adjoints: 0,
        };
        tape.push(root, elements, Form::Impedance);
        tape.place_adjoints();
        tape
    }

    /// Adds the steps of a node that is wanted in a form, and tells which of them is its result.
    fn push(&mut self, node: &Node, elements: &[Element], wanted: Form) -> usize {
        let (operation, form) = match node {
            Node::Element(index) => {
                let element = &elements[*index];
                let form = if element.kind.admittance.is_some() {
                    wanted
                } else {
                    Form::Impedance
                };
                let operation = Operation::Element {
                    kind: element.kind,
                    first_parameter: element.first_parameter,
                };
                (operation, form)
            }
            Node::Series(children) => (
                self.push_sum(children, elements, Form::Impedance),
                Form::Impedance,
            ),
            Node::Parallel(children) => (
                self.push_sum(children, elements, Form::Admittance),
                Form::Admittance,
            ),
        };
        self.push_step(operation, form, wanted)
    }

    fn push_sum(&mut self, children: &[Node], elements: &[Element], form: Form) -> Operation {
        let mut summands = Vec::with_capacity(MOST_SUMMANDS);
        for child in children {
            if summands.len() == MOST_SUMMANDS {
                let first_ones = Operation::Sum(std::mem::take(&mut summands));
                summands.push(self.push_step(first_ones, form, form));
            }
            summands.push(self.push(child, elements, form));
        }
        Operation::Sum(summands)
    }

    fn push_step(&mut self, operation: Operation, form: Form, wanted: Form) -> usize {
        let inversion = (form != wanted).then(|| {
            self.adjoints += 1;
            self.adjoints - 1
        });
        self.steps.push(Step {
            operation,
            form,
            outer: None,
            inversion,
        });
        self.steps.len() - 1
    }

    /// From the root down.
    fn place_adjoints(&mut self) {
        for index in (0..self.steps.len()).rev() {
            let adjoint = self.steps[index].adjoint();
            match self.steps[index].operation.clone() {
                Operation::Sum(summands) => {
                    for summand in summands {
                        self.steps[summand].outer = adjoint;
                    }
                }
                Operation::Element {
                    kind,
                    first_parameter,
                } => self.adjoint_of[first_parameter..first_parameter + kind.parameters.len()].fill(adjoint),
            }
        }
    }

    /// Memory for evaluations on `grid`.
    #[must_use]
    pub fn workspace(&self, grid: &Grid) -> Workspace {
        let column = 2 * grid.len();
        Workspace {
            points: grid.len(),
            values: vec![0.0; self.steps.len() * column],
            adjoints: vec![0.0; self.adjoints * column],
            derivatives: vec![0.0; self.adjoint_of.len() * column],
            scratch: vec![0.0; column],
        }
    }

    /// Impedance and all derivatives at all frequencies of `grid`, left in `workspace`.
    ///
    /// A value that has no finite impedance gives NaN or infinity there and never panics; a workspace that was
    /// made for another grid or circuit is replaced, and parameters that are missing count as NaN.
    pub fn evaluate(&self, grid: &Grid, parameters: &[f64], workspace: &mut Workspace) {
        self.propagate(grid, parameters, workspace);
        for (parameter, adjoint) in self.adjoint_of.iter().enumerate() {
            if let Some(adjoint) = *adjoint {
                let column = workspace.column(parameter);
                workspace
                    .scratch
                    .copy_from_slice(&workspace.derivatives[column.clone()]);
                multiply(
                    &workspace.scratch,
                    &workspace.adjoints[workspace.column(adjoint)],
                    &mut workspace.derivatives[column],
                );
            }
        }
    }

    /// As [`Tape::evaluate`], but leaves each derivative in the two factors that [`Tape::factors`] gives.
    pub(crate) fn propagate(&self, grid: &Grid, parameters: &[f64], workspace: &mut Workspace) {
        let column = 2 * grid.len();
        if workspace.points != grid.len()
            || workspace.values.len() != self.steps.len() * column
            || workspace.adjoints.len() != self.adjoints * column
            || workspace.derivatives.len() != self.adjoint_of.len() * column
        {
            *workspace = self.workspace(grid);
        }
        if parameters.len() != self.adjoint_of.len() {
            workspace.values.fill(f64::NAN);
            workspace.adjoints.fill(f64::NAN);
            workspace.derivatives.fill(f64::NAN);
            return;
        }
        for (index, step) in self.steps.iter().enumerate() {
            match &step.operation {
                Operation::Element {
                    kind,
                    first_parameter,
                } => {
                    let own = *first_parameter..first_parameter + kind.parameters.len();
                    workspace.element(
                        index,
                        step,
                        step.fill(kind),
                        &parameters[own],
                        *first_parameter,
                        grid,
                    );
                }
                Operation::Sum(summands) => workspace.sum(index, step, summands),
            }
        }
        self.propagate_back(workspace);
    }

    /// From the adjoints of each inversion by itself to those of the root.
    fn propagate_back(&self, workspace: &mut Workspace) {
        for step in self.steps.iter().rev() {
            if let (Some(inversion), Some(outer)) = (step.inversion, step.outer) {
                let column = workspace.column(inversion);
                workspace
                    .scratch
                    .copy_from_slice(&workspace.adjoints[column.clone()]);
                let outer = workspace.column(outer);
                let (own, outer) = if column.start < outer.start {
                    let (own, rest) = workspace.adjoints.split_at_mut(outer.start);
                    (&mut own[column], &rest[..outer.len()])
                } else {
                    let (rest, own) = workspace.adjoints.split_at_mut(column.start);
                    (&mut own[..column.len()], &rest[outer])
                };
                multiply(&workspace.scratch, outer, own);
            }
        }
    }

    /// After [`Tape::propagate`]: the derivative by a parameter, and what it has still to be multiplied by, unless
    /// that is 1. Real parts first, in both.
    pub(crate) fn factors<'a>(
        &self,
        workspace: &'a Workspace,
        parameter: usize,
    ) -> (&'a [f64], Option<&'a [f64]>) {
        (
            workspace.derivative_column(parameter),
            self.adjoint_of[parameter].map(|adjoint| &workspace.adjoints[workspace.column(adjoint)]),
        )
    }
}

impl Workspace {
    fn element(
        &mut self,
        index: usize,
        step: &Step,
        fill: Fill,
        parameters: &[f64],
        first_parameter: usize,
        grid: &Grid,
    ) {
        let points = self.points;
        let value = self.column(index);
        let derivatives =
            self.column(first_parameter).start..self.column(first_parameter + parameters.len()).start;
        let result = match step.inversion {
            Some(_) => &mut self.scratch[..],
            None => &mut self.values[value.clone()],
        };
        let (real, imaginary) = result.split_at_mut(points);
        let mut columns = Columns {
            real,
            imaginary,
            derivatives: &mut self.derivatives[derivatives],
        };
        fill(parameters, grid, &mut columns);
        if let Some(inversion) = step.inversion {
            let adjoint = self.column(inversion);
            let (real, imaginary) = self.scratch.split_at(points);
            add_up(
                [real, imaginary],
                &mut self.values[value],
                Some(&mut self.adjoints[adjoint]),
            );
        }
    }

    fn sum(&mut self, index: usize, step: &Step, summands: &[usize]) {
        match summands.len() {
            0 | 1 => self.sum_of::<2>(index, step, summands),
            2 => self.sum_of::<4>(index, step, summands),
            3 => self.sum_of::<6>(index, step, summands),
            _ => self.sum_of::<8>(index, step, summands),
        }
    }

    fn sum_of<const TWICE: usize>(&mut self, index: usize, step: &Step, summands: &[usize]) {
        let points = self.points;
        let adjoint = step.inversion.map(|inversion| self.column(inversion));
        let (before, value) = self.values.split_at_mut(2 * points * index);
        let parts = std::array::from_fn::<_, TWICE, _>(|part| {
            let start = points * (2 * summands[part / 2] + part % 2);
            &before[start..start + points]
        });
        add_up(
            parts,
            &mut value[..2 * points],
            adjoint.map(|adjoint| &mut self.adjoints[adjoint]),
        );
    }
}

/// Sums of complex numbers, real and imaginary parts in turn. Where adjoints are asked for the sum is inverted.
fn add_up<const TWICE: usize>(parts: [&[f64]; TWICE], value: &mut [f64], adjoint: Option<&mut [f64]>) {
    let points = value.len() / 2;
    let (real, imaginary) = value.split_at_mut(points);
    match adjoint {
        None => map(parts, [real, imaginary], &Sum),
        Some(adjoint) => {
            let (by_real, by_imaginary) = adjoint.split_at_mut(points);
            map(parts, [real, imaginary, by_real, by_imaginary], &InverseOfSum);
        }
    }
}

/// product = a b, complex, real parts first.
fn multiply(a: &[f64], b: &[f64], product: &mut [f64]) {
    let points = product.len() / 2;
    let ((a_re, a_im), (b_re, b_im)) = (a.split_at(points), b.split_at(points));
    map(
        [a_re, a_im, b_re, b_im],
        product.split_at_mut(points).into(),
        &Product,
    );
}

struct Sum;

impl<const TWICE: usize> Pointwise<TWICE, 2> for Sum {
    #[inline(always)]
    fn at(&self, parts: [f64; TWICE]) -> [f64; 2] {
        let (mut re, mut im) = (parts[0], parts[1]);
        for part in (2..TWICE).step_by(2) {
            re += parts[part];
            im += parts[part + 1];
        }
        [re, im]
    }
}

/// v = 1/sum and -v².
struct InverseOfSum;

impl<const TWICE: usize> Pointwise<TWICE, 4> for InverseOfSum {
    #[inline(always)]
    fn at(&self, parts: [f64; TWICE]) -> [f64; 4] {
        let [re, im] = Sum.at(parts);
        let inverse = 1.0 / (re * re + im * im);
        let (re, im) = (re * inverse, -im * inverse);
        [re, im, im * im - re * re, -2.0 * re * im]
    }
}

struct Product;

impl Pointwise<4, 2> for Product {
    #[inline(always)]
    fn at(&self, [a, b, c, d]: [f64; 4]) -> [f64; 2] {
        [a * c - b * d, a * d + b * c]
    }
}
