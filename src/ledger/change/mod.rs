//! The kinds of changes, one file each.

mod address;
mod answer;
mod checks;
mod clock;
mod cursor;
mod delivery;
mod failing;
mod filter;
mod forget;
mod job_run;
mod listing_page;
mod merged;
mod nulls;
mod person;
mod probe;
mod refusal;
mod renames;
mod resend;
mod rules;
mod service;
mod snapshot;
mod target;
mod verdicts;
mod watch;

pub use address::{AddressAnswer, RecordAddress};
pub use answer::{RecordAnswer, Recorded};
pub use checks::{CheckForgotten, ConfigureChecks, ForgetCheck};
pub use clock::TrustClock;
pub use cursor::RecordProgress;
pub use delivery::{AnswerRules, DeliveryOutcome, RecordDelivery, RecordedDelivery};
pub use filter::{FilterChecks, FilterOutcome};
pub use forget::Forget;
pub use job_run::RecordRun;
pub use listing_page::{DropListing, ListedUser, RecordListingPage};
pub use merged::MoveEnded;
pub use nulls::{JudgeNulls, JudgedNulls};
pub use person::{ForgetUser, UserForgotten};
pub use probe::Probe;
pub use refusal::RecordRefused;
pub use renames::{JudgeRenames, JudgedRenames, RenamedCheck, SettleRenames};
pub use resend::{Backfill, BackfillPlace, BeginOtlp, Resent, RetryParked};
pub use rules::KeepRules;
pub use service::RecordService;
pub use target::{ForgetTarget, KeepTarget};
pub use verdicts::{ApplyVerdicts, ListingEnd, ListingProgress};
pub use watch::{
    AddWatch, ConfigureWatch, ExpireWatch, RemoveWatch, WatchAdded, WatchOutcome, WatchRemoved,
};
