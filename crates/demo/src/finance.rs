//! Departments as a tree, what they cost, and budgets in every status.

use chrono::{DateTime, Datelike as _, Duration, Months, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use crate::copy::{Rows, row};
use crate::random::{Random, cents};
use crate::tenant::{Tenant, midnight};

/// How many months of costs and spend there are.
pub(crate) const MONTHS: i32 = 24;

/// A department of its own people, those of its children not counted.
struct Department {
    name: &'static str,
    code: &'static str,
    parent: Option<&'static str>,
    heads: i64,
    /// Monthly cost of one person, software for one person, travel for one person, marketing of the department.
    cost: [f64; 4],
    /// Whether somebody leads it.
    led: bool,
}

const fn department(
    name: &'static str,
    code: &'static str,
    parent: Option<&'static str>,
    heads: i64,
    cost: [f64; 4],
    led: bool,
) -> Department {
    Department { name, code, parent, heads, cost, led }
}

const ENGINEER: [f64; 4] = [14_200.0, 1_650.0, 210.0, 0.0];
const SELLER: [f64; 4] = [12_900.0, 540.0, 1_150.0, 4_200.0];
const MARKETER: [f64; 4] = [9_700.0, 820.0, 460.0, 185_000.0];
const CLERK: [f64; 4] = [9_100.0, 610.0, 160.0, 0.0];
const CONSULTANT: [f64; 4] = [10_800.0, 480.0, 1_700.0, 0.0];

#[rustfmt::skip]
const DEPARTMENTS: [Department; 25] = [
    department("Engineering", "ENG-001", None, 9, ENGINEER, true),
    department("Platform", "ENG-100", Some("Engineering"), 26, ENGINEER, true),
    department("Site Reliability", "ENG-110", Some("Platform"), 14, ENGINEER, true),
    department("Developer Experience", "ENG-120", Some("Platform"), 8, ENGINEER, false),
    department("Product Development", "ENG-200", Some("Engineering"), 48, ENGINEER, true),
    department("Core Product", "ENG-210", Some("Product Development"), 37, ENGINEER, true),
    department("Analytics Product", "ENG-220", Some("Product Development"), 22, ENGINEER, false),
    department("Data and AI", "ENG-300", Some("Engineering"), 19, ENGINEER, true),
    department("Sales", "SAL-001", None, 7, SELLER, true),
    department("Americas Sales", "SAL-100", Some("Sales"), 34, SELLER, true),
    department("Latin America Desk", "SAL-110", Some("Americas Sales"), 9, SELLER, false),
    department("Europe Sales", "SAL-200", Some("Sales"), 24, SELLER, true),
    department("Asia Pacific Sales", "SAL-300", Some("Sales"), 17, SELLER, true),
    department("Sales Operations", "SAL-400", Some("Sales"), 11, CLERK, false),
    department("Marketing", "MKT-001", None, 6, MARKETER, true),
    department("Demand Generation", "MKT-100", Some("Marketing"), 13, MARKETER, true),
    department("Events", "MKT-110", Some("Demand Generation"), 5, MARKETER, false),
    department("Customer Success", "CUS-001", None, 21, SELLER, true),
    department("Support", "CUS-100", Some("Customer Success"), 38, CLERK, true),
    department("Professional Services", "SVC-001", None, 44, CONSULTANT, true),
    department("Delivery Europe", "SVC-100", Some("Professional Services"), 18, CONSULTANT, false),
    department("Finance", "FIN-001", None, 12, CLERK, true),
    department("Treasury", "FIN-100", Some("Finance"), 4, CLERK, false),
    department("Controlling", "FIN-200", Some("Finance"), 9, CLERK, true),
    department("Operations", "OPS-001", None, 16, CLERK, true),
];

/// Fills `departments` and `department_costs`; returns the keys by name too.
pub(crate) fn departments(tenant: &Tenant) -> (Vec<Rows>, Vec<(&'static str, Uuid)>) {
    let mut rows = Rows::new(
        "departments",
        &[
            "id",
            "organization_id",
            "name",
            "code",
            "parent_id",
            "head_user_id",
            "annual_budget",
            "created_at",
            "updated_at",
        ],
    );
    let mut costs = Rows::new(
        "department_costs",
        &[
            "id",
            "department_id",
            "organization_id",
            "period_date",
            "payroll",
            "software",
            "travel",
            "marketing",
            "other",
            "headcount",
            "created_at",
            "updated_at",
        ],
    );
    let (mut random, mut ids) = (tenant.random("departments"), tenant.ids("departments"));
    let leaders = tenant.staff(&["CFO", "FINANCE_MANAGER", "ANALYST"]);
    let made = tenant.ago(24.0 * 1400.0);
    let mut keys: Vec<(&'static str, Uuid)> = Vec::new();
    for department in &DEPARTMENTS {
        let id = ids.at(made);
        let parent = department.parent.map(|name| key(&keys, name));
        let head = department.led.then(|| match department.name {
            "Finance" => tenant.role("CFO").id,
            _ => random.pick(&leaders).id,
        });
        let [pay, software, travel, marketing] = department.cost;
        let heads = (department.heads as f64 * tenant.volume).ceil();
        let monthly = heads * (pay + software + travel) * 1.04 + marketing * tenant.volume;
        let budget = Decimal::from((monthly * 12.0 / 10_000.0).round() as i64 * 10_000);
        let updated = tenant.ago(24.0 * random.between(10.0, 300.0));
        rows.push(row![id, tenant.id(), department.name, department.code, parent, head, budget, made, updated,]);
        keys.push((department.name, id));
        for offset in 1 - MONTHS..=0 {
            let day = tenant.month(offset);
            let staff = (heads * (1.0 + 0.011 * f64::from(offset)) + random.noise(0.6)).round().max(1.0);
            let summer = if matches!(day.month(), 7 | 8) { 0.55 } else { 1.0 };
            let closing = if day.month().is_multiple_of(3) { 1.12 } else { 1.0 };
            // The load-test cluster that the anomalies tell of.
            let leak = if offset == -1 && department.name == "Site Reliability" { 3.1 } else { 1.0 };
            let closed = (midnight(day + Months::new(1)) + Duration::hours(70)).min(tenant.now());
            costs.push(row![
                ids.at(closed),
                id,
                tenant.id(),
                day,
                cents(staff * pay * (1.0 + random.noise(0.01)) * (1.0 + 0.003 * f64::from(offset))),
                cents(staff * software * leak * (1.0 + random.noise(0.04))),
                cents(staff * travel * summer * closing * (1.0 + random.noise(0.18))),
                cents(marketing * tenant.volume * closing * (1.0 + random.noise(0.12))),
                cents(staff * random.between(90.0, 260.0)),
                staff as i64,
                closed,
                closed,
            ]);
        }
    }
    (vec![rows, costs], keys)
}

fn key(keys: &[(&'static str, Uuid)], name: &str) -> Uuid {
    keys.iter().find(|(of, _)| *of == name).map(|(_, id)| *id).expect("a parent stands before its children")
}

/// Categories of line items: category, subcategory, what it is, share of the budget.
const LINES: [(&str, Option<&str>, &str, f64); 12] = [
    ("Payroll", Some("Salaries"), "Base salaries of the planned positions", 0.46),
    ("Payroll", Some("Benefits"), "Health, pension and statutory contributions", 0.11),
    ("Software", Some("Cloud"), "Compute, storage and network", 0.09),
    ("Software", Some("Licences"), "Subscriptions by seat", 0.06),
    ("Travel", Some("Customer visits"), "Flights, trains and hotels", 0.05),
    ("Marketing", Some("Campaigns"), "Paid media and content", 0.06),
    ("Marketing", Some("Events"), "Booths, sponsoring and our own summit", 0.04),
    ("Professional Services", Some("Contractors"), "External specialists by day rate", 0.05),
    ("Professional Services", Some("Audit and legal"), "Annual audit and counsel", 0.02),
    ("Facilities", None, "Rent, energy and maintenance", 0.04),
    ("Training", None, "Certification and conferences", 0.01),
    ("Equipment", Some("Laptops"), "Replacement every three years", 0.01),
];

struct Plan {
    name: &'static str,
    /// Years from the current one.
    year: i32,
    version: &'static str,
    status: &'static str,
    department: Option<&'static str>,
    region: Option<&'static str>,
    size: f64,
}

const fn plan(
    name: &'static str,
    year: i32,
    version: &'static str,
    status: &'static str,
    department: Option<&'static str>,
    region: Option<&'static str>,
    size: f64,
) -> Plan {
    Plan { name, year, version, status, department, region, size }
}

#[rustfmt::skip]
const PLANS: [Plan; 18] = [
    plan("Company plan", -1, "v1", "locked", None, None, 96.0),
    plan("Engineering", -1, "v1", "locked", Some("Engineering"), None, 31.0),
    plan("Sales", -1, "v1", "locked", Some("Sales"), None, 19.0),
    plan("Company plan", 0, "v1", "locked", None, None, 104.0),
    plan("Company plan, mid-year revision", 0, "v2", "approved", None, None, 108.5),
    plan("Engineering", 0, "v1", "locked", Some("Engineering"), None, 34.0),
    plan("Engineering, revised", 0, "v2", "approved", Some("Engineering"), None, 36.2),
    plan("Sales", 0, "v1", "approved", Some("Sales"), None, 21.0),
    plan("Europe Sales", 0, "v1", "approved", Some("Europe Sales"), Some("Europe"), 5.4),
    plan("Americas Sales", 0, "v1", "approved", Some("Americas Sales"), Some("North America"), 8.1),
    plan("Marketing", 0, "v1", "approved", Some("Marketing"), None, 7.7),
    plan("Marketing, autumn campaign", 0, "v2", "submitted", Some("Marketing"), None, 8.4),
    plan("Asia Pacific expansion", 0, "v1-apac", "submitted", None, Some("Asia Pacific"), 6.3),
    plan("Company plan", 1, "v1", "draft", None, None, 117.0),
    plan("Engineering", 1, "v1", "submitted", Some("Engineering"), None, 38.5),
    plan("Europe Sales", 1, "v1", "draft", Some("Europe Sales"), Some("Europe"), 6.0),
    plan("Customer Success", 1, "v1", "draft", Some("Customer Success"), None, 9.2),
    plan("Finance", 1, "v1", "submitted", Some("Finance"), None, 3.3),
];

/// Fills `budgets` and `budget_line_items`.
pub(crate) fn budgets(tenant: &Tenant, departments: &[(&'static str, Uuid)]) -> Vec<Rows> {
    let mut budgets = Rows::new(
        "budgets",
        &[
            "id",
            "organization_id",
            "name",
            "fiscal_year",
            "version",
            "status",
            "department_id",
            "region",
            "total_amount",
            "submitted_by",
            "submitted_at",
            "approved_by",
            "approved_at",
            "created_at",
            "updated_at",
            "created_by",
        ],
    );
    let mut lines = Rows::new(
        "budget_line_items",
        &[
            "id",
            "budget_id",
            "category",
            "subcategory",
            "description",
            "q1_amount",
            "q2_amount",
            "q3_amount",
            "q4_amount",
            "assumptions",
            "created_at",
            "updated_at",
        ],
    );
    let (mut random, mut ids) = (tenant.random("budgets"), tenant.ids("budgets"));
    let authors = tenant.staff(&["FINANCE_MANAGER", "ANALYST"]);
    let cfo = tenant.role("CFO").id;
    for plan in &PLANS {
        let year = tenant.today.year() + plan.year;
        let made = drafted(tenant, &mut random, year);
        let author = random.pick(&authors).id;
        let submitted = (plan.status != "draft").then(|| later(tenant, made, random.between(5.0, 15.0)));
        let approved = matches!(plan.status, "approved" | "locked")
            .then(|| later(tenant, submitted.unwrap_or(made), random.between(2.0, 9.0)));
        let updated = approved.or(submitted).unwrap_or(made);
        let id = ids.at(made);
        let mut total = Decimal::ZERO;
        for &(category, subcategory, description, share) in LINES.iter().take(random.whole(6, 12) as usize) {
            let quarter = plan.size * 1_000_000.0 * tenant.volume * share / 4.0;
            let quarters = [0.97, 0.99, 1.01, 1.03]
                .map(|step| Decimal::from((quarter * step * random.between(0.96, 1.04) / 100.0).round() as i64 * 100));
            total += quarters.iter().sum::<Decimal>();
            let [q1, q2, q3, q4] = quarters;
            lines.push(row![
                ids.at(made),
                id,
                category,
                subcategory,
                description,
                q1,
                q2,
                q3,
                q4,
                assumptions(&mut random, category),
                made,
                made,
            ]);
        }
        budgets.push(row![
            id,
            tenant.id(),
            format!("{} {year}", plan.name),
            year,
            plan.version,
            plan.status,
            plan.department.map(|name| key(departments, name)),
            plan.region,
            total,
            submitted.map(|_| author),
            submitted,
            approved.map(|_| cfo),
            approved,
            made,
            updated,
            author,
        ]);
    }
    vec![budgets, lines]
}

/// Budgets are drafted in the autumn before their year, or lately where that is still to come.
fn drafted(tenant: &Tenant, random: &mut Random, year: i32) -> DateTime<Utc> {
    let autumn = NaiveDate::from_ymd_opt(year - 1, 10, 1).expect("October has a first day");
    let days = random.between(1.0, 40.0);
    (midnight(autumn) + Duration::hours((days * 24.0) as i64)).min(tenant.ago(24.0 * (30.0 + days)))
}

fn later(tenant: &Tenant, from: DateTime<Utc>, days: f64) -> DateTime<Utc> {
    (from + Duration::minutes((days * 1440.0) as i64)).min(tenant.ago(3.0))
}

fn assumptions(random: &mut Random, category: &str) -> serde_json::Value {
    let growth = random.whole(2, 6);
    match category {
        "Payroll" => {
            json!({ "headcount": random.whole(8, 140), "meritIncreasePercent": growth, "attritionPercent": 8 })
        }
        "Software" => json!({ "seats": random.whole(20, 400), "priceIncreasePercent": growth, "basis": "contract" }),
        "Travel" => json!({ "tripsPerQuarter": random.whole(4, 60), "averageTrip": 1850 }),
        "Marketing" => json!({ "costPerLead": random.whole(85, 160), "leads": random.whole(400, 3000) }),
        _ => json!({ "inflationPercent": growth, "basis": "prior year actuals" }),
    }
}
