//! Files that hold no spectrum as they are, and what to do with them.

use super::bytes::contains;

/// What is no text, and nothing that is known.
pub(super) const UNKNOWN: &str = "no text, and no other known format; export the spectrum as text, or as one of .mpt, .mpr, .DTA, .z, .par, .idf, \
     .pssession";

/// How such files begin, and what to say of them.
static FOREIGN: &[(&[u8], &str)] = &[
    (
        b"SQLite format 3\0",
        "this is a recording, or another database: `interphase show` tells what is in it, `interphase plot` draws its \
         sweeps",
    ),
    (
        b"\x1f\x8b",
        "the file is compressed with gzip; unpack it first: gunzip -k FILE",
    ),
    (
        b"BZh",
        "the file is compressed with bzip2; unpack it first: bunzip2 -k FILE",
    ),
    (
        b"\xfd7zXZ\0",
        "the file is compressed with xz; unpack it first: unxz -k FILE",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "the file is compressed with zstd; unpack it first: unzstd FILE",
    ),
    (
        b"7z\xbc\xaf\x27\x1c",
        "the file is an archive of 7-Zip; unpack it first",
    ),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "the file is a document of an office program (.xls, .doc); save the sheet as CSV first",
    ),
    (b"%PDF-", "the file is a PDF; export the data as text"),
    (
        b"\x89HDF\r\n",
        "the file is HDF5 or NetCDF; export the spectrum as CSV",
    ),
    (
        b"{\\rtf",
        "the file is a formatted document (.rtf); save it as plain text",
    ),
];

/// What a file is that is no text, where its beginning tells.
pub(super) fn what_it_is(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Some(if contains(&bytes[..bytes.len().min(4096)], b"xl/") {
            "the file is a workbook (.xlsx); save the sheet as CSV first"
        } else {
            "the file is an archive (.zip) or a document in one; unpack it, or save the table as CSV"
        });
    }
    let found = FOREIGN.iter().find(|(begin, _)| bytes.starts_with(begin));
    found.map(|(_, message)| *message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compressed_file_a_workbook_and_a_recording_are_told_with_a_way_out() {
        for (bytes, words) in [
            (&b"\x1f\x8b\x08\0\0\0\0\0"[..], "gunzip"),
            (b"PK\x03\x04\x14\0\0\0xl/workbook.xml", "save the sheet as CSV"),
            (b"PK\x03\x04\x14\0\0\0cell.mpt", "unpack"),
            (b"SQLite format 3\0\x10\0", "interphase show"),
        ] {
            let error = crate::files::read("a", bytes).unwrap_err().to_string();
            assert!(error.starts_with("a: ") && error.contains(words), "{error}");
        }
        assert_eq!(what_it_is(b"1,2,3\n"), None);
    }
}
