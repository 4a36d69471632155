//! One SQLite file a session: everything that happened, in order, safe on disk before anyone sees it.
//!
//! Events lie in typed tables, one a kind, under one number (`seq`) that runs over all of them; every commit adds a
//! row to `batch` with its span of numbers and times and the next hash of a BLAKE3 chain over all events. Views
//! answer what a person asks (`select * from spectrum where sweep = 3`).

mod chain;
mod decode;
mod encode;
mod error;
mod reader;
mod schema;
mod table;
mod views;
mod writer;

pub use chain::Attachment;
pub use decode::BadValue;
pub use error::{ReadError, WriteError};
pub use reader::{Events, Reader};
pub use schema::{APPLICATION_ID, FORMAT_VERSION};
pub use writer::{Closed, Committed, META_CHAIN_HASH, Opening, Writer, settle};

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
