//! New inputs out of known ones: small changes of the bytes, and of the tree where the
//! input is JSON, since bytes changed at random are seldom JSON again.

use proptest::{collection, prelude::*};
use serde_json::{Value, json};

/// What mutations are made of.
pub(super) struct Material {
    corpus: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

/// Which input is changed, and how.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    base: usize,
    changes: Vec<Change>,
}

/// A change; places are taken modulo what there is.
#[derive(Debug, Clone)]
enum Change {
    /// A byte becomes another one.
    Byte(usize, u8),
    /// Some bytes are left out.
    Cut(usize, usize),
    /// Some bytes come several times.
    Repeat(usize, usize, usize),
    /// A word of the dictionary is put in.
    Word(usize, usize),
    /// The rest is that of another input.
    Splice(usize, usize, usize),
    /// A node of the tree becomes one of another input.
    Graft(usize, usize, usize),
    /// A node of the tree becomes one that is often odd.
    Odd(usize, usize),
}

/// Which changes are made.
pub(super) fn plan() -> impl Strategy<Value = Plan> {
    let at = || any::<usize>();
    let change = prop_oneof![
        1 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        1 => (at(), 1..40_usize).prop_map(|(at, length)| Change::Cut(at, length)),
        1 => (at(), 1..40_usize, 1..60_usize).prop_map(|(at, length, n)| Change::Repeat(at, length, n)),
        2 => (at(), at()).prop_map(|(at, word)| Change::Word(at, word)),
        1 => (at(), at(), at()).prop_map(|(at, other, from)| Change::Splice(at, other, from)),
        2 => (at(), at(), at()).prop_map(|(at, other, from)| Change::Graft(at, other, from)),
        2 => (at(), at()).prop_map(|(at, odd)| Change::Odd(at, odd)),
    ];
    (at(), collection::vec(change, 1..6)).prop_map(|(base, changes)| Plan { base, changes })
}

impl Material {
    /// The inputs, and words in the form of libFuzzer's dictionaries.
    pub(super) fn new(corpus: Vec<Vec<u8>>, words: &str) -> Self {
        assert!(!corpus.is_empty(), "there is no corpus");
        let lines = words.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        Self { corpus, words: lines.map(word).collect() }
    }

    pub(super) fn mutated(&self, plan: &Plan) -> Vec<u8> {
        let mut input = self.input(plan.base).to_vec();
        for change in &plan.changes {
            self.change(&mut input, change);
        }
        input
    }

    fn input(&self, number: usize) -> &[u8] {
        &self.corpus[number % self.corpus.len()]
    }

    fn change(&self, input: &mut Vec<u8>, change: &Change) {
        let place = |at: usize| at % (input.len() + 1);
        match *change {
            Change::Byte(at, byte) => {
                let at = place(at);
                if let Some(found) = input.get_mut(at) {
                    *found = byte;
                }
            }
            Change::Cut(at, length) => {
                let at = place(at);
                input.drain(at..(at + length).min(input.len()));
            }
            Change::Repeat(at, length, times) => {
                let at = place(at);
                let part = input[at..(at + length).min(input.len())].repeat(times);
                input.splice(at..at, part);
            }
            Change::Word(at, word) => {
                let at = place(at);
                let word = self.words[word % self.words.len()].clone();
                input.splice(at..at, word);
            }
            Change::Splice(at, other, from) => {
                input.truncate(place(at));
                let other = self.input(other);
                input.extend(&other[from % (other.len() + 1)..]);
            }
            Change::Graft(at, other, from) => {
                let other = serde_json::from_slice(self.input(other)).unwrap_or_default();
                replace(input, at, |_| nodes(&other)[from % nodes(&other).len()].clone());
            }
            Change::Odd(at, number) => replace(input, at, |old| odd(old, number)),
        }
    }
}

/// A line of a dictionary: a word in quotation marks, with escapes.
fn word(line: &str) -> Vec<u8> {
    let quoted = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).expect(line);
    let (mut word, mut bytes) = (Vec::new(), quoted.bytes());
    while let Some(byte) = bytes.next() {
        word.push(match (byte, byte == b'\\') {
            (_, true) => match bytes.next().expect(line) {
                b'x' => {
                    let digits = [bytes.next().expect(line), bytes.next().expect(line)];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).expect(line)
                }
                escaped => escaped,
            },
            (byte, false) => byte,
        });
    }
    word
}

/// Puts another value in the place of a node, when the input is JSON.
fn replace(input: &mut Vec<u8>, at: usize, new: impl FnOnce(&Value) -> Value) {
    let Ok(mut tree) = serde_json::from_slice::<Value>(input) else { return };
    let mut left = at % nodes(&tree).len();
    if let Some(node) = node(&mut tree, &mut left) {
        *node = new(node);
    }
    *input = tree.to_string().into_bytes();
}

/// A value and all values in it, from the outside in.
fn nodes(value: &Value) -> Vec<&Value> {
    let mut found = vec![value];
    let inner: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(object) => object.values().collect(),
        _ => Vec::new(),
    };
    found.extend(inner.into_iter().flat_map(nodes));
    found
}

/// The node of this number, in the same order.
fn node<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|inner| node(inner, left)),
        Value::Object(object) => object.values_mut().find_map(|inner| node(inner, left)),
        _ => None,
    }
}

/// A value in the place of another one.
fn odd(old: &Value, number: usize) -> Value {
    match number % 12 {
        0 => Value::Null,
        1 => json!([]),
        2 => json!({}),
        3 => json!([old]),
        4 => json!([old, null, old]),
        5 => json!({ "login": old }),
        6 => json!(old.to_string()),
        7 => json!(""),
        8 => json!(-1),
        9 => json!(u64::MAX),
        10 => json!(1e300),
        _ => json!("x".repeat(2000)),
    }
}
