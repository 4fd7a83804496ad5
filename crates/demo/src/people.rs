//! Who there is: the organizations and the people in them.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::ids::Ids;

/// The password of every demo user.
pub const PASSWORD: &str = "aether-demo";

/// The organization whose presence says that the demo data is loaded.
pub const HOME: &str = "aether-demo";

/// Somebody to log in as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// The address to log in with.
    pub email: &'static str,
    /// The slug of the user's organization.
    pub organization: &'static str,
    /// What this user is good for.
    pub role: &'static str,
}

const fn login(email: &'static str, organization: &'static str, role: &'static str) -> Login {
    Login { email, organization, role }
}

#[rustfmt::skip]
const LOGINS: [Login; 11] = [
    login("sarah.chen@aether-demo.com", HOME, "CFO"),
    login("finance.manager@aether-demo.com", HOME, "Finance manager"),
    login("analyst@aether-demo.com", HOME, "Analyst"),
    login("europe.analyst@aether-demo.com", HOME, "Analyst who sees Europe only"),
    login("engineering.analyst@aether-demo.com", HOME, "Analyst who sees Engineering only"),
    login("viewer@aether-demo.com", HOME, "Viewer"),
    login("admin@aether-demo.com", HOME, "Administrator"),
    login("agent@northgate-bank.example", "northgate-bank", "Workspace agent (facility agent)"),
    login("legal@harrow-and-lane.example", "harrow-and-lane", "Workspace legal (external counsel)"),
    login("risk@northgate-bank.example", "northgate-bank", "Workspace risk"),
    login("investor@castlebrook-investors.example", "castlebrook-investors", "Workspace investor"),
];

/// The logins worth printing: every organization role of the demo organization and every workspace role.
#[must_use]
pub fn logins() -> &'static [Login] {
    &LOGINS
}

/// An organization.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its key.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// `starter`, `standard` or `enterprise`.
    pub tier: &'static str,
    /// How much of the FP&A data it has.
    pub size: Size,
}

/// How much of the FP&A data an organization has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// None: a counterparty of loan workspaces.
    Counterparty,
    /// Everything, with this many deals.
    Full {
        /// Of all stages together.
        deals: usize,
    },
}

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    /// The key.
    pub id: Uuid,
    /// The user's organization.
    pub organization_id: Uuid,
    /// The full name.
    pub name: &'static str,
    /// The address to log in with.
    pub email: &'static str,
    /// The organization role: `CFO`, `FINANCE_MANAGER`, `ANALYST`, `VIEWER` or `ADMIN`.
    pub role: &'static str,
    /// `active`, `inactive`, `pending` or `locked`.
    pub status: &'static str,
    /// The only region the user sees.
    pub region: Option<&'static str>,
    /// The only department the user sees.
    pub department: Option<&'static str>,
}

/// All organizations and users.
#[derive(Clone, Debug)]
pub struct People {
    /// The organizations.
    pub organizations: Vec<Organization>,
    /// Their users.
    pub users: Vec<User>,
}

type Person = (&'static str, &'static str, &'static str, &'static str);

const HOME_USERS: [Person; 14] = [
    ("Sarah Chen", "sarah.chen@aether-demo.com", "CFO", "active"),
    ("Marcus Webb", "finance.manager@aether-demo.com", "FINANCE_MANAGER", "active"),
    ("Elena Petrova", "analyst@aether-demo.com", "ANALYST", "active"),
    ("David Osei", "viewer@aether-demo.com", "VIEWER", "active"),
    ("Ingrid Solberg", "admin@aether-demo.com", "ADMIN", "active"),
    ("Luca Moretti", "europe.analyst@aether-demo.com", "ANALYST", "active"),
    ("Hannah Lindqvist", "engineering.analyst@aether-demo.com", "ANALYST", "active"),
    ("Rafael Duarte", "rafael.duarte@aether-demo.com", "FINANCE_MANAGER", "active"),
    ("Mei Tanaka", "mei.tanaka@aether-demo.com", "ANALYST", "active"),
    ("Grace Abernathy", "grace.abernathy@aether-demo.com", "FINANCE_MANAGER", "active"),
    ("Noah Fischer", "noah.fischer@aether-demo.com", "ANALYST", "pending"),
    ("Olivia Grant", "olivia.grant@aether-demo.com", "VIEWER", "inactive"),
    ("Samir Haddad", "samir.haddad@aether-demo.com", "ANALYST", "locked"),
    // Deleted.
    ("Theo Marsh", "theo.marsh@aether-demo.com", "ANALYST", "inactive"),
];

const MERIDIAN_USERS: [Person; 5] = [
    ("Victor Langley", "cfo@meridian-capital.example", "CFO", "active"),
    ("Nadia Rahman", "finance.manager@meridian-capital.example", "FINANCE_MANAGER", "active"),
    ("Peter Novak", "analyst@meridian-capital.example", "ANALYST", "active"),
    ("Claire Dubois", "viewer@meridian-capital.example", "VIEWER", "active"),
    ("Owen Brady", "admin@meridian-capital.example", "ADMIN", "active"),
];

const LOAD_USERS: [Person; 5] = [
    ("Alex Carter", "cfo@load.example", "CFO", "active"),
    ("Robin Hayes", "finance.manager@load.example", "FINANCE_MANAGER", "active"),
    ("Jamie Quinn", "analyst@load.example", "ANALYST", "active"),
    ("Taylor Reed", "viewer@load.example", "VIEWER", "active"),
    ("Morgan Ellis", "admin@load.example", "ADMIN", "active"),
];

const NORTHGATE_USERS: [Person; 3] = [
    ("Amelia Hart", "agent@northgate-bank.example", "ADMIN", "active"),
    ("Daniel Fox", "agent2@northgate-bank.example", "FINANCE_MANAGER", "active"),
    ("Priya Raman", "risk@northgate-bank.example", "ANALYST", "active"),
];

const HARROW_USERS: [Person; 2] = [
    ("Jonas Keller", "legal@harrow-and-lane.example", "ADMIN", "active"),
    ("Beatrice Lane", "legal2@harrow-and-lane.example", "VIEWER", "active"),
];

const CASTLEBROOK_USERS: [Person; 2] = [
    ("Tom Okafor", "investor@castlebrook-investors.example", "ADMIN", "active"),
    ("Yuki Mori", "investor2@castlebrook-investors.example", "VIEWER", "active"),
];

const DORMANT_USERS: [Person; 1] = [("Edgar Finch", "cfo@dormant-holdings.example", "CFO", "active")];

impl People {
    /// Everybody, at this scale; organizations are as old as the data's four years.
    #[must_use]
    pub fn new(ids: &mut Ids, now: DateTime<Utc>, scale: u32) -> Self {
        let mut people = Self { organizations: Vec::new(), users: Vec::new() };
        let since = now - Duration::days(4 * 365);
        let full = |deals| Size::Full { deals };
        let counterparty = Size::Counterparty;
        people.add(ids, since, ("Aether Demo Corp", HOME, "enterprise", full(400)), &HOME_USERS);
        people.add(ids, since, ("Meridian Capital", "meridian-capital", "standard", full(120)), &MERIDIAN_USERS);
        people.add(ids, since, ("Northgate Bank", "northgate-bank", "enterprise", counterparty), &NORTHGATE_USERS);
        people.add(ids, since, ("Harrow & Lane LLP", "harrow-and-lane", "starter", counterparty), &HARROW_USERS);
        people.add(
            ids,
            since,
            ("Castlebrook Investors", "castlebrook-investors", "standard", counterparty),
            &CASTLEBROOK_USERS,
        );
        // Suspended: its people can do nothing.
        people.add(ids, since, ("Dormant Holdings", "dormant-holdings", "starter", counterparty), &DORMANT_USERS);
        // Deleted.
        people.add(ids, since, ("Aether Sandbox", "aether-sandbox", "starter", counterparty), &[]);
        for copy in 2..=scale {
            let (name, slug) = (format!("Load Test {copy:04}"), format!("load-{copy:04}"));
            people.add(ids, since, (&name, &slug, "standard", full(400)), &LOAD_USERS);
        }
        people
    }

    fn add(
        &mut self,
        ids: &mut Ids,
        since: DateTime<Utc>,
        (name, slug, tier, size): (&str, &str, &'static str, Size),
        persons: &[Person],
    ) {
        let organization_id = ids.at(since);
        self.organizations.push(Organization {
            id: organization_id,
            name: name.to_owned(),
            slug: slug.to_owned(),
            tier,
            size,
        });
        for &(name, email, role, status) in persons {
            self.users.push(User {
                id: ids.at(since),
                organization_id,
                name,
                email,
                role,
                status,
                region: (email == "europe.analyst@aether-demo.com").then_some("Europe"),
                department: (email == "engineering.analyst@aether-demo.com").then_some("Engineering"),
            });
        }
    }

    /// The user with this address.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn user(&self, email: &str) -> &User {
        self.users.iter().find(|user| user.email == email).unwrap_or_else(|| panic!("no demo user {email}"))
    }

    /// The organization with this slug.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn organization(&self, slug: &str) -> &Organization {
        self.organizations
            .iter()
            .find(|organization| organization.slug == slug)
            .unwrap_or_else(|| panic!("no demo organization {slug}"))
    }
}
