//! The sample files of `tests/data/files`, which the tests of the readers write themselves.

use std::path::PathBuf;

/// Where a sample stands.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/files")
        .join(name)
}

/// Compares a sample with the bytes that its builder makes. With `INTERPHASE_WRITE_SAMPLES` set it is written anew.
pub(in crate::files) fn assert_sample(name: &str, bytes: &[u8]) {
    let path = path(name);
    if std::env::var_os("INTERPHASE_WRITE_SAMPLES").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
    }
    let stored = std::fs::read(&path).unwrap();
    assert!(
        stored == bytes,
        "{name} is not what its builder makes; INTERPHASE_WRITE_SAMPLES=1 writes it anew"
    );
    let reading = crate::files::read(name, &stored).unwrap();
    assert!(!reading.spectra.is_empty());
}
