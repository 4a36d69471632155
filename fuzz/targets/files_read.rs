//! Any bytes are spectra or an error. Whatever they claim, there are no more points than bytes, no spectrum is
//! empty, and what cannot be used in a fit is called so.

#![no_main]

use interphase::files;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match files::read("fuzzed", bytes) {
        Ok(reading) => {
            assert!(!reading.spectra.is_empty(), "a reading has a spectrum");
            let mut points = 0;
            for spectrum in &reading.spectra {
                assert!(!spectrum.spectrum.points.is_empty(), "a spectrum has a point");
                assert!(!spectrum.name.contains(char::is_control), "a name can be shown");
                points += spectrum.spectrum.points.len();
            }
            assert!(points <= bytes.len(), "{points} points of {} bytes", bytes.len());
            if let Some(broken) = reading.broken {
                assert!(!broken.to_string().is_empty());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
