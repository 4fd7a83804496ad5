//! Definitions that go round in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// For each term that its own definition leads back to, the shortest way round: the terms in between, by position.
/// A term that its own definition names is no circle: `"Borrower" means … unless it has ceased to be a Borrower`.
pub(super) fn find(uses: &BTreeMap<usize, BTreeSet<usize>>) -> BTreeMap<usize, Vec<usize>> {
    uses.keys().filter_map(|&start| Some((start, way_round(uses, start)?))).collect()
}

fn way_round(uses: &BTreeMap<usize, BTreeSet<usize>>, start: usize) -> Option<Vec<usize>> {
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(term) = open.pop_front() {
        for &next in uses.get(&term).into_iter().flatten() {
            if next == start && term != start {
                let mut way = vec![term];
                while let Some(&one) = before.get(&way[way.len() - 1]).filter(|one| **one != start) {
                    way.push(one);
                }
                way.reverse();
                return Some(way);
            }
            if next != start && !before.contains_key(&next) {
                before.insert(next, term);
                open.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_way_round_is_told() {
        let uses = [(1, vec![1, 2, 4]), (2, vec![3]), (3, vec![1]), (4, vec![3, 5]), (5, vec![5])];
        let uses = uses.into_iter().map(|(term, list)| (term, BTreeSet::from_iter(list))).collect();
        let found = find(&uses);
        assert_eq!(found, BTreeMap::from([(1, vec![2, 3]), (2, vec![3, 1]), (3, vec![1, 2]), (4, vec![3, 1])]));
    }
}
