//! MethodSCRIPT as a device reads it: text to a checked program.

mod command;
mod parse;

pub(super) use command::{Command, Comparison};
pub(super) use parse::parse;

use crate::instrument::method_script::{ErrorCode, VariableType};

/// A program that passed all checks of loading.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program {
    /// Its commands; those that only declare are gone.
    pub(super) steps: Vec<Step>,
    /// How many variables it declares.
    pub(super) variables: usize,
    /// The step after `on_finished:`; the number of steps where there is none.
    pub(super) on_finished: usize,
}

/// A command with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// Line of the script, from 1.
    pub(super) line: u32,
    pub(super) command: Command,
    pub(super) arguments: Vec<Argument>,
    /// The step that belongs to it: the end of a loop, the start of an ended loop, the next branch of a
    /// condition, the end of the loop to break. The step itself where there is none.
    pub(super) target: usize,
}

/// An argument of a command.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Argument {
    Number { value: f64, integer: bool },
    Variable(usize),
    Type(VariableType),
    Comparison(Comparison),
    Text(String),
}

/// Why a script was not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LoadError {
    pub(super) code: ErrorCode,
    /// Line of the script, from 1.
    pub(super) line: u32,
    /// Column just after the offending token, from 1.
    pub(super) column: u32,
}
