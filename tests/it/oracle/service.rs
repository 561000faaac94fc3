//! Steps of the service: its tenant changes, and it fails.

use cii_simulator::{
    AppsyncError, Fault, Kind, Oddity,
    tenant::{IpAddress, SignIn, User},
};

use super::world::World;

/// Logins that the service does not know, at most: with more, a run is suspect.
pub const STRANGERS: usize = 3;

pub fn pick<T: Clone>(world: &mut World, list: &[T]) -> T {
    list[world.rng.usize(..list.len())].clone()
}

pub fn login(world: &mut World) -> String {
    let logins = world.simulator.tenant(|tenant| tenant.logins());
    pick(world, &logins)
}

pub fn check(world: &mut World) -> String {
    let ids: Vec<String> =
        world.simulator.tenant(|tenant| tenant.checks().map(|one| one.id.clone()).collect());
    pick(world, &ids)
}

pub fn fail(world: &mut World, failing: bool) -> String {
    let (login, id) = (login(world), check(world));
    world.fail(&login, &id, failing);
    format!("{login} fails {id}: {failing}")
}

pub fn fault(world: &mut World) -> String {
    let list = |field: &str| AppsyncError::timed_out().at_field(field);
    let kinds = [
        Kind::Status(503, None),
        Kind::Status(429, Some(1)),
        Kind::Status(502, None),
        Kind::SlowMillis(300),
        Kind::Cut,
        Kind::Hang,
        Kind::MalformedJson,
        Kind::EmptyBody,
        Kind::HtmlPage,
        Kind::ManyErrors(20),
        Kind::Error(AppsyncError::timed_out().strictly()),
        Kind::Error(AppsyncError::timed_out()),
        Kind::Error(list("ipAddresses")),
        Kind::Error(list("failingChecks")),
        Kind::FieldError("failingChecks".to_owned()),
        Kind::null("failingChecks"),
        Kind::null("ipAddresses"),
        Kind::null("usedApplications"),
        Kind::NullForEmpty,
        Kind::LagMillis(500),
        Kind::set("status", "STAGED_2"),
        Kind::OddRow(world.rng.usize(0..20), Oddity::Null),
        Kind::OddRow(world.rng.usize(0..20), Oddity::EmptyLogin),
        Kind::ExtraRow(world.rng.usize(0..5), Oddity::NullWithError),
        Kind::PageCircle(2),
        Kind::unknown_login("Lambda:Unhandled", "User not found"),
    ];
    let mut fault = Fault::graphql(pick(world, &kinds));
    fault.operation = match world.rng.u8(0..4) {
        0 => Some("listEndUsers".to_owned()),
        1 => Some("getEndUser".to_owned()),
        _ => None,
    };
    fault.times = world.rng.bool().then(|| world.rng.usize(1..8));
    let told = format!("{fault:?}");
    world.simulator.faults().add(fault);
    told
}

pub fn calm(world: &mut World) -> String {
    world.simulator.faults().clear();
    "no faults".to_owned()
}

/// Somebody leaves the tenant, comes back, or is new.
pub fn come_and_go(world: &mut World) -> String {
    if let Some(user) = world.removed.pop().filter(|_| world.rng.bool()) {
        let login = user.login.clone();
        world.model.strangers.remove(&login);
        world.touched.insert(login.clone());
        world.simulator.tenant(|tenant| tenant.add_user(user));
        return format!("{login} is back");
    }
    let login = login(world);
    if world.model.strangers.len() < STRANGERS && !world.touched.contains(&login) {
        let user = world.simulator.tenant(|tenant| tenant.remove_user(&login)).expect("a user");
        for waiting in world.waiting.values_mut() {
            waiting.remove(&login);
        }
        world.model.removed(user.clone());
        world.removed.push(user);
        return format!("{login} is gone");
    }
    let login = format!("new{}@example.com", world.rng.u16(..));
    let mut user = User::new(&login, "New Comer");
    user.last_sign_in = Some(SignIn {
        timestamp: cii_exporter::clock::now(),
        result: None,
        reason: None,
        ip_address: None,
        location: None,
    });
    world.touched.insert(login.clone());
    world.simulator.tenant(|tenant| tenant.add_user(user));
    format!("{login} is new")
}

/// Somebody is seen elsewhere, and uses another application.
pub fn places(world: &mut World) -> String {
    let (login, host) = (login(world), world.rng.u8(1..));
    let is_watched = world.rng.bool();
    let ip = if is_watched { "203.0.113.7".to_owned() } else { format!("192.0.2.{host}") };
    world.touched.insert(login.clone());
    world.simulator.tenant(|tenant| {
        let user = tenant.user_mut(&login).expect("a user");
        if user.has_ip(&ip) {
            user.ip_addresses.retain(|at| at.ip_address != ip);
        } else {
            user.ip_addresses.push(IpAddress::new(&ip));
        }
        if let Some(application) = user.used_applications.pop() {
            user.unused_applications.push(application);
        }
    });
    format!("{login} at {ip}")
}

/// The tenant gives a check other words; the next delivery tells them.
pub fn words(world: &mut World) -> String {
    let (id, number) = (check(world), world.rng.u8(..));
    let tenant_tells_titles = world.by_title;
    let severity = pick(world, &["critical", "high", "moderate", "low", "3"]);
    world.simulator.tenant(|tenant| {
        let check = tenant.check_mut(&id).expect("a check");
        // Where answers have it, a title that no delivery explains is another check's for a day.
        if !tenant_tells_titles {
            check.title = format!("Title {number} of {id}");
        }
        severity.clone_into(&mut check.severity);
    });
    format!("{id} is {severity}")
}
