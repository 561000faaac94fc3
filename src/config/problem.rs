//! Problems of a configuration.

use std::fmt;

/// The origin of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The default: it is not set.
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
    /// The file of a secret.
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

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The place of the wrong value; `None` when a value is missing.
    pub origin: Option<Origin>,
    /// The setting's path; empty when the problem is not about a setting.
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

/// All problems of a configuration; at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// The problems: those of the file by line, then the others.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The number of problems, without notes that only explain them.
    #[must_use]
    pub fn fault_count(&self) -> usize {
        let is_fault = |problem: &&Problem| problem.origin.is_some() || !problem.key.is_empty();
        self.problems.iter().filter(is_fault).count().max(1)
    }

    /// Adds a note that explains the problems.
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

/// Collects problems, so that all are reported at once.
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

    /// Whether a problem of this setting is already reported.
    pub(super) fn has_problem(&self, path: &str) -> bool {
        self.0.iter().any(|problem| problem.key == path)
    }

    /// Returns the value, or all problems: those of the file by line, then the others.
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
