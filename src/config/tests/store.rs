//! Where state is: in a file, or on a server.

use super::*;

const URL: &str = "postgres://exporter@127.0.0.1/cii";

fn with(settings: &str) -> String {
    format!("[webhook]\nsecrets = [\"0123456789abcdef\"]\n[store]\n{settings}\n")
}

fn server(settings: &str, variables: &[(&str, &str)]) -> ServerConfig {
    match load(&with(settings), variables).unwrap().store.place {
        StorePlace::Server(server) => *server,
        StorePlace::File(path) => panic!("{}", path.display()),
    }
}

#[test]
fn a_url_takes_the_place_of_the_default_file() {
    assert!(matches!(load(MINIMAL, &[]).unwrap().store.place, StorePlace::File(_)));
    let from_file = server(&format!("url = \"{URL}\"\nschema = \"cii\""), &[]);
    assert_eq!(from_file.name(), "postgres://127.0.0.1/cii");
    assert_eq!((from_file.schema.as_deref(), from_file.commit), (Some("cii"), CommitLevel::On));
    let variables = [
        ("CII_EXPORTER_STORE__URL", URL),
        ("CII_EXPORTER_STORE__COMMIT", "remote_apply"),
        ("CII_EXPORTER_STORE__PASSWORD", "s3cret"),
    ];
    let from_variables = server("", &variables);
    assert_eq!(from_variables.commit, CommitLevel::RemoteApply);
    assert_eq!(from_variables.password.unwrap().expose_secret(), "s3cret");
}

#[test]
fn url_and_password_may_be_in_files() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    };
    let (url, password) = (file("url", &format!("{URL}\n")), file("password", "s3 cret\n"));
    let found = server(&format!("url_file = {url:?}\npassword_file = {password:?}"), &[]);
    assert_eq!(found.password.unwrap().expose_secret(), "s3 cret");
    let message = error(&with("url_file = \"/nowhere\""), &[]);
    assert!(message.contains("store.url_file: cannot read /nowhere"), "{message}");
    let twice = url.with_file_name("twice");
    fs::write(&twice, "postgres://e:s3cret@a/cii").unwrap();
    let message = error(&with(&format!("url_file = {twice:?}\npassword_file = {password:?}")), &[]);
    assert!(message.contains("store.password: is set together with the password"), "{message}");
    assert!(!message.contains("s3cret") && !message.contains("s3 cret"), "{message}");
}

#[test]
fn a_file_and_a_server_together_are_refused_but_not_the_file_that_packages_set() {
    let both = with(&format!("path = \"a.db\"\nurl = \"{URL}\""));
    let message = error(&both, &[]);
    assert!(
        message.contains(
            "config.toml:5: store.url: is set together with store.path \
                          (config.toml:4); keep store.url for PostgreSQL, or store.path for a file"
        ),
        "{message}"
    );
    let variable = ("CII_EXPORTER_STORE__URL", URL);
    assert!(error(&with("path = \"a.db\""), &[variable]).contains("CII_EXPORTER_STORE__URL: "));
    let elsewhere = [variable, ("CII_EXPORTER_STORE__PATH", "/srv/a.db")];
    assert!(error(&with(""), &elsewhere).contains("together with store.path"));
    let packaged =
        [variable, ("CII_EXPORTER_STORE__PATH", "/var/lib/cii-exporter/cii-exporter.db")];
    assert_eq!(server("", &packaged).name(), "postgres://127.0.0.1/cii");
}

#[test]
fn what_is_wrong_with_a_server_is_told_by_its_setting() {
    for (settings, expected) in [
        ("url = \"sqlite:///a.db\"", "store.url: SQLite has no URL: set store.path"),
        ("url = \"mysql://e@a/cii\"", "store.url: expected a URL that begins with postgres://"),
        ("url = \"\"", "store.url: must not be empty"),
        ("url = \"postgres://e@<host>/cii\"", "store.url: still holds a placeholder"),
        ("path = \"postgres://e@a/cii\"", "store.path: is a URL, and expects a file: write it as"),
        ("password = \"s3cret\"", "store.password: is of use with store.url alone"),
        ("password_file = \"/x\"", "store.password_file: is of use with store.url alone"),
        ("schema = \"cii\"", "store.schema: is of use with store.url alone"),
        ("commit = \"on\"", "store.commit: is of use with store.url alone"),
        ("commit = \"off\"", "store.commit: expected one of on, remote_apply, found \"off\""),
        ("url = \"postgres://e@a/c\"\nschema = \"A-b\"", "store.schema: \"A-b\" is no name"),
        ("url = \"postgres://e@a/c\"\nschema = \"pg_cii\"", "is the server's own"),
        ("url = \"postgres://e@a/c\"\npassword = \"\"", "store.password: must not be empty"),
        (
            "url = \"postgres://e@a/c?sslrootcert=/nowhere.pem\"",
            "store.url: cannot read /nowhere.pem (sslrootcert)",
        ),
    ] {
        let message = error(&with(settings), &[]);
        assert!(message.contains(expected), "{settings}: {message}");
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[test]
fn a_server_is_shown_without_its_user_and_its_password() {
    let text = with("url = \"postgres://us3r:s3cret@a.example:5433,b/cii?sslmode=disable\"");
    let config = load(&text, &[]).unwrap();
    let effective = config.effective_toml();
    let line = "url = \"postgres://a.example:5433,b/cii?sslmode=disable\" # config.toml:4";
    assert!(effective.contains(line), "{effective}");
    let warnings = config.warnings().join("\n");
    assert!(
        warnings.contains("store.url has sslmode=disable: whoever is in between"),
        "{warnings}"
    );
    for told in [effective, warnings, format!("{config:?}"), config.store.place.to_string()] {
        assert!(!told.contains("s3cret") && !told.contains("cii-exporter.db"), "{told}");
    }
    let near = load(&with(&format!("url = \"{URL}\"")), &[]).unwrap();
    assert!(near.warnings().is_empty(), "{:?}", near.warnings());
}

#[test]
fn a_file_that_others_can_read_is_a_warning_where_it_holds_a_password_or_a_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        file.display().to_string()
    };
    let (open, key) = (file("open", URL), file("key", ""));
    let secret = file("secret", "postgres://e:s3cret@127.0.0.1/cii");
    let warnings = |settings: &str| load(&with(settings), &[]).unwrap().warnings().join("\n");
    assert_eq!(warnings(&format!("url_file = {open:?}")), "");
    assert!(warnings(&format!("url_file = {secret:?}")).contains("holds store.url"));
    let identity = format!("url = \"{URL}?sslcert={open}&sslkey={key}\"");
    assert!(warnings(&identity).contains(&format!("{key} holds the key of store.url")));
}

#[test]
fn another_place_needs_a_restart() {
    let running = load(&with(""), &[]).unwrap();
    let moved = load(&with(&format!("url = \"{URL}\"")), &[]).unwrap();
    assert_eq!(moved.needs_restart(&running), ["store.url"]);
    let password = ("CII_EXPORTER_STORE__PASSWORD", "other");
    let other = load(&with(&format!("url = \"{URL}\"")), &[password]).unwrap();
    assert_eq!(other.needs_restart(&moved), ["store.password"]);
}

#[test]
fn a_password_is_handed_over_by_systemd_where_a_server_asks_for_one() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("store.password"), "handed-over\n").unwrap();
    let directory = [("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap())];
    let found = server(&format!("url = \"{URL}\""), &directory);
    assert_eq!(found.password.unwrap().expose_secret(), "handed-over");
    let file = load(&with("retention_days = 1"), &directory).unwrap().store.place;
    assert!(matches!(file, StorePlace::File(_)));
}
