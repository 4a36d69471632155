//! One TOML file: parsed strictly, and searched again for the line of a field that is refused later.

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::error::ProfileError;

/// The text of a profile and where it comes from.
pub(super) struct Document<'a> {
    file: &'a str,
    text: &'a str,
}

impl<'a> Document<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text }
    }

    /// The whole document as `T`. Unknown keys, missing keys and wrong types are refused.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, ProfileError> {
        toml::from_str(self.text).map_err(|error| {
            let offset = error.span().map(|span| span.start);
            ProfileError {
                file: self.file.to_owned(),
                line: offset.map(|offset| self.line_of(offset)),
                field: offset.map(|offset| self.key_at(offset)).unwrap_or_default(),
                message: with_a_way_out(error.message()),
            }
        })
    }

    /// A refusal of the field at `path` (`limits.f_max_hz`, `step[0].bias`).
    pub(super) fn refuse(&self, path: &str, message: impl Into<String>) -> ProfileError {
        ProfileError {
            file: self.file.to_owned(),
            line: self.offset_of(path).map(|offset| self.line_of(offset)),
            field: path.to_owned(),
            message: message.into(),
        }
    }

    /// Checks a number: finite and within `low..=high`.
    pub(super) fn within(&self, path: &str, value: f64, low: f64, high: f64) -> Result<(), ProfileError> {
        if value.is_finite() && (low..=high).contains(&value) {
            return Ok(());
        }
        Err(self.refuse(
            path,
            format!("{value} is out of range: it must be between {low} and {high}"),
        ))
    }

    fn line_of(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        self.text.as_bytes()[..offset]
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count()
            + 1
    }

    /// The key on the line of `offset`, or the table header.
    fn key_at(&self, offset: usize) -> String {
        let line = self
            .text
            .lines()
            .nth(self.line_of(offset) - 1)
            .unwrap_or_default();
        let key = line.split('=').next().unwrap_or_default();
        key.trim().trim_matches(['[', ']']).to_owned()
    }

    fn offset_of(&self, path: &str) -> Option<usize> {
        let root = DeTable::parse(self.text).ok()?;
        let mut table = root.get_ref();
        let mut found = None;
        for part in path.split('.') {
            let (key, index) = match part.split_once('[') {
                Some((key, index)) => (key, index.trim_end_matches(']').parse::<usize>().ok()),
                None => (part, None),
            };
            let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref() == key) else {
                return found;
            };
            found = Some(name.span().start);
            let value = match (value.get_ref(), index) {
                (DeValue::Array(items), Some(index)) => {
                    let Some(item) = items.get(index) else {
                        return found;
                    };
                    found = Some(item.span().start);
                    item
                }
                _ => value,
            };
            match value.get_ref() {
                DeValue::Table(inner) => table = inner,
                _ => return found,
            }
        }
        found
    }
}

/// The parser's message with what would be right: the nearest key, or the unit that is meant.
fn with_a_way_out(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") {
        let Some(wrong) = quoted.next() else {
            return message.to_owned();
        };
        let valid: Vec<&str> = quoted.collect();
        if wrong == "amplitude" {
            return "a bare amplitude is refused, because some mean rms and some mean peak: \
                    write amplitude_vrms, in volt rms"
                .to_owned();
        }
        return match nearest(wrong, &valid) {
            Some(name) => format!("unknown key `{wrong}`; did you mean `{name}`? Units stand in the key."),
            None => format!("unknown key `{wrong}`; known here: {}", valid.join(", ")),
        };
    }
    if message.starts_with("unknown variant") {
        let Some(wrong) = quoted.next() else {
            return message.to_owned();
        };
        let valid: Vec<&str> = quoted.collect();
        return match nearest(wrong, &valid) {
            Some(name) => format!("unknown word `{wrong}`; did you mean `{name}`?"),
            None => format!("unknown word `{wrong}`; known here: {}", valid.join(", ")),
        };
    }
    if message.starts_with("invalid type: string") && (message.contains("f64") || message.contains("u32")) {
        return format!("{message}; write the bare number in the unit that the key names");
    }
    message.to_owned()
}

/// The name nearest to `wrong`, where one is near: the same stem with another unit, or a slip of a key.
pub(super) fn nearest<'a>(wrong: &str, valid: &[&'a str]) -> Option<&'a str> {
    let best = valid
        .iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), *name))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then_some(best.1)
}
