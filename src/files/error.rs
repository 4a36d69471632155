//! Why a file cannot be read, and where.

use std::fmt;

use super::text::shown;

/// Why a file, or the rest of it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The file.
    pub file: String,
    /// The place in it.
    pub place: Place,
    /// What is wrong there, and what would be right.
    pub message: String,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    Whole,
    /// Line and, where it is known, column of a text, both from 1; columns count fields, not characters.
    Line(usize, Option<usize>),
    /// Bytes from the beginning of a binary file.
    Offset(usize),
}

impl ReadError {
    /// An error that concerns no single place.
    #[must_use]
    pub fn whole_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place: Place::Whole,
            message: shown(message.into()),
        }
    }

    /// An error in a line, counted from 1.
    #[must_use]
    pub fn in_line(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place: Place::Line(line, None),
            message: shown(message.into()),
        }
    }

    /// An error in a field of a line, both counted from 1.
    #[must_use]
    pub fn in_field(file: &str, line: usize, column: usize, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place: Place::Line(line, Some(column)),
            message: shown(message.into()),
        }
    }

    /// An error at a byte of a binary file.
    #[must_use]
    pub fn at_byte(file: &str, offset: usize, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            place: Place::Offset(offset),
            message: shown(message.into()),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Whole => write!(out, "{}: {}", self.file, self.message),
            Place::Line(line, None) => write!(out, "{}:{line}: {}", self.file, self.message),
            Place::Line(line, Some(column)) => {
                write!(out, "{}:{line}: column {column}: {}", self.file, self.message)
            }
            Place::Offset(offset) => write!(out, "{}: byte {offset}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for ReadError {}
