//! Whatever stands in a file, reading it never panics and gives no spectrum without points.

use proptest::prelude::*;

use super::*;

fn survives(bytes: &[u8]) {
    if let Ok(reading) = read("a", bytes) {
        assert!(!reading.spectra.is_empty());
        assert!(sizes(&reading).iter().all(|size| *size > 0));
    }
}

#[test]
fn every_truncation_of_every_sample_is_survived() {
    for sample in SAMPLES {
        for end in (0..sample.bytes.len()).step_by(7) {
            survives(&sample.bytes[..end]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_changed_byte_is_survived(which in 0..SAMPLES.len(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = SAMPLES[which].bytes.to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        survives(&bytes);
    }

    #[test]
    fn garbage_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        survives(&bytes);
    }

    #[test]
    fn garbage_behind_the_head_of_a_sample_is_survived(
        which in 0..SAMPLES.len(),
        at in any::<prop::sample::Index>(),
        tail in "[0-9eE+., \t\n;\"#<>/a-zA-Z'-]{0,120}",
    ) {
        let bytes = SAMPLES[which].bytes;
        let at = at.index(bytes.len());
        survives(&[&bytes[..at], tail.as_bytes()].concat());
    }

    #[test]
    fn text_is_survived(text in "\\PC{0,120}(\n\\PC{0,40}){0,5}") {
        survives(text.as_bytes());
    }
}
