//! The tree against the published vectors of Certificate Transparency, against the definition, and against forgers.

use std::collections::HashMap;

use super::*;

/// The leaves of the test suite of certificate-transparency-go (`merkletree/merkle_tree_test.go`).
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// The roots of the trees of the first 1 to 8 leaves, from the same place.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const A: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const B: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const C: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const D: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const E: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const F: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";

/// Place, size and audit path; the suite counts leaves from 1.
const PATHS: [(u64, u64, &[&str]); 5] =
    [(0, 1, &[]), (0, 8, &[A, B, C]), (5, 8, &[D, E, ROOTS[3]]), (2, 3, &[ROOTS[1]]), (1, 5, &[ROOTS[0], B, D])];

/// Both sizes and the consistency proof.
const PROOFS: [(u64, u64, &[&str]); 4] = [(1, 1, &[]), (1, 8, &[A, B, C]), (6, 8, &[F, E, ROOTS[3]]), (2, 5, &[B, D])];

fn hash(text: &str) -> Hash {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// A whole tree, with the hashes of its complete subtrees.
struct Tree {
    leaves: Vec<Hash>,
    subtrees: HashMap<Subtree, Hash>,
    /// By size.
    roots: Vec<Hash>,
}

impl Tree {
    fn new(leaves: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut frontier = Frontier::default();
        let mut tree = Self { leaves: Vec::new(), subtrees: HashMap::new(), roots: vec![frontier.root()] };
        for data in leaves {
            let leaf = leaf_hash(&data);
            tree.subtrees.insert(Subtree { level: 0, index: frontier.size() }, leaf);
            frontier.push(leaf, |subtree, hash| assert_eq!(tree.subtrees.insert(subtree, hash), None));
            tree.leaves.push(leaf);
            tree.roots.push(frontier.root());
        }
        tree
    }

    fn published() -> Self {
        Self::new(LEAVES.map(|leaf| hex::decode(leaf).unwrap()))
    }

    fn counted(size: u64) -> Self {
        Self::new((0..size).map(|number| number.to_be_bytes().to_vec()))
    }

    fn hashes(&self, parts: &[Part]) -> Vec<Hash> {
        let part = |part: &Part| fold(&part.iter().map(|subtree| self.subtrees[subtree]).collect::<Vec<_>>());
        parts.iter().map(part).collect()
    }
}

/// `MTH(D[n])` as RFC 6962 defines it, and nothing cleverer.
fn defined(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while k * 2 < leaves.len() {
                k *= 2;
            }
            node_hash(&defined(&leaves[..k]), &defined(&leaves[k..]))
        }
    }
}

#[test]
fn roots_and_proofs_are_the_published_ones() {
    let tree = Tree::published();
    assert_eq!(tree.roots[0], hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    for (size, root) in (1..).zip(ROOTS) {
        assert_eq!(tree.roots[size], hash(root), "{size}");
    }
    let hashes = |path: &[&str]| path.iter().map(|text| hash(text)).collect::<Vec<_>>();
    for (index, size, path) in PATHS {
        assert_eq!(tree.hashes(&inclusion(index, size)), hashes(path), "{index} in {size}");
    }
    for (first, second, proof) in PROOFS {
        assert_eq!(tree.hashes(&consistency(first, second)), hashes(proof), "{first} to {second}");
    }
}

#[test]
fn roots_are_as_defined_and_are_made_of_complete_subtrees() {
    let tree = Tree::counted(70);
    for size in 0..=70 {
        assert_eq!(tree.roots[size], defined(&tree.leaves[..size]), "{size}");
        assert_eq!(tree.hashes(&[root(size as u64)])[0], tree.roots[size], "{size}");
        let resumed: Vec<_> = root(size as u64).iter().map(|subtree| tree.subtrees[subtree]).collect();
        let mut resumed = Frontier::new(size as u64, resumed);
        for leaf in &tree.leaves[size..] {
            resumed.push(*leaf, |subtree, hash| assert_eq!(tree.subtrees[&subtree], hash));
        }
        assert_eq!((resumed.size(), resumed.root()), (70, tree.roots[70]), "resumed at {size}");
    }
}

/// What a forger may do to a list of hashes: flip a bit, leave one out, add one, swap two.
fn forgeries(path: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = vec![[path, &[[7; 32]]].concat(), [&[[7; 32]], path].concat()];
    for at in 0..path.len() {
        let mut flipped = path.to_vec();
        flipped[at][31] ^= 1;
        let mut shorter = path.to_vec();
        shorter.remove(at);
        all.extend([flipped, shorter]);
        if at > 0 && path[at] != path[at - 1] {
            let mut swapped = path.to_vec();
            swapped.swap(at, at - 1);
            all.push(swapped);
        }
    }
    all
}

#[test]
fn every_audit_path_verifies_and_no_forged_one_does() {
    let tree = Tree::counted(64);
    for size in 1..=64_u64 {
        let root = &tree.roots[size as usize];
        for index in 0..size {
            let (leaf, path) = (&tree.leaves[index as usize], tree.hashes(&inclusion(index, size)));
            assert!(verify_inclusion(leaf, index, size, &path, root), "{index} in {size}");
            assert!(path.len() <= size.next_power_of_two().ilog2() as usize, "{index} in {size}");
            for forged in forgeries(&path) {
                assert!(!verify_inclusion(leaf, index, size, &forged, root), "{index} in {size}: {forged:?}");
            }
            for other in (0..=size).filter(|other| *other != index) {
                assert!(!verify_inclusion(leaf, other, size, &path, root), "{index} in {size} is not at {other}");
            }
            let mut altered = *leaf;
            altered[0] ^= 1;
            assert!(!verify_inclusion(&altered, index, size, &path, root), "{index} in {size}");
            assert!(!verify_inclusion(leaf, index, size, &path, &altered), "{index} in {size}");
        }
        assert!(inclusion(size, size).is_empty());
    }
}

#[test]
fn every_consistency_proof_verifies_and_no_forged_one_does() {
    let tree = Tree::counted(64);
    for second in 1..=64_u64 {
        for first in 1..=second {
            let (old, new) = (&tree.roots[first as usize], &tree.roots[second as usize]);
            let proof = tree.hashes(&consistency(first, second));
            assert!(verify_consistency(first, second, old, new, &proof), "{first} to {second}");
            for forged in forgeries(&proof) {
                assert!(!verify_consistency(first, second, old, new, &forged), "{first} to {second}: {forged:?}");
            }
            let altered = [7; 32];
            assert!(!verify_consistency(first, second, &altered, new, &proof), "{first} to {second}");
            assert!(!verify_consistency(first, second, old, &altered, &proof), "{first} to {second}");
            if first < second {
                assert!(!verify_consistency(second, first, new, old, &proof), "{second} back to {first}");
            }
        }
        assert!(!verify_consistency(0, second, &tree.roots[0], &tree.roots[second as usize], &[]));
    }
}
