//! The container: a magic line, then modules one after the other, each with a header that names it and says how
//! long it is.
//!
//! There are two headers. Both begin with `MODULE`, a short name of 10 bytes and a long one of 25. The older goes
//! on with length, version (4 bytes each) and a date of 8; the newer, of EC-Lab 11.50, puts a greatest length
//! of `FFFFFFFF` before the length and a second version before the date.

use crate::files::bytes::u32_at;
use crate::files::error::ReadError;

/// What every file begins with.
pub(super) const MAGIC: &[u8] = b"BIO-LOGIC MODULAR FILE\x1a";
/// Where the first module begins: the magic is filled up with blanks and four zero bytes.
pub(super) const FIRST_MODULE: usize = 52;

const MARK: &[u8] = b"MODULE";
const NAME: std::ops::Range<usize> = 6..16;
const AFTER_NAMES: usize = 41;
const OLD_HEADER: usize = 57;
const NEW_HEADER: usize = 65;

/// One module.
pub(super) struct Module<'a> {
    /// Its short name without the blanks that fill it up: `VMP data`.
    pub name: &'a [u8],
    /// Its version; in files of EC-Lab 11.50 and later 10 or more.
    pub version: u32,
    /// Where its content begins in the file.
    pub offset: usize,
    /// How long its content is, as its header says.
    pub length: usize,
    /// The content, as far as the file goes.
    pub content: &'a [u8],
}

impl Module<'_> {
    /// Whether the file ends before the module does.
    pub(super) fn is_cut(&self) -> bool {
        self.content.len() < self.length
    }

    /// Where the content that is there ends in the file.
    pub(super) fn end(&self) -> usize {
        self.offset + self.content.len()
    }
}

/// The modules of a file, and what ended the walk before the end of the file.
pub(super) fn split<'a>(file: &str, bytes: &'a [u8]) -> (Vec<Module<'a>>, Option<ReadError>) {
    let mut modules = Vec::new();
    let mut at = FIRST_MODULE;
    while at < bytes.len() {
        match module_at(bytes, at) {
            Ok((module, next)) => {
                let cut = module.is_cut().then(|| {
                    let message = format!(
                        "the file ends inside the module {:?}, {} bytes before its end; copy it again",
                        String::from_utf8_lossy(module.name),
                        module.length - module.content.len()
                    );
                    ReadError::at_byte(file, bytes.len(), message)
                });
                modules.push(module);
                if cut.is_some() {
                    return (modules, cut);
                }
                at = next;
            }
            Err(message) => return (modules, Some(ReadError::at_byte(file, at, message))),
        }
    }
    (modules, None)
}

/// The module that begins at a byte, and where the next one begins.
fn module_at(bytes: &[u8], at: usize) -> Result<(Module<'_>, usize), &'static str> {
    const CUT: &str = "the file ends inside the header of a module; copy it again";
    let rest = &bytes[at..];
    if !rest.starts_with(MARK) {
        return Err(if MARK.starts_with(rest) {
            CUT
        } else {
            "a module should begin here with \"MODULE\", but does not; the file is damaged"
        });
    }
    let first = u32_at(rest, AFTER_NAMES).ok_or(CUT)?;
    let is_new = first == u32::MAX;
    let (length, version, header) = if is_new {
        let length = u32_at(rest, AFTER_NAMES + 4).ok_or(CUT)?;
        let old = u32_at(rest, AFTER_NAMES + 8).ok_or(CUT)?;
        let new = u32_at(rest, AFTER_NAMES + 12).ok_or(CUT)?;
        (length, old.saturating_add(new), NEW_HEADER)
    } else {
        (first, u32_at(rest, AFTER_NAMES + 4).ok_or(CUT)?, OLD_HEADER)
    };
    let content = rest.get(header..).ok_or(CUT)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let content = &content[..length.min(content.len())];
    let offset = at + header;
    let module = Module {
        name: rest.get(NAME).unwrap_or_default().trim_ascii_end(),
        version,
        offset,
        length,
        content,
    };
    Ok((module, offset + content.len()))
}
