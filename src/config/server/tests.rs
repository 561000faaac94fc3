use secrecy::ExposeSecret as _;

use super::*;

fn parse(text: &str) -> ServerConfig {
    ServerConfig::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> String {
    ServerConfig::parse(text).map(|server| server.name()).unwrap_err()
}

#[test]
fn a_url_is_read_as_libpq_reads_it() {
    let server = parse("postgres://exporter:s%40c%2Fret@db.example.com/cii");
    assert_eq!(server.hosts, [ServerHost::Tcp("db.example.com".to_owned(), 5432)]);
    assert_eq!((server.user.as_str(), server.database.as_str()), ("exporter", "cii"));
    assert_eq!(server.password.as_ref().unwrap().expose_secret(), "s@c/ret");
    assert!(server.needs_writable);
    assert_eq!(server.connect_timeout, Duration::from_secs(5));
    assert_eq!(server.application_name, "cii-exporter");
    assert_eq!(server.tls, ServerTls::default());

    let server = parse("postgresql://e@a,b:5433,[::1]:5434/");
    let hosts = [("a", 5432), ("b", 5433), ("::1", 5434)];
    assert_eq!(server.hosts, hosts.map(|(host, port)| ServerHost::Tcp(host.to_owned(), port)));
    assert_eq!(server.database, "e");

    let server = parse("postgres://e@%2Frun%2Fpostgresql/cii");
    assert_eq!(server.hosts, [ServerHost::Unix("/run/postgresql".into(), 5432)]);
    let server =
        parse("postgres:///?host=/run/postgresql,b&port=5433&user=e&dbname=cii&password=p");
    let unix = ServerHost::Unix("/run/postgresql".into(), 5433);
    assert_eq!(server.hosts, [unix, ServerHost::Tcp("b".to_owned(), 5433)]);
    assert_eq!(server.password.unwrap().expose_secret(), "p");

    let server = parse(
        "postgres://e@a/cii?connect_timeout=2&keepalives_idle=7&keepalives_count=2&\
         tcp_user_timeout=9000&application_name=x&options=-c%20a%3Db&channel_binding=require&\
         target_session_attrs=any&gssencmode=disable",
    );
    assert_eq!(server.connect_timeout, Duration::from_secs(2));
    let interval = Duration::from_secs(5);
    let keepalives = Keepalives { idle: Duration::from_secs(7), interval, retries: 2 };
    assert_eq!(server.keepalives, Some(keepalives));
    assert_eq!(server.tcp_user_timeout, Duration::from_secs(9));
    assert_eq!((server.options.as_deref(), server.needs_writable), (Some("-c a=b"), false));
    assert_eq!(server.channel_binding, ChannelBinding::Require);
    assert_eq!(parse("postgres://e@a/cii?keepalives=0").keepalives, None);
}

#[test]
fn tls_is_as_strict_as_is_asked_for_and_no_less() {
    let tls = |query: &str| parse(&format!("postgres://e@a/cii?{query}")).tls;
    let file = Some(PathBuf::from("/ca.pem"));
    for (query, mode, root_file) in [
        ("", TlsMode::Prefer, None),
        ("sslmode=disable", TlsMode::Disable, None),
        ("sslmode=require", TlsMode::Require, None),
        ("sslmode=require&sslrootcert=/ca.pem", TlsMode::VerifyCa, file.clone()),
        ("sslmode=verify-ca&sslrootcert=/ca.pem", TlsMode::VerifyCa, file.clone()),
        ("sslmode=verify-full", TlsMode::VerifyFull, None),
        ("sslrootcert=system", TlsMode::VerifyFull, None),
        ("sslrootcert=/ca.pem", TlsMode::VerifyFull, file),
    ] {
        assert_eq!(tls(query), ServerTls { mode, root_file, identity: None }, "{query}");
    }
    let identity = tls("sslcert=/c.pem&sslkey=/k.pem").identity;
    assert_eq!(identity, Some(("/c.pem".into(), "/k.pem".into())));
}

#[test]
fn what_is_no_url_of_a_server_is_refused_with_what_to_write() {
    for (text, expected) in [
        ("", "begins with postgres://"),
        ("cii-exporter.db", "begins with postgres://"),
        ("host=a dbname=cii", "begins with postgres://"),
        ("sqlite:///var/lib/cii.db", "set store.path"),
        ("mysql://e@a/cii", "begins with mysql:"),
        ("jdbc:postgresql://a/cii", "without jdbc:"),
        ("postgres:e@a/cii", "two slashes"),
        ("postgres://a/cii", "names no user"),
        ("postgres://e@/cii", "names no host"),
        ("postgres:///cii?user=e", "names no host"),
        ("postgres://e@a:0/cii", "a port"),
        ("postgres://e@a:port/cii", "a port"),
        ("postgres://e@[::1/cii", "without its ]"),
        ("postgres://e@a/cii/", "behind the hosts"),
        ("postgres://e@a,b/cii?port=1,2,3", "number of ports"),
        ("postgres://e@a/cii?host=b", "hosts twice"),
        ("postgres://e@a/cii?user=f", "user twice"),
        ("postgres://e@a/cii?sslmode=allow", "disable, prefer, require, verify-ca, verify-full"),
        ("postgres://e@a/cii?sslmode=verify-ca", "sslrootcert"),
        ("postgres://e@a/cii?sslmode=require&sslrootcert=system", "verify-full"),
        ("postgres://e@a/cii?sslcert=/a", "sslcert and sslkey"),
        ("postgres://e@a/cii?pgbouncer=true", "not known here; there are application_name"),
        ("postgres://e@a/cii?passfile=/a", "store.password_file"),
        ("postgres://e@a/cii?connect_timeout=0", "from 1 to 3600"),
        ("postgres://e@a/cii?target_session_attrs=standby", "expected read-write"),
        ("postgres://e@a/cii?sslmode", "without ="),
        ("postgres://e@a/cii?sslmode=disable&channel_binding=require", "needs TLS"),
        ("postgres://e:100%@a/cii", "%25"),
        ("postgres://e:%00@a/cii", "%00"),
    ] {
        let error = refused(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn no_error_and_no_name_repeats_a_password() {
    for text in [
        "s3cret",
        "s3cret://e@a/cii",
        "postgres://e:s3cret/x@a/cii",
        "postgres://e:x@s3cret/x@a:b/cii",
        "postgres://e:s3cret%@a/cii",
        "postgres://e:p?s3cret@a/cii",
        "postgres://e@a/cii?password=s3cret&sslmode=s3cret",
        "postgres://e@a/cii?s3cret=1",
        "postgres://e@a:s3cret/cii",
        "postgres://e@a/cii?port=s3cret",
    ] {
        let error = refused(text);
        assert!(!error.contains("s3cret"), "{error}");
    }
    let server = parse("postgres://ex:s3cret@a:5433,b/cii?password=&sslrootcert=/ca.pem");
    assert_eq!(server.name(), "postgres://a:5433,b/cii");
    assert_eq!(
        server.effective_url(),
        "postgres://a:5433,b/cii?sslmode=verify-full&sslrootcert=/ca.pem"
    );
    assert!(!format!("{server:?}").contains("s3cret"));
    let server = parse("postgres://ex@%2Frun%2Fdb:1,[::1]/a%2Fb");
    assert_eq!(server.name(), "postgres://%2Frun%2Fdb:1,[::1]/a%2Fb");
}
