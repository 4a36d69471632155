//! Lines with named fields, read in both directions: written with values, and recognised in what arrives.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer};

use super::format::{Format, leading_number};

/// A field: its name and how it is written (`z_re:+.7E`). The name `_` stands for anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// How it is written.
    pub format: Format,
}

impl Field {
    /// The name of a field whose content does not matter.
    pub const ANYTHING: &'static str = "_";

    fn parse(text: &str) -> Result<Self, String> {
        let (name, format) = match text.split_once(':') {
            Some((name, format)) => (name, Format::parse(format)?),
            None => (text, Format::PLAIN),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(format!(
                "`{name}` is no name of a field: letters, digits, `_` and `.` only"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            format,
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.format != Format::PLAIN {
            write!(f, ":{}", self.format)?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
}

impl Value {
    /// The value as a number; none for text that is none.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => match leading_number(text) {
                Some((number, rest)) if rest.trim().is_empty() => Some(number),
                _ => None,
            },
        }
    }

    /// The value as text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Number(number) => Format::PLAIN.write(*number),
            Self::Text(text) => text.clone(),
        }
    }

    /// As a field writes it.
    #[must_use]
    pub fn write(&self, format: &Format) -> String {
        match self {
            Self::Number(number) => format.write(*number),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Values by name of field.
pub type Values = BTreeMap<String, Value>;

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    Field(Field),
}

/// A line with fields in braces: `FREQ {frequency_hz:.4g}`. A brace itself is written twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// In words: a brace without its other, a field that is none, two fields with nothing between them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            match c {
                '\r' | '\n' => return Err("a line end cannot stand inside a line".to_owned()),
                '{' | '}' if after.starts_with(c) => {
                    literal.push(c);
                    rest = &after[1..];
                }
                '{' => {
                    let end = after
                        .find('}')
                        .ok_or("a `{` is not closed; a brace itself is written `{{`")?;
                    if literal.is_empty() && matches!(parts.last(), Some(Part::Field(_))) {
                        return Err(format!(
                            "nothing stands before {{{}}}: two fields need something between them",
                            &after[..end]
                        ));
                    }
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Field(Field::parse(&after[..end])?));
                    rest = &after[end + 1..];
                }
                '}' => return Err("a `}` without its `{`; a brace itself is written `}}`".to_owned()),
                _ => {
                    literal.push(c);
                    rest = after;
                }
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { parts })
    }

    /// The fields in order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            Part::Literal(_) => None,
        })
    }

    /// Whether a field of this name is in it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields().any(|field| field.name == name)
    }

    /// The line with these values. A field without a value is left empty, or 0 where it is a number.
    #[must_use]
    pub fn write(&self, values: &Values) -> String {
        let mut line = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => line.push_str(text),
                Part::Field(field) => match values.get(&field.name) {
                    Some(value) => line.push_str(&value.write(&field.format)),
                    None if field.format.is_number() => line.push_str(&field.format.write(0.0)),
                    None => {}
                },
            }
        }
        line
    }

    /// The values in a line of this form; none where it is of another. Any blanks match any other blanks,
    /// those at the end may be missing. A field that is text goes up to the first place at which what
    /// follows it in the template stands.
    #[must_use]
    pub fn read(&self, line: &str) -> Option<Values> {
        let mut values = Values::new();
        let mut rest = line;
        for (index, part) in self.parts.iter().enumerate() {
            let is_last = index + 1 == self.parts.len();
            match part {
                Part::Literal(text) => rest = after_literal(rest, text, is_last)?,
                Part::Field(field) => {
                    let value = if field.format.is_number() {
                        let (number, after) = leading_number(rest)?;
                        rest = after;
                        Value::Number(number)
                    } else {
                        let end = match self.parts.get(index + 1) {
                            Some(Part::Literal(text)) => {
                                end_of_text(rest, text, index + 2 == self.parts.len())?
                            }
                            _ => rest.len(),
                        };
                        let value = Value::Text(rest[..end].to_owned());
                        rest = &rest[end..];
                        value
                    };
                    if field.name != Field::ANYTHING {
                        values.insert(field.name.clone(), value);
                    }
                }
            }
        }
        is_blank(rest).then_some(values)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Part::Field(field) => write!(f, "{{{field}}}")?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| BLANKS.contains(&c))
}

/// What follows the literal at the start of `text`.
fn after_literal<'a>(text: &'a str, literal: &str, is_last: bool) -> Option<&'a str> {
    let mut rest = text;
    let mut wanted = literal;
    while let Some(c) = wanted.chars().next() {
        if BLANKS.contains(&c) {
            wanted = wanted.trim_start_matches(BLANKS);
            let after = rest.trim_start_matches(BLANKS);
            let may_be_missing = wanted.is_empty() && is_last && rest.is_empty();
            if after.len() == rest.len() && !may_be_missing {
                return None;
            }
            rest = after;
        } else {
            rest = rest.strip_prefix(c)?;
            wanted = &wanted[c.len_utf8()..];
        }
    }
    Some(rest)
}

/// Where a text field ends that is followed by a literal.
fn end_of_text(text: &str, literal: &str, literal_is_last: bool) -> Option<usize> {
    let fits = |at: usize| match after_literal(&text[at..], literal, literal_is_last) {
        Some(rest) => !literal_is_last || is_blank(rest),
        None => false,
    };
    text.char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .find(|&at| fits(at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap()
    }

    fn numbers(values: &Values) -> Vec<f64> {
        values.values().filter_map(Value::number).collect()
    }

    #[test]
    fn an_identity_is_taken_apart() {
        let values = template("HIOKI,{model},{serial},{firmware}")
            .read("HIOKI,BT4560,123456,V1.00")
            .unwrap();
        assert_eq!(values["serial"], Value::Text("123456".to_owned()));
        assert_eq!(values["firmware"], Value::Text("V1.00".to_owned()));
        assert_eq!(template("HIOKI,{model},{serial}").read("KEYSIGHT,1,2"), None);
    }

    #[test]
    fn published_lines_of_free_running_devices_are_read_whatever_their_blanks() {
        let line = template("Freq:{a:.2f} RzMag: {b:f} Ohm , RzPhase: {c:f} ");
        let values = line
            .read("Freq:100.00 RzMag: 9885.956000 Ohm , RzPhase: -2.500000 ")
            .unwrap();
        assert_eq!(numbers(&values), [100.0, 9885.956, -2.5]);
        assert!(
            line.read("Freq:100.00 RzMag:   9885.9 Ohm ,  RzPhase: -2.5")
                .is_some(),
            "blanks at the end are often cut off"
        );
        assert_eq!(line.read("Freq:100.00 RzMag: 9885.9 Ohm"), None);
        let battery = template("Freq: {a:f} (real, image) = ,{b:f} , {c:f} ,mOhm ");
        let values = battery
            .read("Freq: 1000.000000 (real, image) = ,12.500000 , -3.250000 ,mOhm ")
            .unwrap();
        assert_eq!(numbers(&values), [1000.0, 12.5, -3.25]);
    }

    #[test]
    fn braces_are_written_twice() {
        let text = r#"{{"command":"setParam","value":{value:.3f}}}"#;
        let line = template(text);
        let values = Values::from([("value".to_owned(), Value::Number(0.5))]);
        assert_eq!(line.write(&values), r#"{"command":"setParam","value":0.500}"#);
        assert_eq!(line.read(&line.write(&values)), Some(values));
        assert_eq!(line.to_string(), text);
    }

    #[test]
    fn what_is_no_template_is_refused_in_words() {
        for (wrong, says) in [
            ("FREQ {f", "not closed"),
            ("FREQ f}", "without its"),
            ("{a}{b}", "between them"),
            ("{a b}", "no name"),
            ("{a:x}", "no format"),
            ("{}", "no name"),
            ("a\r\n", "line end"),
        ] {
            let error = Template::parse(wrong).unwrap_err();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_text_field_before_a_repeated_end_goes_up_to_the_last_end() {
        let values = template("!{text}!").read("!a!b!").unwrap();
        assert_eq!(values["text"].text(), "a!b");
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_refused_and_prints_as_itself(text in "[ -~\\té]{0,40}", line in "[ -~é]{0,40}") {
            if let Ok(template) = Template::parse(&text) {
                prop_assert_eq!(Template::parse(&template.to_string()), Ok(template.clone()));
                let _ = template.read(&line);
                let _ = template.write(&Values::new());
            }
        }

        #[test]
        fn what_was_written_is_read_back(a in -1e6..1e6_f64, b in -1e6..1e6_f64, word in "[a-z]{1,8}") {
            let line = template("SET {a:.9E};{word}, {b:.9E} x");
            let values = Values::from([
                ("a".to_owned(), Value::Number(a)),
                ("b".to_owned(), Value::Number(b)),
                ("word".to_owned(), Value::Text(word)),
            ]);
            let back = line.read(&line.write(&values)).unwrap();
            prop_assert_eq!(&back["word"], &values["word"]);
            for name in ["a", "b"] {
                let (was, is) = (values[name].number().unwrap(), back[name].number().unwrap());
                prop_assert!((was - is).abs() <= 1e-9 * was.abs());
            }
        }
    }
}
