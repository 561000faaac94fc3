//! The pages beside the overview: what each of them answers.

mod deliveries;
mod finding;
mod health;
mod moments;
mod subjects;

use crate::harness::{Exporter, until};

/// A page without its marks, and a blank where one of them parts two words.
pub fn text(page: &str) -> String {
    let whole = page.replace("<wbr>", "").replace("</time>", "").replace("</code>", "");
    let parts = whole.split('<').enumerate().map(|(number, part)| {
        if number == 0 { part } else { part.split_once('>').map_or("", |(_, text)| text) }
    });
    let joined = parts.collect::<Vec<_>>().join(" ");
    joined.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Waits until a delivery has its row: the answer to one that is refused does not wait for that for long.
pub async fn until_listed(exporter: &Exporter, number: usize) {
    until(&format!("delivery {number}"), || async {
        (exporter.get(&format!("/deliveries/{number}")).await.0 == 200).then_some(())
    })
    .await;
}

/// Where a text stands in a page, which has it.
fn place(page: &str, said: &str) -> usize {
    let found = page.find(said);
    assert!(found.is_some(), "{said:?} is not in {page}");
    found.unwrap_or_default()
}
