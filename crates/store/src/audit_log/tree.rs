//! The Merkle tree of RFC 6962, section 2.1: hashes, the subtrees that a proof is made of, and how proofs are verified.
//!
//! Nothing here knows where hashes come from: what is needed is named as complete subtrees, whose hashes never change once
//! their leaves are there, so that they can be stored and looked up.

use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// A complete subtree: the leaves from `index << level` up to, not including, `(index + 1) << level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subtree {
    /// Its height; 0 is a leaf.
    pub level: u8,
    /// Its place among those of its height.
    pub index: u64,
}

/// Leaves from a place up to, not including, another, whose hash is one element of a proof: its complete subtrees from left
/// to right, to be folded by [`fold`].
pub type Part = Vec<Subtree>;

/// The hash of a leaf: SHA-256 of `0x00` and its data.
pub fn leaf_hash(data: &[u8]) -> Hash {
    Sha256::new_with_prefix([0]).chain_update(data).finalize().into()
}

/// The hash of an inner node: SHA-256 of `0x01` and both children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The hash over a part's subtrees, and over no subtree that of the empty tree.
pub fn fold(subtrees: &[Hash]) -> Hash {
    let folded = subtrees.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
    folded.unwrap_or_else(|| Sha256::digest([]).into())
}

/// The subtrees whose hashes fold to the root of the tree of this size.
pub fn root(size: u64) -> Part {
    part(0, size)
}

/// The audit path of a leaf in the tree of this size, `PATH(m, D[n])`, from the leaf up. Empty unless the leaf is in the tree.
pub fn inclusion(index: u64, size: u64) -> Vec<Part> {
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while index < size && end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(part(middle, end));
            end = middle;
        } else {
            path.push(part(start, middle));
            start = middle;
        }
    }
    path.reverse();
    path
}

/// The consistency proof between the trees of two sizes, `PROOF(m, D[n])`, from the leaves up. Empty unless
/// `0 < first < second`.
pub fn consistency(first: u64, second: u64) -> Vec<Part> {
    let mut proof = Vec::new();
    if first == 0 || first >= second {
        return proof;
    }
    let (mut start, mut end) = (0, second);
    while first != end {
        let middle = start + split(end - start);
        if first <= middle {
            proof.push(part(middle, end));
            end = middle;
        } else {
            proof.push(part(start, middle));
            start = middle;
        }
    }
    // A first tree that is complete is known to whoever asks.
    if start > 0 {
        proof.push(part(start, end));
    }
    proof.reverse();
    proof
}

/// The largest power of two below a size of two or more.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The complete subtrees of a range that begins at a multiple of the largest power of two in it, as all ranges above do.
fn part(mut start: u64, end: u64) -> Part {
    let mut subtrees = Part::new();
    while start < end {
        let level = (end - start).ilog2();
        subtrees.push(Subtree { level: level as u8, index: start >> level });
        start += 1 << level;
    }
    subtrees
}

/// Whether the path proves that the leaf is at this place in the tree of this size and root (RFC 9162, section 2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether the proof shows that the second tree begins with the leaves of the first (RFC 9162, section 2.1.4.2).
pub fn verify_consistency(first: u64, second: u64, first_root: &Hash, second_root: &Hash, proof: &[Hash]) -> bool {
    if first == 0 || first >= second {
        return first == second && first > 0 && proof.is_empty() && first_root == second_root;
    }
    let complete = first.is_power_of_two();
    let mut hashes = complete.then_some(first_root).into_iter().chain(proof);
    let Some(seed) = hashes.next() else { return false };
    let (mut node, mut last) = (first - 1, second - 1);
    while node & 1 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    let (mut old, mut new) = (*seed, *seed);
    for sibling in hashes {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            (old, new) = (node_hash(sibling, &old), node_hash(sibling, &new));
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new = node_hash(&new, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && old == *first_root && new == *second_root
}

/// The right edge of a growing tree: all that is needed to append to it and to know its root.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    size: u64,
    /// The hashes of the subtrees of [`root`].
    subtrees: Vec<Hash>,
}

impl Frontier {
    /// The tree of this size, by the hashes of the subtrees of [`root`].
    pub fn new(size: u64, subtrees: Vec<Hash>) -> Self {
        Self { size, subtrees }
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root's hash.
    pub fn root(&self) -> Hash {
        fold(&self.subtrees)
    }

    /// Appends a leaf and hands out the inner nodes above the subtrees that it completes, from the lowest up.
    pub fn push(&mut self, leaf: Hash, mut completed: impl FnMut(Subtree, Hash)) {
        let (mut index, mut level, mut hash) = (self.size, 0, leaf);
        while index & 1 == 1 {
            // As many subtrees wait as the size has bits, so there is one to pair with.
            let Some(left) = self.subtrees.pop() else { break };
            hash = node_hash(&left, &hash);
            (index, level) = (index >> 1, level + 1);
            completed(Subtree { level, index }, hash);
        }
        self.subtrees.push(hash);
        self.size += 1;
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
