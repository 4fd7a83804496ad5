//! The shapes of JSON columns that the product documents: object types instead of a JSON scalar.

/// The shape of a JSON document.
#[derive(Debug)]
pub enum Shape {
    /// An object with known keys.
    Object(&'static ShapeType),
    /// A list of objects with known keys.
    List(&'static ShapeType),
    /// An object whose keys are data: a list of objects, with the key as the field of that name.
    Entries(&'static str, &'static ShapeType),
    /// A list of strings.
    Strings,
}

/// An object type found inside JSON.
#[derive(Debug)]
pub struct ShapeType {
    /// Its GraphQL name.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its fields; the JSON keys are spelled the same. Every one may be null, for old documents may lack it.
    pub fields: &'static [ShapeField],
}

/// A field of a [`ShapeType`].
#[derive(Debug)]
pub struct ShapeField {
    /// Its name, in GraphQL and in the JSON.
    pub name: &'static str,
    /// What it holds.
    pub doc: &'static str,
    /// The type of its value.
    pub leaf: Leaf,
}

/// The type of a field inside JSON.
#[derive(Debug, Clone, Copy)]
pub enum Leaf {
    /// A string.
    String,
    /// A value of this enum of the database, which the JSON has by its label; of another label, null.
    Enum(&'static str),
    /// A boolean.
    Boolean,
    /// A boolean that is this unless said: never null.
    Switch(bool),
    /// A whole number.
    Int,
    /// A number that must not lose digits: a string in GraphQL.
    Decimal,
    /// Any JSON.
    Json,
    /// A list of strings.
    Strings,
    /// An object.
    Object(&'static ShapeType),
}

macro_rules! shape_types {
    ($($(#[doc = $doc:literal])+ $constant:ident = $name:ident { $($(#[doc = $field_doc:literal])+ $field:ident: $leaf:expr,)+ })+) => {
        $(static $constant: ShapeType = ShapeType {
            name: stringify!($name),
            doc: concat!($($doc),+).trim_ascii(),
            fields: &[$(ShapeField {
                name: stringify!($field),
                doc: concat!($($field_doc),+).trim_ascii(),
                leaf: $leaf,
            },)+],
        };)+
    };
}

shape_types! {
    /// How an organization works with the product.
    SETTINGS = OrganizationSettings {
        /// The month in which the fiscal year begins, in English.
        fiscalYearStart: Leaf::String,
        /// The reporting currency, ISO 4217.
        currency: Leaf::String,
        /// The time zone of its days and months, IANA name.
        timezone: Leaf::String,
        /// The parts of the product that are switched on.
        features: Leaf::Object(&FEATURES),
        /// Per provider: whether its integration is enabled.
        integrations: Leaf::Json,
    }
    /// The parts of the product that an organization has switched on.
    FEATURES = OrganizationFeatures {
        /// Whether the assistant may act.
        aiAgent: Leaf::Boolean,
        /// Whether scenarios can be run.
        scenarios: Leaf::Boolean,
        /// Whether governance is in use.
        governance: Leaf::Boolean,
    }
    /// How a user likes the product to look and to notify.
    PREFERENCES = UserPreferences {
        /// The colour theme: `light` or `dark`.
        theme: Leaf::String,
        /// The name of the dashboard layout.
        dashboardLayout: Leaf::String,
        /// What the user is notified of, and how.
        notifications: Leaf::Object(&NOTIFICATIONS),
        /// The filters that dashboards open with.
        defaultFilters: Leaf::Object(&DEFAULT_FILTERS),
    }
    /// What a user is notified of, and how.
    NOTIFICATIONS = NotificationPreferences {
        /// Whether by e-mail.
        email: Leaf::Boolean,
        /// Whether inside the product.
        inApp: Leaf::Boolean,
        /// Whether of new anomalies.
        anomalyAlerts: Leaf::Boolean,
    }
    /// The filters that a user's dashboards open with.
    DEFAULT_FILTERS = DefaultFilters {
        /// The region, or null for all.
        region: Leaf::String,
        /// The span of time, such as `last_30_days`.
        dateRange: Leaf::String,
    }
    /// The device that a session was opened on, as it introduced itself.
    DEVICE = DeviceInfo {
        /// Browser and its version.
        browser: Leaf::String,
        /// Operating system and its version.
        os: Leaf::String,
        /// The kind of device, such as `Desktop`.
        device: Leaf::String,
        /// Where it seems to be, city and country.
        location: Leaf::String,
    }
    /// The deals of one stage of the pipeline.
    STAGE = StageBreakdown {
        /// The stage.
        stage: Leaf::Enum("deal_stage"),
        /// The sum of the deals' values, in the organization's currency.
        value: Leaf::Decimal,
        /// How many deals.
        count: Leaf::Int,
    }
    /// The deals of one region.
    REGION = RegionBreakdown {
        /// The region.
        region: Leaf::Enum("deal_region"),
        /// The sum of the deals' values, in the organization's currency.
        value: Leaf::Decimal,
        /// How many deals.
        count: Leaf::Int,
    }
    /// The deals of one customer segment.
    SEGMENT = SegmentBreakdown {
        /// The segment.
        segment: Leaf::Enum("deal_segment"),
        /// The sum of the deals' values, in the organization's currency.
        value: Leaf::Decimal,
        /// How many deals.
        count: Leaf::Int,
    }
    /// Where a statement of the assistant comes from.
    CITATION = Citation {
        /// The number by which the text refers to it.
        id: Leaf::Int,
        /// The kind of source, such as `database`.
        sourceType: Leaf::String,
        /// The name of the source, such as a table.
        sourceName: Leaf::String,
        /// When the source was read, RFC 3339.
        timestamp: Leaf::String,
    }
    /// A span of days.
    RANGE = DateRange {
        /// Its first day, ISO 8601.
        start: Leaf::String,
        /// The day after its last, ISO 8601.
        end: Leaf::String,
    }
    /// The levers of a scenario, each as a change against today.
    PARAMETERS = ScenarioParameters {
        /// Change of investment, in the currency of the organization.
        investment: Leaf::Decimal,
        /// Change of headcount, in positions.
        headcount: Leaf::Decimal,
        /// Change of price, in percent.
        price: Leaf::Decimal,
        /// Per lever: the distribution it is drawn from, with its parameters.
        distributions: Leaf::Json,
    }
    /// What the assistant makes of a scenario's results.
    ANALYSIS = ScenarioAnalysis {
        /// What would soften the downside.
        mitigation: Leaf::Strings,
        /// What would add to the upside.
        growth: Leaf::Strings,
    }
    /// Percentiles of a scenario's outcome: the value that the given share of runs stays at or below.
    PERCENTILE = Percentiles {
        /// 5 % of runs stay at or below it.
        p5: Leaf::Decimal,
        /// 10 % of runs stay at or below it.
        p10: Leaf::Decimal,
        /// 25 % of runs stay at or below it.
        p25: Leaf::Decimal,
        /// The median.
        p50: Leaf::Decimal,
        /// 75 % of runs stay at or below it.
        p75: Leaf::Decimal,
        /// 90 % of runs stay at or below it.
        p90: Leaf::Decimal,
        /// 95 % of runs stay at or below it.
        p95: Leaf::Decimal,
    }
    /// One bar of the distribution of a scenario's outcomes.
    BIN = HistogramBin {
        /// The least outcome of the bar.
        from: Leaf::Decimal,
        /// The outcome at which the next bar begins.
        to: Leaf::Decimal,
        /// How many runs ended in it.
        count: Leaf::Int,
    }
    /// What an audited action did.
    AUDIT = AuditDetails {
        /// The action in one sentence.
        description: Leaf::String,
        /// The changed fields as they were.
        before: Leaf::Json,
        /// The changed fields as they became.
        after: Leaf::Json,
        /// What was done to other rows: an object for each, with its `type`, its `id`, `what` was done, and its fields `before` and `after`.
        also: Leaf::Json,
        /// The reason that the actor gave.
        reason: Leaf::String,
        /// The action that was refused.
        attempted: Leaf::String,
        /// The permission that was lacking.
        permission: Leaf::String,
    }
    /// The rules under which a workspace is governed.
    GOVERNANCE = GovernanceRules {
        /// Whether an edit of a sensitive clause needs a reason; true unless said.
        requireReasonForSensitiveEdits: Leaf::Switch(true),
        /// Whether legal members may revert the draft to the baseline; false unless said.
        legalCanRevertDraft: Leaf::Switch(false),
        /// Whether an override of the baseline waits for a risk member's approval; true unless said.
        riskApprovalRequiredForOverride: Leaf::Switch(true),
        /// Whether unresolved HIGH drift blocks publishing; true unless said.
        publishBlockedWhenHighDrift: Leaf::Switch(true),
        /// Whether definitions are locked once approved; true unless said.
        definitionsLockedAfterApproval: Leaf::Switch(true),
        /// Whether legal members of another organization only read; false unless said.
        externalCounselReadOnly: Leaf::Switch(false),
    }
}

pub(super) static ORGANIZATION_SETTINGS: Shape = Shape::Object(&SETTINGS);
pub(super) static USER_PREFERENCES: Shape = Shape::Object(&PREFERENCES);
pub(super) static PERMISSIONS: Shape = Shape::Strings;
pub(super) static DEVICE_INFO: Shape = Shape::Object(&DEVICE);
pub(super) static STAGE_BREAKDOWN: Shape = Shape::Entries("stage", &STAGE);
pub(super) static REGION_BREAKDOWN: Shape = Shape::Entries("region", &REGION);
pub(super) static SEGMENT_BREAKDOWN: Shape = Shape::Entries("segment", &SEGMENT);
pub(super) static CITATIONS: Shape = Shape::List(&CITATION);
pub(super) static DATE_RANGE: Shape = Shape::Object(&RANGE);
pub(super) static SCENARIO_PARAMETERS: Shape = Shape::Object(&PARAMETERS);
pub(super) static SCENARIO_ANALYSIS: Shape = Shape::Object(&ANALYSIS);
pub(super) static PERCENTILES: Shape = Shape::Object(&PERCENTILE);
pub(super) static HISTOGRAM: Shape = Shape::List(&BIN);
pub(super) static AUDIT_DETAILS: Shape = Shape::Object(&AUDIT);
pub(super) static GOVERNANCE_RULES: Shape = Shape::Object(&GOVERNANCE);
