//! The variables of a running script.

use std::ops::{Index, IndexMut};

use super::script::{Argument, Command};
use crate::instrument::method_script::{ErrorCode, Value, Variable, VariableType};

/// Values by the number of their declaration.
#[derive(Clone, Debug)]
pub(super) struct Variables(Vec<Variable>);

impl Variables {
    pub(super) fn new(count: usize) -> Self {
        Self(vec![
            Variable::new(VariableType::UNKNOWN, Value::Number(0.0));
            count
        ])
    }

    pub(super) fn store(&mut self, arguments: &[Argument]) {
        let target = variable(arguments, 0);
        let mut value = self.of(arguments.get(1));
        if let Some(Argument::Type(kind)) = arguments.get(2) {
            value.kind = *kind;
        }
        self.0[target] = value;
    }

    pub(super) fn calculate(&mut self, command: Command, arguments: &[Argument]) -> Result<(), ErrorCode> {
        let (left, left_integer) = self.number(arguments.first());
        let (right, right_integer) = self.number(arguments.get(1));
        let result = match command {
            Command::Add => left + right,
            Command::Subtract => left - right,
            Command::Multiply => left * right,
            _ if right == 0.0 => return Err(ErrorCode::DIVISION_BY_ZERO),
            _ => left / right,
        };
        if !result.is_finite() {
            return Err(ErrorCode::NOT_A_NUMBER);
        }
        let integer = left_integer && right_integer;
        let target = &mut self.0[variable(arguments, 0)];
        target.value = if integer {
            Value::Integer(result as i32)
        } else {
            Value::of(result)
        };
        Ok(())
    }

    /// An argument as a number, and whether it is an integer.
    pub(super) fn number(&self, argument: Option<&Argument>) -> (f64, bool) {
        let value = self.of(argument).value;
        (value.as_f64(), matches!(value, Value::Integer(_)))
    }

    /// What `pck_add` sends of an argument.
    pub(super) fn of(&self, argument: Option<&Argument>) -> Variable {
        match argument {
            Some(Argument::Variable(index)) => self.0[*index],
            other => literal(other),
        }
    }
}

impl Index<usize> for Variables {
    type Output = Variable;

    fn index(&self, index: usize) -> &Variable {
        &self.0[index]
    }
}

impl IndexMut<usize> for Variables {
    fn index_mut(&mut self, index: usize) -> &mut Variable {
        &mut self.0[index]
    }
}

fn literal(argument: Option<&Argument>) -> Variable {
    let value = match argument {
        Some(Argument::Number { value, integer: true }) => Value::Integer(*value as i32),
        Some(Argument::Number {
            value,
            integer: false,
        }) => Value::of(*value),
        _ => Value::NotANumber,
    };
    Variable::new(VariableType::GENERIC, value)
}

/// The variable that an argument names. Loading has checked that it names one.
pub(super) fn variable(arguments: &[Argument], index: usize) -> usize {
    match arguments.get(index) {
        Some(Argument::Variable(variable)) => *variable,
        _ => 0,
    }
}

/// The variable type that an argument names.
pub(super) fn kind(arguments: &[Argument], index: usize) -> VariableType {
    match arguments.get(index) {
        Some(Argument::Type(kind)) => *kind,
        _ => VariableType::UNKNOWN,
    }
}
