//! One SQLite file a session: everything that happened, in order, safe on disk before anyone sees it.
//!
//! Events lie in typed tables, one a kind, under one number (`seq`) that runs over all of them; every commit adds a
//! row to `batch` with its span of numbers and times and the next hash of a BLAKE3 chain over all events. Views
//! answer what a person asks (`select * from spectrum where sweep = 3`).

mod backup;
mod chain;
mod clock;
mod commit_policy;
mod connect;
mod decode;
mod disk;
mod encode;
mod error;
mod export;
mod fields;
mod file;
mod heads;
mod playback;
mod reader;
mod recorder;
mod recover;
mod schema;
mod seek;
mod table;
mod verify;
mod views;
mod writer;

pub use backup::{BackupError, backup};
pub use chain::Attachment;
pub use clock::{Position, ReplayClock, SPEED_MAX, SPEED_MIN};
pub use commit_policy::{CommitPolicy, DENSE_WAIT, IDLE_WAIT};
pub use disk::{DiskCondition, network_file_system};
pub use error::{ReadError, WriteError};
pub use export::{ChargeSign, ExportError, ExportFormat, Exported, Part, Staging, export};
pub use fields::BadValue;
pub use file::settle;
pub use heads::StoredHead;
pub use playback::Playback;
pub use reader::{Events, Reader};
pub use recorder::{OnDisk, Recorder, RecorderHandle, RecorderHooks, RecordingEnded};
pub use recover::{
    META_RECOVERED_FROM, RecoverError, Recovered, Stretch, SweepSoundness, recover, sound_sweeps,
};
pub use schema::{APPLICATION_ID, FORMAT_VERSION};
pub use seek::SweepSpan;
pub use verify::{Problem, Verified, checked_events, verify, verify_each};
pub use writer::{
    Closed, Committed, META_CHAIN_HASH, META_STATE_DIGEST, META_STATE_VERSION, Opening, Writer,
};

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
