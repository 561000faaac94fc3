//! Values that are odd, and what JSON values cannot hold.

use cii_simulator::{Fault, Kind, Options};
use serde_json::json;

use crate::caller::Caller;

const ALICE: &str = "{ getEndUserState(login: \"alice@example.com\") {
    displayName status ipAddresses { ipAddress }
    workingLocationDetails { userLocationPrevalence }
} }";

#[tokio::test]
async fn a_text_is_cut_in_an_emoji_a_number_is_none_and_a_mark_precedes_all() {
    let caller = Caller::new(Options::default()).await;
    let faults = caller.simulator.faults();
    faults.add(Fault::graphql(Kind::LoneSurrogate("displayName".to_owned())));
    let text = caller.text(ALICE, json!({})).await.1;
    assert!(text.contains("\\ud83d\""), "{text}");
    faults.clear();
    faults.add(Fault::graphql(Kind::InvalidNumber("userLocationPrevalence".to_owned())));
    let text = caller.text(ALICE, json!({})).await.1;
    assert!(text.contains("\"userLocationPrevalence\":1e999"), "{text}");
    faults.clear();
    faults.add(Fault::graphql(Kind::ByteOrderMark));
    let text = caller.text(ALICE, json!({})).await.1;
    assert!(text.starts_with("\u{feff}{"), "{text}");
}

#[tokio::test]
async fn a_field_has_any_value_and_a_list_any_length() {
    let caller = Caller::new(Options::default()).await;
    let answer = caller.under(Fault::graphql(Kind::set("status", 7)), ALICE).await;
    assert_eq!(answer["data"]["getEndUserState"]["status"], 7);
    let answer = caller.under(Fault::graphql(Kind::ManyAddresses(70_000)), ALICE).await;
    let addresses = answer["data"]["getEndUserState"]["ipAddresses"].as_array().unwrap();
    assert!(addresses.len() > 70_000);
}

#[tokio::test]
async fn titles_stand_for_ids_and_one_title_of_two_checks_stands_once() {
    let caller = Caller::new(Options::default()).await;
    caller.simulator.tenant(|tenant| {
        let user = tenant.user_mut("alice@example.com").unwrap();
        user.failing_checks = ["no-mfa", "rare-browser"].map(str::to_owned).into();
        tenant.check_mut("rare-browser").unwrap().title = "No MFA Configured".to_owned();
    });
    let query = "{ getEndUser(login: \"alice@example.com\") { endUserDetails { failingChecks } } }";
    let answer = caller.under(Fault::graphql(Kind::ChecksByTitle), query).await;
    let failing = &answer["data"]["getEndUser"]["endUserDetails"]["failingChecks"];
    assert_eq!(*failing, json!(["No MFA Configured"]));
}

#[tokio::test]
async fn a_failure_is_in_the_answers_only_after_the_lag() {
    let caller = Caller::new(Options::default()).await;
    let query = "{ getEndUser(login: \"zoe@example.com\") { endUserDetails { failingChecks } } }";
    let failing = async |lag| {
        let answer = caller.under(Fault::graphql(Kind::LagMillis(lag)), query).await;
        answer["data"]["getEndUser"]["endUserDetails"]["failingChecks"].clone()
    };
    caller.simulator.tenant(|tenant| {
        tenant.add_user(cii_simulator::tenant::User::new("zoe@example.com", "Zoe"));
        tenant.set_failing("zoe@example.com", "no-mfa", true);
    });
    assert_eq!(failing(60_000).await, json!([]));
    assert_eq!(failing(0).await, json!(["no-mfa"]));
}
