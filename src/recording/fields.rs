//! The values of a stored row, taken one after the other and checked.

use rusqlite::types::ValueRef;

use super::table::Table;

/// A stored value that no event has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column} holds {found}")]
pub struct BadValue {
    /// Name of the column.
    pub column: &'static str,
    /// What stands there.
    pub found: String,
}

/// The values of one row, taken from left to right.
pub(super) struct Fields<'v> {
    /// The table that the row is from.
    pub table: &'static Table,
    values: &'v [ValueRef<'v>],
    next: usize,
}

impl<'v> Fields<'v> {
    pub fn new(table: &'static Table, values: &'v [ValueRef<'v>]) -> Self {
        Self {
            table,
            values,
            next: 0,
        }
    }

    fn take(&mut self) -> ValueRef<'v> {
        let value = self.values.get(self.next).copied().unwrap_or(ValueRef::Null);
        self.next += 1;
        value
    }

    pub fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    /// The complaint about the value taken last.
    pub fn bad(&self, found: impl Into<String>) -> BadValue {
        BadValue {
            column: self.table.column(self.next.saturating_sub(1)),
            found: found.into(),
        }
    }

    fn of_wrong_type(&self, value: ValueRef<'_>) -> BadValue {
        self.bad(format!("a value of type {}", value.data_type()))
    }

    fn maybe_integer(&mut self) -> Result<Option<i64>, BadValue> {
        match self.take() {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            other => Err(self.of_wrong_type(other)),
        }
    }

    pub fn integer(&mut self) -> Result<i64, BadValue> {
        self.maybe_integer()?.ok_or_else(|| self.bad("null"))
    }

    pub fn in_range<T: TryFrom<i64>>(&mut self) -> Result<T, BadValue> {
        let value = self.integer()?;
        T::try_from(value).map_err(|_| self.bad(value.to_string()))
    }

    pub fn maybe_u32(&mut self) -> Result<Option<u32>, BadValue> {
        let value = self.maybe_integer()?;
        value
            .map(|value| u32::try_from(value).map_err(|_| self.bad(value.to_string())))
            .transpose()
    }

    pub fn flag(&mut self) -> Result<bool, BadValue> {
        self.maybe_flag()?.ok_or_else(|| self.bad("null"))
    }

    pub fn maybe_flag(&mut self) -> Result<Option<bool>, BadValue> {
        match self.maybe_integer()? {
            None => Ok(None),
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            Some(other) => Err(self.bad(other.to_string())),
        }
    }

    pub fn maybe_real(&mut self) -> Result<Option<f64>, BadValue> {
        match self.take() {
            ValueRef::Null => Ok(None),
            ValueRef::Real(value) => Ok(Some(value)),
            ValueRef::Integer(value) => Ok(Some(value as f64)),
            other => Err(self.of_wrong_type(other)),
        }
    }

    /// A number that the event always has: null stands for NaN.
    pub fn real(&mut self) -> Result<f64, BadValue> {
        Ok(self.maybe_real()?.unwrap_or(f64::NAN))
    }

    fn maybe_str(&mut self) -> Result<Option<&'v str>, BadValue> {
        match self.take() {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(self.bad("text that is not UTF-8")),
            },
            other => Err(self.of_wrong_type(other)),
        }
    }

    pub fn str(&mut self) -> Result<&'v str, BadValue> {
        self.maybe_str()?.ok_or_else(|| self.bad("null"))
    }

    pub fn text(&mut self) -> Result<String, BadValue> {
        self.str().map(str::to_owned)
    }

    pub fn maybe_text(&mut self) -> Result<Option<String>, BadValue> {
        Ok(self.maybe_str()?.map(str::to_owned))
    }

    pub fn blob(&mut self) -> Result<&'v [u8], BadValue> {
        match self.take() {
            ValueRef::Blob(bytes) => Ok(bytes),
            other => Err(self.of_wrong_type(other)),
        }
    }

    /// One of a few words.
    pub fn word<T>(&mut self, from_word: impl Fn(&str) -> Option<T>) -> Result<T, BadValue> {
        let word = self.str()?;
        from_word(word).ok_or_else(|| self.bad(format!("the unknown word `{word}`")))
    }
}
