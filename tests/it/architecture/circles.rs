//! Circles in a graph.

use std::collections::{BTreeMap, BTreeSet};

/// From each name to those that it uses.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// The groups of names that use each other, directly or not; none when the graph has
/// no circle.
pub fn circles(graph: &Graph) -> BTreeSet<Vec<String>> {
    let reached: BTreeMap<_, _> = graph.keys().map(|name| (name, reach(graph, name))).collect();
    let in_circle = reached.iter().filter(|(name, reached)| reached.contains(**name));
    in_circle
        .map(|(name, ahead)| {
            let back = |other: &&String| reached.get(other).is_some_and(|set| set.contains(*name));
            ahead.iter().filter(back).cloned().collect()
        })
        .collect()
}

/// Every name that can be reached from one, that one itself only over a circle.
fn reach(graph: &Graph, from: &str) -> BTreeSet<String> {
    let (mut reached, mut ahead) = (BTreeSet::new(), vec![from]);
    while let Some(name) = ahead.pop() {
        for next in graph.get(name).into_iter().flatten() {
            if reached.insert(next.clone()) {
                ahead.push(next);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_circle_are_found_together() {
        let edges = [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("e", "f"), ("f", "e")];
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry(from.to_owned()).or_default().insert(to.to_owned());
        }
        let found: Vec<_> = circles(&graph).into_iter().collect();
        assert_eq!(found, [vec!["b", "c"], vec!["e", "f"]]);
    }
}
