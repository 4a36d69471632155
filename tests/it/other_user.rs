//! Another user of the same computer may neither read a recording nor speak to a session.

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::lab::Lab;

/// `nobody` on every Linux system.
const OTHER_USER: u32 = 65534;

/// What the other user is to try: `read`, `list` or `connect`, and where.
const TRY: &str = "INTERPHASE_TEST_TRY";

/// What this user may do there.
fn attempt(what: &str, path: &Path) -> Result<(), ErrorKind> {
    match what {
        "read" => std::fs::File::open(path).map(drop),
        "write" => std::fs::File::options().append(true).open(path).map(drop),
        "list" => std::fs::read_dir(path).map(drop),
        _ => UnixStream::connect(path).map(drop),
    }
    .map_err(|error| error.kind())
}

/// The part of the other user: this program again, under another user id.
#[test]
#[ignore = "run by the test below, as another user"]
fn as_another_user() {
    let Ok(wanted) = std::env::var(TRY) else { return };
    let (what, path) = wanted.split_once(' ').unwrap();
    // A child of the test that must not go on to the other tests.
    #[allow(clippy::exit)]
    std::process::exit(match attempt(what, Path::new(path)) {
        Ok(()) => 10,
        Err(ErrorKind::PermissionDenied) => 11,
        Err(_) => 12,
    });
}

/// What another user may do there; true where permission is denied.
fn is_denied(what: &str, path: &Path) -> bool {
    // By this link, the other user needs no way through the folders in which the program stands.
    let status = Command::new("/proc/self/exe")
        .args(["--exact", "other_user::as_another_user", "--ignored"])
        .env(TRY, format!("{what} {}", path.display()))
        .uid(OTHER_USER)
        .gid(OTHER_USER)
        .current_dir("/")
        .stdout(Stdio::null())
        .status()
        .unwrap();
    match status.code() {
        Some(10) => false,
        Some(11) => true,
        other => panic!("{what} {}: the other user ended with {other:?}", path.display()),
    }
}

fn socket_in(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut sockets = entries.filter(|entry| entry.file_type().unwrap().is_socket());
    sockets.next().unwrap().path()
}

#[test]
#[allow(clippy::print_stderr)]
fn another_user_gets_permission_denied_from_socket_directory_and_file() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root, so there is no second user to try with: nothing was tested");
        return;
    }
    let lab = Lab::new();
    // Nothing above may be what denies.
    std::fs::set_permissions(lab.path(""), Permissions::from_mode(0o755)).unwrap();
    let simulator = lab.simulator("dummy_r_rc", 100, 12);
    let session = lab.detach(&simulator.port, "dummy_r_rc", "eis_repeat");
    let runtime = lab.runtime_directory();
    let socket = socket_in(&runtime);
    let log = PathBuf::from(format!("{}-wal", session.recording()));

    for (what, path) in [
        ("list", &runtime),
        ("connect", &socket),
        ("read", &session.recording),
        ("write", &session.recording),
        ("read", &log),
    ] {
        assert_eq!(attempt(what, path), Ok(()), "{what} {path:?} by its owner");
        assert!(is_denied(what, path), "{what} {path:?}");
    }
    // Recording, socket, log and what is registered are closed by themselves as well.
    for path in [&session.recording, &log] {
        assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o777, 0o600, "{path:?}");
    }
    std::fs::set_permissions(&runtime, Permissions::from_mode(0o755)).unwrap();
    assert!(!is_denied("list", &runtime), "this test can tell");
    assert!(is_denied("connect", &socket));
    let mut kinds = Vec::new();
    for entry in std::fs::read_dir(&runtime).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let mode = entry.metadata().unwrap().mode();
            assert_eq!(mode & 0o777, 0o600, "{entry:?}");
            assert!(is_denied("read", &entry.path()), "{entry:?}");
            kinds.extend(entry.path().extension().map(|kind| kind.to_owned()));
        }
    }
    assert!(kinds.iter().any(|kind| kind == "log"), "{kinds:?}");
    std::fs::set_permissions(&runtime, Permissions::from_mode(0o700)).unwrap();
    lab.succeed(&["stop", &session.name, "--now"]);
}
