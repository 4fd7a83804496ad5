//! How hard a secret is to guess: what the production profile is started with.

use anyhow::{Result, bail};

/// The secrets that the development profile runs with, and that everybody can read in the source.
pub const PUBLIC: [&str; 3] = [
    "development-only-secret-that-everybody-knows",
    "development-only-key-that-everybody-knows",
    "development-only-audit-key-that-everybody-knows",
];

/// The letters that a secret has at least.
pub const FEWEST_LETTERS: usize = 32;
/// The bits of chance that a secret has at least, as far as can be seen. 32 hexadecimal digits have about 120.
const FEWEST_BITS: f64 = 96.0;
/// The different letters that it has at least. 64 hexadecimal digits have fewer about once in 10¹² times.
const FEWEST_DIFFERENT: usize = 10;
/// What a stretch that can be foretold adds to the chance: where it comes from, and how long it is.
const FORETOLD_BITS: f64 = 8.0;
/// Fewer letters in a row that look foretold are chance.
const FEWEST_FORETOLD: usize = 3;

/// What people type where something is asked for: rows of keys, and what stands in examples.
const KNOWN: [&str; 30] = [
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "password",
    "passwort",
    "secret",
    "geheim",
    "changeme",
    "change",
    "please",
    "default",
    "development",
    "production",
    "example",
    "sample",
    "placeholder",
    "insert",
    "replace",
    "aether",
    "nexus",
    "signing",
    "encryption",
    "audit",
    "token",
    "admin",
    "test",
    "your",
    "this",
    "that",
    "key",
];

/// Refuses a secret that can be guessed. `which` names it, `make` says how to make a better one.
pub fn check(which: &str, secret: &str, make: &str) -> Result<()> {
    let secret = secret.trim();
    let why = if PUBLIC.contains(&secret) {
        "is the development secret, which everybody knows"
    } else if secret.chars().count() < FEWEST_LETTERS {
        "has less than 32 bytes"
    } else if different(secret) < FEWEST_DIFFERENT {
        "has too few different characters, so it can be guessed"
    } else if bits(secret) < FEWEST_BITS {
        "repeats itself or follows a pattern, so it can be guessed"
    } else {
        return Ok(());
    };
    bail!("The production profile does not start: {which} {why}. {make}")
}

fn different(secret: &str) -> usize {
    secret.chars().collect::<std::collections::BTreeSet<_>>().len()
}

/// The bits of chance in a secret, were its letters drawn from those that are in it; stretches that were there before, run
/// through an alphabet, or are words that people type, count once as a whole.
fn bits(secret: &str) -> f64 {
    let per_letter = (different(secret) as f64).log2();
    let letters: Vec<char> = secret.to_lowercase().chars().collect();
    let (mut at, mut bits) = (0, 0.0);
    while at < letters.len() {
        let foretold = foretold(&letters, at);
        if foretold >= FEWEST_FORETOLD {
            bits += FORETOLD_BITS.min(per_letter * 3.0);
            at += foretold;
        } else {
            bits += per_letter;
            at += 1;
        }
    }
    bits
}

/// How many letters from here on whoever has read so far could have foretold.
fn foretold(letters: &[char], at: usize) -> usize {
    let rest = &letters[at..];
    let alike = |other: &[char]| rest.iter().zip(other).take_while(|(one, other)| one == other).count();
    // A repetition may begin before what it repeats has ended: aaaa is a, and then three times the letter before.
    let repeated = (0..at).map(|earlier| alike(&letters[earlier..])).max().unwrap_or_default();
    let run = [-1, 0, 1].map(|step| {
        1 + rest
            .windows(2)
            .take_while(|two| i64::from(u32::from(two[1])) - i64::from(u32::from(two[0])) == step)
            .count()
    });
    let begins =
        |word: &mut dyn Iterator<Item = char>| word.enumerate().all(|(at, letter)| rest.get(at) == Some(&letter));
    let known = KNOWN.iter().filter(|word| begins(&mut word.chars()) || begins(&mut word.chars().rev()));
    let known = known.map(|word| word.len()).max().unwrap_or_default();
    repeated.max(known).max(run.into_iter().max().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Read};

    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::*;

    fn passes(secret: &str) -> bool {
        check("AETHER_JWT_SECRET", secret, "Make another.").is_ok()
    }

    /// So many bytes of chance, as `openssl rand` draws them.
    fn rand(bytes: usize) -> Vec<u8> {
        let mut drawn = vec![0; bytes];
        File::open("/dev/urandom").unwrap().read_exact(&mut drawn).unwrap();
        drawn
    }

    #[test]
    fn what_openssl_makes_always_passes() {
        let base64 = |bytes| format!("{}\n", BASE64_STANDARD.encode(rand(bytes)));
        let hexadecimal = |bytes| format!("{}\n", hex::encode(rand(bytes)));
        for make in [&(|| base64(48)) as &dyn Fn() -> String, &|| hexadecimal(32), &|| base64(32), &|| hexadecimal(48)]
        {
            let least = (0..300).map(|_| make()).map(|secret| {
                assert!(passes(&secret), "{secret}");
                bits(secret.trim())
            });
            let least = least.fold(f64::INFINITY, f64::min);
            // Far from the border: it is no matter of luck.
            assert!(least > FEWEST_BITS * 1.4, "{least}");
        }
    }

    #[test]
    fn what_can_be_guessed_does_not() {
        let alphabet = "abcdefghijklmnopqrstuvwxyz";
        let halves = "q7Zp".repeat(8);
        for secret in [
            &"a".repeat(32),
            &"a".repeat(4_000),
            &"0123456789".repeat(4),
            &"0123456789abcdef".repeat(4),
            alphabet,
            &alphabet.repeat(2),
            &format!("{alphabet}{}", alphabet.to_uppercase()),
            &format!("{}0123456789", alphabet.chars().rev().collect::<String>()),
            "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "qwertyuiopasdfghjklzxcvbnm1234567890",
            "password-password-password-password",
            "PasswordPassword1234567890Password!",
            "changeme-changeme-changeme-changeme!",
            "this-is-the-secret-key-please-change",
            "1010110101101010101010111010101010101101010101010101",
            "deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
            &halves,
            PUBLIC[0],
            PUBLIC[1],
            &format!(" {}\n", PUBLIC[2]),
            "short",
            "",
            &format!("{}{}", " ".repeat(40), "q7Zp"),
        ] {
            assert!(!passes(secret), "{secret}: {}", bits(secret));
        }
    }

    #[test]
    fn it_is_said_which_one_and_what_to_do() {
        let error = check("AETHER_JWT_SECRET", &"a".repeat(32), "Run this.").unwrap_err().to_string();
        assert!(
            error.contains("AETHER_JWT_SECRET has too few different characters") && error.ends_with("Run this."),
            "{error}"
        );
    }
}
