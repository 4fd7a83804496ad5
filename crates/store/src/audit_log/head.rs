//! Signed tree heads: what a log was at a moment, vouched for by a key that the database does not have.

use chrono::{DateTime, Utc};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{bigint, hash, number, tree::Hash};
use crate::{
    error::{Error, Result},
    rows::Row,
};

/// Set before a secret is hashed to a key, so that a secret that serves elsewhere too makes another key there.
const PURPOSE: &[u8] = b"aether-nexus audit tree head\n";

/// The columns that a [`TreeHead`] is read from.
pub(super) const COLUMNS: &str = "tree_id, tree_size, root_hash, sealed_at, signature, public_key";

/// A signed tree head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// The tree: the organization or the workspace whose trail it seals.
    pub tree: Uuid,
    /// The number of leaves that it stands for.
    pub tree_size: u64,
    /// The root of their tree.
    pub root_hash: Hash,
    /// When it was signed, to the millisecond.
    pub sealed_at: DateTime<Utc>,
    /// The Ed25519 signature (RFC 8032) of [`TreeHead::signed_bytes`].
    pub signature: [u8; 64],
    /// The Ed25519 public key that verifies the signature.
    pub public_key: [u8; 32],
}

impl TreeHead {
    /// What is signed: the TreeHeadSignature structure of RFC 6962, section 3.5, which is the version 0, the signature type
    /// 1, the milliseconds since 1970 and the tree's size as 64 bits each, the high byte first, and the root's hash; then the
    /// 16 bytes of the tree's identifier, for one key signs many trees.
    pub fn signed_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![0, 1];
        bytes.extend(self.sealed_at.timestamp_millis().to_be_bytes());
        bytes.extend(bigint(self.tree_size)?.to_be_bytes());
        bytes.extend(self.root_hash);
        bytes.extend(self.tree.into_bytes());
        Ok(bytes)
    }

    /// Whether the signature is of this head and by the key that it names.
    pub fn is_signed(&self) -> Result<bool> {
        let signed = self.signed_bytes()?;
        let whole_milliseconds = self.sealed_at.timestamp_subsec_micros().is_multiple_of(1_000);
        let verified = VerifyingKey::from_bytes(&self.public_key)
            .and_then(|key| key.verify_strict(&signed, &Signature::from_bytes(&self.signature)));
        Ok(whole_milliseconds && verified.is_ok())
    }
}

impl TreeHead {
    pub(super) fn read(row: Row<'_>) -> Result<Self> {
        let signature = row.get::<Vec<u8>>("signature")?.try_into();
        Ok(Self {
            tree: row.get("tree_id")?,
            tree_size: number(row, "tree_size")?,
            root_hash: hash(row, "root_hash")?,
            sealed_at: row.get("sealed_at")?,
            signature: signature.map_err(|_| Error::internal("a tree head of the audit log is malformed"))?,
            public_key: hash(row, "public_key")?,
        })
    }
}

/// The keys of the log: the last one signs, all are trusted, so that a key can be changed by appending one.
#[derive(Clone)]
pub struct Keys(Vec<SigningKey>);

impl Keys {
    /// Keys made from these secrets: the seed of each Ed25519 key is the SHA-256 of its purpose and the secret.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let key = |secret: &str| {
            SigningKey::from_bytes(&Sha256::new_with_prefix(PURPOSE).chain_update(secret).finalize().into())
        };
        Self(secrets.into_iter().map(key).collect())
    }

    /// The public keys, the one that signs last.
    pub fn public(&self) -> Vec<[u8; 32]> {
        self.0.iter().map(|key| key.verifying_key().to_bytes()).collect()
    }

    /// Whether this is the public key of one of them.
    pub fn trusts(&self, public_key: &[u8; 32]) -> bool {
        self.public().contains(public_key)
    }

    /// Signs a head.
    pub fn sign(&self, tree: Uuid, tree_size: u64, root_hash: Hash, sealed_at: DateTime<Utc>) -> Result<TreeHead> {
        let key = self.0.last().ok_or_else(|| Error::internal("no key to sign the audit log with"))?;
        let public_key = key.verifying_key().to_bytes();
        let mut head = TreeHead { tree, tree_size, root_hash, sealed_at, signature: [0; 64], public_key };
        head.signature = key.sign(&head.signed_bytes()?).to_bytes();
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn head() -> TreeHead {
        let sealed_at = DateTime::from_timestamp_millis(1_396_877_277_237).unwrap();
        Keys::new(["secret"]).sign(Uuid::from_bytes([0xcd; 16]), 7_910_080, [0xab; 32], sealed_at).unwrap()
    }

    #[test]
    fn what_is_signed_is_laid_out_as_rfc_6962_says() {
        let expected = format!("0001{:016x}{:016x}{}", 1_396_877_277_237_u64, 7_910_080, "ab".repeat(32));
        assert_eq!(hex::encode(head().signed_bytes().unwrap()), expected + &"cd".repeat(16), "and of which tree it is");
    }

    #[test]
    fn a_signature_is_good_for_its_head_alone() {
        let good = head();
        assert_eq!(good.is_signed(), Ok(true));
        let altered: [fn(&mut TreeHead); 7] = [
            |head| head.tree = Uuid::from_bytes([0xce; 16]),
            |head| head.tree_size += 1,
            |head| head.root_hash[0] ^= 1,
            |head| head.sealed_at += chrono::Duration::milliseconds(1),
            |head| head.sealed_at += chrono::Duration::microseconds(1),
            |head| head.signature[0] ^= 1,
            |head| head.public_key = Keys::new(["other"]).public()[0],
        ];
        for alter in altered {
            let mut head = good.clone();
            alter(&mut head);
            assert_eq!(head.is_signed(), Ok(false), "{head:?}");
        }
    }

    #[test]
    fn keys_are_changed_by_appending_one() {
        let (old, new) = (Keys::new(["first"]), Keys::new(["first", "second"]));
        assert!(new.trusts(&old.public()[0]));
        let head = new.sign(Uuid::from_bytes([0xcd; 16]), 1, [0; 32], DateTime::UNIX_EPOCH).unwrap();
        assert_eq!(Some(&head.public_key), new.public().last());
        assert!(!old.trusts(&head.public_key));
    }
}
