//! How fast the MethodSCRIPT decoder is, beside the least that any decoder must do: find the line ends.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use interphase::instrument::method_script::{Decoder, Line};

/// The stream of many sweeps: loop marks and packages of three variables with their remarks.
fn stream() -> Vec<u8> {
    let mut text = String::new();
    for sweep in 0..100 {
        text.push_str("e\nM000D\n");
        for point in 0..64 {
            let mantissa = 0x8030D40 + 4099 * (64 * sweep + point);
            text.push_str(&format!(
                "Pdc{mantissa:07X}m;cc{:07X}u,10,218;cd7C98E42u,10,202\n",
                mantissa / 2
            ));
        }
        text.push_str("*\n\n");
    }
    text.into_bytes()
}

fn lines_and_values(stream: &[u8], piece: usize) -> (usize, f64) {
    let mut decoder = Decoder::new();
    let (mut lines, mut sum) = (0, 0.0);
    for bytes in stream.chunks(piece) {
        for line in decoder.feed(bytes) {
            lines += 1;
            if let Line::Package(package) = &line {
                sum += package.variables.len() as f64;
            }
        }
    }
    (lines, sum)
}

fn decode(criterion: &mut Criterion) {
    let stream = stream();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function("reference: count line ends", |bencher| {
        bencher.iter(|| black_box(&stream).iter().filter(|&&byte| byte == b'\n').count());
    });
    group.bench_function("decoder, in pieces of 4096 bytes", |bencher| {
        bencher.iter(|| lines_and_values(black_box(&stream), 4096));
    });
    group.bench_function("decoder, in pieces of 7 bytes", |bencher| {
        bencher.iter(|| lines_and_values(black_box(&stream), 7));
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
