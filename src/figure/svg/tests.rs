use std::collections::{BTreeMap, BTreeSet};

use num_complex::Complex64;

use super::markup::{cut_to, width_of};
use super::*;
use crate::figure::{Axis, AxisMemory, Curve, Range, Scale, bode_modulus, bode_phase, nyquist, residuals};
use crate::spectrum::{Point, PointStatus};

/// An element of the drawing with the classes of all that it stands in.
#[derive(Clone, Debug, Default)]
struct Element {
    tag: String,
    attributes: BTreeMap<String, String>,
    within: Vec<String>,
    words: String,
}

impl Element {
    fn number(&self, name: &str) -> f64 {
        self.attributes[name].parse().unwrap()
    }

    fn is_in(&self, class: &str) -> bool {
        self.within.iter().any(|within| within == class)
            || self.attributes.get("class").is_some_and(|own| own == class)
    }
}

/// The elements of a document, which must be well formed: a reading of XML as strict as this writer needs.
fn elements(svg: &str) -> Vec<Element> {
    let body = svg
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .unwrap();
    let mut open: Vec<Element> = Vec::new();
    let mut all = Vec::new();
    for (index, part) in body.split('<').enumerate() {
        if index == 0 {
            assert_eq!(part, "");
            continue;
        }
        let (inside, words) = part.split_once('>').expect("every tag ends");
        assert!(!words.contains('>'), "{words}");
        check_entities(words);
        if let Some(tag) = inside.strip_prefix('/') {
            let ended = open.pop().expect("nothing ends that did not begin");
            assert_eq!(ended.tag, tag);
            all.push(ended);
            continue;
        }
        let (inside, is_empty) = match inside.strip_suffix('/') {
            Some(inside) => (inside, true),
            None => (inside, false),
        };
        let mut quoted = inside.split('"');
        let mut element = Element {
            within: open
                .iter()
                .filter_map(|outer| outer.attributes.get("class").cloned())
                .collect(),
            words: words.trim_end_matches(['\n', ' ']).to_owned(),
            ..Element::default()
        };
        let mut key = quoted.next().unwrap().to_owned();
        match key.split_once(' ') {
            Some((tag, first)) => (element.tag, key) = (tag.to_owned(), first.to_owned()),
            None => (element.tag, key) = (key, String::new()),
        }
        while !key.trim().is_empty() {
            let name = key.trim().strip_suffix('=').unwrap_or_else(|| panic!("{inside}"));
            let value = quoted.next().unwrap();
            check_entities(value);
            assert!(
                element
                    .attributes
                    .insert(name.to_owned(), value.to_owned())
                    .is_none()
            );
            key = quoted.next().unwrap().to_owned();
        }
        if is_empty {
            all.push(element)
        } else {
            open.push(element)
        }
    }
    assert!(open.is_empty(), "what begins ends");
    all
}

fn check_entities(text: &str) {
    for part in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;"];
        assert!(known.iter().any(|entity| part.starts_with(entity)), "{text}");
    }
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

/// R0 in series with R1 parallel to C1: a half circle of diameter R1.
fn half_circle(r0: f64, r1: f64) -> Vec<Point> {
    (0..=60)
        .map(|index| {
            let frequency = 1e6 * 10f64.powf(-f64::from(index) / 10.0);
            let z = r0 + r1 / Complex64::new(1.0, frequency / 1e3);
            Point::new(frequency, z.re, z.im)
        })
        .collect()
}

fn once(values: impl Iterator<Item = f64>, scale: Scale) -> Range {
    AxisMemory::once(Range::of(values).unwrap(), scale)
}

fn nyquist_of(points: &[Point]) -> Figure {
    let x = once(points.iter().map(|point| point.z_real_ohm), Scale::Linear);
    let y = once(points.iter().map(|point| -point.z_imag_ohm), Scale::Linear);
    let line = points.iter().map(|point| (point.frequency_hz, point.impedance()));
    let curve = Curve {
        fitted: line.collect(),
        foretold: Vec::new(),
    };
    nyquist(points, None, &curve, x, y)
}

fn bode_sheet(points: &[Point]) -> Sheet {
    let f = Range::new(0.5, 2e6);
    let modulus = once(points.iter().map(|point| point.impedance().norm()), Scale::Log);
    let curve = Curve::default();
    Sheet::new(
        "bode",
        vec![
            Panel::of(bode_modulus(points, None, &curve, f, modulus)),
            Panel::of(bode_phase(points, None, &curve, f, Range::new(0.0, 90.0))),
        ],
    )
}

/// The numbers of a path in pairs; only of paths with absolute places.
fn places(path: &str) -> Vec<[f64; 2]> {
    let numbers: Vec<f64> = path
        .split(|c: char| c == ' ' || c.is_ascii_alphabetic())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().unwrap())
        .collect();
    numbers.chunks(2).map(|pair| [pair[0], pair[1]]).collect()
}

fn circles(all: &[Element], class: &str) -> Vec<[f64; 2]> {
    let circles = all
        .iter()
        .filter(|element| element.tag == "circle" && element.is_in(class));
    circles
        .filter(|element| !element.is_in("legend"))
        .map(|element| [element.number("cx"), element.number("cy")])
        .collect()
}

#[test]
fn a_half_circle_is_round_on_paper_whatever_the_shape_of_the_sheet() {
    for (width, height) in [(720.0, None), (400.0, Some(900.0)), (1500.0, Some(300.0))] {
        let points = half_circle(20.0, 60.0);
        let mut sheet = Sheet::new("", vec![Panel::of(nyquist_of(&points))]);
        (sheet.width_px, sheet.height_px) = (width, height);
        let all = elements(&sheet.draw().svg);
        let marks = circles(&all, "measured");
        assert_eq!(marks.len(), 54, "61 points of which 7 are at decades");
        // From the fitted line, because it begins and ends with the data.
        let line = all.iter().find(|element| element.is_in("fitted")).unwrap();
        let line = places(&line.attributes["d"]);
        let (top_left, right) = (line[0], *line.last().unwrap());
        let (radius, centre) = (0.5 * (right[0] - top_left[0]), 0.5 * (right[0] + top_left[0]));
        let ground = right[1];
        assert!(radius > 30.0, "{radius}");
        for [x, y] in marks.iter().chain(&line) {
            let found = (x - centre).hypot(y - ground);
            assert!((found - radius).abs() < 0.02 + 2e-3 * radius, "{found} {radius}");
            assert!(*y <= ground + 0.02, "capacitive is up");
        }
    }
}

#[test]
fn ticks_of_equal_axes_are_equally_far_apart_and_in_the_same_unit() {
    let points = half_circle(100.0, 4000.0);
    let drawing = Sheet::new("", vec![Panel::of(nyquist_of(&points))]).draw();
    let all = elements(&drawing.svg);
    let steps = |axis: &str, coordinate: &str| {
        let labels = all
            .iter()
            .filter(|element| element.tag == "text" && element.is_in(axis));
        let labels: Vec<(f64, f64)> = labels
            .map(|label| (label.words.parse().unwrap(), label.number(coordinate)))
            .collect();
        let (one, other) = (labels[0], labels[1]);
        ((other.0 - one.0), (other.1 - one.1).abs())
    };
    let ((x_step, x_px), (y_step, y_px)) = (steps("abscissa", "x"), steps("ordinate", "y"));
    assert_eq!(x_step, y_step);
    assert!((x_px - y_px).abs() < 0.03, "{x_px} {y_px}");
    let captions: Vec<&str> = all
        .iter()
        .filter(|element| element.is_in("caption"))
        .map(|element| element.words.as_str())
        .collect();
    assert_eq!(captions, ["Z' / kΩ", "-Z'' / kΩ"]);
}

#[test]
fn lines_are_cut_at_the_frame_and_take_up_again_where_they_come_back() {
    let unit = Range::new(0.0, 1.0);
    let mut figure = Figure::new(Axis::linear("", "1", unit), Axis::linear("", "1", unit));
    figure.line(
        Stroke::Fitted,
        [
            [-1.0, 0.5],
            [0.5, 0.5],
            [0.5, 3.0],
            [0.7, 3.0],
            [0.7, 0.5],
            [9.0, 0.5],
            [9.0, 9.0],
        ],
    );
    let all = elements(&Sheet::new("", vec![Panel::of(figure)]).draw().svg);
    let frame = all.iter().find(|element| element.is_in("frame")).unwrap();
    let (x, y) = (frame.number("x"), frame.number("y"));
    let (width, height) = (frame.number("width"), frame.number("height"));
    let path = &all
        .iter()
        .find(|element| element.is_in("fitted"))
        .unwrap()
        .attributes["d"];
    assert_eq!(path.matches('M').count(), 2, "{path}");
    for [at_x, at_y] in places(path) {
        assert!((x - 0.01..=x + width + 0.01).contains(&at_x), "{at_x}");
        assert!((y - 0.01..=y + height + 0.01).contains(&at_y), "{at_y}");
    }
    let ends = places(path);
    assert!((ends[0][0] - x).abs() < 0.01 && (ends.last().unwrap()[0] - x - width).abs() < 0.01);
}

#[test]
fn words_from_outside_cannot_break_the_document() {
    let points = half_circle(20.0, 60.0);
    let mut sheet = Sheet::new(
        "<b>&\"'\u{0}\u{1b}[2J\n日本</svg>",
        vec![Panel::of(nyquist_of(&points))],
    );
    sheet.explain(Sample::Mark(Mark::Measured), "a < b & c > \"d\"");
    let all = elements(&sheet.draw().svg);
    let title = all.iter().find(|element| element.tag == "title").unwrap();
    assert_eq!(
        title.words,
        "&lt;b&gt;&amp;&quot;'\u{fffd}\u{fffd}[2J 日本&lt;/svg&gt;"
    );
    assert_eq!(all.last().unwrap().tag, "svg");
}

#[test]
fn numbers_have_at_most_two_decimals() {
    let svg = bode_sheet(&half_circle(20.0 / 3.0, 100.0 / 7.0)).draw().svg;
    let body = svg.split_once('\n').unwrap().1;
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
    for part in body.split('.').skip(1) {
        assert!(digits(part) <= 2, "{part}");
    }
}

#[test]
fn panels_of_a_column_share_their_abscissa_and_only_the_lowest_has_it_labelled() {
    let all = elements(&bode_sheet(&half_circle(20.0, 60.0)).draw().svg);
    let frames: Vec<(f64, f64)> = all
        .iter()
        .filter(|element| element.is_in("frame"))
        .map(|frame| (frame.number("x"), frame.number("width")))
        .collect();
    assert_eq!(frames.len(), 2);
    assert_eq!(frames[0], frames[1]);
    let labels: Vec<&str> = all
        .iter()
        .filter(|element| element.tag == "text" && element.is_in("abscissa"))
        .map(|element| element.words.as_str())
        .collect();
    assert_eq!(labels, ["1", "10", "100", "1k", "10k", "100k", "1M"]);
    let captions = all.iter().filter(|element| element.is_in("caption"));
    let captions: Vec<&str> = captions.map(|element| element.words.as_str()).collect();
    assert_eq!(captions, ["|Z| / Ω", "f / Hz", "-phase / °"]);
}

#[test]
fn doubtful_points_are_crosses_and_those_far_beyond_are_counted() {
    let mut points = half_circle(20.0, 60.0);
    points[25].status = PointStatus::Overload;
    points[31].status = PointStatus::Invalid;
    points[31].z_real_ohm = 1e9;
    let usable: Vec<Point> = points.iter().filter(|point| point.is_usable()).cloned().collect();
    let figure = nyquist_of(&usable);
    let figure = nyquist(&points, None, &Curve::default(), figure.x.range, figure.y.range);
    let drawing = Sheet::new("", vec![Panel::of(figure)]).draw();
    assert_eq!(drawing.beyond, 1);
    let all = elements(&drawing.svg);
    let crosses = all
        .iter()
        .filter(|element| element.tag == "path" && element.is_in("doubtful"));
    assert_eq!(crosses.count(), 1);
}

#[test]
fn an_error_bar_that_leaves_the_frame_has_no_cap_there() {
    let mut figure = Figure::new(
        Axis::linear("sweep", "1", Range::new(0.0, 3.0)),
        Axis::linear("R1", "ohm", Range::new(0.0, 10.0)),
    );
    figure.bars([
        [1.0, 4.0, 6.0],
        [2.0, 4.0, 60.0],
        [2.5, 40.0, 60.0],
        [1.5, -5.0, 60.0],
    ]);
    let all = elements(&Sheet::new("", vec![Panel::of(figure)]).draw().svg);
    let bars = all
        .iter()
        .filter(|element| element.tag == "path" && element.is_in("bars"));
    let strokes: Vec<usize> = bars.map(|bar| bar.attributes["d"].matches('M').count()).collect();
    assert_eq!(strokes, [3, 2, 1]);
}

#[test]
fn twelve_layers_have_twelve_shapes() {
    let layers: Vec<Figure> = (1..=12)
        .map(|index| nyquist_of(&half_circle(20.0, 10.0 * f64::from(index))))
        .collect();
    let mut sheet = Sheet::new("", vec![Panel { layers }]);
    for index in 0..12 {
        sheet.explain(Sample::Layer(index), format!("spectrum {index}"));
    }
    let all = elements(&sheet.draw().svg);
    let legend: Vec<&Element> = all.iter().filter(|element| element.is_in("legend")).collect();
    let words = legend.iter().filter(|element| element.tag == "text");
    let mut shapes = BTreeSet::new();
    for text in words {
        // The mark that stands before these words, moved to the origin.
        let (x, y) = (text.number("x") - 12.0, text.number("y") - 4.68);
        let mut shape = Vec::new();
        for element in &legend {
            if let Some(path) = element.attributes.get("d") {
                let corners = places(path);
                if (corners[0][0] - x).hypot(corners[0][1] - y) < 10.0 {
                    let moved = corners
                        .iter()
                        .map(|at| format!("{:.1} {:.1}", at[0] - x, at[1] - y));
                    shape.push(moved.collect::<Vec<_>>().join(" "));
                }
            } else if element.tag == "circle"
                && (element.number("cx") - x).hypot(element.number("cy") - y) < 10.0
            {
                shape.push(format!("circle {}", element.attributes["r"]));
            }
        }
        assert!(!shape.is_empty(), "{text:?}");
        shapes.insert(shape.join(" and "));
    }
    assert_eq!(shapes.len(), 12, "{shapes:#?}");
}

#[test]
fn labels_of_decades_neither_overlap_nor_hide_marks() {
    let points = half_circle(20.0, 60.0);
    let mut sheet = Sheet::new("", vec![Panel::of(nyquist_of(&points))]);
    for width in [300.0, 500.0, 720.0, 1500.0] {
        sheet.width_px = width;
        let all = elements(&sheet.draw().svg);
        let words: Vec<[f64; 4]> = all
            .iter()
            .filter(|element| element.tag == "text" && element.is_in("words"))
            .map(|text| {
                let (x, y) = (text.number("x"), text.number("y"));
                [x, y - 9.0, x + width_of(&text.words, 11.0), y + 1.0]
            })
            .collect();
        assert!(words.len() >= 2, "{width}: {words:?}");
        let overlap = |one: &[f64; 4], other: &[f64; 4]| {
            one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3]
        };
        for (index, one) in words.iter().enumerate() {
            assert!(
                !words[index + 1..].iter().any(|other| overlap(one, other)),
                "{words:?}"
            );
            for [x, y] in circles(&all, "measured") {
                assert!(!overlap(one, &[x - 3.0, y - 3.0, x + 3.0, y + 3.0]), "{width}");
            }
        }
    }
}

#[test]
fn a_sheet_too_low_for_its_panels_grows() {
    let mut sheet = bode_sheet(&half_circle(20.0, 60.0));
    sheet.height_px = Some(100.0);
    let drawing = sheet.draw();
    assert!(drawing.height_px > 200.0);
    let all = elements(&drawing.svg);
    assert_eq!(all.last().unwrap().number("height"), drawing.height_px);
    sheet.height_px = Some(800.0);
    assert_eq!(sheet.draw().height_px, 800.0);
}

#[test]
fn strange_figures_draw_without_a_panic() {
    let nowhere = Range::new(f64::NAN, f64::INFINITY);
    let empty = Figure::new(Axis::log("f", "Hz", nowhere), Axis::linear("", "1", nowhere));
    let mut equal = Figure::new(
        Axis::linear("", "ohm", Range::new(5.0, 5.0)),
        Axis::linear("", "ohm", Range::new(1e300, -1e300)),
    );
    equal.equal = true;
    equal.marks(Mark::Measured, [[5.0, 0.0], [1e308, -1e308]]);
    let below = residuals(
        &[(0.0, Complex64::new(1.0, f64::NAN))],
        Range::new(-1.0, 1.0),
        nowhere,
    );
    for panels in [
        vec![],
        vec![Panel { layers: vec![] }],
        vec![Panel::of(empty), Panel::of(equal), Panel::of(below)],
    ] {
        let mut sheet = Sheet::new("strange", panels);
        sheet.columns = 0;
        let svg = sheet.draw().svg;
        elements(&svg);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}

#[test]
fn text_is_cut_where_there_is_no_room() {
    assert_eq!(cut_to("short", 13.0, 100.0), "short");
    let cut = cut_to("a title that goes on and on", 13.0, 100.0);
    assert!(cut.ends_with('…') && width_of(&cut, 13.0) <= 100.0, "{cut}");
}

#[test]
fn a_small_nyquist_plot_is_the_same_to_the_byte() {
    let mut points: Vec<Point> = half_circle(20.0, 60.0).into_iter().step_by(5).collect();
    points[5].status = PointStatus::Overload;
    let mut sheet = Sheet::new("a.csv", vec![Panel::of(nyquist_of(&points))]);
    sheet.width_px = 480.0;
    sheet.grid = true;
    sheet.explain(Sample::Mark(Mark::Measured), "measured");
    sheet.explain(Sample::Mark(Mark::Decade), "at whole decades of f");
    sheet.explain(Sample::Mark(Mark::Doubtful), "not to be trusted");
    sheet.explain(Sample::Mark(Mark::Newest), "there is none");
    sheet.explain(Sample::Line(Stroke::Fitted), "fit R0-p(R1,C1)");
    let svg = sheet.draw().svg;
    assert_eq!(svg, sheet.draw().svg);
    assert!(!svg.contains("there is none"));
    insta::assert_snapshot!(svg);
}
