//! Lists that are null, and lists beside an error.

use cii_simulator::{
    AppsyncError, Fault, Kind, Leaves, Simulator,
    tenant::{IpAddress, User},
};

use serde_json::json;

use super::{
    EVERY_SECOND, events, failing, job, poll_up, simulator, targets, until_asked, watching,
};
use crate::harness::{Body, Exporter, Setup, until};

const ZOE: &str = "zoe@example.com";
const YAN: &str = "yan@example.com";

async fn tenant() -> Simulator {
    let simulator = simulator(2).await;
    simulator.tenant(|tenant| {
        for login in [ZOE, YAN] {
            let mut user = User::new(login, "Somebody");
            user.ip_addresses =
                ["198.51.100.1", "198.51.100.2", "198.51.100.3"].map(IpAddress::new).into();
            user.used_applications = vec!["Slack".to_owned()];
            user.unused_applications = vec!["Jira".to_owned()];
            user.used_factors = vec!["PUSH".to_owned()];
            tenant.add_user(user);
            tenant.set_failing(login, "no-mfa", true);
        }
    });
    simulator
}

fn of_zoe(metric: &str) -> String {
    format!("{metric}{{login=\"{ZOE}\"}}")
}

async fn failing_both(setup: Setup) -> Exporter {
    let exporter = setup.start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &[ZOE, YAN]).json()).await, 200);
    exporter.until_metric(&targets("users", "ok"), 2.0).await;
    exporter
}

/// A8, for one user and for all, alone and beside an error.
#[tokio::test]
async fn a_list_that_is_null_or_beside_an_error_for_a_while_changes_nothing() {
    let simulator = tenant().await;
    let exporter = watching(&simulator, &[ZOE, YAN]).start().await;
    exporter.until_metric(&of_zoe("cii_user_ip_addresses"), 3.0).await;
    let before = exporter.metrics().await;
    for field in ["ipAddresses", "usedApplications", "unusedApplications", "usedFactors"] {
        let beside = |leaves| {
            let error = AppsyncError::timed_out().at_field(field).leaving(leaves);
            Fault::graphql(Kind::Error(error))
        };
        for fault in [
            Fault::graphql(Kind::null(field)),
            Fault::graphql(Kind::null(field)).about(ZOE),
            beside(Leaves::Null),
            beside(Leaves::EmptyList),
        ] {
            simulator.faults().add(fault.of("getEndUserState").times(2));
            until(&format!("{field} was null"), || async {
                simulator.faults().list().is_empty().then_some(())
            })
            .await;
            until_asked(&simulator, "getEndUserState", 2).await;
        }
    }
    let after = exporter.metrics().await;
    for metric in [
        "cii_user_ip_addresses",
        "cii_user_used_applications",
        "cii_user_unused_applications",
        "cii_user_new_ips_total",
    ] {
        assert_eq!(after.get(&of_zoe(metric)), before.get(&of_zoe(metric)), "{metric}");
    }
    for name in [
        "cii.user.ip.new",
        "cii.user.ip.gone",
        "cii.user.application.used",
        "cii.user.application.unused",
        "cii.user.factors.changed",
    ] {
        assert!(events(&exporter, name).await.is_empty(), "{name}\n{}", exporter.log());
    }
}

/// A8: a true empty list is one.
#[tokio::test]
async fn a_list_that_is_told_to_be_empty_is_empty() {
    let simulator = tenant().await;
    let exporter = watching(&simulator, &[ZOE]).start().await;
    exporter.until_metric(&of_zoe("cii_user_ip_addresses"), 3.0).await;
    simulator.tenant(|tenant| tenant.user_mut(ZOE).unwrap().ip_addresses.clear());
    exporter.until_metric(&of_zoe("cii_user_ip_addresses"), 0.0).await;
    assert_eq!(events(&exporter, "cii.user.ip.gone").await.len(), 3);
}

/// A4: failures cannot end, and it is said.
#[tokio::test]
async fn failing_checks_that_are_null_for_everybody_or_refused_make_the_polls_down() {
    let refused = AppsyncError::new("InternalFailure", "null pointer");
    for (kind, says) in
        [(Kind::null("failingChecks"), "failingChecks"), (Kind::Error(refused), "null pointer")]
    {
        let simulator = tenant().await;
        simulator.faults().add(Fault::graphql(kind.clone()).of("getEndUser"));
        let exporter = watching(&simulator, &[ZOE, YAN]).start().await;
        assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &[ZOE, YAN]).json()).await, 200);
        exporter.until_metric(&poll_up(ZOE), 0.0).await;
        exporter.until_metric(&poll_up(YAN), 0.0).await;
        // The state is there all the same.
        exporter.until_metric(&of_zoe("cii_user_ip_addresses"), 3.0).await;
        assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 2.0);
        // The job has its reason at the end of the run, and the polls have theirs before.
        until(&format!("{says} as the reason, {kind:?}\n{}", exporter.log()), || async {
            let job = job(&exporter, "users").await;
            job["reason"].as_str()?.contains(says).then_some(())
        })
        .await;
        let user = exporter.api("GET", &format!("/users/{ZOE}"), None).await.1.to_string();
        assert!(user.contains(says), "{user}");
        let page = exporter.get(&format!("/users/{ZOE}")).await.1;
        assert!(page.contains(says), "{page}");
        simulator.faults().clear();
        exporter.until_metric(&poll_up(ZOE), 1.0).await;
    }
}

/// A4 after lists were given: nobody waits a day to hear that the client lost its right.
#[tokio::test]
async fn failing_checks_that_become_null_for_everybody_make_the_polls_down_at_once() {
    for setting in ["auto", "untold"] {
        let simulator = tenant().await;
        let setup = watching(&simulator, &[ZOE, YAN]).api(&format!("null_lists = \"{setting}\""));
        let exporter = failing_both(setup).await;
        exporter.until_metric(&poll_up(ZOE), 1.0).await;
        simulator.faults().add(Fault::graphql(Kind::null("failingChecks")).of("getEndUser"));
        for user in [ZOE, YAN] {
            exporter.until_metric(&poll_up(user), 0.0).await;
        }
        exporter.until_metric("cii_sync_up{task=\"users\"}", 0.0).await;
        let job = job(&exporter, "users").await;
        let reason = job["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("failingChecks is null"), "{setting}: {job}");
        assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 2.0);
        simulator.faults().clear();
        exporter.until_metric(&poll_up(ZOE), 1.0).await;
        exporter.until_metric("cii_sync_up{task=\"users\"}", 1.0).await;
    }
}

/// A4: null for one user while others are told is that user's alone.
#[tokio::test]
async fn failing_checks_that_are_null_for_one_user_end_nothing_and_are_told_there() {
    let simulator = tenant().await;
    let exporter = failing_both(watching(&simulator, &[ZOE, YAN])).await;
    let fault = Fault::graphql(Kind::null("failingChecks")).of("getEndUser").about(ZOE);
    simulator.faults().add(fault);
    simulator.tenant(|tenant| tenant.set_failing(ZOE, "no-mfa", false));
    until_asked(&simulator, "getEndUser", 6).await;
    let metrics = exporter.metrics().await;
    assert_eq!(failing(&metrics, "no-mfa"), 2.0, "{}", exporter.log());
    assert_eq!((metrics.get(&poll_up(YAN)), metrics.get(&poll_up(ZOE))), (Some(1.0), Some(1.0)));
    let user = exporter.api("GET", &format!("/users/{ZOE}"), None).await.1.to_string();
    assert!(user.contains("failingChecks"), "{user}");
    simulator.faults().clear();
    until("the end of the failure", || async {
        (failing(&exporter.metrics().await, "no-mfa") == 1.0).then_some(())
    })
    .await;
}

/// What null means can be set.
#[tokio::test]
async fn null_is_none_or_not_told_as_it_is_set() {
    for (setting, remaining) in [("empty", 1.0), ("untold", 2.0)] {
        let simulator = tenant().await;
        simulator
            .faults()
            .add(Fault::graphql(Kind::null("failingChecks")).of("getEndUser").about(ZOE));
        let setup = Setup::new()
            .polling(&simulator, EVERY_SECOND)
            .api(&format!("null_lists = \"{setting}\""))
            .watch(&format!("users = [\"{ZOE}\", \"{YAN}\"]"));
        let exporter = setup.start().await;
        let body = Body::new("1", "no-mfa", &[ZOE, YAN]).json();
        assert_eq!(exporter.deliver(&body).await, 200);
        until_asked(&simulator, "getEndUser", 6).await;
        until(&format!("{remaining} of null as {setting}\n{}", exporter.log()), || async {
            (failing(&exporter.metrics().await, "no-mfa") == remaining).then_some(())
        })
        .await;
    }
}

/// A9: what is refused stays unknown, and what is told counts.
#[tokio::test]
async fn a_list_refused_from_the_first_answer_on_holds_up_nothing_else() {
    let lists = [
        ("unusedApplications", "cii_user_used_applications"),
        ("usedFactors", "cii_user_used_applications"),
        ("ipAddresses", "cii_user_used_applications"),
    ];
    for (refused, shown) in lists {
        for leaves in [Leaves::Null, Leaves::EmptyList] {
            let simulator = tenant().await;
            let error = AppsyncError::timed_out().at_field(refused).leaving(leaves);
            simulator.faults().add(Fault::graphql(Kind::Error(error)).of("getEndUserState"));
            let exporter = watching(&simulator, &[ZOE]).start().await;
            exporter.until_metric(&of_zoe(shown), 1.0).await;
            simulator.tenant(|tenant| {
                let zoe = tenant.user_mut(ZOE).unwrap();
                zoe.used_applications = ["Slack", "Box", "Zoom"].map(str::to_owned).into();
            });
            let metrics = exporter.until_metric(&of_zoe(shown), 3.0).await;
            let unknown = match refused {
                "unusedApplications" => "cii_user_unused_applications",
                "ipAddresses" => "cii_user_ip_addresses",
                _ => continue,
            };
            assert_eq!(metrics.get(&of_zoe(unknown)), None, "{refused} shows a number");
        }
    }
}

/// A4 for the listing: what is null for everybody ends nothing, and the listing tells nothing.
#[tokio::test]
async fn a_listing_whose_failing_checks_are_null_for_everybody_is_not_complete() {
    let refused =
        AppsyncError::timed_out().at([json!("items"), json!("*"), json!("failingChecks")]);
    for kind in [Kind::null("failingChecks"), Kind::Error(refused)] {
        let simulator = tenant().await;
        simulator.faults().add(Fault::graphql(kind.clone()).of("listEndUsers"));
        let exporter = super::listing(&simulator).start().await;
        assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &[ZOE, YAN]).json()).await, 200);
        until_asked(&simulator, "listEndUsers", 3).await;
        let metrics = exporter.metrics().await;
        assert_eq!(failing(&metrics, "no-mfa"), 2.0, "{kind:?}");
        let complete = metrics.get("cii_tenant_listing_complete");
        assert_eq!(complete, Some(0.0), "{kind:?}\n{}", exporter.log());
        simulator.faults().clear();
        exporter.until_metric("cii_tenant_listing_complete", 1.0).await;
    }
}

/// A4 for one row of the listing: that user's failures stay, and the others end.
#[tokio::test]
async fn a_row_whose_failing_checks_are_null_ends_nothing() {
    let simulator = tenant().await;
    let exporter = super::listing(&simulator).start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &[ZOE, YAN]).json()).await, 200);
    exporter.until_metric("cii_tenant_listing_complete", 1.0).await;
    let fault = Fault::graphql(Kind::null("failingChecks")).about(ZOE);
    simulator.faults().add(fault.of("listEndUsers"));
    simulator.tenant(|tenant| {
        tenant.set_failing(ZOE, "no-mfa", false);
        tenant.set_failing(YAN, "no-mfa", false);
    });
    let exporter = &exporter;
    let remain = |users: f64| async move {
        until(&format!("{users} who fail\n{}", exporter.log()), || async {
            (failing(&exporter.metrics().await, "no-mfa") == users).then_some(())
        })
        .await;
    };
    remain(1.0).await;
    until_asked(&simulator, "listEndUsers", 3).await;
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 1.0);
    simulator.faults().clear();
    remain(0.0).await;
}

/// A4 for users whom only a delivery named: the job says so, and nothing ends.
#[tokio::test]
async fn failing_checks_that_are_null_for_followed_users_end_nothing_and_the_job_says_so() {
    let simulator = tenant().await;
    simulator.faults().add(Fault::graphql(Kind::null("failingChecks")).of("getEndUser"));
    let exporter = watching(&simulator, &[]).start().await;
    assert_eq!(exporter.deliver(&Body::new("1", "no-mfa", &[ZOE, YAN]).json()).await, 200);
    until(&format!("a reason\n{}", exporter.log()), || async {
        let job = job(&exporter, "users").await;
        job["reason"].as_str()?.contains("failingChecks").then_some(())
    })
    .await;
    assert_eq!(failing(&exporter.metrics().await, "no-mfa"), 2.0);
    let (_, user) = exporter.api("GET", &format!("/users/{YAN}"), None).await;
    assert!(user.to_string().contains("failingChecks"), "{user}");
}
