//! Plain text: frequency / Hz, Z' / ohm, Z'' / ohm (true sign) in columns, with or without a header,
//! separated by commas, semicolons, tabs or blanks, with a decimal comma where that is unambiguous. A
//! column named `spectrum` separates several spectra in one file.

use crate::spectrum::{Point, Spectrum};

use super::error::ReadError;
use super::reading::{FileSpectrum, Format, Reading};

/// Why a text is not taken for spectra.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct DelimitedError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there, and what would be right.
    pub message: String,
}

/// Where the columns are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Columns {
    spectrum: Option<usize>,
    frequency: usize,
    real: usize,
    imaginary: usize,
    negated: bool,
}

const PLAIN: Columns = Columns {
    spectrum: None,
    frequency: 0,
    real: 1,
    imaginary: 2,
    negated: false,
};

/// How a line is taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Dialect {
    separator: Option<char>,
    decimal_comma: bool,
}

/// Reads all spectra of a text; `file` names it in errors. Lines that begin with `#` are remarks.
///
/// # Errors
/// With the line where a number is missing or none, or where there is no point at all.
pub fn read(file: &str, text: &str) -> Result<Vec<Spectrum>, DelimitedError> {
    let refuse = |line: usize, message: String| DelimitedError {
        file: file.to_owned(),
        line,
        message,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .peekable();
    let Some((_, first)) = lines.peek().copied() else {
        return Err(refuse(
            1,
            "there is no point; three columns are needed: frequency / Hz, Z' / ohm, Z'' / ohm".into(),
        ));
    };
    let mut dialect = dialect_of(first);
    let columns = if fields_of(first, dialect)
        .iter()
        .any(|field| number(field, dialect).is_none())
    {
        let columns = columns_of(&fields_of(first, dialect)).map_err(|message| refuse(1, message))?;
        lines.next();
        if let Some((_, line)) = lines.peek() {
            dialect.decimal_comma = dialect.separator != Some(',') && line.contains(',');
        }
        columns
    } else {
        PLAIN
    };
    let mut spectra: Vec<(String, Spectrum)> = Vec::new();
    for (line, content) in lines {
        let fields = fields_of(content, dialect);
        let value = |at: usize, what: &str| {
            let field = fields.get(at).copied().unwrap_or_default();
            let value = number(field, dialect).filter(|value| value.is_finite());
            value.ok_or_else(|| refuse(line, format!("{what} is {field:?}, not a finite number")))
        };
        let frequency = value(columns.frequency, "the frequency")?;
        if frequency <= 0.0 {
            return Err(refuse(
                line,
                format!("the frequency is {frequency}; it must be above 0"),
            ));
        }
        let real = value(columns.real, "Z'")?;
        let imaginary = value(columns.imaginary, "Z''")?;
        let key = columns
            .spectrum
            .and_then(|at| fields.get(at))
            .copied()
            .unwrap_or_default();
        if spectra.last().is_none_or(|(of, _)| of != key) {
            spectra.push((key.to_owned(), Spectrum::default()));
        }
        let imaginary = if columns.negated { -imaginary } else { imaginary };
        if let Some((_, spectrum)) = spectra.last_mut() {
            spectrum.points.push(Point::new(frequency, real, imaginary));
        }
    }
    if spectra.is_empty() {
        return Err(refuse(1, "there is a header but no point".to_owned()));
    }
    Ok(spectra.into_iter().map(|(_, spectrum)| spectrum).collect())
}

/// As [`read`], for bytes of whatever encoding.
pub(super) fn read_file(file: &str, bytes: &[u8]) -> Result<Reading, ReadError> {
    let spectra = read(file, &String::from_utf8_lossy(bytes))
        .map_err(|error| ReadError::in_line(&error.file, error.line, error.message))?;
    Ok(Reading {
        format: Format::Plain,
        spectra: spectra
            .into_iter()
            .map(|spectrum| FileSpectrum {
                name: String::new(),
                spectrum,
            })
            .collect(),
        remarks: Vec::new(),
        broken: None,
    })
}

/// A comma separates unless something else does; then it is a decimal comma.
fn dialect_of(line: &str) -> Dialect {
    let other = [';', '\t']
        .into_iter()
        .find(|separator| line.contains(*separator));
    let separator = match other {
        Some(separator) => Some(separator),
        // With blanks between fields, commas inside them are decimal commas.
        None if line.contains(',') && !looks_blank_separated(line) => Some(','),
        None => None,
    };
    Dialect {
        separator,
        decimal_comma: separator != Some(',') && line.contains(','),
    }
}

/// Whether a line is three or more numbers with decimal commas, separated by blanks.
fn looks_blank_separated(line: &str) -> bool {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let dialect = Dialect {
        separator: None,
        decimal_comma: true,
    };
    fields.len() >= 3 && fields.iter().all(|field| number(field, dialect).is_some())
}

fn fields_of(line: &str, dialect: Dialect) -> Vec<&str> {
    match dialect.separator {
        Some(separator) => line.split(separator).map(str::trim).collect(),
        None => line.split_whitespace().collect(),
    }
}

fn number(field: &str, dialect: Dialect) -> Option<f64> {
    let field = field.trim_matches('"');
    if dialect.decimal_comma && field.matches(',').count() == 1 && !field.contains('.') {
        return field.replace(',', ".").parse().ok();
    }
    field.parse().ok()
}

fn columns_of(header: &[&str]) -> Result<Columns, String> {
    let simple = |name: &str| {
        name.trim_matches('"')
            .to_ascii_lowercase()
            .replace([' ', '_'], "")
    };
    let position = |known: &dyn Fn(&str) -> bool| header.iter().position(|name| known(&simple(name)));
    let is_frequency = |name: &str| {
        name.starts_with("freq") || name == "f" || name.starts_with("f/") || name.starts_with("f(")
    };
    let is_imaginary = |name: &str| {
        name.contains("imag")
            || name.contains("im(z)")
            || name.contains("z''")
            || name.contains("zim")
            || name.contains("z\"")
    };
    let is_real = |name: &str| {
        !is_imaginary(name)
            && (name.contains("real")
                || name.contains("re(z)")
                || name.contains("z'")
                || name.contains("zre"))
    };
    let missing = |what: &str| format!("the header has no column for {what}; it has {header:?}");
    let imaginary = position(&is_imaginary).ok_or_else(|| missing("Z''"))?;
    Ok(Columns {
        spectrum: position(&|name| matches!(name, "spectrum" | "sweep" | "cycle")),
        frequency: position(&is_frequency).ok_or_else(|| missing("the frequency"))?,
        real: position(&is_real).ok_or_else(|| missing("Z'"))?,
        imaginary,
        negated: simple(header[imaginary]).starts_with('-') || simple(header[imaginary]).starts_with("minus"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> Vec<(f64, f64, f64)> {
        let spectra = read("a.csv", text).unwrap();
        assert_eq!(spectra.len(), 1);
        spectra[0]
            .points
            .iter()
            .map(|p| (p.frequency_hz, p.z_real_ohm, p.z_imag_ohm))
            .collect()
    }

    const EXPECTED: [(f64, f64, f64); 2] = [(1000.0, 12.5, -3.25), (100.0, 20.0, -1.0)];

    #[test]
    fn columns_are_found_with_every_separator_and_with_a_decimal_comma() {
        for text in [
            "1000,12.5,-3.25\n100,20,-1\n",
            "1000;12.5;-3.25\n100;20;-1\n",
            "1000\t12.5\t-3.25\n100\t20\t-1\n",
            "1000  12.5 -3.25\n\n100 20 -1",
            "1000;12,5;-3,25\n100;20;-1,0\n",
            "1000,0 12,5 -3,25\n100,0 20,0 -1,0\n",
            "# a remark\nfrequency_hz,z_real_ohm,z_imag_ohm\n1000,12.5,-3.25\n100,20,-1\n",
            "Z real;Z imag;Freq (Hz)\n12,5;-3,25;1000\n20,0;-1,0;100\n",
        ] {
            assert_eq!(one(text), EXPECTED, "{text}");
        }
    }

    #[test]
    fn a_header_that_says_minus_turns_the_sign() {
        assert_eq!(
            one("freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\n1000\t12.5\t3.25\n100\t20\t1\n"),
            EXPECTED
        );
    }

    #[test]
    fn a_spectrum_column_separates_spectra() {
        let text = "spectrum,frequency_hz,z_real_ohm,z_imag_ohm\n0,10,1,-1\n0,1,2,-1\n1,10,3,-1\n";
        let spectra = read("a.csv", text).unwrap();
        let sizes: Vec<usize> = spectra.iter().map(|spectrum| spectrum.points.len()).collect();
        assert_eq!(sizes, [2, 1]);
    }

    #[test]
    fn what_is_no_number_is_refused_with_its_line() {
        let error = read("a.csv", "1000,12.5,-3.25\n100,x,-1\n").unwrap_err();
        assert_eq!(error.to_string(), "a.csv:2: Z' is \"x\", not a finite number");
        assert!(read("a.csv", "").is_err());
        assert!(read("a.csv", "0,1,-1\n").unwrap_err().message.contains("above 0"));
        assert!(
            read("a.csv", "10,nan,-1\n")
                .unwrap_err()
                .message
                .contains("finite")
        );
        assert!(
            read("a.csv", "10,\u{1b}[2J,-1\n")
                .unwrap_err()
                .message
                .contains("\\u{1b}")
        );
        assert!(read("a.csv", "1,2\n").unwrap_err().message.contains("Z''"));
        assert!(
            read("a.csv", "time,voltage\n1,2\n")
                .unwrap_err()
                .message
                .contains("no column for Z''")
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}(\n\\PC{0,40}){0,5}") {
            let _ = read("a.csv", &text);
        }
    }
}
