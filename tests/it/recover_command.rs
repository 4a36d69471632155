//! The commands about damaged recordings: what they print, and how they end.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::lab::Lab;

fn sample(lab: &Lab) -> PathBuf {
    let path = lab.path("a.interphase");
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings");
    std::fs::copy(recordings.join("li_lpscl_li_fresh.interphase"), &path).unwrap();
    path
}

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

/// Changes one point of sweep 3 in the file.
fn damage(path: &Path) {
    let sql = "update point set z_real_ohm = 12.5 where sweep = 3 and idx = 40";
    rusqlite::Connection::open(path)
        .unwrap()
        .execute_batch(sql)
        .unwrap();
}

#[test]
fn verify_says_which_sweeps_are_sound_and_recover_saves_them() {
    let lab = Lab::new();
    let path = sample(&lab);
    let whole = json(&lab.run(&["verify", "a.interphase", "--json"]).stdout);
    assert_eq!(
        (&whole["sound"], &whole["points_compared"]),
        (&Value::from(true), &Value::from(512))
    );
    assert_eq!(whole["sound_sweeps"], Value::Null);
    damage(&path);
    let output = lab.run(&["verify", "a.interphase"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told.contains("sweeps 1, 2 and 4 to 8 are sound; 3 lies in what is damaged"),
        "{told}"
    );
    let output = lab.run(&["recover", "a.interphase", "--out", "b.interphase", "--json"]);
    assert!(output.status.success());
    let found = json(&output.stdout);
    assert_eq!(
        (&found["whole"], &found["missing"]),
        (&Value::from(false), &Value::from(0))
    );
    assert!(
        found["doubtful_events"][0]["why"]
            .as_str()
            .unwrap()
            .contains("hash"),
        "{found}"
    );
    assert!(
        found["doubtful_events"][0]["from"]
            .as_str()
            .unwrap()
            .starts_with("2026-"),
        "{found}"
    );
    assert!(json(&lab.run(&["verify", "b.interphase", "--json"]).stdout)["batches"].is_number());
    let again = lab.run(&["recover", "a.interphase", "--out", "b.interphase"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"));
}

#[test]
fn verify_knows_sweeps_of_a_file_that_sqlite_cannot_open() {
    let lab = Lab::new();
    let path = sample(&lab);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..100].fill(0);
    std::fs::write(&path, bytes).unwrap();
    let output = lab.run(&["verify", "a.interphase", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let found = json(&output.stdout);
    assert_eq!(
        found["sound_sweeps"],
        Value::from((1..=8).collect::<Vec<_>>()),
        "{found}"
    );
}

#[test]
fn a_recording_decoded_again_has_the_digest_of_its_replay() {
    let lab = Lab::new();
    sample(&lab);
    let replayed = lab.succeed(&["replay", "a.interphase", "--json"]);
    assert_eq!(
        lab.succeed(&["replay", "a.interphase", "--json", "--redecode"]),
        replayed
    );
    let told = lab.succeed(&["replay", "a.interphase", "--redecode"]);
    assert!(told.starts_with("512 points decoded again, 0 differ"), "{told}");
}
