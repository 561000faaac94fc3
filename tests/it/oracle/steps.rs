//! The steps of a walk: what is sent to the daemon, and what becomes of it and its operator.

use cii_simulator::{Fault, Kind};
use serde_json::{Value, json};

use super::{
    model::Words,
    service::{STRANGERS, calm, check, come_and_go, fail, fault, login, pick, places, words},
    world::{Sent, World},
};
use crate::harness::{Body, until};

/// Takes one step; what it was.
pub async fn step(world: &mut World) -> String {
    match world.rng.u8(0..28) {
        0..=2 => fail(world, true),
        3 | 4 => fail(world, false),
        5 | 6 => deliver(world).await,
        7 | 8 => name(world).await,
        9 => repeat(world).await,
        10..=12 => fault(world),
        13 => calm(world),
        14 => restart(world).await,
        15 => kill_at_delivery(world).await,
        16 => watch_list(world).await,
        17 => filter(world).await,
        18 => watch_command(world).await,
        19 => come_and_go(world),
        20 => places(world),
        21 => collector(world).await,
        22 => words(world),
        23..=25 => rename(world).await,
        26 => watch_address(world).await,
        _ => poll(world).await,
    }
}

/// The service tells of who newly fails, in one of the ways that it has.
async fn deliver(world: &mut World) -> String {
    let kinds = [
        None,
        Some(Kind::DirectMessages),
        Some(Kind::UsersAsText),
        Some(Kind::AlsoNames(json!(""))),
        Some(Kind::AlsoNames(json!(null))),
        Some(Kind::Gzip),
        Some(Kind::ByteOrderMark),
        Some(Kind::NoEnvelopeId),
    ];
    let kind = pick(world, &kinds);
    let (truth, waiting) = (world.truth(), std::mem::take(&mut world.waiting));
    for (id, logins) in waiting.into_iter().filter(|(_, logins)| !logins.is_empty()) {
        let words = words_of(world, &id);
        let logins: Vec<_> = logins.into_iter().collect();
        world.model.delivered(&id, words, &logins, &truth);
        world.touched.extend(logins);
    }
    if let Some(kind) = kind.clone() {
        world.simulator.faults().add(Fault::webhook(kind));
    }
    let outcomes = world.simulator.deliver().await;
    assert!(outcomes.iter().all(|one| one.status == Some(200)), "{outcomes:?}");
    format!("{} deliveries, {kind:?}", outcomes.len())
}

fn words_of(world: &World, id: &str) -> Words {
    world.simulator.tenant(|tenant| {
        let check = tenant.check(id).expect("a check of the tenant");
        Words { title: check.title.clone(), severity: check.severity.clone() }
    })
}

/// A delivery of our own, of users who may not fail the check, in any case of letters.
pub fn body(world: &mut World) -> Value {
    let made_up = format!("made-up-{}", world.deliveries % 3);
    let id = if world.rng.u8(0..4) == 0 { made_up } else { check(world) };
    body_about(world, id)
}

fn body_about(world: &mut World, id: String) -> Value {
    world.deliveries += 1;
    let number = world.deliveries;
    let mut logins: Vec<_> = (0..world.rng.usize(1..4)).map(|_| login(world)).collect();
    let strangers = world.model.strangers.len();
    if strangers < STRANGERS && world.rng.u8(0..6) == 0 {
        logins.push(format!("stranger{strangers}@example.com"));
    }
    // One whom the service forgot is known to fail by deliveries alone.
    if let Some(known) = world.model.strangers.keys().next().filter(|_| number.is_multiple_of(3)) {
        logins.push(known.clone());
    }
    let is_loud = number.is_multiple_of(2);
    let spell = |login: &String| {
        if is_loud && login.contains('@') { login.to_uppercase() } else { login.clone() }
    };
    let spelled: Vec<String> = logins.iter().map(spell).collect();
    let spelled: Vec<&str> = spelled.iter().map(String::as_str).collect();
    let title = if world.by_title { world.title(&id) } else { format!("Title of {id}") };
    let words = Words { title: title.clone(), severity: "high".to_owned() };
    let truth = world.truth();
    world.model.delivered(&id, words.clone(), &logins, &truth);
    world.touched.extend(logins.clone());
    let mut body = Body::new(&format!("walk-{number}"), &id, &spelled).json();
    body["detail"]["title"] = json!(title);
    let is_accepted = world.model.admits(&id);
    let sent = Sent { body: body.clone(), check: id, words, logins, is_accepted };
    world.last_sent = Some(sent);
    body
}

async fn name(world: &mut World) -> String {
    let body = body(world);
    assert_eq!(world.exporter().deliver(&body).await, 200);
    format!("named {}: {}", body["detail"]["checkId"], body["detail"]["usersFailing"])
}

/// A check gets another title where answers have titles, and a delivery says so: nobody fails
/// newly by it, and nobody ceases to, whether or not answers have it before the delivery.
async fn rename(world: &mut World) -> String {
    let (id, number) = (check(world), world.rng.u16(..));
    if !world.by_title || !world.model.admits(&id) {
        return "nothing to rename".to_owned();
    }
    let title = format!("{id}, renamed {number}");
    world.simulator.tenant(|tenant| {
        tenant.check_mut(&id).expect("a check").title.clone_from(&title);
    });
    if world.rng.bool() {
        poll(world).await;
    }
    let body = body_about(world, id.clone());
    assert_eq!(world.exporter().deliver(&body).await, 200);
    format!("{id} is {title:?}: {}", body["detail"]["usersFailing"])
}

/// What was sent already comes again: no news, unless it was filtered out and is not now.
async fn repeat(world: &mut World) -> String {
    let Some(mut sent) = world.last_sent.clone() else { return "nothing to repeat".to_owned() };
    if !sent.is_accepted && world.model.admits(&sent.check) {
        let truth = world.truth();
        // Of a stranger, what was answered since the publication decides.
        if !sent.logins.iter().all(|login| truth.users.contains_key(login)) {
            return "nothing to repeat".to_owned();
        }
        world.model.delivered(&sent.check, sent.words.clone(), &sent.logins, &truth);
        world.touched.extend(sent.logins.clone());
        sent.is_accepted = true;
        world.last_sent = Some(sent.clone());
    }
    assert_eq!(world.exporter().deliver(&sent.body).await, 200);
    format!("repeated {}, accepted: {}", sent.body["id"], sent.is_accepted)
}

async fn kill_at_delivery(world: &mut World) -> String {
    let body = body(world);
    world.kill_at(&body).await;
    format!("killed at a delivery of {}", body["detail"])
}

async fn restart(world: &mut World) -> String {
    let is_kill = world.rng.bool();
    world.restart(is_kill).await;
    format!("restarted, by a kill: {is_kill}")
}

/// A reload with one user more or less in the configuration.
async fn watch_list(world: &mut World) -> String {
    let login = login(world);
    if !world.model.configured.remove(&login) {
        world.model.configured.insert(login.clone());
    }
    world.touched.insert(login.clone());
    world.reload().await;
    format!("configured: {:?}", world.model.configured)
}

async fn filter(world: &mut World) -> String {
    let filter = if world.model.filter.is_empty() {
        (0..4).map(|_| check(world)).collect()
    } else {
        std::collections::BTreeSet::new()
    };
    world.model.filter = filter;
    world.reload().await;
    world.hide().await;
    format!("check_ids: {:?}", world.model.filter)
}

async fn watch_command(world: &mut World) -> String {
    let known: Vec<String> = world.model.commanded.iter().cloned().collect();
    let (is_added, login) = if known.len() > 2 || (!known.is_empty() && world.rng.bool()) {
        (false, pick(world, &known))
    } else {
        (true, login(world))
    };
    let verb = if is_added { "add" } else { "remove" };
    if is_added {
        world.model.commanded.insert(login.clone());
    } else {
        // What a delivery was the reason of goes, too.
        world.model.commanded.remove(&login);
        world.model.named.remove(&login);
    }
    world.touched.insert(login.clone());
    let is_refused = !is_added && world.model.configured.contains(&login);
    watch(world, is_added, "user", &login, is_refused).await;
    format!("watch {verb} user {login}")
}

async fn collector(world: &mut World) -> String {
    if world.has_collector {
        world.receiver.stop().await;
    } else {
        world.receiver.restart().await;
    }
    world.has_collector = !world.has_collector;
    format!("collector: {}", world.has_collector)
}

/// Adds to the watch list or takes from it, by the command or over the API.
async fn watch(world: &mut World, is_added: bool, kind: &str, subject: &str, is_refused: bool) {
    let is_command = world.rng.bool();
    let exporter = world.exporter();
    if is_command {
        let verb = if is_added { "add" } else { "remove" };
        let ended = exporter.run(&["watch", verb, kind, subject]).await;
        assert_eq!(ended.code == 0, !is_refused, "{ended:?}");
        return;
    }
    let wish = json!({ "kind": kind, "subject": subject });
    let (status, answer) = if is_added {
        exporter.api("POST", "/watch", Some(&wish)).await
    } else {
        exporter.api("DELETE", &format!("/watch/{kind}/{subject}"), None).await
    };
    let is_right = if is_refused { status == 409 } else { (200..300).contains(&status) };
    assert!(is_right, "{status} {answer}");
}

async fn watch_address(world: &mut World) -> String {
    let known = world.model.commanded_ips.pop_first();
    let is_added = known.is_none();
    let busiest = world.simulator.tenant(|tenant| tenant.busiest_addresses());
    let ip = known.unwrap_or_else(|| busiest[world.rng.usize(1..6)].0.clone());
    if is_added {
        world.model.commanded_ips.insert(ip.clone());
    }
    let is_refused = !is_added && world.model.ips.contains(&ip);
    watch(world, is_added, "ip", &ip, is_refused).await;
    format!("watch ip {ip}: {is_added}")
}

/// Lets some requests pass, whatever becomes of them.
async fn poll(world: &mut World) -> String {
    let simulator = &world.simulator;
    let asked = || simulator.requests().counts().values().sum::<usize>();
    let before = asked();
    until("requests", || async { (asked() > before + 5).then_some(()) }).await;
    "polled".to_owned()
}
