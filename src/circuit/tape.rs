//! A circuit as a list of steps, each of which treats all frequencies before the next begins.
//!
//! Derivatives are exact, by the adjoint method: with dZ/dZ = 1 at the root, a series passes the adjoint on to
//! its children, and a parallel group passes it on multiplied by (Z_group/Z_child)².

use super::element::{Columns, ElementKind};
use super::grid::Grid;
use super::{Element, Node};

#[derive(Clone, Debug, PartialEq)]
enum Operation {
    Element {
        kind: &'static ElementKind,
        first_parameter: usize,
    },
    Series,
    Parallel,
}

#[derive(Clone, Debug, PartialEq)]
struct Step {
    operation: Operation,
    children: Vec<usize>,
    parent: Option<usize>,
    /// Whether a parallel group lies between here and the root; elsewhere the adjoint is 1.
    has_adjoint: bool,
}

/// A compiled circuit. Children stand before their parents; the root is last.
#[derive(Clone, Debug, PartialEq)]
pub struct Tape {
    steps: Vec<Step>,
    parameters: usize,
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
}

impl Workspace {
    /// Real and imaginary parts of the impedance that the last evaluation found.
    #[must_use]
    pub fn impedance(&self) -> (&[f64], &[f64]) {
        self.values[self.values.len() - 2 * self.points..].split_at(self.points)
    }

    /// Real and imaginary parts of the derivative by one parameter.
    #[must_use]
    pub fn derivative(&self, parameter: usize) -> (&[f64], &[f64]) {
        self.derivative_column(parameter).split_at(self.points)
    }

    /// The same in one piece, real parts first.
    #[must_use]
    pub fn derivative_column(&self, parameter: usize) -> &[f64] {
        &self.derivatives[2 * self.points * parameter..2 * self.points * (parameter + 1)]
    }

    /// The impedance in one piece, real parts first.
    #[must_use]
    pub fn impedance_column(&self) -> &[f64] {
        &self.values[self.values.len() - 2 * self.points..]
    }
}

impl Tape {
    pub(super) fn compile(root: &Node, elements: &[Element], parameters: usize) -> Self {
        let mut steps = Vec::new();
        push(root, elements, &mut steps);
        for index in (0..steps.len()).rev() {
            if let Some(parent) = steps[index].parent {
                let parent: &Step = &steps[parent];
                steps[index].has_adjoint = parent.has_adjoint || parent.operation == Operation::Parallel;
            }
        }
        Self { steps, parameters }
    }

    /// Memory for evaluations on `grid`.
    #[must_use]
    pub fn workspace(&self, grid: &Grid) -> Workspace {
        let column = 2 * grid.len();
        Workspace {
            points: grid.len(),
            values: vec![0.0; self.steps.len() * column],
            adjoints: vec![0.0; self.steps.len() * column],
            derivatives: vec![0.0; self.parameters * column],
        }
    }

    /// Impedance and all derivatives at all frequencies of `grid`, left in `workspace`.
    ///
    /// A value that has no finite impedance gives NaN or infinity there and never panics; a workspace that was
    /// made for another grid or circuit is replaced, and parameters that are missing count as NaN.
    pub fn evaluate(&self, grid: &Grid, parameters: &[f64], workspace: &mut Workspace) {
        let column = 2 * grid.len();
        if workspace.points != grid.len()
            || workspace.values.len() != self.steps.len() * column
            || workspace.derivatives.len() != self.parameters * column
        {
            *workspace = self.workspace(grid);
        }
        if parameters.len() != self.parameters {
            workspace.values.fill(f64::NAN);
            workspace.derivatives.fill(f64::NAN);
            return;
        }
        self.forward(grid, parameters, workspace);
        self.backward(grid.len(), workspace);
    }

    fn forward(&self, grid: &Grid, parameters: &[f64], workspace: &mut Workspace) {
        let points = grid.len();
        for (index, step) in self.steps.iter().enumerate() {
            let (before, rest) = workspace.values.split_at_mut(2 * points * index);
            let (real, imaginary) = rest[..2 * points].split_at_mut(points);
            let child = |child: usize| before[2 * points * child..2 * points * (child + 1)].split_at(points);
            match &step.operation {
                Operation::Element {
                    kind,
                    first_parameter,
                } => {
                    let range = *first_parameter..first_parameter + kind.parameters.len();
                    let derivatives =
                        &mut workspace.derivatives[2 * points * range.start..2 * points * range.end];
                    (kind.fill)(
                        &parameters[range],
                        grid,
                        &mut Columns {
                            real,
                            imaginary,
                            derivatives,
                        },
                    );
                }
                Operation::Series => {
                    real.fill(0.0);
                    imaginary.fill(0.0);
                    for (child_real, child_imaginary) in step.children.iter().map(|&index| child(index)) {
                        add(real, child_real);
                        add(imaginary, child_imaginary);
                    }
                }
                Operation::Parallel => {
                    real.fill(0.0);
                    imaginary.fill(0.0);
                    for (child_real, child_imaginary) in step.children.iter().map(|&index| child(index)) {
                        add_inverse(real, imaginary, child_real, child_imaginary);
                    }
                    invert(real, imaginary);
                }
            }
        }
    }

    fn backward(&self, points: usize, workspace: &mut Workspace) {
        let column = |index: usize| 2 * points * index..2 * points * (index + 1);
        for (index, step) in self.steps.iter().enumerate().rev() {
            let Some(parent) = step.parent.filter(|_| step.has_adjoint) else {
                continue;
            };
            let (mine, above) = workspace.adjoints.split_at_mut(2 * points * (index + 1));
            let (real, imaginary) = mine[2 * points * index..].split_at_mut(points);
            let parent_adjoint = self.steps[parent].has_adjoint.then(|| {
                let offset = 2 * points * (parent - index - 1);
                above[offset..offset + 2 * points].split_at(points)
            });
            if self.steps[parent].operation == Operation::Parallel {
                let group = workspace.values[column(parent)].split_at(points);
                let child = workspace.values[column(index)].split_at(points);
                squared_ratio(real, imaginary, group, child);
                if let Some((by_real, by_imaginary)) = parent_adjoint {
                    multiply(real, imaginary, by_real, by_imaginary);
                }
            } else if let Some((by_real, by_imaginary)) = parent_adjoint {
                real.copy_from_slice(by_real);
                imaginary.copy_from_slice(by_imaginary);
            }
            if let Operation::Element {
                kind,
                first_parameter,
            } = &step.operation
            {
                for parameter in *first_parameter..first_parameter + kind.parameters.len() {
                    let (d_real, d_imaginary) = workspace.derivatives[column(parameter)].split_at_mut(points);
                    multiply(d_real, d_imaginary, real, imaginary);
                }
            }
        }
    }
}

fn push(node: &Node, elements: &[Element], steps: &mut Vec<Step>) -> usize {
    let (operation, children) = match node {
        Node::Element(index) => {
            let Element {
                kind,
                first_parameter,
                ..
            } = elements[*index];
            (
                Operation::Element {
                    kind,
                    first_parameter,
                },
                Vec::new(),
            )
        }
        Node::Series(children) => (
            Operation::Series,
            children
                .iter()
                .map(|child| push(child, elements, steps))
                .collect(),
        ),
        Node::Parallel(children) => (
            Operation::Parallel,
            children
                .iter()
                .map(|child| push(child, elements, steps))
                .collect(),
        ),
    };
    let index = steps.len();
    for &child in &children {
        let child: &mut Step = &mut steps[child];
        child.parent = Some(index);
    }
    steps.push(Step {
        operation,
        children,
        parent: None,
        has_adjoint: false,
    });
    index
}

fn add(sum: &mut [f64], summand: &[f64]) {
    for (sum, summand) in sum.iter_mut().zip(summand) {
        *sum += summand;
    }
}

/// sum += 1/z
fn add_inverse(sum_real: &mut [f64], sum_imaginary: &mut [f64], real: &[f64], imaginary: &[f64]) {
    let sums = sum_real.iter_mut().zip(sum_imaginary);
    for ((sum_real, sum_imaginary), (re, im)) in sums.zip(real.iter().zip(imaginary)) {
        let inverse = 1.0 / (re * re + im * im);
        *sum_real += re * inverse;
        *sum_imaginary -= im * inverse;
    }
}

/// z = 1/z
fn invert(real: &mut [f64], imaginary: &mut [f64]) {
    for (re, im) in real.iter_mut().zip(imaginary) {
        let inverse = 1.0 / (*re * *re + *im * *im);
        *re *= inverse;
        *im *= -inverse;
    }
}

/// z = z w
fn multiply(real: &mut [f64], imaginary: &mut [f64], by_real: &[f64], by_imaginary: &[f64]) {
    for ((re, im), (a, b)) in real
        .iter_mut()
        .zip(imaginary)
        .zip(by_real.iter().zip(by_imaginary))
    {
        (*re, *im) = (*re * a - *im * b, *re * b + *im * a);
    }
}

/// out = (above/below)²
fn squared_ratio(
    out_real: &mut [f64],
    out_imaginary: &mut [f64],
    above: (&[f64], &[f64]),
    below: (&[f64], &[f64]),
) {
    let out = out_real.iter_mut().zip(out_imaginary);
    let above = above.0.iter().zip(above.1);
    let below = below.0.iter().zip(below.1);
    for (((out_real, out_imaginary), (a, b)), (c, d)) in out.zip(above).zip(below) {
        let inverse = 1.0 / (c * c + d * d);
        let (re, im) = ((a * c + b * d) * inverse, (b * c - a * d) * inverse);
        *out_real = re * re - im * im;
        *out_imaginary = 2.0 * re * im;
    }
}
