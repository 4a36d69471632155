//! The hash chain over the events of a recording: each batch's hash covers all its events and the hash before it.
//!
//! An event is hashed as its rows: the table's name, then each value with a tag for its type, numbers as eight
//! little-endian bytes, texts and blobs after their length. So anyone with SQLite and BLAKE3 can check it.

use std::convert::Infallible;

use rusqlite::types::ValueRef;

use super::encode::encode;
use super::table::Table;
use crate::event::Event;

/// What the chain begins with: the format, so that other data never have the same hash.
const BEGINNING: &[u8] = b"interphase recording 1";

/// A file that belongs to the session: a profile, a protocol, a calibration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Name, unique in the recording.
    pub name: String,
    /// Media type (`application/toml`).
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Attachment {
    /// BLAKE3 of the bytes.
    pub(super) fn content_hash(&self) -> blake3::Hash {
        blake3::hash(&self.bytes)
    }
}

/// The hash before the first batch. It covers the attachments.
pub(super) fn chain_beginning(attachments: &[Attachment]) -> blake3::Hash {
    beginning_of(attachments.iter().map(|attachment| {
        (
            attachment.name.as_str(),
            attachment.media_type.as_str(),
            attachment.content_hash(),
        )
    }))
}

/// The same from the name, media type and hash of each attachment.
pub(super) fn beginning_of<'a>(
    attachments: impl Iterator<Item = (&'a str, &'a str, blake3::Hash)>,
) -> blake3::Hash {
    let mut bytes = BEGINNING.to_vec();
    for (name, media_type, hash) in attachments {
        push_text(&mut bytes, name.as_bytes());
        push_text(&mut bytes, media_type.as_bytes());
        bytes.extend_from_slice(hash.as_bytes());
    }
    blake3::hash(&bytes)
}

/// Bytes that are handed to BLAKE3 at once: it takes many in less time than few.
const AT_ONCE: usize = 1 << 16;

/// The hash of a batch that is still growing.
pub(super) struct BatchHash {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

impl BatchHash {
    /// The hash of the batch that follows one with the hash `previous`.
    pub fn after(previous: &blake3::Hash) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(previous.as_bytes());
        Self {
            hasher,
            buffer: Vec::new(),
        }
    }

    /// Takes in the next event.
    pub fn add(&mut self, event: &Event) {
        let Ok(()) = encode::<Infallible>(event, &mut |table, values| {
            self.add_row(table, values);
            Ok(())
        });
    }

    /// Takes in the next row of an event.
    pub fn add_row(&mut self, table: &Table, values: &[ValueRef<'_>]) {
        if self.buffer.len() >= AT_ONCE {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
        push_text(&mut self.buffer, table.name.as_bytes());
        for value in table.hashed(values) {
            push_value(&mut self.buffer, *value);
        }
    }

    /// The hash over all events taken in.
    pub fn finish(&self) -> blake3::Hash {
        self.hasher.clone().update(&self.buffer).finalize()
    }
}

/// A tag and eight bytes.
fn push_word(buffer: &mut Vec<u8>, tag: u8, word: [u8; 8]) {
    let mut tagged = [tag; 9];
    tagged[1..].copy_from_slice(&word);
    buffer.extend_from_slice(&tagged);
}

fn push_text(buffer: &mut Vec<u8>, text: &[u8]) {
    buffer.extend_from_slice(&(text.len() as u64).to_le_bytes());
    buffer.extend_from_slice(text);
}

fn push_value(buffer: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => buffer.push(0),
        ValueRef::Integer(value) => push_word(buffer, 1, value.to_le_bytes()),
        ValueRef::Real(value) => push_word(buffer, 2, value.to_bits().to_le_bytes()),
        ValueRef::Text(text) => {
            buffer.push(3);
            push_text(buffer, text);
        }
        ValueRef::Blob(bytes) => {
            buffer.push(4);
            push_text(buffer, bytes);
        }
    }
}
