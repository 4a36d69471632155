//! Recovering from flipped bits and lost ends: no panic, no wrong value that is vouched for, most rows saved.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};

use super::super::recover::{Fate, Salvage};
use super::recover::rich_recording;
use super::*;

/// A recording that is damaged again and again.
struct Victim {
    path: std::path::PathBuf,
    whole: Vec<u8>,
    events: Vec<Event>,
    /// The bytes that each event needs.
    extents: Vec<Vec<(u64, u64)>>,
}

/// What came of damages.
#[derive(Default)]
struct Outcome {
    /// Of each damage, the share of rows saved among those whose bytes are all in the file and unchanged.
    shares: Vec<f64>,
    /// The same, counting only events that are vouched for.
    vouched: Vec<f64>,
    /// Where the damage was of which the least was vouched for.
    worst: Option<(f64, usize)>,
    /// How many damaged files `verify` passed; nothing differs in them.
    passed: usize,
    /// The longest time that `verify` took, and where the damage was.
    slowest: (Duration, usize),
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share) as usize]
}

impl Outcome {
    fn report(&self, what: &str) -> String {
        let of = |values: &[f64]| {
            let [least, tenth, median] = [0.0, 0.1, 0.5].map(|share| 100.0 * quantile(values, share));
            format!("median {median:.2} %, tenth {tenth:.2} %, least {least:.2} %")
        };
        format!(
            "{} {what}: rows saved {}; vouched for {} (at byte {:?}); verify passed {}, slowest {:?}",
            self.shares.len(),
            of(&self.shares),
            of(&self.vouched),
            self.worst.map(|worst| worst.1),
            self.passed,
            self.slowest
        )
    }
}

impl Victim {
    fn of(path: &Path) -> Self {
        let events = all_events(path);
        let extents = Salvage::open(path).unwrap().extents();
        assert_eq!(extents.len(), events.len());
        Self {
            path: path.to_path_buf(),
            whole: std::fs::read(path).unwrap(),
            events,
            extents,
        }
    }

    fn look(
        &self,
        outcome: &mut Outcome,
        place: usize,
        is_kept: impl Fn(&[(u64, u64)]) -> bool,
        with_verify: bool,
    ) {
        let kept = self.extents.iter().filter(|extents| is_kept(extents)).count();
        let (mut saved, mut vouched) = (0, 0);
        if let Ok(salvage) = Salvage::open(&self.path) {
            for run in salvage.runs().iter().filter(|run| run.fate != Fate::Missing) {
                for seq in run.span.0..=run.span.1 {
                    let event = salvage.event(seq).unwrap();
                    let original = self.events.get(seq as usize - 1);
                    let same = original.is_some_and(|original| bits_equal(original, &event));
                    saved += usize::from(same);
                    if run.fate == Fate::Vouched {
                        assert!(same, "{event:?} is vouched for, but was {original:?}");
                        vouched += 1;
                    }
                }
            }
        }
        if kept > 0 {
            outcome.shares.push(saved as f64 / kept as f64);
            let share = f64::from(vouched) / kept as f64;
            outcome.vouched.push(share);
            if outcome.worst.is_none_or(|worst| share < worst.0) {
                outcome.worst = Some((share, place));
            }
        }
        if !with_verify {
            return;
        }
        let began = Instant::now();
        let is_sound = verify(&self.path).is_ok_and(|verified| verified.is_sound());
        outcome.slowest = outcome.slowest.max((began.elapsed(), place));
        if is_sound {
            outcome.passed += 1;
            assert_eq!(all_events(&self.path), self.events, "verify passed another file");
        }
    }

    fn flips(&self, count: usize, seed: u64, verify_each: usize) -> Outcome {
        let mut outcome = Outcome::default();
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let file = File::options().write(true).open(&self.path).unwrap();
        for number in 0..count {
            let place = random.random_range(0..self.whole.len());
            let byte = self.whole[place] ^ (1 << random.random_range(0..8));
            file.write_all_at(&[byte], place as u64).unwrap();
            let touches = |extents: &[(u64, u64)]| {
                extents
                    .iter()
                    .any(|&(from, to)| (from..to).contains(&(place as u64)))
            };
            self.look(
                &mut outcome,
                place,
                |extents| !touches(extents),
                number % verify_each == 0,
            );
            file.write_all_at(&[self.whole[place]], place as u64).unwrap();
        }
        outcome
    }

    fn cuts(&self, lengths: impl Iterator<Item = usize>) -> Outcome {
        let mut outcome = Outcome::default();
        for length in lengths {
            std::fs::write(&self.path, &self.whole[..length]).unwrap();
            let is_kept = |extents: &[(u64, u64)]| extents.iter().all(|extent| extent.1 <= length as u64);
            self.look(&mut outcome, length, is_kept, true);
        }
        std::fs::write(&self.path, &self.whole).unwrap();
        outcome
    }
}

fn bits_equal(one: &Event, other: &Event) -> bool {
    one == other || bits(one) == bits(other)
}

#[test]
fn flipped_bits_and_lost_ends_lose_few_rows_and_no_wrong_value_is_vouched_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    rich_recording(&path, 4, 60);
    let victim = Victim::of(&path);
    let flips = victim.flips(150, 1, 10);
    let cuts = victim.cuts((0..victim.whole.len()).step_by(512 * 11));
    for (outcome, what) in [(flips, "flips"), (cuts, "cuts")] {
        assert!(quantile(&outcome.shares, 0.5) >= 0.9, "{}", outcome.report(what));
    }
}

#[test]
fn what_is_recovered_after_any_damage_is_a_sound_recording() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    rich_recording(&path, 2, 40);
    let whole = std::fs::read(&path).unwrap();
    let out = folder.path().join("b.interphase");
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    for round in 0..12 {
        let mut bytes = whole.clone();
        // A lost page, a lost end, or many flipped bits.
        match round % 3 {
            0 => bytes[4096 * (round + 1)..4096 * (round + 2)].fill(0),
            1 => bytes.truncate(whole.len() * (round + 2) / 15),
            _ => (0..40).for_each(|_| {
                let place = random.random_range(0..bytes.len());
                bytes[place] ^= 1 << random.random_range(0..8);
            }),
        }
        std::fs::write(&path, bytes).unwrap();
        let found = recover(&path, &out, round % 2 == 1).unwrap();
        let verified = verify(&out).unwrap();
        assert!(verified.is_sound(), "{:?}", verified.problems);
        assert_eq!(verified.events, found.written);
        std::fs::remove_file(&out).unwrap();
    }
}

/// The full measure, by hand: `cargo test --release --lib ten_thousand_flips -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes; the small part of it above runs always"]
#[allow(clippy::print_stderr)]
fn ten_thousand_flips_and_every_cut() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made.interphase");
    rich_recording(&made, 20, 60);
    let sample = folder.path().join("sample.interphase");
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings");
    std::fs::copy(recordings.join("li_lpscl_li_fresh.interphase"), &sample).unwrap();
    for path in [made, sample] {
        let victim = Victim::of(&path);
        let name = path.file_name().unwrap().display();
        eprintln!(
            "{name}: {} bytes, {} events",
            victim.whole.len(),
            victim.events.len()
        );
        let flips = victim.flips(10_000, 7, 1);
        eprintln!("{}", flips.report("flips"));
        let cuts = victim.cuts((0..victim.whole.len()).step_by(512));
        eprintln!("{}", cuts.report("cuts"));
        for outcome in [flips, cuts] {
            assert!(quantile(&outcome.shares, 0.5) >= 0.9);
        }
    }
}
