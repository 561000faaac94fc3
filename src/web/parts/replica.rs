//! The part for this replica among those on the same database server.

use super::{Part, Sentence, State};
use crate::store::Standing;

/// What is known of the replicas.
#[derive(Debug, Clone)]
pub(super) struct Replica {
    pub(super) standing: Standing,
    /// Whether commits wait for a standby of the database server.
    pub(super) is_synchronous: bool,
    /// The settings whose values differ from the leader's.
    pub(super) differing: Vec<String>,
}

/// Reports the role of this replica, and whether a failover of the server could lose commits.
pub(super) fn replica_part(replica: &Replica) -> Part {
    let (state, word, who) = match &replica.standing {
        Standing::Leader { .. } => (
            State::Good,
            "leads",
            "This replica polls, sends and prunes; the others take over when it ends.".to_owned(),
        ),
        Standing::Follower { leader: Some(leader) } => {
            (State::Good, "follows", format!("{leader} polls, sends and prunes."))
        }
        Standing::Follower { leader: None } => (
            State::Waiting,
            "no leader",
            "Nobody polls, sends and prunes; a replica takes it over within seconds.".to_owned(),
        ),
        Standing::Unknown => (
            State::Failing,
            "unknown",
            "The server does not say who leads, and this replica leaves it to others.".to_owned(),
        ),
    };
    if !replica.differing.is_empty() && state != State::Failing {
        let settings = replica.differing.join(", ");
        let why = format!("{who} What this replica's configuration says of {settings} differs.");
        return Part::new("Replica", State::Attention, "differs", why).with_advice(Sentence::from(
            "Give all replicas the same settings there: those of the leader hold, and others \
             would when another one leads.",
        ));
    }
    if replica.is_synchronous || state == State::Failing {
        return Part::new("Replica", state, word, who);
    }
    let why = format!("{who} No standby of the server is waited for.");
    Part::new("Replica", state.max(State::Attention), "no standby", why).with_advice(
        Sentence::from(
            "Set synchronous_standby_names on the server: until then, a failover to a standby can \
         lose deliveries that were acknowledged.",
        ),
    )
}
