-- The sales domain: deals, what was changed in them, and snapshots of the pipeline.

-- The stage of a deal in the sales pipeline, in order.
CREATE TYPE deal_stage AS ENUM (
    'Prospecting', -- Prospecting: a possible customer was found.
    'Discovery', -- Discovery: the needs of the customer are being understood.
    'Proposal', -- Proposal: an offer was made.
    'Negotiation', -- Negotiation: terms and price are being agreed.
    'Legal Review', -- Legal review: the contract is with the lawyers.
    'Closed Won', -- Closed won: the contract was signed.
    'Closed Lost' -- Closed lost: the deal will not happen.
);

-- The sales region of a deal.
CREATE TYPE deal_region AS ENUM (
    'North America', -- North America (NA).
    'Europe', -- Europe.
    'Middle East', -- Middle East.
    'Asia Pacific', -- Asia and the Pacific (APAC).
    'Latin America' -- Latin America (LATAM).
);

-- The market segment of a deal, by the size of the customer.
CREATE TYPE deal_segment AS ENUM (
    'Enterprise', -- Enterprise: large companies.
    'Mid-Market', -- Mid-market: companies of middle size.
    'SMB' -- SMB: small and medium-sized businesses.
);

-- The line of business that a deal belongs to.
CREATE TYPE deal_lob AS ENUM (
    'Software', -- Software: licences and subscriptions.
    'Services' -- Services: implementation, consulting and support.
);

-- Who or what changed a deal.
CREATE TYPE deal_change_source AS ENUM (
    'user', -- A user made the change.
    'sync', -- A synchronization with an external system made the change.
    'system' -- The platform itself made the change.
);

-- The rhythm that a pipeline snapshot belongs to.
CREATE TYPE snapshot_type AS ENUM (
    'daily', -- Taken every day.
    'weekly', -- Taken every week.
    'monthly', -- Taken every month.
    'quarter_end' -- Taken at the end of a quarter.
);

-- A deal, also called opportunity: a possible sale, from prospecting until it is won or lost.
CREATE TABLE deals (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the deal.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- Organization that sells.
    external_deal_id varchar(100), -- Identifier of the deal in the external CRM. NULL for a deal that exists here only.
    external_system varchar(100), -- External CRM that the deal comes from, such as salesforce or hubspot. NULL for a deal that exists here only.
    name varchar(500), -- Name of the deal. NULL when it was given none.
    account_name varchar(255), -- Name of the account, which is the customer. NULL when it is unknown.
    account_id uuid, -- Identifier of the account in the external CRM. NULL when it is unknown.
    region deal_region NOT NULL, -- Sales region.
    segment deal_segment NOT NULL, -- Market segment.
    lob deal_lob NOT NULL, -- Line of business (LOB).
    vertical varchar(50), -- Industry of the customer, such as CPG, TMT or LS. NULL when it is unknown.
    revenue_type varchar(50), -- Kind of revenue, such as License, Implementation or Subscription. NULL when it is unknown.
    stage deal_stage NOT NULL, -- Stage in the sales pipeline.
    stage_entered_at timestamptz NOT NULL DEFAULT now(), -- When the deal entered its stage, set whenever the stage changes.
    value numeric(20,2) NOT NULL, -- Value of the deal (total contract value), in the currency of the row.
    currency varchar(3) NOT NULL DEFAULT 'USD', -- Currency of the amounts in this row, as an ISO 4217 code.
    probability numeric(9,2) NOT NULL, -- Probability of winning the deal (win probability), percent 0-100.
    weighted_value numeric(20,2) GENERATED ALWAYS AS (value * probability / 100) STORED NOT NULL, -- Weighted value: the value times the probability, in the currency of the row.
    days_in_pipeline integer NOT NULL DEFAULT 0, -- Age of the deal in days since it entered the pipeline, as last recorded.
    expected_close_date date, -- Date that the deal is expected to close on. NULL when it is unknown.
    actual_close_date date, -- Date that the deal was won or lost on. NULL while it is open.
    owner_id uuid REFERENCES users (id), -- User who owns the deal (account executive). NULL when nobody does.
    channel varchar(100), -- Channel that the deal came through, such as Outbound, Inbound or Partner. NULL when it is unknown.
    campaign_source varchar(200), -- Marketing campaign that the deal came from. NULL when it came from none.
    close_reason varchar(255), -- Reason why the deal closed; a lost deal always has one. NULL while it is open, or when it was won without one.
    competitor_lost_to varchar(255), -- Competitor that the deal was lost to. NULL when it was not lost, or to nobody known.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the deal was created.
    synced_at timestamptz, -- When the deal was last synchronized with the external CRM. NULL when it never was.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the deal was last edited.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency.
    CONSTRAINT ck_deals_value CHECK (value >= 0),
    CONSTRAINT ck_deals_currency CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT ck_deals_probability CHECK (probability BETWEEN 0 AND 100),
    CONSTRAINT ck_deals_days_in_pipeline CHECK (days_in_pipeline >= 0),
    CONSTRAINT ck_deals_closed CHECK (stage NOT IN ('Closed Won', 'Closed Lost') OR actual_close_date IS NOT NULL),
    CONSTRAINT ck_deals_lost CHECK (stage <> 'Closed Lost' OR (close_reason IS NOT NULL AND btrim(close_reason) <> ''))
);

-- Unique only where there is an external identifier: an organization has many deals that no CRM knows.
CREATE UNIQUE INDEX uq_deals_external ON deals (organization_id, external_deal_id, external_system) NULLS NOT DISTINCT
    WHERE external_deal_id IS NOT NULL;
CREATE INDEX idx_deals_organization ON deals (organization_id, created_at DESC, id DESC);
CREATE INDEX idx_deals_owner ON deals (owner_id, created_at DESC, id DESC);
CREATE INDEX idx_deals_org_stage ON deals (organization_id, stage);
CREATE INDEX idx_deals_org_owner ON deals (organization_id, owner_id);
CREATE INDEX idx_deals_org_region ON deals (organization_id, region);
CREATE INDEX idx_deals_close_date ON deals (organization_id, expected_close_date) WHERE stage NOT IN ('Closed Won', 'Closed Lost');

\i functions/enter_deal_stage.sql

CREATE TRIGGER enter_stage BEFORE UPDATE ON deals
    FOR EACH ROW WHEN (NEW.stage IS DISTINCT FROM OLD.stage) EXECUTE FUNCTION enter_deal_stage();

SELECT grant_access('deals');
SELECT keep_versions('deals');

-- A change of one field of a deal: what it was before, what it became, by whom and when.
CREATE TABLE deal_history (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the change.
    deal_id uuid NOT NULL REFERENCES deals (id) ON DELETE CASCADE, -- Deal that was changed.
    field_changed varchar(100) NOT NULL, -- Name of the field that was changed.
    old_value text, -- Value before the change, as text. NULL when the field was empty.
    new_value text, -- Value after the change, as text. NULL when the field was emptied.
    changed_by uuid REFERENCES users (id), -- User who made the change. NULL when no user did.
    change_source deal_change_source, -- Who or what made the change. NULL when it is unknown.
    changed_at timestamptz NOT NULL DEFAULT now() -- When the change was made.
);

CREATE INDEX idx_deal_history_deal ON deal_history (deal_id, changed_at DESC, id DESC);
CREATE INDEX idx_deal_history_changed_by ON deal_history (changed_by, changed_at DESC, id DESC);

SELECT grant_access('deal_history');

-- A snapshot of the open pipeline on one date, kept for comparison over time. Amounts are in the currency of the organization.
CREATE TABLE pipeline_snapshots (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the snapshot.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- Organization whose pipeline this is.
    snapshot_date date NOT NULL, -- Date that the snapshot was taken on.
    snapshot_type snapshot_type, -- Rhythm that the snapshot belongs to. NULL when it was taken on demand.
    total_pipeline_value numeric(20,2), -- Pipeline value: the sum of the values of the open deals, in the currency of the organization. NULL when it was not recorded.
    weighted_pipeline_value numeric(20,2), -- Weighted pipeline: the sum of the values times their probabilities, in the currency of the organization. NULL when it was not recorded.
    deal_count integer, -- Number of open deals. NULL when it was not recorded.
    stage_breakdown jsonb, -- Value and count by stage, as an object that maps each stage to an object with value and count. NULL when it was not recorded.
    region_breakdown jsonb, -- Value and count by region, as an object like that of the stages. NULL when it was not recorded.
    segment_breakdown jsonb, -- Value and count by segment, as an object like that of the stages. NULL when it was not recorded.
    forecast_this_quarter numeric(20,2), -- Bookings forecast for the quarter of the snapshot, in the currency of the organization. NULL when there was none.
    forecast_next_quarter numeric(20,2), -- Bookings forecast for the quarter after that of the snapshot, in the currency of the organization. NULL when there was none.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the snapshot was recorded.
    CONSTRAINT uq_pipeline_snapshots_date UNIQUE NULLS NOT DISTINCT (organization_id, snapshot_date, snapshot_type),
    CONSTRAINT ck_pipeline_snapshots_values CHECK (total_pipeline_value >= 0 AND weighted_pipeline_value >= 0 AND deal_count >= 0),
    CONSTRAINT ck_pipeline_snapshots_weighted CHECK (weighted_pipeline_value <= total_pipeline_value)
);

CREATE INDEX idx_pipeline_snapshots_organization ON pipeline_snapshots (organization_id, snapshot_date DESC, id DESC);

SELECT grant_access('pipeline_snapshots');
