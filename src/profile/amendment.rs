//! A value of a cell that was found wrong after measuring: which may be given anew, and what the profile then says.

use toml::{Table, Value};

use super::cell::Cell;
use super::document::nearest;
use super::error::ProfileError;

/// Values of a cell profile that may be found wrong later. Its name and circuit may not: they say what was recorded
/// and fitted.
const AMENDABLE: [&str; 8] = [
    "description",
    "chemistry",
    "configuration",
    "working_electrode",
    "area_cm2",
    "thickness_um",
    "temperature_k",
    "pressure_mpa",
];

/// A cell profile with a value given anew.
#[derive(Clone, Debug, PartialEq)]
pub struct AmendedCell {
    /// The profile as it reads now.
    pub cell: Cell,
    /// Its text.
    pub text: String,
    /// The value that stood there, as TOML has it; none where there was none.
    pub old: Option<String>,
    /// The new value, as TOML has it.
    pub new: String,
}

/// The cell profile `text` with `key` given the value `new`; `file` names it in errors. A value that is no TOML is
/// taken as text, so that `chemistry=Li | LLZO | Li` needs no quotes.
///
/// # Errors
/// The key is none that may be amended, or the profile refuses the value.
pub fn amend(file: &str, text: &str, key: &str, new: &str) -> Result<AmendedCell, ProfileError> {
    let refused = |message: String| ProfileError {
        file: file.to_owned(),
        line: None,
        field: key.to_owned(),
        message,
    };
    if !AMENDABLE.contains(&key) {
        let known = AMENDABLE.join(", ");
        return Err(refused(match nearest(key, &AMENDABLE) {
            Some(name) => format!("cannot be amended; did you mean `{name}`?"),
            None => format!("cannot be amended; what can: {known}"),
        }));
    }
    let mut profile: Table = text
        .parse()
        .map_err(|error| refused(format!("the profile: {error}")))?;
    let new = value_of(new);
    let old = profile
        .insert(key.to_owned(), new.clone())
        .map(|old| old.to_string());
    let text = profile.to_string();
    Ok(AmendedCell {
        cell: Cell::parse(file, &text).map_err(|error| ProfileError { line: None, ..error })?,
        text,
        old,
        new: new.to_string(),
    })
}

/// A value as it would stand in TOML, a whole number being the same as with a point.
fn value_of(text: &str) -> Value {
    let text = text.trim();
    match format!("value = {text}").parse::<Table>() {
        Ok(mut table) if table.len() == 1 => match table.remove("value") {
            Some(Value::Integer(number)) => Value::Float(number as f64),
            Some(value) => value,
            None => Value::String(text.to_owned()),
        },
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Kind, shipped_text};

    fn profile() -> String {
        shipped_text(Kind::Cell, "li_lpscl_li").unwrap().to_owned()
    }

    #[test]
    fn an_amended_area_is_what_the_profile_says_and_the_old_one_is_told() {
        let amended = amend("cell.toml", &profile(), "area_cm2", "0.785").unwrap();
        assert_eq!(amended.cell.area_cm2, Some(0.785));
        assert_eq!(
            (amended.old.as_deref(), amended.new.as_str()),
            (Some("1.33"), "0.785")
        );
        let again = amend("cell.toml", &amended.text, "area_cm2", "2").unwrap();
        assert_eq!(
            (again.cell.area_cm2, again.old.as_deref()),
            (Some(2.0), Some("0.785"))
        );
        assert_eq!(
            again.cell.circuit,
            Cell::parse("cell.toml", &profile()).unwrap().circuit
        );
    }

    #[test]
    fn a_text_needs_no_quotes() {
        let amended = amend("cell.toml", &profile(), "chemistry", "Li | LLZO = new | Li").unwrap();
        assert_eq!(amended.cell.chemistry, "Li | LLZO = new | Li");
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_key_and_a_way_out() {
        for (key, new, said) in [
            ("area_mm2", "1", "did you mean `area_cm2`?"),
            ("circuit", "R0", "what can: description"),
            ("area_cm2", "-1", "area_cm2"),
            ("area_cm2", "nan", "area_cm2"),
            ("area_cm2", "one", "area_cm2"),
            ("thickness_um", "600 um", "thickness_um"),
            ("chemistry", "5", "chemistry"),
            ("area_cm2", "1\nname = \"x\"", "area_cm2"),
        ] {
            let error = amend("cell.toml", &profile(), key, new).unwrap_err().to_string();
            assert!(error.contains(said), "{key}={new}: {error}");
        }
    }
}
