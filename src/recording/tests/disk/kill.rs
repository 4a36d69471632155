//! Sessions that are killed at random moments while a reader follows them.
//!
//! `INTERPHASE_KILLS=1000 cargo test --lib disk::kill -- --nocapture` kills as many.

use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Kills in the suite.
const KILLS: usize = 25;

/// More than is recorded before the kill.
const SESSION: Orders = Orders {
    events: 20_000,
    events_a_commit: 10,
    synced: true,
};

/// What a reader that follows a recording has seen: nothing while there is none.
struct Following {
    path: PathBuf,
    reader: Option<Reader>,
    seen: Vec<Event>,
}

impl Following {
    fn look(&mut self) {
        if self.reader.is_none() && self.path.exists() {
            self.reader = Reader::open(&self.path).ok();
        }
        if let Some(reader) = &mut self.reader {
            let after = self.seen.last().map_or(0, |event| event.seq);
            self.seen.extend(reader.read(after, 10_000).unwrap_or_default());
        }
    }
}

#[test]
fn a_session_killed_at_any_moment_keeps_what_was_promised_and_what_a_reader_has_seen() {
    let kills = cases("INTERPHASE_KILLS").unwrap_or(KILLS);
    let expected = events_of(SESSION);
    let mut chance = ChaCha8Rng::seed_from_u64(11);
    let (mut promised_in_all, mut seen_in_all, mut broken) = (0, 0, Vec::new());
    for kill in 0..kills {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(RECORDING);
        let mut child = session(folder.path(), SESSION).spawn().unwrap();
        let mut following = Following {
            path: path.clone(),
            reader: None,
            seen: Vec::new(),
        };
        // From the moment at which it begins to make its recording.
        while !folder.path().join(PROMISES).exists() {
            std::thread::sleep(Duration::from_micros(200));
        }
        let end = Instant::now() + Duration::from_micros(chance.random_range(0..250_000));
        while Instant::now() < end {
            following.look();
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let seen = std::mem::take(&mut following.seen);
        drop(following);
        let promises = std::fs::read_to_string(folder.path().join(PROMISES)).unwrap_or_default();
        // The last line may have been cut off in the middle.
        let whole = promises.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let promised = lines_beginning(whole, "committed").last().copied().unwrap_or(0);
        promised_in_all += promised;
        seen_in_all += seen.len();
        let shown = seen.last().map_or(0, |event| event.seq);
        if let Some(what) = broken_promise(&path, promised.max(shown), &expected) {
            broken.push(format!("kill {kill}: {what}"));
        }
        let same = |(event, (stamp, body)): (&Event, &(Stamp, EventBody))| {
            event.stamp == *stamp && event.body == *body
        };
        if !seen.iter().zip(&expected).all(same) {
            broken.push(format!("kill {kill}: the reader saw something else"));
        }
    }
    println!("{kills} kills, {promised_in_all} events promised, {seen_in_all} seen by the reader");
    assert!(promised_in_all > 0 && seen_in_all > 0);
    assert!(broken.is_empty(), "{broken:#?}");
}
