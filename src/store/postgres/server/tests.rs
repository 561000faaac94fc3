use std::{
    fmt::Write as _,
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpListener},
    path::PathBuf,
    sync::LazyLock,
};

use cii_test_cluster::{Cluster, Options, Replication, free_port};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio_postgres::SimpleQueryMessage;

use super::*;
use crate::store::SqlErrorKind;

/// A certificate authority, and its files.
struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { folder: TempDir::new().unwrap(), issuer };
        authority.write("ca.pem", &authority.issuer.pem());
        authority
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Signs a certificate for a name, also as a common name; returns it with its key.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// A server with TLS, whose certificate has a name, and its authority. Each of its databases
/// requires another kind of authentication.
struct Secured {
    cluster: Cluster,
    authority: Authority,
}

impl Secured {
    fn with_name(name: &str) -> Self {
        let authority = Authority::new();
        let (certificate, key) = authority.sign(name);
        let (client, client_key) = authority.sign("exporter");
        authority.write("client.crt", &client);
        authority.write("client.key", &client_key);
        Self::with(authority, &certificate, &key)
    }

    fn with(authority: Authority, certificate: &str, key: &str) -> Self {
        let access = "hostssl encrypted all 127.0.0.1/32 trust\n\
                      host password all 127.0.0.1/32 scram-sha-256\n\
                      hostssl certificate all 127.0.0.1/32 cert\n\
                      host postgres all 127.0.0.1/32 trust\n";
        let options = Options::fast()
            .set("ssl", "on")
            .set("ssl_cert_file", "server.crt")
            .set("ssl_key_file", "server.key")
            .set("ssl_ca_file", "ca.pem")
            .file("server.crt", certificate)
            .file("server.key", key)
            .file("ca.pem", &authority.issuer.pem())
            .access(access);
        let cluster = Cluster::start(&options);
        cluster.sql("postgres", "CREATE ROLE exporter LOGIN PASSWORD 's3cret'");
        for name in ["encrypted", "password", "certificate"] {
            cluster.sql("postgres", &format!("CREATE DATABASE {name}"));
        }
        Self { cluster, authority }
    }

    fn url(&self, database: &str, query: &str) -> String {
        let port = self.cluster.port();
        let query = query.replace("CA", &self.authority.file("ca.pem"));
        format!("postgres://exporter@127.0.0.1:{port}/{database}?{query}")
    }
}

/// A server whose certificate has the host's name.
static RIGHT: LazyLock<Secured> = LazyLock::new(|| Secured::with_name("127.0.0.1"));

/// The answer to a query over a new session, or the error.
async fn ask(server: &Server, query: &str) -> Result<String, String> {
    let (client, connection) = server.connect().await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let messages = client.simple_query(query).await.map_err(|error| format!("{error:?}"))?;
    let row = messages.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(row.unwrap_or_default())
}

/// Whether a new session is encrypted.
async fn is_encrypted(url: &str) -> Result<bool, String> {
    let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    ask(&Server::at(url, None), query).await.map(|answer| answer == "t")
}

/// The kind of the error without a session.
async fn kind(server: &Server) -> SqlErrorKind {
    match server.connect().await.map(drop) {
        Err(StoreError::Sql(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

async fn connect_error(url: &str) -> String {
    let error = is_encrypted(url).await.unwrap_err();
    for secret in ["s3cret", "wr0ng", "exporter@", "\"exporter\""] {
        assert!(!error.contains(secret), "{error}");
    }
    error
}

#[tokio::test]
async fn a_session_is_encrypted_as_sslmode_says() {
    for (query, is_it) in [
        ("sslmode=disable", false),
        ("", true),
        ("sslmode=prefer", true),
        ("sslmode=require", true),
        ("sslmode=require&sslrootcert=CA", true),
        ("sslmode=verify-ca&sslrootcert=CA", true),
        ("sslmode=verify-full&sslrootcert=CA", true),
        ("sslrootcert=CA", true),
    ] {
        assert_eq!(is_encrypted(&RIGHT.url("postgres", query)).await, Ok(is_it), "{query}");
    }
    let error = connect_error(&RIGHT.url("encrypted", "sslmode=disable")).await;
    assert!(error.contains("it wants TLS (sslmode=disable is set)"), "{error}");
}

#[tokio::test]
async fn without_tls_of_the_server_there_is_a_session_only_where_none_is_asked_for() {
    let database = Cluster::shared().create_database();
    for query in ["", "?sslmode=disable", "?sslmode=prefer"] {
        assert_eq!(is_encrypted(&format!("{}{query}", database.url)).await, Ok(false), "{query}");
    }
    for query in ["sslmode=require", "sslmode=verify-full"] {
        let error = connect_error(&format!("{}?{query}", database.url)).await;
        assert!(error.contains("the server has no TLS"), "{error}");
    }
    // Unix sockets have no TLS, and need none.
    let socket = Cluster::shared().socket_url(&database.name);
    assert_eq!(is_encrypted(&format!("{socket}?sslmode=require")).await, Ok(false));
}

#[tokio::test]
async fn a_host_that_is_no_postgresql_is_named_as_such() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            // Closing with unread bytes would reset the connection and lose the answer.
            let _ = io::copy(&mut stream, &mut io::sink());
        }
    });
    for query in ["", "?sslmode=disable"] {
        let error =
            connect_error(&format!("postgres://exporter@127.0.0.1:{port}/cii{query}")).await;
        assert!(error.contains("no PostgreSQL") && error.contains("host and port"), "{error}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_or_name_is_refused() {
    let other = Authority::new().issuer.pem();
    let other = RIGHT.authority.write("other.pem", &other).display().to_string();
    for query in ["sslmode=verify-ca&sslrootcert=", "sslmode=require&sslrootcert=", "sslrootcert="]
    {
        let error = connect_error(&RIGHT.url("postgres", &format!("{query}{other}"))).await;
        assert!(error.contains("of no authority that is trusted"), "{error}");
    }
    let error = connect_error(&RIGHT.url("postgres", "sslmode=verify-full")).await;
    assert!(error.contains("of no authority that is trusted"), "{error}");

    let wrong = Secured::with_name("db.example.com");
    let error = connect_error(&wrong.url("postgres", "sslmode=verify-full&sslrootcert=CA")).await;
    assert!(error.contains("another name than the host"), "{error}");
    let without_name = wrong.url("postgres", "sslmode=verify-ca&sslrootcert=CA");
    assert_eq!(is_encrypted(&without_name).await, Ok(true));
}

#[tokio::test]
async fn a_certificate_that_signed_itself_is_taken_where_it_is_named() {
    // As in PostgreSQL's manual: the server's certificate is an authority.
    let authority = Authority::new();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = params.self_signed(&key).unwrap().pem();
    let named = authority.write("own.pem", &own).display().to_string();
    let server = Secured::with(authority, &own, &key.serialize_pem());
    for mode in ["verify-ca", "verify-full"] {
        let url = server.url("postgres", &format!("sslmode={mode}&sslrootcert={named}"));
        assert_eq!(is_encrypted(&url).await, Ok(true), "{mode}");
    }
    let error = connect_error(&server.url("postgres", "sslmode=verify-ca&sslrootcert=CA")).await;
    assert!(error.contains("no connection to"), "{error}");
}

#[tokio::test]
async fn a_client_certificate_proves_the_user() {
    let file = |name: &str| RIGHT.authority.file(name);
    let identity = format!("sslcert={}&sslkey={}", file("client.crt"), file("client.key"));
    assert_eq!(is_encrypted(&RIGHT.url("certificate", &identity)).await, Ok(true));
    let error = connect_error(&RIGHT.url("certificate", "sslmode=require")).await;
    assert!(error.contains("a client certificate (sslcert and sslkey)"), "{error}");
    for (certificate, key, expected) in [
        ("client.crt", "ca.pem", "holds no key"),
        ("client.key", "client.key", "holds no certificate"),
        ("none.crt", "client.key", "cannot read"),
        ("ca.pem", "client.key", "do not fit together"),
    ] {
        let identity = format!("sslcert={}&sslkey={}", file(certificate), file(key));
        let error = connect_error(&RIGHT.url("certificate", &identity)).await;
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_password_is_proved_and_bound_to_the_connection() {
    let with = |password: &str, query: &str| {
        let url = RIGHT.url("password", query);
        url.replace("exporter@", &format!("exporter{password}@"))
    };
    assert_eq!(is_encrypted(&with(":s3cret", "")).await, Ok(true));
    assert_eq!(is_encrypted(&with(":s3cret", "sslmode=disable")).await, Ok(false));
    assert_eq!(is_encrypted(&with(":s3cret", "channel_binding=require")).await, Ok(true));
    for (password, query, expected) in [
        (":wr0ng", "", "does not take the password"),
        ("", "", "asks for a password, and none is set"),
    ] {
        let error = connect_error(&with(password, query)).await;
        assert!(error.contains(expected), "{error}");
    }
    // The server requires none, so nothing can be bound.
    let error = connect_error(&RIGHT.url("postgres", "channel_binding=require")).await;
    assert!(error.contains("channel_binding"), "{error}");
}

#[tokio::test]
async fn what_is_wrong_with_a_server_is_said_with_what_to_do() {
    let database = Cluster::shared().create_database();
    let error = connect_error(&Cluster::shared().url("none")).await;
    assert!(error.contains("no database \"none\"; create it"), "{error}");
    let error = connect_error(&database.url.replace("postgres@", "nobody@")).await;
    assert!(error.contains("does not let this user in"), "{error}");

    let free = free_port();
    let error = connect_error(&format!("postgres://exporter:s3cret@127.0.0.1:{free}/cii")).await;
    assert!(error.contains(&format!("postgres://127.0.0.1:{free}/cii: nobody listens")), "{error}");
    let error = connect_error("postgres://exporter@%2Fnone/cii").await;
    assert!(error.contains("no such socket"), "{error}");
    let error = connect_error("postgres://exporter@host.invalid/cii").await;
    assert!(error.contains("host.invalid"), "{error}");
}

#[tokio::test]
async fn a_host_that_is_a_standby_or_does_not_answer_is_passed_over() {
    let primary = Cluster::start(&Options::fast());
    let standby = primary.standby("second", Replication::Asynchronous, &Options::fast());
    // It accepts connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().map(|address| (silent, address.port())).unwrap();
    let ports = [silent.1, standby.port(), primary.port()];
    let mut hosts = String::new();
    for port in ports {
        let comma = if hosts.is_empty() { "" } else { "," };
        write!(hosts, "{comma}127.0.0.1:{port}").unwrap();
    }
    let server = |hosts: &str, query: &str| {
        Server::at(&format!("postgres://postgres@{hosts}/postgres?connect_timeout=5{query}"), None)
    };
    let port = "SELECT current_setting('port')";
    let all = server(&hosts, "");
    assert_eq!(ask(&all, port).await, Ok(primary.port().to_string()));

    // The next session begins with the host that accepted the last one.
    let begun = std::time::Instant::now();
    assert_eq!(ask(&all, port).await, Ok(primary.port().to_string()));
    assert!(begun.elapsed() < Duration::from_secs(5), "the silent host is not waited for");

    primary.kill();
    let error = ask(&all, port).await.unwrap_err();
    for expected in ["no answer within 5 s", "it is a standby", "nobody listens"] {
        assert!(error.contains(expected), "{error}");
    }
    // The host that does not answer may be the primary.
    assert_eq!(kind(&all).await, SqlErrorKind::Unreachable);
    standby.promote();
    assert_eq!(ask(&all, port).await, Ok(standby.port().to_string()));
}

#[tokio::test]
async fn a_read_only_server_is_used_where_there_is_no_other_or_any_will_do() {
    let cluster = Cluster::start(&Options::fast().set("default_transaction_read_only", "on"));
    assert_eq!(is_encrypted(&cluster.url("postgres")).await, Ok(false));
    let port = cluster.port();
    let two = format!("postgres://postgres@127.0.0.1:{port},localhost:{port}/postgres");
    let error = connect_error(&two).await;
    assert!(error.contains("it takes no writes"), "{error}");
    // All hosts answered, and none accepts writes.
    assert_eq!(kind(&Server::at(&two, None)).await, SqlErrorKind::ReadOnly);
    // An error in the configuration does not end by itself.
    let denied = format!("postgres://nobody@127.0.0.1:{port},127.0.0.1:1/postgres");
    assert_eq!(kind(&Server::at(&denied, None)).await, SqlErrorKind::Denied);
    assert_eq!(is_encrypted(&format!("{two}?target_session_attrs=any")).await, Ok(false));
}
