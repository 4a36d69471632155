//! ZPlot 2 text, `.z`.

use std::io::Write;

use crate::spectrum::Point;

use super::{WriteError, scientific};

pub(super) fn write(spectra: &[Vec<&Point>], labels: &[String], out: &mut Vec<u8>) -> Result<(), WriteError> {
    let [points] = spectra else {
        return Err(WriteError::SeveralSpectra {
            format: ".z",
            count: spectra.len(),
        });
    };
    // Writing into a vector does not fail.
    let _ = write!(
        out,
        "ZPLOT2 ASCII\r\n  Measured Data, Interphase:  {}\r\n  Data Points:                {}\r\n",
        env!("CARGO_PKG_VERSION"),
        points.len()
    );
    for label in labels {
        let _ = write!(out, "  Comment:                    {label}\r\n");
    }
    out.extend_from_slice(
        b"  Freq(Hz)\tAmpl\tBias\tTime(Sec)\tZ'(a)\tZ''(b)\tGD\tErr\tRange\r\nEnd Comments\r\n",
    );
    for point in points {
        let numbers = [
            point.frequency_hz,
            point.amplitude_vrms.unwrap_or(0.0),
            point.potential_v.unwrap_or(0.0),
            point.t_start_s.unwrap_or(0.0),
            point.z_real_ohm,
            point.z_imag_ohm,
            0.0,
        ];
        for number in numbers {
            let _ = write!(out, "{}\t", scientific(number, 2));
        }
        out.extend_from_slice(b"0\t0\r\n");
    }
    Ok(())
}
