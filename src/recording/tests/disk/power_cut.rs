//! Power cuts at every kind of moment: what was promised is there, and what is there is right.
//!
//! `INTERPHASE_POWER_CUTS=10000 cargo test --lib power_cut -- --nocapture` makes as many images.

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use super::journal::{self, Disk, Survival};
use super::*;

/// Images in the suite, a third of them in each way of surviving.
const IMAGES: usize = 180;

/// What became of the promises in images of power cuts.
#[derive(Debug, Default)]
struct Outcome {
    images: usize,
    promised: u64,
    lost: Vec<String>,
    wrong: Vec<String>,
}

/// Records a session, and looks at what power cuts at random moments of it leave.
fn cut(preload: &Preload, orders: Orders, ways: &[Survival], images: usize) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let journal_path = folder.path().join("journal");
    let status = preload.record(
        folder.path(),
        orders,
        &[("DISK_JOURNAL", journal_path.as_os_str())],
    );
    assert!(status.success(), "{status}");
    let operations = journal::read(&journal_path);
    let expected = events_of(orders);
    let image_folder = tempfile::tempdir().unwrap();
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let mut outcome = Outcome::default();
    for &survival in ways {
        let wanted = (images / ways.len()).min(operations.len());
        let mut moments = sample(&mut chance, operations.len(), wanted).into_vec();
        moments.sort_unstable();
        let mut moments = moments.into_iter().peekable();
        let mut disk = Disk::default();
        for (number, operation) in operations.iter().enumerate() {
            disk.apply(operation);
            if moments.next_if_eq(&number).is_none() {
                continue;
            }
            for old in image_folder.path().read_dir().unwrap() {
                std::fs::remove_file(old.unwrap().path()).unwrap();
            }
            disk.power_cut(survival, &mut chance, image_folder.path());
            let promised = disk.promised();
            outcome.images += 1;
            outcome.promised += promised;
            let path = image_folder.path().join(RECORDING);
            if let Some(what) = broken_promise(&path, promised, &expected) {
                let text = format!("after operation {number}, {survival:?}: {what}");
                let list = if what.starts_with("lost") {
                    &mut outcome.lost
                } else {
                    &mut outcome.wrong
                };
                list.push(text);
            }
        }
    }
    outcome
}

/// Long enough that the write-ahead log is moved into the database in the middle of it.
const SESSION: Orders = Orders {
    events: 4_000,
    events_a_commit: 10,
    synced: true,
};

#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_promised_and_leaves_nothing_wrong() {
    let Some(preload) = Preload::build() else { return };
    let images = cases("INTERPHASE_POWER_CUTS").unwrap_or(IMAGES);
    // More images than there are operations to cut after come from more sessions.
    let mut total = Outcome::default();
    for events_a_commit in [10, 1, 100, 37, 3].into_iter().cycle() {
        let events = if events_a_commit == 1 {
            1_000
        } else {
            SESSION.events
        };
        let orders = Orders {
            events,
            events_a_commit,
            ..SESSION
        };
        let outcome = cut(
            &preload,
            orders,
            &Survival::ALL,
            (images - total.images).min(6_000),
        );
        assert!(outcome.images > 0);
        total.images += outcome.images;
        total.promised += outcome.promised;
        total.lost.extend(outcome.lost);
        total.wrong.extend(outcome.wrong);
        if total.images + 2 >= images {
            break;
        }
    }
    println!(
        "{} images, {} events promised, lost in {}, wrong in {}",
        total.images,
        total.promised,
        total.lost.len(),
        total.wrong.len()
    );
    assert!(total.lost.is_empty() && total.wrong.is_empty(), "{total:#?}");
}

#[test]
fn without_syncs_the_same_power_cuts_lose_what_was_promised() {
    let Some(preload) = Preload::build() else { return };
    let orders = Orders {
        synced: false,
        ..SESSION
    };
    let outcome = cut(&preload, orders, &[Survival::Nothing], 40);
    println!("{} images, lost in {}", outcome.images, outcome.lost.len());
    assert!(outcome.lost.len() > outcome.images / 2, "{outcome:#?}");
    assert!(outcome.wrong.is_empty(), "{outcome:#?}");
}
