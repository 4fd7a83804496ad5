//! Passwords: hashing and checking them, and what a new one must be like.

use std::sync::LazyLock;

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString, rand_core::OsRng},
};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// A new password has at least so many characters (NIST SP 800-63B-4 asks for 15 where it is the only factor, for 8 with a
/// second one) …
const LEAST: usize = 12;
/// … and at most so many.
const MOST: usize = 200;

/// The hash of a password, in PHC string format.
pub fn hash_password(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes(), &SaltString::generate(&mut OsRng))
        .map(|hash| hash.to_string())
        .map_err(|_| Error::internal("a password that cannot be hashed"))
}

/// The hash of the password that a user chooses; one that is easily guessed is refused, at this field.
pub async fn new_password(field: &str, password: String, email: &str, name: &str) -> Result<String> {
    suits(field, &password, email, name)?;
    in_turn(move || hash_password(&password)).await?
}

/// Whether the password is the hash's; takes as long where there is no hash.
pub(super) async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    static NOBODYS: LazyLock<String> = LazyLock::new(|| hash_password("nobody's").unwrap_or_default());
    in_turn(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODYS.clone());
        let matches = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        matches && known
    })
    .await
}

/// Runs what takes 19 MiB and a core for a while: more at once than there are cores would only wait in each other's way.
async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    static TURNS: LazyLock<Semaphore> =
        LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, |n| n.get())));
    let _turn = TURNS.acquire().await.map_err(|_| Error::internal("a closed semaphore"))?;
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::internal("a password's work that was cut off"))
}

/// Refuses what is short, endless, or the user's own name or address.
fn suits(field: &str, password: &str, email: &str, name: &str) -> Result<()> {
    let length = password.chars().count();
    if length < LEAST {
        return Err(Error::invalid(field, format!("A password has at least {LEAST} characters. Choose a longer one.")));
    }
    if length > MOST {
        return Err(Error::invalid(field, format!("A password has at most {MOST} characters. Choose a shorter one.")));
    }
    let letters = |text: &str| -> String { text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect() };
    let chosen = letters(password);
    let local = email.split('@').next().unwrap_or(email);
    if [email, local, name].iter().any(|own| letters(own) == chosen) {
        return Err(Error::invalid(
            field,
            "A password must not be your name or e-mail address. Choose one that nobody can guess.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> bool {
        suits("password", password, "sarah.chen-of-finance@example.com", "Sarah Chen of Finance").is_err()
    }

    #[test]
    fn a_new_password_is_neither_short_nor_endless_nor_oneself() {
        assert!(refused("elevenchars"));
        assert!(!refused("twelve chars"));
        assert!(!refused(&"ä".repeat(200)) && refused(&"ä".repeat(201)));
        for own in ["SarahChenOfFinance", "sarah.chen of finance!", "Sarah.Chen-of-Finance@example.com"] {
            assert!(refused(own), "{own}");
        }
        assert!(!refused("SarahChenOfFinance 7 ships"));
    }
}
