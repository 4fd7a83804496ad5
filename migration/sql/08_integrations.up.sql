-- The systems from which an organization's figures come, and every synchronization with them.

-- The kind of a connected system.
CREATE TYPE integration_type AS ENUM (
    'ERP', -- Enterprise resource planning, with the general ledger.
    'CRM', -- Customer relationship management, with the sales pipeline.
    'HRIS', -- Human resources information system, with headcount and salaries.
    'DW', -- Data warehouse.
    'BI', -- Business intelligence.
    'OTHER' -- Any other system.
);

-- Where an integration stands.
CREATE TYPE integration_status AS ENUM (
    'active', -- The integration works.
    'inactive', -- The integration is switched off.
    'error', -- The last synchronizations have failed.
    'pending_setup' -- The integration is not set up completely yet.
);

-- How often an integration is synchronized.
CREATE TYPE sync_frequency AS ENUM (
    'realtime', -- As soon as something changes.
    'hourly', -- Every hour.
    'daily' -- Every day.
);

-- How a synchronization went.
CREATE TYPE sync_status AS ENUM (
    'running', -- The synchronization is under way.
    'success', -- All records were taken over.
    'partial', -- Some records were taken over, others failed.
    'failed' -- The synchronization has failed.
);

-- What started a synchronization.
CREATE TYPE sync_trigger AS ENUM (
    'scheduled', -- The schedule of the integration.
    'manual', -- A user.
    'webhook' -- A call from the connected system.
);

-- The weight of a log entry.
CREATE TYPE log_level AS ENUM (
    'debug', -- A detail that helps to find a fault.
    'info', -- An ordinary event.
    'warning', -- Something unexpected that did no harm yet.
    'error' -- Something has failed.
);

-- A connection to a system of record of the organization.
CREATE TABLE integrations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the integration.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- The organization that the integration belongs to.
    name varchar(255) NOT NULL, -- The name of the integration.
    type integration_type NOT NULL, -- The kind of the connected system.
    provider varchar(100) NOT NULL, -- The product behind the integration, such as sap, salesforce or workday.
    connection_config bytea NOT NULL, -- The connection details, encrypted (AEAD) by the gateway; they can never be read.
    sync_enabled boolean NOT NULL DEFAULT true, -- Whether the integration is synchronized.
    sync_frequency sync_frequency, -- How often the integration is synchronized; NULL when only the schedule says or by hand.
    sync_schedule varchar(100), -- The schedule as a cron expression; NULL when only the frequency says.
    status integration_status NOT NULL DEFAULT 'pending_setup', -- Where the integration stands.
    last_successful_sync timestamptz, -- When a synchronization last succeeded; NULL when none ever did.
    last_sync_attempt timestamptz, -- When a synchronization was last tried; NULL when none ever was.
    consecutive_failures integer NOT NULL DEFAULT 0, -- The number of failed synchronizations since the last success.
    records_synced_total bigint NOT NULL DEFAULT 0, -- The number of records taken over so far.
    owner_id uuid REFERENCES users (id), -- The user responsible for the integration; NULL when nobody is.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the integration was added.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the integration was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT uq_integrations_provider UNIQUE (organization_id, provider),
    CONSTRAINT ck_integrations_name CHECK (btrim(name) <> ''),
    CONSTRAINT ck_integrations_consecutive_failures CHECK (consecutive_failures >= 0),
    CONSTRAINT ck_integrations_records_synced_total CHECK (records_synced_total >= 0)
);

CREATE INDEX idx_integrations_organization_id ON integrations (organization_id, name COLLATE natural_order, id);
CREATE INDEX idx_integrations_owner_id ON integrations (owner_id, name COLLATE natural_order, id) WHERE owner_id IS NOT NULL;

SELECT grant_access('integrations', hidden => '{connection_config}');
SELECT keep_versions('integrations');

-- One synchronization with a connected system.
CREATE TABLE integration_syncs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the synchronization.
    integration_id uuid NOT NULL REFERENCES integrations (id) ON DELETE CASCADE, -- The integration that was synchronized.
    started_at timestamptz NOT NULL DEFAULT now(), -- When the synchronization started.
    completed_at timestamptz, -- When the synchronization ended; NULL while it is running.
    status sync_status NOT NULL DEFAULT 'running', -- How the synchronization went.
    records_read integer NOT NULL DEFAULT 0, -- The number of records read from the system.
    records_written integer NOT NULL DEFAULT 0, -- The number of records taken over.
    records_failed integer NOT NULL DEFAULT 0, -- The number of records that could not be taken over.
    duration_ms integer, -- How long the synchronization took, in milliseconds; NULL while it is running.
    errors jsonb, -- The errors as a JSON array of objects; NULL when there were none.
    trigger_type sync_trigger, -- What started the synchronization; NULL when unknown.
    triggered_by uuid REFERENCES users (id), -- The user who started the synchronization; NULL when no user did.
    leased_until timestamptz, -- Until when the gateway that carries the synchronization out is given to end it; NULL while none has taken it up. Bookkeeping of the gateways, never readable.
    CONSTRAINT ck_integration_syncs_records CHECK (records_read >= 0 AND records_written >= 0 AND records_failed >= 0),
    CONSTRAINT ck_integration_syncs_duration CHECK (duration_ms >= 0),
    CONSTRAINT ck_integration_syncs_completed CHECK ((status = 'running') = (completed_at IS NULL) AND completed_at >= started_at),
    CONSTRAINT ck_integration_syncs_errors CHECK (jsonb_typeof(errors) = 'array')
);

CREATE INDEX idx_integration_syncs_integration_id ON integration_syncs (integration_id, started_at DESC, id DESC);
CREATE INDEX idx_integration_syncs_triggered_by ON integration_syncs (triggered_by, started_at DESC, id DESC) WHERE triggered_by IS NOT NULL;

-- A synchronization is carried out by one gateway at a time, and each integration has one at most.
ALTER TABLE integration_syncs ADD CONSTRAINT ex_integration_syncs_running EXCLUDE (integration_id WITH =) WHERE (status = 'running');

SELECT grant_access('integration_syncs', hidden => '{leased_until}');

-- An entry in the log of an integration.
CREATE TABLE integration_logs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the entry.
    integration_id uuid NOT NULL REFERENCES integrations (id) ON DELETE CASCADE, -- The integration that the entry is about.
    sync_id uuid REFERENCES integration_syncs (id) ON DELETE SET NULL, -- The synchronization that the entry is about; NULL when it is about none.
    level log_level NOT NULL, -- The weight of the entry.
    message text NOT NULL, -- What happened.
    details jsonb, -- More about it, as JSON; NULL when there is no more.
    at timestamptz NOT NULL DEFAULT now() -- When it happened.
);

CREATE INDEX idx_integration_logs_integration_id ON integration_logs (integration_id, at DESC, id DESC);
CREATE INDEX idx_integration_logs_sync_id ON integration_logs (sync_id, at DESC, id DESC);

SELECT grant_access('integration_logs');
