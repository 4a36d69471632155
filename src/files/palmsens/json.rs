//! What of a session is read. Everything else is stepped over without being kept, so that a session of megabytes
//! costs its numbers only; measurements that are whole are kept when the text breaks off after them.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::spectrum::PointStatus;

/// A measurement.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Measurement {
    pub title: Option<String>,
    method: Option<String>,
    pub data_set: Option<DataSet>,
    #[serde(rename = "EISDataList", deserialize_with = "or_empty")]
    pub impedance: Vec<Impedance>,
}

impl Measurement {
    /// The line `METHOD_ID=` of the method, in lower case.
    pub(super) fn method_id(&self) -> Option<String> {
        let method = self.method.as_deref()?;
        let line = method
            .lines()
            .find_map(|line| line.trim().strip_prefix("METHOD_ID="))?;
        Some(
            line.chars()
                .filter(|character| !character.is_control())
                .take(40)
                .collect::<String>()
                .to_lowercase(),
        )
    }

    /// What kind of measurement it is, for messages.
    pub(super) fn kind(&self) -> String {
        self.method_id()
            .unwrap_or_else(|| "a measurement of unknown kind".to_owned())
    }
}

/// An entry of the list of impedance data.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Impedance {
    pub title: Option<String>,
    pub data_set: Option<DataSet>,
}

/// Arrays of values.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct DataSet {
    #[serde(rename = "Values", deserialize_with = "or_empty")]
    arrays: Vec<Array>,
}

impl DataSet {
    /// The first array of a kind.
    pub(super) fn array(&self, kind: i64) -> Option<&Array> {
        self.arrays.iter().find(|array| array.kind == Some(kind))
    }
}

/// One array.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Array {
    #[serde(rename = "ArrayType")]
    kind: Option<i64>,
    #[serde(rename = "Unit")]
    unit: Option<Unit>,
    #[serde(rename = "DataValues", deserialize_with = "or_empty")]
    pub values: Vec<Value>,
}

impl Array {
    /// What the values are, as their unit says: `-Z''`.
    pub(super) fn quantity(&self) -> Option<&str> {
        self.unit.as_ref()?.quantity.as_deref()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Unit {
    #[serde(rename = "Q")]
    quantity: Option<String>,
}

/// One value.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Value {
    #[serde(rename = "V", deserialize_with = "number")]
    pub number: Option<f64>,
    #[serde(rename = "S")]
    status: Option<i64>,
}

impl Value {
    /// What the instrument said about the reading.
    pub(super) fn status(&self) -> PointStatus {
        match self.status {
            Some(1) => PointStatus::Overload,
            Some(2) => PointStatus::Underload,
            Some(3) => PointStatus::Warning,
            _ => PointStatus::Ok,
        }
    }
}

/// `null` instead of a list is an empty one.
fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A number, or the words in which .NET writes what is none.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    struct NumberOrWord;
    impl Visitor<'_> for NumberOrWord {
        type Value = Option<f64>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a number")
        }
        fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
            Ok(Some(number))
        }
        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(number as f64))
        }
        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok(Some(number as f64))
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
            Ok(word.trim().parse().ok())
        }
    }
    deserializer.deserialize_any(NumberOrWord)
}

/// Why the reading of a session stopped.
pub(super) struct Stop {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// All measurements of a text, and what ended the reading before its end.
pub(super) fn measurements(text: &str) -> (Vec<Measurement>, Option<Stop>) {
    let mut found = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let outcome = Session { found: &mut found }.deserialize(&mut deserializer);
    let stop = outcome.err().map(|error| Stop {
        line: error.line(),
        column: error.column(),
        message: if error.is_eof() {
            "the session ends in the middle; copy it again".to_owned()
        } else {
            format!("this is not the session it should be: {}", without_place(&error))
        },
    });
    (found, stop)
}

/// The message of an error without the line and column at its end: they are those of a decoded text.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end]
        .chars()
        .filter(|character| !character.is_control())
        .take(200)
        .collect()
}

/// A session: its measurements are pushed as they are read.
struct Session<'a> {
    found: &'a mut Vec<Measurement>,
}

impl<'de> DeserializeSeed<'de> for Session<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Session<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a session")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "Measurements" {
                map.next_value_seed(Measurements {
                    found: &mut *self.found,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Measurements<'a> {
    found: &'a mut Vec<Measurement>,
}

impl<'de> DeserializeSeed<'de> for Measurements<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Measurements<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of measurements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(measurement) = list.next_element()? {
            self.found.push(measurement);
        }
        Ok(())
    }
}
