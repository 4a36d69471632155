//! Loading a script: every line is checked before anything runs, as the device does.

use std::collections::HashMap;

use super::command::{Command, Comparison, Place, find};
use super::{Argument, LoadError, Program, Step};
use crate::instrument::method_script::{ErrorCode, LiteralError, VariableType, parse_literal};

/// Most values that one data package takes.
const PACKAGE_VARIABLES: usize = 36;

/// Deepest nesting of loops and conditions.
const MAX_DEPTH: usize = 16;

/// Checks the lines between `e` and the empty line.
///
/// # Errors
/// The first error with its place, as the device reports it.
pub(in crate::simulator) fn parse(lines: &[String]) -> Result<Program, LoadError> {
    let mut loader = Loader::default();
    for (index, text) in lines.iter().enumerate() {
        loader.line = u32::try_from(index + 1).unwrap_or(u32::MAX);
        loader.take_line(text)?;
    }
    loader.finish(lines.last().map_or("", String::as_str))
}

/// A part of a line and the columns (from 1) at which it starts and after which it ends.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    start: u32,
    end: u32,
}

/// What is open while a script is read.
enum Scope {
    Loop(usize),
    /// The last branch, and every step that must learn where the condition ends.
    Condition {
        branch: usize,
        has_else: bool,
    },
}

#[derive(Default)]
struct Loader {
    line: u32,
    steps: Vec<Step>,
    names: HashMap<String, usize>,
    scopes: Vec<Scope>,
    /// Steps to break a loop, with the loop's start.
    breaks: Vec<(usize, usize)>,
    /// Values in the data package that is open.
    package: Option<usize>,
    on_finished: Option<usize>,
}

impl Loader {
    fn take_line(&mut self, text: &str) -> Result<(), LoadError> {
        let tokens = tokens(text);
        let Some((word, rest)) = tokens.split_first() else {
            return Ok(());
        };
        let Some((command, places)) = find(word.text, rest.len()) else {
            let stray = word
                .text
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
            return Err(match stray {
                Some(position) => self.error(ErrorCode::UNEXPECTED_CHARACTER, after_byte(word, position)),
                None => self.error(ErrorCode::UNKNOWN_SCRIPT_COMMAND, word.end),
            });
        };
        let mut arguments = Vec::with_capacity(places.len());
        for (index, place) in places.iter().enumerate() {
            let Some(token) = rest.get(index) else {
                let end = tokens.last().map_or(word.end, |token| token.end);
                return Err(self.error(ErrorCode::UNEXPECTED_CHARACTER, end));
            };
            if let Some(argument) = self.argument(*place, token)? {
                arguments.push(argument);
            }
        }
        let mut optional = rest.get(places.len()..).unwrap_or_default().iter();
        if let Some(count) = optional.as_slice().first().and_then(|token| scans(token.text))
            && command.takes_scans()
        {
            arguments.push(Argument::Number {
                value: count,
                integer: true,
            });
            optional.next();
        }
        if let Some(extra) = optional.next() {
            let optional = extra.text.contains('(');
            let code = if optional {
                ErrorCode::BAD_OPTIONAL_ARGUMENT
            } else {
                ErrorCode::ARGUMENT_TOO_MANY
            };
            return Err(self.error(code, extra.end));
        }
        self.place_step(command, arguments)
            .map_err(|code| self.error(code, word.end))
    }

    fn argument(&mut self, place: Place, token: &Token<'_>) -> Result<Option<Argument>, LoadError> {
        let is_name = token.text.starts_with(|c: char| c.is_ascii_lowercase());
        let known = self.names.get(token.text).copied();
        let argument = match place {
            Place::NewVariable => {
                self.declare(token.text)
                    .map_err(|code| self.error(code, token.end))?;
                return Ok(None);
            }
            Place::Variable | Place::Number if is_name => Argument::Variable(
                known.ok_or_else(|| self.error(ErrorCode::UNDECLARED_VARIABLE, token.end))?,
            ),
            Place::Variable => return Err(self.error(ErrorCode::ARGUMENT_IS_LITERAL, token.end)),
            Place::Number => {
                let literal = parse_literal(token.text).map_err(|error| match error {
                    LiteralError::Character(position) => {
                        self.error(ErrorCode::UNEXPECTED_CHARACTER, after_byte(token, position))
                    }
                    LiteralError::Malformed => self.error(ErrorCode::MALFORMED_LITERAL, token.end),
                })?;
                Argument::Number {
                    value: literal.value,
                    integer: literal.integer,
                }
            }
            Place::Type => Argument::Type(
                VariableType::parse(token.text)
                    .ok_or_else(|| self.error(ErrorCode::ARGUMENT_VARIABLE_TYPE, token.end))?,
            ),
            Place::Comparison => Argument::Comparison(
                Comparison::parse(token.text)
                    .ok_or_else(|| self.error(ErrorCode::UNEXPECTED_CHARACTER, token.start + 1))?,
            ),
            Place::Text => {
                let quoted = token
                    .text
                    .strip_prefix('"')
                    .and_then(|rest| rest.strip_suffix('"'));
                let text = quoted.ok_or_else(|| self.error(ErrorCode::UNEXPECTED_CHARACTER, token.end))?;
                Argument::Text(text.to_owned())
            }
        };
        Ok(Some(argument))
    }

    fn declare(&mut self, name: &str) -> Result<(), ErrorCode> {
        let mut characters = name.chars();
        let starts = characters.next().is_some_and(|first| first.is_ascii_lowercase());
        if !starts || !characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            return Err(ErrorCode::BAD_VARIABLE_NAME);
        }
        let index = self.names.len();
        match self.names.insert(name.to_owned(), index) {
            Some(_) => Err(ErrorCode::DUPLICATE_VARIABLE),
            None => Ok(()),
        }
    }

    /// Checks that the command may stand here and adds its step.
    fn place_step(&mut self, command: Command, arguments: Vec<Argument>) -> Result<(), ErrorCode> {
        let index = self.steps.len();
        let mut target = index;
        match command {
            Command::Declare => return Ok(()),
            Command::OnFinished => {
                if !self.scopes.is_empty() || self.on_finished.is_some() {
                    return Err(ErrorCode::SCOPE_MISMATCH);
                }
                self.on_finished = Some(index);
                return Ok(());
            }
            command if command.is_measurement() && self.in_measurement() => {
                return Err(ErrorCode::NESTED_MEASUREMENT);
            }
            Command::Loop => self.open(Scope::Loop(index))?,
            command if command.is_measurement() => self.open(Scope::Loop(index))?,
            Command::If => self.open(Scope::Condition {
                branch: index,
                has_else: false,
            })?,
            Command::ElseIf | Command::Else => match self.scopes.last_mut() {
                Some(Scope::Condition { branch, has_else }) if !*has_else => {
                    self.steps[*branch].target = index;
                    *branch = index;
                    *has_else = command == Command::Else;
                }
                _ => return Err(ErrorCode::SCOPE_MISMATCH),
            },
            Command::EndIf => match self.scopes.pop() {
                Some(Scope::Condition { branch, .. }) => self.steps[branch].target = index,
                _ => return Err(ErrorCode::SCOPE_MISMATCH),
            },
            Command::EndLoop => match self.scopes.pop() {
                Some(Scope::Loop(start)) => {
                    self.steps[start].target = index;
                    target = start;
                }
                _ => return Err(ErrorCode::SCOPE_MISMATCH),
            },
            Command::BreakLoop => {
                let innermost = self.scopes.iter().rev().find_map(|scope| match scope {
                    Scope::Loop(start) => Some(*start),
                    Scope::Condition { .. } => None,
                });
                self.breaks
                    .push((index, innermost.ok_or(ErrorCode::SCOPE_MISMATCH)?));
            }
            Command::SetPotential | Command::SetPotentialRange if self.in_measurement() => {
                return Err(ErrorCode::SET_POTENTIAL_IN_LOOP);
            }
            Command::SetCurrent if self.in_measurement() => return Err(ErrorCode::SET_CURRENT_IN_LOOP),
            Command::SetMode | Command::SetChannel if self.in_measurement() => {
                return Err(ErrorCode::NOT_IN_LOOP);
            }
            Command::PackageStart if self.package.replace(0).is_some() => {
                return Err(ErrorCode::PACKAGE_ORDER);
            }
            Command::PackageAdd => match &mut self.package {
                Some(values) if *values < PACKAGE_VARIABLES => *values += 1,
                Some(_) => return Err(ErrorCode::PACKAGE_TOO_LARGE),
                None => return Err(ErrorCode::PACKAGE_ORDER),
            },
            Command::PackageEnd if self.package.take().is_none() => return Err(ErrorCode::PACKAGE_ORDER),
            _ => {}
        }
        self.steps.push(Step {
            line: self.line,
            command,
            arguments,
            target,
        });
        Ok(())
    }

    fn open(&mut self, scope: Scope) -> Result<(), ErrorCode> {
        if self.scopes.len() >= MAX_DEPTH {
            return Err(ErrorCode::SCOPE_TOO_DEEP);
        }
        self.scopes.push(scope);
        Ok(())
    }

    fn in_measurement(&self) -> bool {
        self.scopes
            .iter()
            .any(|scope| matches!(scope, Scope::Loop(start) if self.steps[*start].command.is_measurement()))
    }

    fn finish(mut self, last_line: &str) -> Result<Program, LoadError> {
        if !self.scopes.is_empty() || self.package.is_some() {
            return Err(self.error(ErrorCode::SCRIPT_ENDED_EARLY, columns(last_line) + 1));
        }
        for (step, start) in std::mem::take(&mut self.breaks) {
            self.steps[step].target = self.steps[start].target;
        }
        let on_finished = self.on_finished.unwrap_or(self.steps.len());
        Ok(Program {
            steps: self.steps,
            variables: self.names.len(),
            on_finished,
        })
    }

    fn error(&self, code: ErrorCode, column: u32) -> LoadError {
        LoadError {
            code,
            line: self.line,
            column,
        }
    }
}

/// The number in `nscans(n)`.
fn scans(text: &str) -> Option<f64> {
    let inner = text.strip_prefix("nscans(")?.strip_suffix(')')?;
    let count = parse_literal(inner).ok()?.value;
    (count >= 1.0).then_some(count)
}

fn columns(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// The column after the character at a byte of a token.
fn after_byte(token: &Token<'_>, position: usize) -> u32 {
    token.start + columns(&token.text[..position]) + 1
}

/// Splits a line at blanks; text in quotation marks stays whole, a comment is left out.
fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut start = None;
    let mut quoted = false;
    let mut end = line.len();
    for (position, character) in line.char_indices() {
        match character {
            '#' if !quoted => {
                end = position;
                break;
            }
            ' ' | '\t' if !quoted => {
                if let Some(start) = start.take() {
                    found.push((start, position));
                }
                continue;
            }
            '"' => quoted = !quoted,
            _ => {}
        }
        start.get_or_insert(position);
    }
    if let Some(start) = start {
        found.push((start, end));
    }
    found
        .into_iter()
        .map(|(start, end)| Token {
            text: &line[start..end],
            start: columns(&line[..start]) + 1,
            end: columns(&line[..end]) + 1,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Program, (u16, u32, u32)> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        parse(&lines).map_err(|error| (error.code.0, error.line, error.column))
    }

    #[test]
    fn a_script_becomes_steps_that_know_their_ends() {
        let program = load(
            "var a\nvar b # a comment\nstore_var a 0i ja\nloop a < 3i\n  add_var a 1i\n  if a == 2i\n    breakloop\n\
             \x20 else\n    wait 10m\n  endif\nendloop\non_finished:\n  cell_off",
        )
        .unwrap();
        let commands: Vec<_> = program
            .steps
            .iter()
            .map(|step| (step.command, step.target))
            .collect();
        assert_eq!(
            commands,
            [
                (Command::Store, 0),
                (Command::Loop, 8),
                (Command::Add, 2),
                (Command::If, 5),
                (Command::BreakLoop, 8),
                (Command::Else, 7),
                (Command::Wait, 6),
                (Command::EndIf, 7),
                (Command::EndLoop, 1),
                (Command::CellOff, 9),
            ]
        );
        assert_eq!((program.variables, program.on_finished), (2, 9));
        assert_eq!(program.steps[1].line, 4);
    }

    #[test]
    fn every_error_of_loading_has_its_code_and_place() {
        for (text, error) in [
            ("no_such_command 1", (0x4001, 1, 16)),
            ("cell_off\n  wait 2.5", (0x4004, 2, 10)),
            ("set_e %", (0x4004, 1, 8)),
            ("cell_on\r", (0x4004, 1, 9)),
            ("wait", (0x4004, 1, 5)),
            ("wait 0x", (0x4039, 1, 8)),
            ("wait 1 2", (0x420A, 1, 9)),
            ("var p\nmeas_loop_ocp p 1 2 nscans(2)", (0x4008, 2, 30)),
            ("pck_start\npck_add f\npck_end", (0x420B, 2, 10)),
            ("var 1f", (0x402B, 1, 7)),
            ("var f\nvar f", (0x4026, 2, 6)),
            ("timer_get 5", (0x420D, 1, 12)),
            ("set_range b 1m", (0x4209, 1, 12)),
            ("pck_end", (0x401B, 1, 8)),
            ("pck_start\npck_start", (0x401B, 2, 10)),
            ("pck_add 1", (0x401B, 1, 8)),
            ("endloop", (0x400E, 1, 8)),
            ("breakloop", (0x400E, 1, 10)),
            ("if 1 < 2\nelse\nelse\nendif", (0x400E, 3, 5)),
            ("loop 1 < 2\n  wait 1", (0x4018, 2, 9)),
            ("pck_start", (0x4018, 1, 10)),
            (
                "var p\nmeas_loop_ocp p 1 2\n meas_loop_ocp p 1 2",
                (0x400B, 3, 15),
            ),
            ("var p\nmeas_loop_ocp p 1 2\nset_e 1\nendloop", (0x4032, 3, 6)),
            ("send_string hello", (0x4004, 1, 18)),
        ] {
            assert_eq!(load(text), Err(error), "{text}");
        }
    }

    #[test]
    fn text_keeps_its_blanks_and_its_hash() {
        let program = load("send_string \"a # b\" # c").unwrap();
        assert_eq!(program.steps[0].arguments, [Argument::Text("a # b".into())]);
    }

    #[test]
    fn both_forms_of_autoranging_are_read() {
        let program = load("set_autoranging ba 1u 1m\nset_autoranging 1u 1m").unwrap();
        assert_eq!(program.steps[0].command, Command::SetAutoranging);
        assert_eq!(program.steps[1].command, Command::SetCurrentAutoranging);
    }

    proptest::proptest! {
        #[test]
        fn no_script_makes_the_loader_panic(text in "((var|if|loop|endif|endloop|else|pck_start|pck_add|meas_loop_ocp|wait|send_string|[a-c]|<|1i|[ \"#é.])[ \n]){0,30}") {
            let _ = load(&text);
        }
    }
}
