//! Encryption at rest (XChaCha20-Poly1305, draft-irtf-cfrg-xchacha) for the few columns that must be secret even to
//! whoever reads the database.
//!
//! An encrypted value is one byte that names the key, 24 bytes of nonce, and the ciphertext with its tag. Keys can be
//! rotated: the newest encrypts, all decrypt.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, AeadCore, OsRng},
};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

const NONCE: usize = 24;

/// Encrypts and decrypts values.
#[derive(Clone)]
pub struct Encryption(Vec<(u8, XChaCha20Poly1305)>);

impl Encryption {
    /// Encryption with these keys, each a number and a secret; the last one encrypts.
    pub fn new(keys: impl IntoIterator<Item = (u8, String)>) -> Self {
        let cipher = |secret: String| XChaCha20Poly1305::new(&Sha256::digest(secret));
        Self(keys.into_iter().map(|(id, secret)| (id, cipher(secret))).collect())
    }

    /// The number of the key that encrypts.
    pub(crate) fn newest(&self) -> Option<u8> {
        self.0.last().map(|(id, _)| *id)
    }

    /// Encrypts a value.
    pub fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let (id, cipher) = self.0.last().ok_or_else(|| Error::internal("no key to encrypt with"))?;
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let encrypted =
            cipher.encrypt(&nonce, plain).map_err(|_| Error::internal("a value that cannot be encrypted"))?;
        Ok([&[*id], &nonce[..], &encrypted].concat())
    }

    /// Decrypts an encrypted value.
    pub fn decrypt(&self, encrypted: &[u8]) -> Result<Vec<u8>> {
        let broken = || Error::internal("an encrypted value that none of the keys decrypts");
        let (id, rest) = encrypted.split_first().ok_or_else(broken)?;
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
    fn old_keys_decrypt_and_the_newest_encrypts() {
        let old = Encryption::new([(1, "first".into())]);
        let new = Encryption::new([(1, "first".into()), (2, "second".into())]);
        let encrypted = old.encrypt(b"secret").unwrap();
        assert_eq!(new.decrypt(&encrypted).unwrap(), b"secret");
        assert_eq!(new.encrypt(b"secret").unwrap()[0], 2);
        assert!(old.decrypt(&new.encrypt(b"secret").unwrap()).is_err());
    }

    #[test]
    fn a_changed_value_does_not_decrypt() {
        let encryption = Encryption::new([(1, "key".into())]);
        let mut encrypted = encryption.encrypt(b"secret").unwrap();
        *encrypted.last_mut().unwrap() ^= 1;
        assert!(encryption.decrypt(&encrypted).is_err());
        assert!(encryption.decrypt(&[]).is_err());
    }
}
