//! Deliveries.

use super::{place, text, until_listed};
use crate::harness::{Body, Setup};

#[tokio::test]
async fn deliveries_are_filtered_by_check_and_by_what_became_of_them() {
    let exporter = Setup::new().start().await;
    let page = text(&exporter.get("/deliveries").await.1);
    place(&page, "cii-exporter webhook test");
    for (id, check) in [("1", "no-mfa"), ("2", "mfa-flood"), ("3", "no-mfa")] {
        assert_eq!(exporter.deliver(&Body::new(id, check, &["a@example.com"]).json()).await, 200);
    }
    assert_eq!(exporter.post("<script>alert(1)</script>").await.unwrap().0, 400);
    until_listed(&exporter, 4).await;
    let rows = |page: &str| {
        page.split("<caption class=\"unseen\">Deliveries<")
            .nth(1)
            .map_or(0, |list| list.matches("<tr>").count() - 1)
    };
    for (query, count) in [
        ("", 4),
        ("?check_id=no-mfa", 2),
        ("?check_id=mfa-flood&result=accepted", 1),
        ("?result=refused", 1),
        ("?check_id=&result=", 4),
        ("?check_id=no-mfa&before=3", 1),
        ("?check_id=none", 0),
    ] {
        let (status, page) = exporter.get(&format!("/deliveries{query}")).await;
        assert_eq!((status, rows(&page)), (200, count), "{query}: {page}");
        // The field suggests what is known, and a body of a stranger stays text.
        assert!(page.contains("<option value=\"mfa-flood\">"), "{page}");
        assert!(!page.contains("<script>alert"), "{page}");
    }
    assert_eq!(exporter.get("/deliveries?result=none").await.0, 400);
    let page = text(&exporter.get("/deliveries/4").await.1);
    place(&page, "Result Malformed answered with 400");
    place(&page, "cii-exporter deliveries replay 4");
}
