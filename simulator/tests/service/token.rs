//! The token endpoint in the forms that public texts disagree about.

use cii_simulator::{Fault, Kind, Options};
use serde_json::{Value, json};

use crate::caller::{Caller, grant};

async fn form(caller: &Caller) -> u16 {
    let simulator = &caller.simulator;
    let body: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", simulator.client_id())
        .append_pair("client_secret", simulator.client_secret())
        .finish();
    let request = caller
        .http
        .post(simulator.token_url())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn it_takes_json_or_a_form_and_refuses_the_other_as_told() {
    let caller = Caller::new(Options::default()).await;
    let json =
        async || grant(&caller.http, &caller.simulator, caller.simulator.client_secret()).await.0;
    assert_eq!((json().await, form(&caller).await), (200, 400));
    let faults = caller.simulator.faults();
    faults.add(Fault::token(Kind::JsonOnly(415)));
    assert_eq!((json().await, form(&caller).await), (200, 415));
    faults.clear();
    faults.add(Fault::token(Kind::FormOnly(400)));
    assert_eq!((json().await, form(&caller).await), (400, 200));
}

#[tokio::test]
async fn it_tells_any_expiry_or_none_and_a_mark_before_it() {
    let caller = Caller::new(Options::default()).await;
    let faults = caller.simulator.faults();
    for (told, expected) in
        [(json!(0), json!(0)), (json!("soon"), json!("soon")), (Value::Null, Value::Null)]
    {
        faults.clear();
        faults.add(Fault::token(Kind::ExpiresIn(told)));
        let (status, granted) =
            grant(&caller.http, &caller.simulator, caller.simulator.client_secret()).await;
        assert_eq!((status, &granted["expires_in"]), (200, &expected), "{granted}");
        assert_eq!(granted.get("expires_in").is_none(), expected.is_null());
    }
    faults.clear();
    faults.add(Fault::token(Kind::ByteOrderMark));
    faults.add(Fault::token(Kind::FormOnly(415)));
    assert_eq!(form(&caller).await, 200);
    faults.add(Fault::token(Kind::JsonOnly(415)));
}
