//! `plot`: from spectra and recordings to figures.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use super::lab::Lab;

/// Spectra of R0-p(R1,C1) as text, with one point too high, and with the numbers of the spectra where there
/// are several.
fn spectra(resistances: &[f64]) -> String {
    let circuit = interphase::circuit::Circuit::parse("R0-p(R1,C1)").unwrap();
    let mut text = String::from("spectrum,frequency_hz,z_real_ohm,z_imag_ohm\n");
    for (spectrum, resistance) in resistances.iter().enumerate() {
        for index in 0..41 {
            let frequency = 1e5 * 10f64.powf(-f64::from(index) / 8.0);
            let z = circuit.impedance(&[100.0, *resistance, 1e-6], frequency);
            let wrong = if index == 20 { 1.01 } else { 1.0 };
            writeln!(text, "{spectrum},{frequency},{},{}", wrong * z.re, wrong * z.im).unwrap();
        }
    }
    text
}

fn lab_with(name: &str, resistances: &[f64]) -> Lab {
    let lab = Lab::new();
    std::fs::write(lab.path(name), spectra(resistances)).unwrap();
    lab
}

/// Draws, and gives back the figure and what was said about it.
#[track_caller]
fn draw(lab: &Lab, arguments: &[&str]) -> (String, String) {
    let output = lab.run(&[&["plot"], arguments, &["--out", "-"]].concat());
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {messages}");
    let svg = String::from_utf8(output.stdout).unwrap();
    assert!(
        svg.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg "),
        "{svg}"
    );
    assert!(svg.ends_with("</svg>\n"), "{svg}");
    (svg, messages)
}

#[track_caller]
fn refused(lab: &Lab, arguments: &[&str], status: i32, words: &[&str]) {
    let output = lab.run(&[&["plot"], arguments].concat());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    for word in words {
        assert!(
            message.contains(word),
            "{arguments:?}: `{word}` is missing in: {message}"
        );
    }
}

fn panels(svg: &str) -> usize {
    svg.matches("class=\"panel\"").count()
}

fn layers(svg: &str) -> usize {
    svg.matches("class=\"layer\"").count()
}

#[test]
fn a_text_file_becomes_a_figure_of_every_kind_that_spectra_have() {
    let lab = lab_with("a.csv", &[1000.0]);
    let circuit = ["--circuit", "R(RC)", "--weight", "proportional"];
    let (svg, messages) = draw(&lab, &["a.csv"]);
    assert!(
        svg.contains("-Z'' / kΩ") && svg.contains(">a.csv<") && svg.contains("100 Hz"),
        "{svg}"
    );
    assert!(!svg.contains("class=\"fitted\""));
    assert_eq!(messages, "", "nothing is left out, so nothing is said");
    let (svg, messages) = draw(&lab, &[&["a.csv"], &circuit[..]].concat());
    assert!(
        svg.contains("class=\"fitted\"") && svg.contains("fit R0-p(R1,C1)"),
        "{svg}"
    );
    assert!(messages.contains("R1 ") && messages.contains('±'), "{messages}");
    let (svg, _) = draw(&lab, &["a.csv", "--kind", "bode", "--grid"]);
    assert_eq!(panels(&svg), 2);
    assert!(
        svg.contains("|Z| / Ω") && svg.contains("-phase / °") && svg.contains("f / Hz"),
        "{svg}"
    );
    assert_eq!(svg.matches("class=\"grid\"").count(), 2);
    let (svg, _) = draw(&lab, &[&["a.csv", "--kind", "residuals"], &circuit[..]].concat());
    assert!(
        svg.contains("residual / %") && svg.contains(">imaginary<"),
        "{svg}"
    );
    assert!(svg.contains("class=\"second\""));
    // Without a circuit, what the Kramers-Kronig test leaves; the one point that is 1 % too high is told.
    let (svg, messages) = draw(&lab, &["a.csv", "--kind", "residuals"]);
    assert!(
        svg.contains("Kramers-Kronig test: ") && svg.contains("class=\"second\""),
        "{svg}"
    );
    assert!(messages.contains("spectrum 1: "), "{messages}");
}

#[test]
fn the_same_figure_is_the_same_to_the_byte_and_goes_where_it_is_told() {
    let lab = lab_with("a.csv", &[1000.0]);
    let arguments = ["a.csv", "--width", "500", "--height", "400", "--title", "A & B"];
    let (svg, _) = draw(&lab, &arguments);
    assert!(
        svg.contains("width=\"500\" height=\"400\"") && svg.contains(">A &amp; B<"),
        "{svg}"
    );
    let printed = lab.succeed(&[&["plot"], &arguments[..], &["--out", "b.svg"]].concat());
    assert_eq!(printed, "");
    assert_eq!(std::fs::read_to_string(lab.path("b.svg")).unwrap(), svg);
    let mut child = lab
        .command(&[
            "plot", "-", "--out", "-", "--width", "500", "--height", "400", "--title", "A & B",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(spectra(&[1000.0]).as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), svg);
}

#[test]
fn a_figure_replaces_another_only_when_told_to_and_never_the_data() {
    let lab = lab_with("a.csv", &[1000.0]);
    std::fs::write(lab.path("b.svg"), "precious").unwrap();
    let read = |name: &str| std::fs::read_to_string(lab.path(name)).unwrap();
    refused(
        &lab,
        &["a.csv", "--out", "b.svg"],
        1,
        &["b.svg", "exists already", "--force"],
    );
    assert_eq!(read("b.svg"), "precious");
    lab.succeed(&["plot", "a.csv", "--out", "b.svg", "--force"]);
    assert!(read("b.svg").starts_with("<?xml"));
    refused(
        &lab,
        &["a.csv", "--out", "a.csv", "--force"],
        1,
        &["the file that is read"],
    );
    refused(&lab, &["a.csv", "--out", "b.png"], 1, &["b.png", ".svg"]);
    refused(
        &lab,
        &["a.csv", "--out", "none/b.svg"],
        1,
        &["none/b.svg", "folder exists"],
    );
    assert_eq!(read("a.csv"), spectra(&[1000.0]));
}

#[test]
fn many_spectra_are_overlaid_and_what_is_not_drawn_is_said() {
    let resistances: Vec<f64> = (0..14).map(|index| 500.0 + 100.0 * f64::from(index)).collect();
    let lab = lab_with("a.csv", &resistances);
    let (svg, messages) = draw(&lab, &["a.csv"]);
    assert_eq!(layers(&svg), 12);
    assert!(
        messages.contains("12 of 14 spectra drawn: 1, 2, ") && messages.contains("--sweep"),
        "{messages}"
    );
    let (svg, _) = draw(
        &lab,
        &["a.csv", "--kind", "bode", "--sweep", "2,9", "--circuit", "R(RC)"],
    );
    assert_eq!((panels(&svg), layers(&svg)), (2, 4));
    assert!(
        svg.contains(">spectrum 2<") && svg.contains(">spectrum 9<"),
        "{svg}"
    );
    assert_eq!(
        svg.matches("class=\"fitted\"").count(),
        5,
        "two in each panel, one in the legend"
    );
    let (svg, messages) = draw(&lab, &["a.csv", "--kind", "residuals", "--circuit", "R(RC)"]);
    assert!(svg.contains("a.csv, spectrum 14"), "{svg}");
    assert!(messages.contains("1 of 14 spectra drawn: 14"), "{messages}");
}

#[test]
fn a_recording_is_drawn_with_its_recorded_fits_and_has_a_history() {
    let lab = lab_with("a.csv", &[1000.0, 1200.0, 1400.0]);
    lab.succeed(&["import", "a.csv", "--out", "a.interphase", "--cell", "dummy_r_rc"]);
    let (svg, messages) = draw(&lab, &["a.interphase"]);
    assert!(
        svg.contains("a.interphase, sweep 3") && svg.contains("class=\"fitted\""),
        "{svg}"
    );
    assert!(messages.contains("1 of 3 sweeps drawn: 3"), "{messages}");
    let (svg, _) = draw(&lab, &["a.interphase", "--kind", "residuals", "--sweep", "1"]);
    assert!(svg.contains("class=\"second\""), "no --circuit is needed: {svg}");
    let (svg, messages) = draw(&lab, &["a.interphase", "--kind", "history"]);
    assert!(
        svg.contains(">R1 / kΩ<") && svg.contains(">sweep<") && svg.contains("class=\"bars\""),
        "{svg}"
    );
    assert!(panels(&svg) >= 3, "R0, R1, C1");
    assert!(messages.contains("3 of 3 sweeps have a fit"), "{messages}");
    refused(
        &lab,
        &["a.interphase", "--sweep", "9", "--out", "b.svg"],
        1,
        &["--sweep 9", "there are 1 to 3"],
    );
    assert!(lab.succeed(&["verify", "a.interphase"]).starts_with("sound"));
}

#[test]
fn what_cannot_be_drawn_is_refused_with_a_way_out() {
    let lab = lab_with("a.csv", &[1000.0]);
    let out = ["--out", "b.svg"];
    let with = |arguments: &[&'static str]| [arguments, &out[..]].concat();
    refused(
        &lab,
        &with(&["a.csv", "--kind", "history"]),
        1,
        &["recording", "import"],
    );
    refused(
        &lab,
        &with(&["a.csv", "--kind", "phase"]),
        2,
        &["nyquist, bode, residuals, drt, history"],
    );
    refused(&lab, &with(&["a.csv", "--circuit", "R(RX)"]), 2, &["X", "^"]);
    refused(&lab, &with(&["a.csv", "--weight", "unit"]), 2, &["--circuit"]);
    refused(&lab, &with(&["a.csv", "--width", "20"]), 2, &["--width"]);
    refused(&lab, &with(&["none.csv"]), 1, &["none.csv"]);
    refused(
        &lab,
        &with(&["a.csv", "--sweep", "0"]),
        1,
        &["--sweep 0", "there is 1"],
    );
    std::fs::write(lab.path("short.csv"), "10,1,-1\n").unwrap();
    refused(
        &lab,
        &with(&["short.csv", "--kind", "residuals"]),
        1,
        &["too short to judge"],
    );
    refused(
        &lab,
        &with(&["short.csv", "--circuit", "R(RC)"]),
        1,
        &["spectrum 1", "usable points"],
    );
    assert!(!lab.path("b.svg").exists(), "what was refused leaves nothing");
}
