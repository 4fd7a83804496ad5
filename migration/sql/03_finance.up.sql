-- The financial domain: the metric series, departments and their costs, budgets, vendors and their spend, anomalies.

-- The kind of a financial metric. Values are amounts of money, but for those said to be percentages.
CREATE TYPE metric_type AS ENUM (
    'REVENUE', -- Revenue: the income recognized in the period, an amount.
    'ARR', -- Annual recurring revenue: the yearly value of the subscriptions in force, an amount.
    'MRR', -- Monthly recurring revenue: the monthly value of the subscriptions in force, an amount.
    'EBITDA', -- Earnings before interest, taxes, depreciation and amortization, an amount.
    'GROSS_MARGIN', -- Gross margin: gross profit in percent of revenue, 0-100, or negative when goods cost more than they bring in; never summed.
    'OPERATING_EXPENSE', -- Operating expense (OpEx): the cost of running the business in the period, an amount; more is unfavourable.
    'CASH_FLOW', -- Cash flow: cash received less cash paid in the period, an amount; negative when more went out.
    'NET_INCOME', -- Net income: the profit after all costs and taxes, an amount; negative for a loss.
    'CAC', -- Customer acquisition cost: sales and marketing spend per customer won, an amount; more is unfavourable.
    'LTV', -- Customer lifetime value: the gross profit expected from a customer over the whole relationship, an amount.
    'NRR', -- Net revenue retention: recurring revenue kept from existing customers, expansion included, in percent; may exceed 100; never summed.
    'CHURN_RATE' -- Churn rate: customers or revenue lost in the period, percent 0-100; more is unfavourable; never summed.
);

-- How much risk something carries.
CREATE TYPE risk_level AS ENUM (
    'low', -- Low risk: no action is needed.
    'medium', -- Medium risk: worth watching.
    'high', -- High risk: needs attention.
    'critical' -- Critical risk: needs action at once.
);

-- How serious a finding is.
CREATE TYPE severity_level AS ENUM (
    'low', -- Low severity: a small deviation.
    'medium', -- Medium severity: worth a look.
    'high', -- High severity: needs an explanation.
    'critical' -- Critical severity: needs action at once.
);

-- How far the work on an anomaly has come.
CREATE TYPE anomaly_status AS ENUM (
    'open', -- The anomaly was detected and nobody works on it yet.
    'investigating', -- Somebody looks for the cause.
    'resolved', -- The cause was found and dealt with.
    'dismissed' -- The anomaly was judged not to matter, or to be none.
);

-- Where a budget stands in its approval.
CREATE TYPE budget_status AS ENUM (
    'draft', -- The budget is being written; only now can its line items change.
    'submitted', -- The budget waits for approval.
    'approved', -- The budget was approved.
    'locked' -- The budget is approved and closed for good.
);

-- Whether business is done with a vendor.
CREATE TYPE vendor_status AS ENUM (
    'active', -- Business is done with the vendor.
    'inactive', -- No business is done with the vendor any more.
    'pending_review' -- The vendor waits for a review.
);

-- A value of the financial series: one metric on one date, for one region, line of business and product, as actual, forecast and budget.
CREATE TABLE financial_metrics (
    id uuid NOT NULL DEFAULT gen_random_uuid(), -- Identifier of the metric value.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- Organization whose metric this is.
    metric_date date NOT NULL, -- Date of the period that the value stands for.
    metric_type metric_type NOT NULL, -- Kind of the metric, which also says whether its values are amounts or percentages.
    region varchar(50), -- Region that the value is for. NULL when it is not broken down by region.
    lob varchar(50), -- Line of business that the value is for, such as Software or Services. NULL when it is not broken down by it.
    product varchar(100), -- Product that the value is for. NULL when it is not broken down by product.
    actual_value numeric(20,2), -- Actual: what was achieved, in the currency of the row, or percent for a percentage metric. NULL while it is not known.
    forecast_value numeric(20,2), -- Forecast: what is expected, in the unit of the actual. NULL without a forecast.
    budget_value numeric(20,2), -- Budget: what was planned, in the unit of the actual. NULL without a budget.
    confidence_lower numeric(20,2), -- Lower end of the confidence interval of the forecast, in the unit of the actual. NULL when the forecast has none.
    confidence_upper numeric(20,2), -- Upper end of the confidence interval of the forecast, in the unit of the actual. NULL when the forecast has none.
    forecast_model varchar(100), -- Name of the model that made the forecast. NULL for a forecast made by hand, or none.
    currency varchar(3) NOT NULL DEFAULT 'USD', -- Currency of the amounts in this row, as an ISO 4217 code.
    source_system varchar(100), -- System that the value came from. NULL when it is unknown.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the value was first recorded.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the value was last edited.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency.
    CONSTRAINT pk_financial_metrics PRIMARY KEY (id, metric_date),
    CONSTRAINT uq_financial_metrics_key UNIQUE NULLS NOT DISTINCT (organization_id, metric_date, metric_type, region, lob, product),
    CONSTRAINT ck_financial_metrics_confidence CHECK (confidence_lower <= confidence_upper),
    CONSTRAINT ck_financial_metrics_currency CHECK (currency ~ '^[A-Z]{3}$')
) PARTITION BY RANGE (metric_date);

CREATE TABLE financial_metrics_default PARTITION OF financial_metrics DEFAULT;

-- The document's lookup by organization, date and type is served by the natural key.
CREATE INDEX idx_financial_metrics_organization ON financial_metrics (organization_id, metric_date DESC, id DESC);
CREATE INDEX idx_financial_metrics_type ON financial_metrics (organization_id, metric_type, metric_date DESC);
CREATE INDEX idx_financial_metrics_region ON financial_metrics (organization_id, region) WHERE region IS NOT NULL;

SELECT grant_access('financial_metrics');
SELECT keep_versions('financial_metrics');

-- A department, also called cost centre. Departments form a tree: each may lie within another one of the same organization.
CREATE TABLE departments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the department.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- Organization that the department belongs to.
    name varchar(255) NOT NULL, -- Name of the department, unique within the organization.
    code varchar(50), -- Internal code of the department (cost centre code), such as ENG-001. NULL when it has none.
    parent_id uuid, -- Department that this one lies within. NULL at the top of the tree.
    head_user_id uuid REFERENCES users (id), -- User who leads the department. NULL when nobody does.
    annual_budget numeric(20,2), -- Budget of the department for a year, in the currency of the organization. NULL when none was set.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the department was created.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the department was last edited.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency.
    CONSTRAINT uq_departments_name UNIQUE (organization_id, name),
    CONSTRAINT uq_departments_organization UNIQUE (id, organization_id),
    CONSTRAINT fk_departments_parent FOREIGN KEY (parent_id, organization_id) REFERENCES departments (id, organization_id),
    CONSTRAINT ck_departments_annual_budget CHECK (annual_budget >= 0)
);

CREATE INDEX idx_departments_organization ON departments (organization_id, name COLLATE natural_order, id);
CREATE INDEX idx_departments_parent ON departments (parent_id, name COLLATE natural_order, id);
CREATE INDEX idx_departments_head_user ON departments (head_user_id, name COLLATE natural_order, id);

\i functions/refuse_department_cycle.sql

CREATE TRIGGER refuse_department_cycle AFTER INSERT OR UPDATE OF parent_id ON departments
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION refuse_department_cycle();

SELECT grant_access('departments');
SELECT keep_versions('departments');

-- The costs of a department in one month, by category, with its headcount. Amounts are in the currency of the organization; a negative one is a credit.
CREATE TABLE department_costs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the monthly costs.
    department_id uuid NOT NULL, -- Department that the costs belong to.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- Organization of the department.
    period_date date NOT NULL, -- Month of the costs, given as its first day.
    payroll numeric(20,2) NOT NULL DEFAULT 0, -- Payroll cost: salaries, benefits and taxes on them, in the currency of the organization.
    software numeric(20,2) NOT NULL DEFAULT 0, -- Software cost, in the currency of the organization.
    travel numeric(20,2) NOT NULL DEFAULT 0, -- Travel cost, in the currency of the organization.
    marketing numeric(20,2) NOT NULL DEFAULT 0, -- Marketing cost, in the currency of the organization.
    other numeric(20,2) NOT NULL DEFAULT 0, -- All other cost, in the currency of the organization.
    headcount integer, -- Number of employees in the month. NULL when it is unknown.
    total_cost numeric(20,2) GENERATED ALWAYS AS (payroll + software + travel + marketing + other) STORED NOT NULL, -- Total cost: the sum of payroll, software, travel, marketing and other, in the currency of the organization.
    cost_per_employee numeric(20,2) GENERATED ALWAYS AS (CASE WHEN headcount > 0 THEN (payroll + software + travel + marketing + other) / headcount END) STORED, -- Cost per employee: total cost divided by headcount, in the currency of the organization. NULL when the headcount is unknown or zero, since there is then no such figure.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the costs were first recorded.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the costs were last edited.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency.
    CONSTRAINT uq_department_costs_period UNIQUE (department_id, period_date),
    CONSTRAINT fk_department_costs_department FOREIGN KEY (department_id, organization_id) REFERENCES departments (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT ck_department_costs_period CHECK (extract(day FROM period_date) = 1),
    CONSTRAINT ck_department_costs_headcount CHECK (headcount >= 0)
);

CREATE INDEX idx_department_costs_department ON department_costs (department_id, period_date DESC, id DESC);
CREATE INDEX idx_department_costs_organization ON department_costs (organization_id, period_date DESC, id DESC);

SELECT grant_access('department_costs');
SELECT keep_versions('department_costs');

-- A budget: the planned spending of a fiscal year, for a department or the whole organization. It goes from draft over submitted and approved to locked.
CREATE TABLE budgets (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the budget.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- Organization that the budget belongs to.
    name varchar(255) NOT NULL, -- Name of the budget.
    fiscal_year integer NOT NULL, -- Fiscal year that the budget is for, such as 2026.
    version varchar(50) NOT NULL DEFAULT 'v1', -- Label of the budget version, such as v1 or a reforecast; several versions of one year may exist side by side.
    status budget_status NOT NULL DEFAULT 'draft', -- Where the budget stands in its approval.
    department_id uuid, -- Department that the budget is for. NULL when it is for the whole organization.
    region varchar(50), -- Region that the budget is for. NULL when it is for every region.
    total_amount numeric(20,2) NOT NULL DEFAULT 0, -- Total budget: always the sum of the annual amounts of the line items, in the currency of the organization.
    submitted_by uuid REFERENCES users (id), -- User who submitted the budget for approval. NULL before it was submitted.
    submitted_at timestamptz, -- When the budget was submitted for approval. NULL before.
    approved_by uuid REFERENCES users (id), -- User who approved the budget, never the one who submitted it. NULL before it was approved.
    approved_at timestamptz, -- When the budget was approved. NULL before.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the budget was created.
    created_by uuid REFERENCES users (id), -- User who created the budget. NULL when it was not created by a user.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the budget was last edited, its line items included.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency; a change of the total counts too. It is not the version label.
    CONSTRAINT uq_budgets_version UNIQUE NULLS NOT DISTINCT (organization_id, fiscal_year, version, department_id),
    CONSTRAINT fk_budgets_department FOREIGN KEY (department_id, organization_id) REFERENCES departments (id, organization_id),
    CONSTRAINT ck_budgets_fiscal_year CHECK (fiscal_year BETWEEN 1900 AND 2999),
    CONSTRAINT ck_budgets_submitted CHECK (status = 'draft' OR (submitted_by IS NOT NULL AND submitted_at IS NOT NULL)),
    CONSTRAINT ck_budgets_approved CHECK (status NOT IN ('approved', 'locked') OR (approved_by IS NOT NULL AND approved_at IS NOT NULL)),
    CONSTRAINT ck_budgets_four_eyes CHECK (approved_by <> submitted_by)
);

CREATE INDEX idx_budgets_organization ON budgets (organization_id, fiscal_year DESC, name COLLATE natural_order, id);
CREATE INDEX idx_budgets_department ON budgets (department_id, fiscal_year DESC, name COLLATE natural_order, id);
CREATE INDEX idx_budgets_submitted_by ON budgets (submitted_by, fiscal_year DESC, name COLLATE natural_order, id);
CREATE INDEX idx_budgets_approved_by ON budgets (approved_by, fiscal_year DESC, name COLLATE natural_order, id);
CREATE INDEX idx_budgets_created_by ON budgets (created_by, fiscal_year DESC, name COLLATE natural_order, id);

SELECT grant_access('budgets');
SELECT keep_versions('budgets');

-- A line of a budget: the amounts planned for one category, quarter by quarter. Amounts are in the currency of the organization; a negative one is a saving or a credit.
CREATE TABLE budget_line_items (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the line item.
    budget_id uuid NOT NULL REFERENCES budgets (id) ON DELETE CASCADE, -- Budget that the line belongs to.
    category varchar(100) NOT NULL, -- Category of the spending, such as Payroll, Software or Travel.
    subcategory varchar(100), -- Finer category. NULL when there is none.
    description text, -- What the amounts are for. NULL when nothing was written.
    q1_amount numeric(20,2) NOT NULL DEFAULT 0, -- Amount planned for the first fiscal quarter, in the currency of the organization.
    q2_amount numeric(20,2) NOT NULL DEFAULT 0, -- Amount planned for the second fiscal quarter, in the currency of the organization.
    q3_amount numeric(20,2) NOT NULL DEFAULT 0, -- Amount planned for the third fiscal quarter, in the currency of the organization.
    q4_amount numeric(20,2) NOT NULL DEFAULT 0, -- Amount planned for the fourth fiscal quarter, in the currency of the organization.
    annual_amount numeric(20,2) GENERATED ALWAYS AS (q1_amount + q2_amount + q3_amount + q4_amount) STORED NOT NULL, -- Amount planned for the fiscal year: the sum of the four quarters, in the currency of the organization.
    assumptions jsonb, -- Assumptions behind the amounts, such as headcount or growth, as free JSON. NULL when none were recorded.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the line was created.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the line was last edited.
    row_version integer NOT NULL DEFAULT 1 -- Number of the current edit, counting up from 1, for optimistic concurrency.
);

CREATE INDEX idx_budget_line_items_budget ON budget_line_items (budget_id, category COLLATE natural_order, id);

SELECT grant_access('budget_line_items');
SELECT keep_versions('budget_line_items');

\i functions/own_budget_total.sql

CREATE TRIGGER own_total_of_new BEFORE INSERT ON budgets
    FOR EACH ROW WHEN (NEW.total_amount IS DISTINCT FROM 0) EXECUTE FUNCTION own_budget_total();
CREATE TRIGGER own_total BEFORE UPDATE ON budgets
    FOR EACH ROW WHEN (NEW.total_amount IS DISTINCT FROM OLD.total_amount) EXECUTE FUNCTION own_budget_total();

\i functions/sum_budgets.sql

\i functions/sum_budgets_of_lines.sql

\i functions/sum_budgets_of_edited_lines.sql

CREATE TRIGGER sum_budgets_inserted AFTER INSERT ON budget_line_items
    REFERENCING NEW TABLE AS changed_lines FOR EACH STATEMENT EXECUTE FUNCTION sum_budgets_of_lines();
CREATE TRIGGER sum_budgets_updated AFTER UPDATE ON budget_line_items
    REFERENCING OLD TABLE AS old_lines NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION sum_budgets_of_edited_lines();
CREATE TRIGGER sum_budgets_deleted AFTER DELETE ON budget_line_items
    REFERENCING OLD TABLE AS changed_lines FOR EACH STATEMENT EXECUTE FUNCTION sum_budgets_of_lines();

-- A vendor: a company that the organization buys from, with its contract and its risk.
CREATE TABLE vendors (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the vendor.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- Organization that buys from the vendor.
    name varchar(255) NOT NULL, -- Name of the vendor, unique within the organization.
    category varchar(100) NOT NULL, -- Category of the vendor, such as Cloud Infrastructure, SaaS or Professional Services.
    description text, -- What the vendor supplies. NULL when nothing was written.
    contract_value numeric(20,2), -- Value of the contract over its whole term (total contract value), in the currency of the organization. NULL without a contract.
    contract_start_date date, -- First day of the contract. NULL without a contract.
    contract_end_date date, -- Last day of the contract. NULL without a contract, or when it is open-ended.
    payment_terms varchar(100), -- Payment terms, such as Net 30 or Annual prepaid. NULL when they are unknown.
    auto_renewal boolean NOT NULL DEFAULT false, -- Whether the contract renews itself at its end.
    risk_level risk_level NOT NULL DEFAULT 'low', -- Risk of depending on the vendor.
    risk_notes text, -- Notes on the risk. NULL when there are none.
    primary_contact_name varchar(255), -- Name of the primary contact at the vendor. NULL when it is unknown.
    primary_contact_email varchar(255), -- E-mail address of the primary contact at the vendor. NULL when it is unknown.
    status vendor_status NOT NULL DEFAULT 'active', -- Whether business is done with the vendor.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the vendor was created.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the vendor was last edited.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency.
    CONSTRAINT uq_vendors_name UNIQUE (organization_id, name),
    CONSTRAINT uq_vendors_organization UNIQUE (id, organization_id),
    CONSTRAINT ck_vendors_contract_value CHECK (contract_value >= 0),
    CONSTRAINT ck_vendors_contract_dates CHECK (contract_end_date >= contract_start_date)
);

CREATE INDEX idx_vendors_organization ON vendors (organization_id, name COLLATE natural_order, id);

SELECT grant_access('vendors');
SELECT keep_versions('vendors');

-- What was spent on a vendor in one month, against what was budgeted.
CREATE TABLE vendor_spend (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the monthly spend.
    vendor_id uuid NOT NULL, -- Vendor that the money was spent on.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- Organization that spent the money.
    period_date date NOT NULL, -- Month of the spend, given as its first day.
    amount numeric(20,2) NOT NULL, -- Amount spent in the month, in the currency of the organization; negative when credits exceed invoices.
    budget_amount numeric(20,2), -- Amount budgeted for the month, in the currency of the organization. NULL when none was.
    yoy_change numeric(9,2), -- Year-over-year change (YoY): the change against the same month of the prior year, in percent; 10 means 10 % more. NULL when there is no prior year to compare with.
    breakdown jsonb, -- Amount by kind of spend, as an object such as compute 50000 and storage 20000, in the currency of the organization. NULL when it is not broken down.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the spend was first recorded.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the spend was last edited.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency.
    CONSTRAINT uq_vendor_spend_period UNIQUE (vendor_id, period_date),
    CONSTRAINT fk_vendor_spend_vendor FOREIGN KEY (vendor_id, organization_id) REFERENCES vendors (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT ck_vendor_spend_period CHECK (extract(day FROM period_date) = 1),
    CONSTRAINT ck_vendor_spend_budget_amount CHECK (budget_amount >= 0),
    CONSTRAINT ck_vendor_spend_breakdown CHECK (jsonb_typeof(breakdown) = 'object')
);

CREATE INDEX idx_vendor_spend_vendor ON vendor_spend (vendor_id, period_date DESC, id DESC);
CREATE INDEX idx_vendor_spend_organization ON vendor_spend (organization_id, period_date DESC, id DESC);

SELECT grant_access('vendor_spend');
SELECT keep_versions('vendor_spend');

-- An anomaly: a deviation of a metric from what its series led to expect, with its analysis, its action plan and its resolution.
CREATE TABLE anomalies (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the anomaly.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- Organization whose metric deviates.
    metric_type metric_type NOT NULL, -- Kind of the metric that deviates.
    detected_at timestamptz NOT NULL DEFAULT now(), -- When the anomaly was detected.
    detection_model varchar(100), -- Name of the model or method that detected it. NULL when a person did.
    severity severity_level NOT NULL, -- How serious the deviation is.
    description text NOT NULL, -- What deviates, and from what.
    primary_driver varchar(200), -- Primary driver: the region, line of business or product that contributes most to the deviation. NULL when none was found.
    impact_value numeric(20,2), -- Impact: actual less expected value, in the currency of the organization, or percentage points for a percentage metric. NULL when it was not measured.
    impact_percentage numeric(9,2), -- Impact in percent of the expected value; negative below it, and it may exceed 100. NULL when it was not measured.
    affected_period_start date, -- First day of the affected period. NULL when it is unknown.
    affected_period_end date, -- Last day of the affected period. NULL when it is unknown or goes on.
    affected_region varchar(50), -- Region affected. NULL when it is not confined to one.
    affected_department varchar(100), -- Name of the department affected. NULL when it is not confined to one.
    ai_analysis text, -- Root cause analysis (RCA) written by the assistant. NULL before there is one.
    ai_analysis_at timestamptz, -- When the root cause analysis was written. NULL before.
    ai_confidence numeric(9,2), -- Confidence of the analysis, percent 0-100. NULL without an analysis.
    action_plan text, -- Action plan written by the assistant. NULL before there is one.
    action_plan_at timestamptz, -- When the action plan was written. NULL before.
    status anomaly_status NOT NULL DEFAULT 'open', -- How far the work on the anomaly has come.
    assigned_to uuid REFERENCES users (id), -- User who works on the anomaly. NULL when nobody was assigned.
    assigned_at timestamptz, -- When it was assigned. NULL when nobody was assigned.
    resolved_at timestamptz, -- When the anomaly was resolved or dismissed. NULL before.
    resolved_by uuid REFERENCES users (id), -- User who resolved or dismissed the anomaly. NULL before.
    resolution_notes text, -- How it was resolved, or why it was dismissed. NULL before.
    related_anomaly_ids uuid[], -- Identifiers of related anomalies. NULL when there are none.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the anomaly was recorded.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the anomaly was last edited.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency.
    CONSTRAINT ck_anomalies_period CHECK (affected_period_end >= affected_period_start),
    CONSTRAINT ck_anomalies_ai_confidence CHECK (ai_confidence BETWEEN 0 AND 100),
    CONSTRAINT ck_anomalies_resolved CHECK (status <> 'resolved' OR resolved_at IS NOT NULL)
);

CREATE INDEX idx_anomalies_status ON anomalies (organization_id, status) WHERE status <> 'resolved';
CREATE INDEX idx_anomalies_severity ON anomalies (organization_id, severity) WHERE status = 'open';
CREATE INDEX idx_anomalies_detected ON anomalies (organization_id, detected_at DESC, id DESC);
CREATE INDEX idx_anomalies_assigned_to ON anomalies (assigned_to, detected_at DESC, id DESC);
CREATE INDEX idx_anomalies_resolved_by ON anomalies (resolved_by, detected_at DESC, id DESC);

SELECT grant_access('anomalies');
SELECT keep_versions('anomalies');
