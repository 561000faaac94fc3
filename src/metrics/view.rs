//! The tenant's metrics as lines of text, by family and subject.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Family, Kind,
    format::{self, Format},
    rendered::Rendered,
    sample::Sample,
};
use crate::ledger;

/// The subject of lines. All lines of a subject are replaced together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Check(String),
    Checks,
    User(String),
    Ip(String),
    Application(String),
    People,
    Tenant,
    Service,
    Watched,
    Webhook,
}

impl Subject {
    /// The subject of lines for a subject that a commit touched.
    pub(super) fn from_touched(touched: &ledger::Subject) -> Self {
        match touched {
            ledger::Subject::Check(id) => Self::Check(id.to_string()),
            ledger::Subject::User(login) => Self::User(login.as_str().to_owned()),
            ledger::Subject::Ip(ip) => Self::Ip(ip.to_string()),
            ledger::Subject::Watched => Self::Watched,
            ledger::Subject::Webhook => Self::Webhook,
            ledger::Subject::Tenant => Self::Tenant,
            ledger::Subject::Service => Self::Service,
        }
    }
}

/// The lines of all families, and the cached texts of those that have not changed since they were
/// rendered.
#[derive(Debug, Default)]
pub(super) struct View {
    lines: BTreeMap<Family, BTreeMap<Subject, String>>,
    families_of: BTreeMap<Subject, BTreeSet<Family>>,
    rendered: BTreeMap<Family, BTreeMap<Format, Arc<Rendered>>>,
}

impl View {
    /// Replaces the samples of a subject, and drops the cached texts of the families that change.
    pub(super) fn replace_samples(&mut self, subject: Subject, samples: &[Sample]) {
        let mut lines: BTreeMap<Family, String> = BTreeMap::new();
        for sample in samples {
            lines.entry(sample.family).or_default().push_str(sample.line());
        }
        let families: BTreeSet<Family> = lines.keys().copied().collect();
        let before = self.families_of.remove(&subject).unwrap_or_default();
        for family in before.difference(&families) {
            self.rendered.remove(family);
            if let Some(lines) = self.lines.get_mut(family) {
                lines.remove(&subject);
            }
        }
        for (family, line) in lines {
            let of_family = self.lines.entry(family).or_default();
            if of_family.get(&subject) != Some(&line) {
                self.rendered.remove(&family);
                of_family.insert(subject.clone(), line);
            }
        }
        if !families.is_empty() {
            self.families_of.insert(subject, families);
        }
    }

    /// Returns the families with samples, if the texts of all are cached.
    pub(super) fn rendered_if_current(&self, format: Format) -> Option<Vec<Arc<Rendered>>> {
        let with_samples = self.lines.iter().filter(|(_, lines)| !lines.is_empty());
        let rendered = |family| self.rendered.get(family)?.get(&format).cloned();
        with_samples.map(|(family, _)| rendered(family)).collect()
    }

    /// Returns the families with samples, and renders those whose texts are not cached.
    pub(super) fn render_families(&mut self, format: Format) -> Vec<Arc<Rendered>> {
        let mut families = Vec::with_capacity(self.lines.len());
        for (family, lines) in self.lines.iter().filter(|(_, lines)| !lines.is_empty()) {
            let formats = self.rendered.entry(*family).or_default();
            let rendered = formats.entry(format).or_insert_with(|| {
                let mut text = String::new();
                family.definition().push_heading(&mut text, format);
                text.reserve(lines.values().map(String::len).sum());
                text.extend(lines.values().map(String::as_str));
                let is_histogram = family.definition().kind == Kind::Histogram;
                if is_histogram && format == Format::OpenMetrics {
                    text = format::with_decimal_bounds(&text);
                }
                Arc::new(Rendered::new(text))
            });
            families.push(rendered.clone());
        }
        families
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(view: &mut View, login: &str, unused: Option<u64>) {
        let samples: Vec<_> = unused
            .map(|unused| Sample::new(Family::UserUnusedApplications, &[login], unused))
            .into_iter()
            .collect();
        view.replace_samples(Subject::User(login.to_owned()), &samples);
    }

    fn text(view: &mut View) -> String {
        let families = view.render_families(Format::Text);
        let text: Vec<_> = families.iter().flat_map(|family| family.text().to_vec()).collect();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn lines_come_change_and_vanish_with_their_subject() {
        let mut view = View::default();
        assert_eq!(text(&mut view), "");
        user(&mut view, "b", Some(2));
        user(&mut view, "a", Some(1));
        let expected = "# HELP cii_user_unused_applications Applications that the user has \
            and did not access in the past 30 days.\n# TYPE cii_user_unused_applications gauge\n\
            cii_user_unused_applications{login=\"a\"} 1\n\
            cii_user_unused_applications{login=\"b\"} 2\n";
        assert_eq!(text(&mut view), expected);
        user(&mut view, "b", Some(3));
        assert!(text(&mut view).contains("{login=\"b\"} 3"));
        user(&mut view, "a", None);
        user(&mut view, "b", None);
        assert_eq!(text(&mut view), "");
    }
}
