//! The control socket: what can be asked of a running session, and what it tells. One JSON object a line.

use serde::{Deserialize, Serialize};

use crate::recording::DiskCondition;

/// What can be asked of a running session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// End the session after the running point, or at once; the cell is switched off either way.
    Stop {
        /// Give up the running point.
        #[serde(default)]
        now: bool,
    },
    /// Hold the plan after the running sweep.
    Pause,
    /// Go on with the plan.
    Resume,
    /// Put a remark into the recording.
    Note {
        /// The remark.
        text: String,
    },
    /// A value of the cell was found wrong.
    Amend {
        /// Its name in the cell's profile.
        key: String,
        /// What stood there.
        old: Option<String>,
        /// What is right.
        new: String,
    },
    /// An alarm has been seen.
    Acknowledge {
        /// Name of the alarm.
        name: String,
    },
}

/// What a running session tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "tell", rename_all = "snake_case")]
pub enum Tell {
    /// All events up to this seq are on disk.
    Committed {
        /// The seq.
        seq: u64,
    },
    /// How the disk does that the recording is on; said when it changes, as nothing can be recorded on a full one.
    Disk(DiskCondition),
    /// The request was taken.
    Ok,
    /// The request was not taken.
    Refused {
        /// Why, and what would be right.
        why: String,
    },
}

impl Request {
    /// The request on a line.
    ///
    /// # Errors
    /// In words, where the line is not a request.
    pub fn parse(line: &str) -> Result<Self, String> {
        serde_json::from_str(line).map_err(|error| {
            format!("not a request: {error}; known: stop, pause, resume, note, amend, acknowledge")
        })
    }
}

/// A value as a line of JSON with its line end.
#[must_use]
pub fn line_of(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).unwrap_or_default();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_an_object_with_a_command() {
        assert_eq!(
            Request::parse(r#"{"command":"stop"}"#),
            Ok(Request::Stop { now: false })
        );
        let note = Request::Note { text: "a\nb".into() };
        assert_eq!(Request::parse(line_of(&note).trim()), Ok(note));
    }

    #[test]
    fn what_is_told_of_the_disk_is_a_line_like_any_other() {
        for condition in [DiskCondition::Full, DiskCondition::Slow { commit_ms: 700 }] {
            let line = line_of(&Tell::Disk(condition));
            let told: Tell = serde_json::from_str(&line).unwrap();
            assert_eq!(told, Tell::Disk(condition), "{line}");
        }
    }

    #[test]
    fn what_is_not_a_request_is_refused_with_what_would_be() {
        for line in [
            "",
            "{",
            "{}",
            r#"{"command":"explode"}"#,
            r#"{"command":"stop","force":1}"#,
        ] {
            assert!(
                Request::parse(line).unwrap_err().contains("known: stop"),
                "{line}"
            );
        }
    }
}
