//! Instruments that speak in lines, driven wholly from their profiles. Without I/O and without a clock.

mod action;
mod answers;
mod direct;
mod driver;
mod lines;
mod measure;
pub mod parameters;
pub mod pieces;
mod reading;
mod recorded;
pub mod row;
mod rows;
mod settings;

pub use direct::may_be_watched;
pub use driver::LineDriver;
pub use lines::{Line, Splitter, encode};
pub use reading::Reading;
pub use recorded::RecordedRows;
pub use settings::LineSettings;
