//! How fast the codecs are, beside the least that any decoder must do: find the line ends, and read the numbers of
//! the same text with the standard library.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use interphase::instrument::line_profile::{self, Splitter, row};
use interphase::instrument::method_script::{Decoder, Line};
use interphase::profile::{Instrument, Kind, shipped_text};

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
    group.bench_function("reference: lines, fields, from_str_radix", |bencher| {
        bencher.iter(|| lines_and_integers(black_box(&stream)));
    });
    group.bench_function("decoder, in pieces of 4096 bytes", |bencher| {
        bencher.iter(|| lines_and_values(black_box(&stream), 4096));
    });
    group.bench_function("decoder, in pieces of 7 bytes", |bencher| {
        bencher.iter(|| lines_and_values(black_box(&stream), 7));
    });
    group.finish();
}

/// What a standard library makes of the same text: lines, fields, and each mantissa as a number.
fn lines_and_integers(stream: &[u8]) -> (usize, i64) {
    let text = std::str::from_utf8(stream).unwrap();
    let (mut lines, mut sum) = (0, 0);
    for line in text.lines() {
        lines += 1;
        if let Some(fields) = line.strip_prefix('P') {
            for field in fields.split(';') {
                sum += i64::from_str_radix(&field[2..9], 16).unwrap();
            }
        }
    }
    (lines, sum)
}

/// The stream of a meter that sends rows of three decimal numbers.
fn rows() -> Vec<u8> {
    let mut text = String::new();
    for point in 0..6400 {
        let size = 1e-3 * f64::from(point % 97 + 1);
        text.push_str(&format!("{size:+.7E},{:+.7E},+3.700000E+00\r\n", -0.3 * size));
    }
    text.into_bytes()
}

fn rows_by_profile(splitter: &mut Splitter, form: &interphase::profile::line::Row, stream: &[u8]) -> f64 {
    let mut sum = 0.0;
    for bytes in stream.chunks(4096) {
        for line in splitter.feed(bytes) {
            if let line_profile::Line::Text(text) = line
                && let Some(values) = row::read(form, &text)
            {
                sum += values.len() as f64;
            }
        }
    }
    sum
}

fn rows_by_standard_library(stream: &[u8]) -> f64 {
    let text = std::str::from_utf8(stream).unwrap();
    let numbers = text.lines().flat_map(|line| line.split(','));
    numbers.map(|number| number.parse::<f64>().unwrap()).sum()
}

fn decode_rows(criterion: &mut Criterion) {
    let stream = rows();
    let text = shipped_text(Kind::Instrument, "bt4560").unwrap();
    let line = Instrument::parse("bt4560", text).unwrap().line.unwrap();
    let form = line.sweep.as_ref().unwrap().row.clone();
    let mut splitter = Splitter::new(line.framing.clone());
    let mut group = criterion.benchmark_group("rows");
    group.throughput(Throughput::Bytes(stream.len() as u64));
    group.bench_function("reference: lines, fields, str::parse::<f64>", |bencher| {
        bencher.iter(|| rows_by_standard_library(black_box(&stream)));
    });
    group.bench_function("line profile bt4560", |bencher| {
        bencher.iter(|| rows_by_profile(&mut splitter, &form, black_box(&stream)));
    });
    group.finish();
}

criterion_group!(benches, decode, decode_rows);
criterion_main!(benches);
