//! What happened, and when. A session is a list of events; everything else is a fold over it.

mod canonical;
mod json;
mod kinds;
mod wire_text;

pub use crate::spectrum::Technique;
pub use canonical::CanonicalHasher;
pub use json::utc_text;
pub use kinds::{
    Alarm, AlarmAcknowledged, Amend, CommandGiven, Direction, Event, EventBody, Fit, Gap, Identity, Link,
    LinkState, Note, PlanStep, PointMeasured, SampleTaken, SessionEnded, SessionStarted, Severity, Stamp,
    SweepEnded, SweepStarted, Validity, ValidityDetails, Wire,
};
pub use wire_text::{escape, unescape};
