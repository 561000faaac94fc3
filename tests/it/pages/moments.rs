//! Moments in addresses.

use cii_exporter::clock;

use crate::harness::{Body, Setup};

#[tokio::test]
async fn since_and_until_are_written_alike_everywhere() {
    let exporter = Setup::new().start().await;
    // Before the delivery, which is of the next day where one begins meanwhile.
    let today = clock::now().format("%Y-%m-%d");
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &["a@example.com"]).json()).await, 200);
    for (since, is_found) in [
        ("30m".to_owned(), true),
        ("24h".to_owned(), true),
        ("7d".to_owned(), true),
        ("2026-01-02".to_owned(), true),
        ("2026-01-02T03:04:05Z".to_owned(), true),
        ("2026-01-02T03:04:05+02:00".to_owned(), true),
        (format!("{today}T00:00:00%2B00:00"), true),
        ("2100-01-01".to_owned(), false),
        ("0s".to_owned(), false),
    ] {
        for path in ["/", "/events.csv", "/api/v1/events"] {
            let (status, page) = exporter.get(&format!("{path}?since={since}")).await;
            assert_eq!(status, 200, "{path} {since}: {page}");
            let is_shown = page.contains("newly fails");
            assert_eq!(is_shown, is_found, "{path} {since}: {page}");
            let (status, page) = exporter.get(&format!("{path}?until={since}")).await;
            assert_eq!(status, 200, "{path} {since}: {page}");
            assert_eq!(page.contains("newly fails"), !is_found, "{path} until {since}: {page}");
        }
    }
    for wrong in ["yesterday", "7", "-7d", "2026-02-30", "99999999999y"] {
        for path in ["/", "/events.csv", "/api/v1/events"] {
            let (status, page) = exporter.get(&format!("{path}?since={wrong}")).await;
            assert!(status == 400 && page.contains("30m, 24h or 7d"), "{path} {wrong}: {page}");
        }
        let ended = exporter.run(&["report", &format!("--since={wrong}")]).await;
        assert!(ended.code != 0 && ended.errors.contains("30m, 24h or 7d"), "{wrong}: {ended:?}");
    }
}
