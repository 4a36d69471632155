//! The state at which a session arrived is the one at which everybody else arrives who looks at its recording.

use std::path::{Path, PathBuf};

use interphase::recording::Reader;

use super::lab::{Lab, lines_of};

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings");
    let mut samples: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "interphase")
        })
        .collect();
    samples.sort();
    samples
}

/// The digest at the end of event lines.
fn digest(lab: &Lab, arguments: &[&str]) -> String {
    let lines = lines_of(&lab.succeed(arguments));
    let last = lines.last().unwrap();
    assert_eq!(last["kind"], "state", "{arguments:?}");
    last["digest"].as_str().unwrap().to_owned()
}

#[test]
fn every_sample_arrives_at_the_digest_of_its_session_replayed_attached_and_redecoded() {
    let lab = Lab::new();
    let samples = samples();
    assert!(samples.len() >= 2, "{samples:?}");
    for sample in samples {
        let live = Reader::open(&sample).unwrap().meta("state_digest").unwrap();
        let live = live.unwrap_or_else(|| panic!("{} was not closed", sample.display()));
        let file = sample.to_str().unwrap();
        assert_eq!(digest(&lab, &["replay", file, "--json"]), live, "{file} replayed");
        assert_eq!(
            digest(&lab, &["replay", file, "--redecode", "--json"]),
            live,
            "{file} redecoded"
        );
        assert_eq!(
            digest(&lab, &["attach", file, "--headless", "--json"]),
            live,
            "{file} attached"
        );
    }
}
