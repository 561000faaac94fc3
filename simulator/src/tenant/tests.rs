use super::*;

fn tenant() -> Tenant {
    Tenant::seeded(7, 60, DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000))
}

#[test]
fn the_same_seed_gives_the_same_tenant_and_the_same_changes() {
    let (mut a, mut b) = (tenant(), tenant());
    assert!(a.users().zip(b.users()).all(|(a, b)| a == b));
    let now = DateTime::UNIX_EPOCH;
    assert_eq!(a.change(200, now), b.change(200, now));
    assert_ne!(Tenant::seeded(8, 60, now).logins(), a.logins());
}

#[test]
fn there_are_as_many_users_as_asked_for() {
    for users in [0, 1, 5, 60, 2_000] {
        assert_eq!(Tenant::seeded(1, users, DateTime::UNIX_EPOCH).user_count(), users);
    }
}

#[test]
fn logins_are_of_reserved_domains_or_bare() {
    let tenant = tenant();
    assert!(tenant.user("alice@example.com").is_some());
    assert!(tenant.user("hrms.serviceuser").is_some());
    for user in tenant.users() {
        assert_eq!(user.login, user.login.to_lowercase());
        if let Some((_, domain)) = user.login.split_once('@') {
            assert!(matches!(domain, "example.com" | "example.org"), "{domain}");
        }
    }
}

#[test]
fn addresses_are_of_documentation_ranges_and_shared() {
    let mut tenant = tenant();
    tenant.change(500, DateTime::UNIX_EPOCH);
    for address in tenant.users().flat_map(|user| &user.ip_addresses) {
        let text = &address.ip_address;
        assert!(text.parse::<std::net::IpAddr>().is_ok(), "{text}");
        let ranges = ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"];
        assert!(ranges.iter().any(|range| text.starts_with(range)), "{text}");
    }
    assert!(tenant.users_at("203.0.113.7").count() > 20);
    assert!(tenant.busiest_addresses()[0].1 > 20);
}

#[test]
fn a_newly_failing_user_waits_for_one_delivery() {
    let mut tenant = tenant();
    let login = "alice@example.com";
    tenant.set_failing(login, "no-mfa", false);
    assert!(tenant.set_failing(login, "no-mfa", true));
    assert!(!tenant.set_failing(login, "no-mfa", true), "it fails already");
    assert!(tenant.failing("no-mfa").any(|user| user.login == login));
    assert_eq!(tenant.take_newly_failing()["no-mfa"], [login]);
    assert!(tenant.take_newly_failing().is_empty());
}

#[test]
fn one_who_stops_failing_in_time_is_not_delivered() {
    let mut tenant = tenant();
    let login = "alice@example.com";
    tenant.set_failing(login, "no-mfa", false);
    tenant.set_failing(login, "no-mfa", true);
    assert!(tenant.set_failing(login, "no-mfa", false));
    assert!(tenant.take_newly_failing().is_empty());
    assert!(!tenant.set_failing("nobody@example.com", "no-mfa", true));
}

#[test]
fn mail_logins_are_found_in_any_case_and_bare_ones_as_they_are() {
    let mut tenant = tenant();
    assert!(tenant.user("Alice@Example.com").is_some());
    assert!(tenant.user("HRMS.serviceuser").is_none());
    tenant.add_user(User::new("New@Example.com", "New"));
    assert!(tenant.user("new@example.com").is_some());
    assert!(tenant.remove_user("NEW@example.com").is_some());
    assert!(tenant.user("new@example.com").is_none());
}

#[test]
fn every_kind_of_change_happens() {
    let mut tenant = tenant();
    let changes = tenant.change(1_000, DateTime::UNIX_EPOCH);
    let kinds: std::collections::HashSet<_> = changes.iter().map(std::mem::discriminant).collect();
    assert_eq!(kinds.len(), 9);
}
