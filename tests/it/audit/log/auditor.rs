//! An auditor who trusts nobody: RFC 6962 from the RFC's text alone, by recursion, sharing no code with the gateway.

use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::digest([&[1], &left[..], &right[..]].concat()).into()
}

/// The largest power of two below.
fn split(size: u64) -> u64 {
    size.next_power_of_two() / 2
}

/// The root that a leaf and its audit path give; none for a path of the wrong length.
pub fn root_of(index: u64, size: u64, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    if size == 1 {
        return (index == 0 && path.is_empty()).then_some(leaf);
    }
    let (last, path) = path.split_last()?;
    let k = split(size);
    Some(if index < k {
        node(&root_of(index, k, leaf, path)?, last)
    } else {
        node(last, &root_of(index - k, size - k, leaf, path)?)
    })
}

/// Both roots that a consistency proof gives; `known` is the root of the first tree, for where it is complete.
pub fn roots_of(first: u64, second: u64, known: Option<Hash>, path: &[Hash]) -> Option<(Hash, Hash)> {
    if first == second {
        return match (known, path) {
            (Some(root), []) => Some((root, root)),
            (None, [root]) => Some((*root, *root)),
            _ => None,
        };
    }
    let (last, path) = path.split_last()?;
    let k = split(second);
    Some(if first <= k {
        let (old, new) = roots_of(first, k, known, path)?;
        (old, node(&new, last))
    } else {
        let (old, new) = roots_of(first - k, second - k, None, path)?;
        (node(last, &old), node(last, &new))
    })
}

/// The leaf hash of an audit row, as `docs/audit-trail.md` says.
pub fn leaf(table: &str, row: &Value) -> Hash {
    let mut row = row.as_object().expect("a row").clone();
    row.retain(|name, value| !value.is_null() && !["reviewed", "reviewed_by", "reviewed_at"].contains(&&**name));
    leaf_of(&format!("{table}\n{}", canonical(&row.into())))
}

/// The leaf hash of a row's content.
pub fn leaf_of(content: &str) -> Hash {
    Sha256::digest([b"\0", content.as_bytes()].concat()).into()
}

/// JSON as PostgreSQL writes `jsonb`: shorter names first, then by their bytes.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| (name.len(), name.as_bytes()));
            let fields =
                fields.iter().map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), canonical(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(values) => format!("[{}]", values.iter().map(canonical).collect::<Vec<_>>().join(", ")),
        value => value.to_string(),
    }
}

/// A head, as the gateway answered it.
pub struct Head {
    pub tree: uuid::Uuid,
    pub size: u64,
    pub root: Hash,
}

/// Checks a head's signature and takes it.
pub fn head(answer: &Value) -> Head {
    let (size, root) = (number(&answer["treeSize"]), hash(&answer["rootHash"]));
    let sealed_at = answer["sealedAt"].as_str().expect("a moment").parse::<chrono::DateTime<chrono::Utc>>();
    let milliseconds = u64::try_from(sealed_at.expect("a moment").timestamp_millis()).expect("after 1970");
    let tree: uuid::Uuid = answer["treeId"].as_str().expect("text").parse().expect("a UUID");
    let signed = [&[0, 1], &milliseconds.to_be_bytes()[..], &size.to_be_bytes(), &root, tree.as_bytes()].concat();
    let key = VerifyingKey::from_bytes(&hash(&answer["publicKey"])).expect("a key");
    let signature = hex::decode(answer["signature"].as_str().expect("text")).expect("hexadecimal");
    let signature = Signature::from_slice(&signature).expect("a signature");
    key.verify_strict(&signed, &signature).expect("the signature is good");
    Head { tree, size, root }
}

pub fn hash(value: &Value) -> Hash {
    let text = value.as_str().expect("text");
    assert_eq!(text, text.to_lowercase());
    hex::decode(text).expect("hexadecimal").try_into().expect("32 bytes")
}

pub fn hashes(value: &Value) -> Vec<Hash> {
    value.as_array().expect("a list").iter().map(hash).collect()
}

/// A `BigInt`.
pub fn number(value: &Value) -> u64 {
    value.as_str().expect("text").parse().expect("a number")
}
