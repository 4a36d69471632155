//! Rows of numbers in both directions: read by the driver, written by the simulator.

use serde_json::{Map, Value as Json};

use crate::profile::line::format::leading_number;
use crate::profile::line::{Field, Row, Value, Values};

/// The values of a row by column; none where the line is no such row.
#[must_use]
pub fn read(row: &Row, line: &str) -> Option<Values> {
    if let Some(template) = &row.template {
        return template.read(line);
    }
    if let Some(columns) = &row.columns {
        return separated(row, columns, line);
    }
    let object = object(line)?;
    let mut values = Values::new();
    for field in row.json.iter().flatten() {
        if let Some(found) = lookup(&object, &field.name) {
            let value = match found {
                Json::Number(number) => Value::Number(number.as_f64()?),
                Json::String(text) => Value::Text(text.clone()),
                Json::Null => Value::Number(f64::NAN),
                _ => return None,
            };
            values.insert(field.name.clone(), value);
        }
    }
    (!values.is_empty()).then_some(values)
}

/// Whether the line is an empty JSON object, which some devices send at the end.
#[must_use]
pub fn is_empty_object(line: &str) -> bool {
    object(line).is_some_and(|object| object.is_empty())
}

/// A row with these values. A field without a value is 0, or empty.
#[must_use]
pub fn write(row: &Row, values: &Values) -> String {
    let field = |field: &Field| match values.get(&field.name) {
        Some(value) => value.write(&field.format),
        None if field.format.is_number() => field.format.write(0.0),
        None => String::new(),
    };
    if let Some(template) = &row.template {
        return template.write(values);
    }
    if let Some(columns) = &row.columns {
        let texts: Vec<String> = columns.iter().map(field).collect();
        return texts.join(&row.separator);
    }
    let mut object = Map::new();
    for column in row.json.iter().flatten() {
        if let Some(value) = values.get(&column.name) {
            let text = value.write(&column.format);
            let json = match leading_number(&text) {
                Some((number, "")) if number.is_finite() => {
                    serde_json::from_str(text.trim()).unwrap_or_else(|_| Json::from(number))
                }
                Some((_, "")) => Json::Null,
                _ => Json::String(text),
            };
            insert(&mut object, &column.name, json);
        }
    }
    Json::Object(object).to_string()
}

fn separated(row: &Row, columns: &[Field], line: &str) -> Option<Values> {
    let texts: Vec<&str> = line.split(row.separator.as_str()).map(str::trim).collect();
    if texts.len() < row.at_least.unwrap_or(columns.len()) {
        return None;
    }
    let mut values = Values::new();
    for (field, text) in columns.iter().zip(texts) {
        if field.name == Field::ANYTHING {
            continue;
        }
        let value = if field.format.is_number() {
            match leading_number(text) {
                Some((number, "")) => Value::Number(number),
                _ => return None,
            }
        } else {
            Value::Text(text.to_owned())
        };
        values.insert(field.name.clone(), value);
    }
    Some(values)
}

fn object(line: &str) -> Option<Map<String, Json>> {
    match serde_json::from_str(line.trim()) {
        Ok(Json::Object(object)) => Some(object),
        _ => None,
    }
}

fn lookup<'a>(object: &'a Map<String, Json>, path: &str) -> Option<&'a Json> {
    match path.split_once('.') {
        Some((key, rest)) => lookup(object.get(key)?.as_object()?, rest),
        None => object.get(path),
    }
}

fn insert(object: &mut Map<String, Json>, path: &str, value: Json) {
    match path.split_once('.') {
        Some((key, rest)) => {
            let inner = object.entry(key).or_insert_with(|| Json::Object(Map::new()));
            if let Some(inner) = inner.as_object_mut() {
                insert(inner, rest, value);
            }
        }
        None => {
            object.insert(path.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(toml: &str) -> Row {
        toml::from_str(toml).unwrap()
    }

    fn numbers(values: &Values) -> Vec<(&str, f64)> {
        values
            .iter()
            .map(|(name, value)| (name.as_str(), value.number().unwrap()))
            .collect()
    }

    #[test]
    fn columns_between_separators_are_read_with_blanks_and_more_columns_than_named() {
        let row = row(r#"columns = ["re:+.7E", "im:+.7E", "_"]"#);
        let values = read(&row, "+1.2E-03, -4.0E-04 ,x,9").unwrap();
        assert_eq!(numbers(&values), [("im", -4e-4), ("re", 1.2e-3)]);
        assert_eq!(read(&row, "+1.2E-03,-4.0E-04"), None, "too few columns");
        assert_eq!(read(&row, "1,2x,3"), None, "no number");
        assert_eq!(read(&row, "OK"), None);
    }

    #[test]
    fn json_is_read_by_its_keys_and_dots_lead_inside() {
        let row = row(r#"json = ["t:d", "response.i:.3f"]"#);
        let values = read(&row, r#"{"t":100,"response":{"i":2.5},"n":1}"#).unwrap();
        assert_eq!(numbers(&values), [("response.i", 2.5), ("t", 100.0)]);
        assert_eq!(write(&row, &values), r#"{"t":100,"response":{"i":2.5}}"#);
        assert_eq!(read(&row, "{}"), None);
        assert!(is_empty_object("{}"));
        assert!(!is_empty_object(r#"{"t":1}"#));
        assert!(!is_empty_object(r#"{"success":true,"response":{}}"#));
        assert!(!is_empty_object("7"));
    }

    proptest! {
        #[test]
        fn a_row_reads_back_as_written(a in -1e3..1e3_f64, b in -1e3..1e3_f64, kind in 0..3_usize) {
            let row = row([
                r#"columns = ["a:+.9E", "b:.9e"]"#,
                r#"template = "A={a:.9E} ohm, B={b:.9e}""#,
                r#"json = ["a:.9e", "x.b:.9e"]"#,
            ][kind]);
            let second = if kind == 2 { "x.b" } else { "b" };
            let values = Values::from([
                ("a".to_owned(), Value::Number(a)), (second.to_owned(), Value::Number(b)),
            ]);
            let back = read(&row, &write(&row, &values)).unwrap();
            for (name, was) in [("a", a), (second, b)] {
                let is = back[name].number().unwrap();
                prop_assert!((is - was).abs() <= 1e-9 * was.abs(), "{name}: {is} for {was}");
            }
        }
    }
}
