//! Files, standard input, several spectra in a file, and what cannot be read: the same for every command.

use std::fs::File;
use std::process::{Output, Stdio};

use super::lab::Lab;
use super::spectra::{REFERENCE, write_reference, write_series};

/// Every command that reads spectra, for a file of this name.
fn commands(file: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["fit", file, "--circuit", REFERENCE],
        vec![
            "rank",
            file,
            "--circuit",
            "R0-p(R1,CPE1)",
            "--circuit",
            REFERENCE,
            "--no-bootstrap",
        ],
        vec!["drt", file],
        vec!["plot", file, "--out", "out.svg", "--force"],
        vec!["convert", file, "--out", "out.mpt", "--force"],
        vec!["import", file, "--out", "out.interphase", "--cell", "battery_130"],
    ]
}

fn message(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn with_stdin(lab: &Lab, arguments: &[&str], file: &str) -> Output {
    let input = File::open(lab.path(file)).unwrap();
    lab.command(arguments).stdin(Stdio::from(input)).output().unwrap()
}

#[test]
fn a_file_that_cannot_be_read_is_told_alike_with_a_way_out() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("folder")).unwrap();
    for (name, bytes) in [
        ("empty.csv", &b""[..]),
        ("head.csv", b"f,Z',Z''\n"),
        ("packed.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0"),
        ("text.csv", b"f,Z',Z''\n10,1,-1\n1,x,-1\n0.1,1,-1\n"),
        ("zeros.mpt", b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        ("line.csv", "1 ".repeat(100_000).as_bytes()),
    ] {
        std::fs::write(lab.path(name), bytes).unwrap();
    }
    for (file, words) in [
        (
            "nothing.csv",
            &["nothing.csv", "No such file", "check the name"][..],
        ),
        ("folder", &["folder", "directory", "name the files in it"]),
        ("empty.csv", &["empty.csv: the file is empty"]),
        ("head.csv", &["head.csv: there is a header but no point"]),
        ("packed.csv.gz", &["packed.csv.gz", "gunzip"]),
        ("text.csv", &["text.csv:3: column 2: Z' is \"x\", not a number"]),
        ("zeros.mpt", &["zeros.mpt: no text", "export the spectrum"]),
        ("line.csv", &["line.csv:1: the line is longer"]),
    ] {
        for arguments in commands(file) {
            let output = lab.run(&arguments);
            let message = message(&output);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
            for word in words {
                assert!(
                    message.contains(word),
                    "{arguments:?}: `{word}` is missing in: {message}"
                );
            }
        }
    }
}

#[test]
fn standard_input_is_read_by_every_command_and_named_in_its_messages() {
    let lab = Lab::new();
    write_series(&lab, "several.csv", &[50.0, 60.0]);
    std::fs::write(lab.path("broken.csv"), "f,Z',Z''\n10,1,-1\n1,x,-1\n0.1,1,-1\n").unwrap();
    for arguments in commands("-") {
        let output = with_stdin(&lab, &arguments, "several.csv");
        assert!(output.status.success(), "{arguments:?}: {}", message(&output));
        let _ = std::fs::remove_file(lab.path("out.interphase"));
        let output = with_stdin(&lab, &arguments, "broken.csv");
        let message = message(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            message.contains("standard input:3: column 2: Z' is \"x\""),
            "{arguments:?}: {message}"
        );
    }
    let twice = lab.run(&[
        "import",
        "-",
        "-",
        "--out",
        "a.interphase",
        "--cell",
        "battery_130",
    ]);
    assert_eq!(twice.status.code(), Some(2));
}

#[test]
fn spectra_before_a_fault_are_used_or_refused_but_never_taken_for_the_whole() {
    let lab = Lab::new();
    write_series(&lab, "cut.csv", &[50.0, 60.0]);
    let text = std::fs::read_to_string(lab.path("cut.csv")).unwrap();
    std::fs::write(lab.path("cut.csv"), &text[..text.rfind(',').unwrap()]).unwrap();
    for arguments in commands("cut.csv") {
        let output = lab.run(&arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            message(&output).contains("cut.csv:121: column 4:"),
            "{}",
            message(&output)
        );
        let is_written = |name| lab.path(name).exists();
        match arguments[0] {
            "plot" => assert!(is_written("out.svg")),
            "convert" => assert!(!is_written("out.mpt")),
            "import" => assert!(!is_written("out.interphase")),
            _ => assert!(!output.stdout.is_empty(), "{arguments:?}"),
        }
    }
}

#[test]
fn a_curve_replaces_a_file_only_when_told_to_and_never_what_is_read() {
    let lab = Lab::new();
    write_reference(&lab, "a.csv", 3);
    let data = std::fs::read(lab.path("a.csv")).unwrap();
    std::fs::hard_link(lab.path("a.csv"), lab.path("b.csv")).unwrap();
    std::fs::write(lab.path("old.csv"), "precious").unwrap();
    let fit = |file, extra: &[&str]| {
        let arguments = [&["fit", file, "--circuit", REFERENCE][..], extra].concat();
        with_stdin(&lab, &arguments, "a.csv")
    };
    for (file, curve, status, words) in [
        ("a.csv", "old.csv", 1, "old.csv: exists already"),
        ("a.csv", "none/c.csv", 1, "folder exists"),
        ("a.csv", "-", 2, "a file of its own"),
        ("a.csv", "b.csv", 2, "overwrite a file that is read"),
        ("-", "a.csv", 2, "overwrite a file that is read"),
    ] {
        let forced: &[&str] = match words {
            "overwrite a file that is read" => &["--curve", curve, "--force"],
            _ => &["--curve", curve],
        };
        let output = fit(file, forced);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{curve}: {}",
            message(&output)
        );
        assert!(message(&output).contains(words), "{curve}: {}", message(&output));
        assert!(
            output.stdout.is_empty(),
            "{curve} is refused before anything is fitted"
        );
    }
    assert_eq!(std::fs::read(lab.path("a.csv")).unwrap(), data);
    assert_eq!(std::fs::read(lab.path("old.csv")).unwrap(), b"precious");
    assert!(fit("a.csv", &["--curve", "old.csv", "--force"]).status.success());
    let curve = std::fs::read_to_string(lab.path("old.csv")).unwrap();
    assert!(curve.starts_with("frequency_hz,") && curve.lines().count() == 61);
}
