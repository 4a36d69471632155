//! What stands in a write-ahead log beside a recording, read without SQLite and without trust.
//!
//! Layout and checksum as in "Database File Format", section 4, of the SQLite documentation.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Bytes before the first frame.
const HEADER: usize = 32;

/// Bytes of a frame before its page.
const FRAME_HEADER: usize = 24;

/// The first four bytes, where checksums are over little-endian words; one more where over big-endian ones.
const MAGIC: u32 = 0x377f_0682;

/// Where the pages in a log stand in its file.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The page that is valid now, by number: whole commits with right checksums.
    pub committed: BTreeMap<u32, u64>,
    /// Pages of commits behind a damaged place; only a batch's hash can say whether they are right.
    pub doubtful: Vec<u64>,
    /// Whether a part of the log is damaged.
    pub damaged: bool,
}

/// The size of pages that a log's header names, where it is one that can be.
pub(super) fn page_size(file: &File) -> Option<usize> {
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, 0).ok()?;
    let size = word(&header, 8)? as usize;
    ((word(&header, 0)? & !1) == MAGIC && size.is_power_of_two() && (512..=65536).contains(&size))
        .then_some(size)
}

/// Reads the frames of a log of pages of that size.
pub(super) fn read(file: &File, size: usize) -> Log {
    let mut log = Log::default();
    let mut header = [0; HEADER];
    if file.read_exact_at(&mut header, 0).is_err() {
        return log;
    }
    let big_endian = word(&header, 0).is_some_and(|magic| magic & 1 == 1);
    let mut sum = checksum([0, 0], &header[..24], big_endian);
    let mut whole = (word(&header, 24), word(&header, 28)) == (Some(sum[0]), Some(sum[1]));
    log.damaged = !whole;
    let mut salts = vec![header[16..24].to_vec()];
    let mut pending: Vec<(u32, u64)> = Vec::new();
    let mut frame = vec![0; FRAME_HEADER + size];
    let mut at = HEADER as u64;
    while file.read_exact_at(&mut frame, at).is_ok() {
        let here = at + FRAME_HEADER as u64;
        at += frame.len() as u64;
        let (Some(page), Some(commit)) = (word(&frame, 0), word(&frame, 4)) else {
            break;
        };
        if log.damaged && salts.len() == 1 && at == (HEADER + frame.len()) as u64 {
            // The damage may lie in the header's own salts.
            salts.push(frame[8..16].to_vec());
        }
        if !salts.iter().any(|salt| salt == &frame[8..16]) {
            if whole {
                // What is left of an earlier log, or the place where this one is damaged: only what comes can tell.
                whole = false;
                log.damaged |= later_frame_belongs(file, at, frame.len() as u64, &salts[0]);
            }
            continue;
        }
        if whole {
            let next = checksum(
                checksum(sum, &frame[..8], big_endian),
                &frame[FRAME_HEADER..],
                big_endian,
            );
            if (word(&frame, 16), word(&frame, 20)) == (Some(next[0]), Some(next[1])) {
                sum = next;
            } else {
                whole = false;
                log.damaged = true;
            }
        }
        pending.push((page, here));
        if commit != 0 {
            match whole {
                true => log.committed.extend(pending.drain(..)),
                false => log.doubtful.extend(pending.drain(..).map(|(_, place)| place)),
            }
        }
    }
    log
}

fn later_frame_belongs(file: &File, mut at: u64, length: u64, salt: &[u8]) -> bool {
    let mut found = [0; 8];
    while file.read_exact_at(&mut found, at + 8).is_ok() {
        if found == salt {
            return true;
        }
        at += length;
    }
    false
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

/// SQLite's checksum over pairs of words, going on from `sum`.
fn checksum(sum: [u32; 2], bytes: &[u8], big_endian: bool) -> [u32; 2] {
    let number = |four: [u8; 4]| match big_endian {
        true => u32::from_be_bytes(four),
        false => u32::from_le_bytes(four),
    };
    let (words, _) = bytes.as_chunks::<4>();
    words.as_chunks::<2>().0.iter().fold(sum, |[one, two], &[a, b]| {
        let one = one.wrapping_add(number(a)).wrapping_add(two);
        [one, two.wrapping_add(number(b)).wrapping_add(one)]
    })
}
