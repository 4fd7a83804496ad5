//! Capitalized words that want no definition.

/// Names of several words.
const NAMES: [&str; 32] = [
    "Bank of England",
    "Bankruptcy Code",
    "Chief Executive Officer",
    "Chief Financial Officer",
    "Companies House",
    "England and Wales",
    "European Banking Authority",
    "European Central Bank",
    "European Commission",
    "European Economic Area",
    "European Union",
    "Federal Reserve",
    "Financial Conduct Authority",
    "Financial Times",
    "Fitch Ratings",
    "High Court",
    "Internal Revenue Code",
    "Hong Kong",
    "Investors Service",
    "Land Registry",
    "Loan Market Association",
    "Loan Syndications and Trading Association",
    "Member State",
    "New York",
    "New Zealand",
    "Northern Ireland",
    "Southern District",
    "Secretary of State",
    "Supreme Court",
    "Uniform Commercial Code",
    "United Kingdom",
    "United States",
];

/// Names of one word that often stand beside a term: `London Business Day`, `31 March Calculation Date`.
#[rustfmt::skip]
const WORDS: [&str; 62] = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "London", "Amsterdam",
    "Paris", "Frankfurt", "Luxembourg", "Dublin", "Edinburgh", "Madrid", "Milan", "Stockholm", "Zurich", "Tokyo",
    "Singapore", "England", "English", "Scotland", "Scottish", "Wales", "Welsh", "Ireland", "Irish", "Britain",
    "British", "France", "French", "Germany", "German", "Dutch", "Netherlands", "Belgium", "Belgian", "Spain",
    "Spanish", "Italy", "Italian", "Swiss", "Switzerland", "Swedish", "Delaware", "America", "American", "Europe",
    "European",
];

/// What companies and statutes end with.
#[rustfmt::skip]
const ENDINGS: [&str; 28] = [
    "Limited", "Ltd", "Ltd.", "plc", "PLC", "LLP", "LP", "LLC", "L.P", "Inc", "Corp", "Corporation", "GmbH", "AG", "SE",
    "N.V", "N.A", "Incorporated", "L.L.C", "B.V", "S.A", "Act", "Directive", "Treaty", "Convention", "Ordinance", "Court", "Republic",
];

/// How many words at the start are a name.
pub(super) fn length(words: &[&str]) -> usize {
    let starts = |name: &&&str| {
        let length = name.split(' ').count();
        words.len() >= length && name.split(' ').eq(words[..length].iter().copied())
    };
    match NAMES.iter().find(starts) {
        Some(name) => name.split(' ').count(),
        None => usize::from(words.first().is_some_and(|word| WORDS.contains(word))),
    }
}

/// Whether a word makes a name of what stands before it: `Skerrow Wind Holdings Limited`.
pub(super) fn is_ending(word: &str) -> bool {
    ENDINGS.contains(&word)
}
