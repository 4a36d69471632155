//! docs/recording-format.md says what the files are, to the last column and to the byte of the hash.

use std::collections::BTreeMap;
use std::fmt::Write;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::*;

fn in_repository(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Tables with their columns as the document has them: name, and what it is declared as.
fn documented() -> BTreeMap<String, Vec<(String, String)>> {
    let document = std::fs::read_to_string(in_repository("docs/recording-format.md")).unwrap();
    let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut table = None;
    for line in document.lines() {
        if line.starts_with('#') {
            let name = line
                .strip_prefix("### Table `")
                .map(|rest| rest.trim_end_matches('`').to_owned());
            table = name.map(|name| tables.entry(name).or_default());
        } else if let (Some(columns), Some(row)) = (&mut table, line.strip_prefix("| `")) {
            let mut cells = row
                .split('|')
                .map(|cell| cell.trim().trim_matches('`').to_owned());
            columns.push((cells.next().unwrap(), cells.next().unwrap()));
        }
    }
    tables
}

fn made(connection: &Connection) -> BTreeMap<String, Vec<(String, String)>> {
    let names = |sql: &str| {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap()
    };
    let tables = names("select name from sqlite_schema where type = 'table'");
    let columns = |table: &String| {
        let mut statement = connection
            .prepare(&format!("pragma table_info({table})"))
            .unwrap();
        let rows = statement.query_map([], |row| {
            let name: String = row.get(1)?;
            let mut declared = row.get::<_, String>(2)?.to_lowercase();
            // SQLite adds it to the key of a table without rowid.
            if row.get::<_, bool>(3)? && name != "key" || table == "amendment" && name == "key" {
                declared.push_str(" not null");
            }
            Ok((name, declared))
        });
        rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap()
    };
    tables
        .iter()
        .map(|table| (table.clone(), columns(table)))
        .collect()
}

#[test]
fn every_table_and_column_stands_in_the_document_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.interphase");
    recorded(&path, 1, 1);
    let connection = Connection::open(&path).unwrap();
    assert_eq!(documented(), made(&connection));
    let document = std::fs::read_to_string(in_repository("docs/recording-format.md")).unwrap();
    let mut statement = connection
        .prepare("select type, name from sqlite_schema where type in ('view', 'index') and sql is not null")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    for (sort, name) in rows.unwrap().map(Result::unwrap) {
        let wanted = if sort == "view" {
            format!("### View `{name}`")
        } else {
            format!("`{name}` on")
        };
        assert!(document.contains(&wanted), "{wanted}");
    }
    for fact in [format!("{APPLICATION_ID}"), format!("{APPLICATION_ID:x}")] {
        assert!(document.contains(&fact), "{fact}");
    }
    assert!(document.contains(&format!("This document describes format {FORMAT_VERSION}")));
}

/// The columns of format 2, whose values count only where one of them is there.
const ADDED_TO_VALIDITY: usize = 9;

fn push_bytes(buffer: &mut Vec<u8>, bytes: &[u8]) {
    buffer.extend((bytes.len() as u64).to_le_bytes());
    buffer.extend(bytes);
}

/// The rows of a table under numbers, each as the document says that it is hashed, by number.
fn hashed_rows(connection: &Connection, table: &str, columns: &[(String, String)]) -> BTreeMap<i64, Vec<u8>> {
    let present = made(connection);
    let Some(present) = present.get(table) else {
        return BTreeMap::new();
    };
    let mut sql = "select ".to_owned();
    for (index, column) in columns.iter().enumerate() {
        let name = if present.contains(column) {
            column.0.as_str()
        } else {
            "null"
        };
        write!(sql, "{}{name}", if index == 0 { "" } else { ", " }).unwrap();
    }
    write!(sql, " from {table} order by 1, 2").unwrap();
    let mut statement = connection.prepare(&sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut hashed: BTreeMap<i64, Vec<u8>> = BTreeMap::new();
    while let Some(row) = rows.next().unwrap() {
        let mut count = columns.len();
        let is_null = |index: usize| row.get_ref(index).unwrap() == ValueRef::Null;
        if table == "validity" && (count - ADDED_TO_VALIDITY..count).all(is_null) {
            count -= ADDED_TO_VALIDITY;
        }
        let buffer = hashed.entry(row.get(0).unwrap()).or_default();
        push_bytes(buffer, table.as_bytes());
        for (index, (_, declared)) in columns.iter().enumerate().take(count) {
            match row.get_ref(index).unwrap() {
                ValueRef::Null => buffer.push(0),
                ValueRef::Integer(value) if declared != "real" => {
                    buffer.push(1);
                    buffer.extend(value.to_le_bytes());
                }
                ValueRef::Integer(value) => {
                    buffer.push(2);
                    buffer.extend((value as f64).to_le_bytes());
                }
                ValueRef::Real(value) => {
                    buffer.push(2);
                    buffer.extend(value.to_le_bytes());
                }
                ValueRef::Text(text) => {
                    buffer.push(3);
                    push_bytes(buffer, text);
                }
                ValueRef::Blob(bytes) => {
                    buffer.push(4);
                    push_bytes(buffer, bytes);
                }
            }
        }
    }
    hashed
}

/// The last hash of a recording by nothing but its document, SQLite and BLAKE3.
fn chain_by_the_document(path: &Path) -> String {
    let connection = Connection::open(path).unwrap();
    let mut events: BTreeMap<i64, Vec<u8>> = BTreeMap::new();
    let documented = documented();
    let parts = ["fit_parameter", "fit_sum"];
    let is_event = |columns: &[(String, String)]| columns[0].0 == "seq";
    let tables = documented
        .iter()
        .filter(|(_, columns)| is_event(columns))
        .map(|(name, _)| name.as_str());
    for table in tables.chain(parts) {
        for (seq, bytes) in hashed_rows(&connection, table, &documented[table]) {
            events.entry(seq).or_default().extend(bytes);
        }
    }
    let mut bytes = b"interphase recording 1".to_vec();
    let mut statement = connection
        .prepare("select name, media_type, bytes from attachment order by id")
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        push_bytes(&mut bytes, row.get::<_, String>(0).unwrap().as_bytes());
        push_bytes(&mut bytes, row.get::<_, String>(1).unwrap().as_bytes());
        bytes.extend(blake3::hash(&row.get::<_, Vec<u8>>(2).unwrap()).as_bytes());
    }
    let mut hash = blake3::hash(&bytes);
    let mut statement = connection
        .prepare("select first_seq, last_seq, hash from batch order by id")
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let span = row.get::<_, i64>(0).unwrap()..=row.get::<_, i64>(1).unwrap();
        let mut bytes = hash.as_bytes().to_vec();
        bytes.extend(events.range(span).flat_map(|(_, event)| event));
        hash = blake3::hash(&bytes);
        assert_eq!(hash.as_bytes().as_slice(), row.get::<_, Vec<u8>>(2).unwrap());
    }
    hash.to_hex().to_string()
}

#[test]
fn the_hash_chain_can_be_checked_by_the_document_alone() {
    let folder = tempfile::tempdir().unwrap();
    for file in [
        "tests/data/recordings/format-1.interphase",
        "tests/data/recordings/format-2.interphase",
    ] {
        let path = folder.path().join("a.interphase");
        std::fs::copy(in_repository(file), &path).unwrap();
        assert_eq!(
            chain_by_the_document(&path),
            verify(&path).unwrap().chain_hash,
            "{file}"
        );
    }
}
