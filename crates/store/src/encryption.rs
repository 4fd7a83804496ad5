//! Encryption at rest (XChaCha20-Poly1305, draft-irtf-cfrg-xchacha) for the few columns that must be secret even to
//! whoever reads the database.
//!
//! A sealed value is one byte that names the key, 24 bytes of nonce, and the ciphertext with its tag. Keys can be
//! rotated: the newest seals, all open.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, AeadCore, OsRng},
};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

const NONCE: usize = 24;

/// Seals and opens values.
#[derive(Clone)]
pub struct Sealer(Vec<(u8, XChaCha20Poly1305)>);

impl Sealer {
    /// A sealer with these keys, each a number and a secret; the last one seals.
    pub fn new(keys: impl IntoIterator<Item = (u8, String)>) -> Self {
        let cipher = |secret: String| XChaCha20Poly1305::new(&Sha256::digest(secret));
        Self(keys.into_iter().map(|(id, secret)| (id, cipher(secret))).collect())
    }

    /// The number of the key that seals.
    pub(crate) fn newest(&self) -> Option<u8> {
        self.0.last().map(|(id, _)| *id)
    }

    /// Seals a value.
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let (id, cipher) = self.0.last().ok_or_else(|| Error::internal("no key to seal with"))?;
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let sealed = cipher.encrypt(&nonce, plain).map_err(|_| Error::internal("a value that cannot be sealed"))?;
        Ok([&[*id], &nonce[..], &sealed].concat())
    }

    /// Opens a sealed value.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>> {
        let broken = || Error::internal("a sealed value that none of the keys opens");
        let (id, rest) = sealed.split_first().ok_or_else(broken)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or_else(broken)?;
        let nonce = *nonce;
        let (_, cipher) = self.0.iter().find(|(known, _)| known == id).ok_or_else(broken)?;
        cipher.decrypt(&XNonce::from(nonce), text).map_err(|_| broken())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_keys_open_and_the_newest_seals() {
        let old = Sealer::new([(1, "first".into())]);
        let new = Sealer::new([(1, "first".into()), (2, "second".into())]);
        let sealed = old.seal(b"secret").unwrap();
        assert_eq!(new.open(&sealed).unwrap(), b"secret");
        assert_eq!(new.seal(b"secret").unwrap()[0], 2);
        assert!(old.open(&new.seal(b"secret").unwrap()).is_err());
    }

    #[test]
    fn a_changed_value_does_not_open() {
        let sealer = Sealer::new([(1, "key".into())]);
        let mut sealed = sealer.seal(b"secret").unwrap();
        *sealed.last_mut().unwrap() ^= 1;
        assert!(sealer.open(&sealed).is_err());
        assert!(sealer.open(&[]).is_err());
    }
}
