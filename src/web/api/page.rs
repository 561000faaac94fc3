//! Paging: a handler reads one item more than a page has, to learn whether more follow.

/// Truncates the items to a page of `limit`. Returns the page's last item when more follow: the
/// next page begins after it.
pub(super) fn cut_page<T>(read: &mut Vec<T>, limit: usize) -> Option<&T> {
    let has_more = read.len() > limit;
    read.truncate(limit);
    read.last().filter(|_| has_more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_its_last_where_more_follow() {
        for (read, limit, shown, last) in [
            (vec![], 2, vec![], None),
            (vec![1, 2], 2, vec![1, 2], None),
            (vec![1, 2, 3], 2, vec![1, 2], Some(2)),
        ] {
            let mut page = read;
            assert_eq!(cut_page(&mut page, limit).copied(), last);
            assert_eq!(page, shown);
        }
    }
}
