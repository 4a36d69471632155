//! One step of a conversation: what is sent, what must come back, and the pauses between.

use std::fmt;

use serde::de::{self, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use super::template::Template;

/// A step: a command alone (`"*RST"`), or a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// What is sent; nothing where the step only waits.
    pub send: Option<Template>,
    /// The answer that must come.
    pub expect: Option<Template>,
    /// How the command is confirmed, where it differs from the instrument's other commands.
    pub acknowledge: Option<AcknowledgePolicy>,
    /// How long the answer may take in s; the profile's `time.reply_s` where not given.
    pub timeout_s: Option<f64>,
    /// Pause afterwards in s.
    pub delay_s: f64,
    /// For this long in s afterwards everything that arrives is thrown away.
    pub drain_s: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepTable {
    send: Option<Template>,
    expect: Option<Template>,
    acknowledge: Option<AcknowledgePolicy>,
    timeout_s: Option<f64>,
    #[serde(default)]
    delay_s: f64,
    #[serde(default)]
    drain_s: f64,
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StepVisitor;
        impl<'de> Visitor<'de> for StepVisitor {
            type Value = Step;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a command, or a table with `send`, `expect`, `delay_s` and the like")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Step, E> {
                Ok(Step {
                    send: Some(Template::parse(text).map_err(E::custom)?),
                    ..Step::default()
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Step, A::Error> {
                let table = StepTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Step {
                    send: table.send,
                    expect: table.expect,
                    acknowledge: table.acknowledge,
                    timeout_s: table.timeout_s,
                    delay_s: table.delay_s,
                    drain_s: table.drain_s,
                })
            }
        }
        deserializer.deserialize_any(StepVisitor)
    }
}

/// How an instrument confirms commands.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// When.
    #[serde(default)]
    pub policy: AcknowledgePolicy,
    /// The line that confirms.
    pub good: Option<Template>,
    /// The line that refuses; anything else is passed over.
    pub bad: Option<Template>,
    /// `poll`: the question that is sent after each command.
    pub poll: Option<Template>,
    /// `poll`: bits of the answer, a whole number, that mean a refusal.
    pub bad_bits: Option<u32>,
}

/// When a command is confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcknowledgePolicy {
    /// Never.
    #[default]
    None,
    /// By a line before the answer to a question.
    Before,
    /// By a line after the answer to a question.
    After,
    /// When asked.
    Poll,
}
