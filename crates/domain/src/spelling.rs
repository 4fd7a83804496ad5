//! Names that people type again and again, of regions, lines of business and products: what differs by case, by spaces or by Unicode
//! form only is the same name.

use unicode_normalization::UnicodeNormalization;

use crate::entry::is_unseen;

/// The name as it is kept: in Unicode's composed form (NFC), without spaces around it, with single ones within.
#[must_use]
pub fn clean(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect()
}

/// What is the same for all spellings of a name: compatibility forms (NFKC) without case and without characters that nobody sees. By way
/// of upper case, where `ß` becomes `SS`, and to that by way of lower case, where `ẞ` becomes `ß`.
#[must_use]
pub fn key(name: &str) -> String {
    let seen: String = name.chars().filter(|c| !is_unseen(*c)).collect();
    clean(&seen).nfkc().collect::<String>().to_lowercase().to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_key() {
        let same = [
            ["EMEA", " emea "],
            ["Latin America", "latin\u{a0}\tAMERICA"],
            ["Île-de-France", "I\u{302}LE-DE-FRANCE"],
            ["Straße", "STRASSE"],
            ["Straße", "STRAẞE"],
            ["Québec", "Qué\u{200b}bec\u{200e}"],
            ["ＡＰＡＣ", "apac"],
        ];
        for [one, other] in same {
            assert_eq!(key(one), key(other));
        }
        for [one, other] in [["EMEA", "EMEA 2"], ["North", "Norte"], ["cafe", "café"], ["A B", "AB"]] {
            assert_ne!(key(one), key(other));
        }
        assert_eq!(clean("  Latin \u{a0} America\n"), "Latin America");
        assert_eq!(clean("I\u{302}le"), "Île", "composed");
    }
}
