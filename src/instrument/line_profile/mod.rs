//! Instruments that speak in lines, driven wholly from their profiles. Without I/O and without a clock.

mod action;
mod answers;
mod driver;
mod lines;
mod measure;
pub mod parameters;
mod reading;
mod recorded;
pub mod row;
mod rows;
mod settings;

pub use driver::LineDriver;
pub use lines::{Line, Splitter, encode};
pub use reading::Reading;
pub use recorded::RecordedRows;
pub use settings::LineSettings;
