//! The verdict on the whole exporter: one word with its reason.

use super::{Part, Sentence, State};
use crate::domain::{CUT, Timestamp};

/// Bytes of a reason that fit into a tile.
const FITS: usize = 90;

/// The verdict on the whole exporter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web) struct Verdict {
    /// The worst state of any part.
    pub(in crate::web) state: State,
    /// One word.
    pub(in crate::web) word: &'static str,
    /// The reason, shortened to fit a tile; the part has it in full.
    pub(in crate::web) reason: Sentence,
    /// Since when, where that is known.
    pub(in crate::web) since: Option<Timestamp>,
}

/// Derives the verdict from the parts, which are sorted with the worst first. When all is well, the
/// reason is when the API last answered and when the last delivery was received.
pub(super) fn overall_verdict(
    parts: &[Part],
    answered_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
) -> Verdict {
    let worst = parts.first().filter(|part| part.state > State::Good);
    let Some(worst) = worst else {
        let reason = match (answered_at, delivered_at) {
            (Some(answered), Some(delivered)) => Sentence::from("The API answered ")
                .ago(answered)
                .text(", the last delivery came ")
                .ago(delivered)
                .text("."),
            (Some(answered), None) => Sentence::from("The API answered ").ago(answered).text("."),
            (None, Some(delivered)) => {
                Sentence::from("The last delivery came ").ago(delivered).text(".")
            }
            (None, None) => Sentence::from("Every part does its work."),
        };
        return Verdict { state: State::Good, word: "Healthy", reason, since: None };
    };
    let word = match worst.state {
        State::Failing if worst.is_vital => "Failing",
        State::Failing => "Degraded",
        State::Attention => "Attention",
        _ => "Waiting",
    };
    let others = parts.iter().filter(|part| part.state == worst.state).count() - 1;
    let more = match others {
        0 => String::new(),
        1 => " 1 more part.".to_owned(),
        _ => format!(" {others} more parts."),
    };
    let begin = format!("{}: {}. ", worst.name, worst.word);
    let brief = worst.why.shorten(FITS - begin.len() - more.len() - ".".len());
    let end = if brief.to_string().ends_with(['.', CUT]) { "" } else { "." };
    let reason = Sentence::from(begin).append(&brief).text(format!("{end}{more}"));
    Verdict { state: worst.state, word, reason, since: worst.since }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &'static str, state: State, is_vital: bool) -> Part {
        let why = Sentence::from("Because.");
        Part { name, state, word: "odd", why, to_do: None, since: None, is_vital }
    }

    fn word_and_reason(parts: &[Part]) -> (&'static str, String) {
        let verdict = overall_verdict(parts, Some(Timestamp::UNIX_EPOCH), None);
        (verdict.word, verdict.reason.to_string())
    }

    #[test]
    fn the_worst_part_gives_the_word_and_the_reason() {
        let good = part("Store", State::Good, true);
        let off = part("OTLP", State::Off, false);
        let (word, reason) = word_and_reason(&[good.clone(), off]);
        assert_eq!((word, reason.as_str()), ("Healthy", "The API answered 1970-01-01T00:00:00Z."));
        for (state, is_vital, expected) in [
            (State::Failing, true, "Failing"),
            (State::Failing, false, "Degraded"),
            (State::Attention, true, "Attention"),
            (State::Waiting, false, "Waiting"),
        ] {
            let (word, reason) = word_and_reason(&[part("API", state, is_vital), good.clone()]);
            assert_eq!((word, reason.as_str()), (expected, "API: odd. Because."));
        }
        let bad = part("API", State::Failing, false);
        let (_, reason) = word_and_reason(&[bad.clone(), bad.clone(), bad, good]);
        assert_eq!(reason, "API: odd. Because. 2 more parts.");
    }

    #[test]
    fn a_long_reason_is_cut_to_what_a_tile_has_room_for() {
        let mut bad = part("Webhook", State::Failing, false);
        bad.why = Sentence::from("disk full ".repeat(50));
        let (_, reason) = word_and_reason(&[bad.clone(), bad.clone(), bad]);
        assert!(reason.len() <= FITS + 3, "{reason}");
        assert!(reason.ends_with("… 2 more parts."), "{reason}");
    }

    #[test]
    fn nothing_known_is_no_reason_to_claim_an_answer() {
        let verdict = overall_verdict(&[], None, None);
        assert_eq!(verdict.reason.to_string(), "Every part does its work.");
    }
}
