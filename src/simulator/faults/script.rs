//! Faults in a TOML file, by time or by sweep.

use std::path::Path;

use serde::Deserialize;

use super::{Fault, When};

/// Why a file of faults is refused.
#[derive(Debug, thiserror::Error)]
pub enum FaultScriptError {
    /// It cannot be read.
    #[error("{file}: cannot be read: {source}")]
    Read {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not such a file.
    #[error("{file}: {message}")]
    Parse {
        /// The file.
        file: String,
        /// What is wrong and where.
        message: String,
    },
    /// A fault in it is none.
    #[error("{file}, fault {number} ({kind}): {message}")]
    Fault {
        /// The file.
        file: String,
        /// Which one, from 1.
        number: usize,
        /// Its kind.
        kind: String,
        /// What is wrong with it.
        message: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    #[serde(default, rename = "fault")]
    faults: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kind: String,
    at_s: Option<f64>,
    sweep: Option<u32>,
    point: Option<u32>,
    rate: Option<f64>,
    for_s: Option<f64>,
}

/// Reads a file of faults.
///
/// # Errors
/// Where it cannot be read, or a fault in it is none: with file and place.
pub fn read_faults(path: &Path) -> Result<Vec<Fault>, FaultScriptError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| FaultScriptError::Read {
        file: file.clone(),
        source,
    })?;
    parse(&file, &text)
}

fn parse(file: &str, text: &str) -> Result<Vec<Fault>, FaultScriptError> {
    let script: Script = toml::from_str(text).map_err(|error| FaultScriptError::Parse {
        file: file.to_owned(),
        message: error.to_string().trim().to_owned(),
    })?;
    let entries = script.faults.into_iter().enumerate();
    entries
        .map(|(index, entry)| {
            let refuse = |message: String| FaultScriptError::Fault {
                file: file.to_owned(),
                number: index + 1,
                kind: entry.kind.clone(),
                message,
            };
            let when = match (entry.at_s, entry.sweep, entry.point) {
                (None, None, None) => When::Always,
                (Some(at_s), None, None) => When::Time(at_s),
                (None, Some(sweep), point) => When::Point {
                    sweep,
                    point: point.unwrap_or(1),
                },
                _ => {
                    return Err(refuse(
                        "give at_s, or sweep with or without point, and not both".to_owned(),
                    ));
                }
            };
            Fault::of_parts(&entry.kind, when, entry.rate, entry.for_s).map_err(refuse)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::FaultKind;
    use super::*;

    #[test]
    fn faults_stand_in_a_file_by_time_and_by_sweep() {
        let text = "[[fault]]\nkind = \"unplug\"\nsweep = 2\npoint = 5\nfor_s = 8\n\n[[fault]]\nkind = \"silence\"\n\
                    at_s = 30.0\n\n[[fault]]\nkind = \"drop\"\nrate = 0.01\n";
        let faults = parse("f.toml", text).unwrap();
        assert_eq!(faults[0], "unplug@2.5+8s".parse().unwrap());
        assert_eq!(faults[1], "silence@30s".parse().unwrap());
        assert_eq!(faults[2].kind, FaultKind::Drop);
    }

    #[test]
    fn a_wrong_file_is_refused_with_the_place() {
        let says = |text: &str| parse("f.toml", text).unwrap_err().to_string();
        assert!(says("[[fault]]\nkind = \"drop\"\nrat = 1\n").contains("line 3"));
        let both = says("[[fault]]\nkind = \"error\"\nat_s = 1.0\nsweep = 2\n");
        assert!(both.contains("f.toml, fault 1 (error)"), "{both}");
        assert!(says("[[fault]]\nkind = \"melt\"\n").contains("there are stray"));
    }
}
