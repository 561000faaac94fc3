//! What is wrong with a configuration, said to a person.

use std::fmt;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the file.
    File {
        /// The file's name.
        name: String,
        /// Counted from 1.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// The file that a secret is kept in.
    SecretFile(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { name, line } => write!(f, "{name}:{line}"),
            Self::Variable(name) => f.write_str(name),
            Self::SecretFile(path) => write!(f, "file {path}"),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where the wrong value is; `None` when one is missing.
    pub origin: Option<Origin>,
    /// The setting's path; empty when it is about no setting.
    pub key: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong with a configuration; at least one thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// What is wrong: in the file by its lines, then elsewhere.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// How many things are wrong; what only explains them is not counted.
    #[must_use]
    pub fn fault_count(&self) -> usize {
        let is_fault = |problem: &&Problem| problem.origin.is_some() || !problem.key.is_empty();
        self.problems.iter().filter(is_fault).count().max(1)
    }

    /// The same with one more, which is about no setting and explains the others.
    pub(super) fn with_note(mut self, message: String) -> Self {
        self.problems.push(Problem { origin: None, key: String::new(), message });
        self
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong")?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

/// Collects problems, so that all of them are told at once.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, origin: Option<&Origin>, key: &str, message: impl Into<String>) {
        self.0.push(Problem {
            origin: origin.cloned(),
            key: key.to_owned(),
            message: message.into(),
        });
    }

    /// Whether something was said about a setting already.
    pub(super) fn has_problem(&self, path: &str) -> bool {
        self.0.iter().any(|problem| problem.key == path)
    }

    /// The value, or all problems: those of the file by its lines, then the others.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, ConfigError> {
        let place = |problem: &Problem| match problem.origin {
            Some(Origin::File { line, .. }) => line,
            _ => usize::MAX,
        };
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => {
                self.0.sort_by_key(place);
                Err(ConfigError { problems: self.0 })
            }
        }
    }
}
