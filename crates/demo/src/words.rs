//! Words that names are made of. None of the companies exist.

use crate::random::Random;

#[rustfmt::skip]
const FIRST: [&str; 48] = [
    "Alder", "Aurora", "Beacon", "Birchwood", "Bluewater", "Bramble", "Calder", "Cascade", "Cedar", "Copper",
    "Crestline", "Delta", "Dunmore", "Eastgate", "Elmstead", "Everly", "Fairmont", "Falcon", "Glenmore", "Granite",
    "Halcyon", "Harbor", "Hawthorn", "Ironbridge", "Juniper", "Kestrel", "Kingsway", "Larkspur", "Linden", "Lumen",
    "Marlowe", "Meadow", "Northwind", "Oakridge", "Orchard", "Pinnacle", "Quarry", "Redwood", "Riverton", "Saffron",
    "Silverline", "Sterling", "Summit", "Thornbury", "Tidewater", "Vantage", "Westbrook", "Wildrose",
];

/// Second halves of account names with the vertical they belong to.
#[rustfmt::skip]
const SECOND: [(&str, &str); 20] = [
    ("Foods", "CPG"),
    ("Beverages", "CPG"),
    ("Retail", "CPG"),
    ("Consumer Brands", "CPG"),
    ("Telecom", "TMT"),
    ("Media Group", "TMT"),
    ("Networks", "TMT"),
    ("Semiconductors", "TMT"),
    ("Biosciences", "LS"),
    ("Therapeutics", "LS"),
    ("Medical Devices", "LS"),
    ("Diagnostics", "LS"),
    ("Insurance", "FS"),
    ("Savings", "FS"),
    ("Asset Management", "FS"),
    ("Logistics", "IND"),
    ("Aerospace", "IND"),
    ("Manufacturing", "IND"),
    ("Energy", "ENR"),
    ("Utilities", "ENR"),
];

#[rustfmt::skip]
const FORENAMES: [&str; 20] = [
    "Aisha", "Bruno", "Carmen", "Dmitri", "Emily", "Farid", "Greta", "Hugo", "Ines", "Jack", "Keiko", "Leon", "Maya",
    "Nils", "Oksana", "Pablo", "Rosa", "Stefan", "Tara", "Wei",
];

#[rustfmt::skip]
const SURNAMES: [&str; 20] = [
    "Andersson", "Brooks", "Castillo", "Devlin", "Eriksen", "Fontaine", "Gupta", "Hoffmann", "Ito", "Jansen", "Kaur",
    "Leclerc", "Murphy", "Nakamura", "Okoye", "Park", "Rossi", "Silva", "Turner", "Varga",
];

/// A customer that deals are made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    first: &'static str,
    second: &'static str,
    /// The short name of its industry.
    pub(crate) vertical: &'static str,
}

impl Account {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let first = random.pick(&FIRST);
        let (second, vertical) = random.pick(&SECOND);
        Self { first, second, vertical }
    }

    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.first, self.second)
    }
}

/// A person outside: full name and the part of an address before the at sign.
pub(crate) fn contact(random: &mut Random) -> (String, String) {
    let (forename, surname) = (random.pick(&FORENAMES), random.pick(&SURNAMES));
    (format!("{forename} {surname}"), format!("{forename}.{surname}").to_lowercase())
}
