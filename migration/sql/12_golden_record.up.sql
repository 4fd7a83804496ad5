-- The agreed data of a deal as other systems take it, each published version of it, and those systems.

-- Whether a golden record may be published.
CREATE TYPE golden_record_status AS ENUM (
    'READY', -- The integrity score is at least 0.90 and no HIGH drift is unresolved.
    'IN_REVIEW' -- Something is still open.
);

-- Whether a connector can take a delivery.
CREATE TYPE connector_status AS ENUM (
    'READY', -- The connector is connected and receives what is published.
    'IN_REVIEW', -- The connector is being set up or checked and receives nothing yet.
    'DISCONNECTED' -- The connector is not connected.
);

-- The downstream system that a connector serves.
CREATE TYPE connector_type AS ENUM (
    'LoanIQ', -- The Loan IQ loan servicing system.
    'Finastra', -- The Finastra lending platform.
    'Allvue', -- The Allvue credit investment platform.
    'CovenantTracker' -- A covenant monitoring system.
);

-- The golden record of a workspace: the structured data of the deal from which every downstream system is fed.
CREATE TABLE golden_records (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the golden record.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace, which has one golden record.
    status golden_record_status NOT NULL DEFAULT 'IN_REVIEW', -- Whether the record may be published.
    integrity_score numeric(5,4) NOT NULL DEFAULT 0, -- The integrity of the documentation as a ratio 0-1, when the status was last set.
    unresolved_high_drift_count integer NOT NULL DEFAULT 0, -- The number of unresolved HIGH drift items, kept by the database.
    last_export_at timestamptz, -- When the record was last exported; NULL when it never was.
    last_publish_at timestamptz, -- When the record was last published; NULL when it never was.
    schema_json jsonb NOT NULL DEFAULT '{}', -- The record as last frozen, as a JSON document; an empty object before the first time.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the record was created.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the record was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT uq_golden_records_workspace UNIQUE (workspace_id),
    CONSTRAINT uq_golden_records_id_workspace UNIQUE (id, workspace_id),
    CONSTRAINT ck_golden_records_integrity_score CHECK (integrity_score BETWEEN 0 AND 1),
    CONSTRAINT ck_golden_records_drift_count CHECK (unresolved_high_drift_count >= 0)
);

SELECT grant_access('golden_records');
\i functions/count_golden_record_version.sql

\i functions/count_golden_record_document.sql

CREATE TRIGGER zz_count_version BEFORE UPDATE ON golden_records FOR EACH ROW EXECUTE FUNCTION count_golden_record_version();
-- Its name sorts behind the other's, which would take the version back.
CREATE TRIGGER zz_count_version_of_document BEFORE UPDATE OF schema_json ON golden_records FOR EACH ROW
    WHEN (NEW.schema_json IS DISTINCT FROM OLD.schema_json) EXECUTE FUNCTION count_golden_record_document();

\i functions/check_golden_record_document.sql

CREATE TRIGGER ck_golden_records_schema_json BEFORE INSERT OR UPDATE OF schema_json ON golden_records
    FOR EACH ROW EXECUTE FUNCTION check_golden_record_document();

-- What a publication of a golden record froze; it never changes afterwards.
CREATE TABLE golden_record_versions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the published version.
    golden_record_id uuid NOT NULL, -- The golden record that was published.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace, the same as that of the golden record.
    version integer NOT NULL, -- The number of the version, counted upwards from 1 for each golden record.
    document jsonb NOT NULL, -- The published JSON document, which follows the golden-record JSON Schema.
    document_hash text NOT NULL, -- The SHA-256 hash of the document in its canonical form, as 64 lower-case hexadecimal digits.
    integrity_score numeric(5,4) NOT NULL, -- The integrity of the documentation at the publication, as a ratio 0-1.
    published_by uuid NOT NULL REFERENCES users (id), -- The user who published the version.
    published_at timestamptz NOT NULL DEFAULT now(), -- When the version was published.
    CONSTRAINT uq_golden_record_versions_version UNIQUE (golden_record_id, version),
    CONSTRAINT fk_golden_record_versions_record FOREIGN KEY (golden_record_id, workspace_id) REFERENCES golden_records (id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT ck_golden_record_versions_version CHECK (version > 0),
    CONSTRAINT ck_golden_record_versions_document CHECK (jsonb_typeof(document) = 'object'),
    CONSTRAINT ck_golden_record_versions_document_hash CHECK (document_hash ~ '^[0-9a-f]{64}$'),
    CONSTRAINT ck_golden_record_versions_integrity_score CHECK (integrity_score BETWEEN 0 AND 1)
);

CREATE INDEX idx_golden_record_versions_golden_record_id ON golden_record_versions (golden_record_id, version DESC, id DESC);
CREATE INDEX idx_golden_record_versions_workspace_id ON golden_record_versions (workspace_id, version DESC, id DESC);
CREATE INDEX idx_golden_record_versions_published_by ON golden_record_versions (published_by, version DESC, id DESC);

SELECT grant_access('golden_record_versions', writer => 'INSERT');

-- A downstream system that receives what a workspace publishes.
CREATE TABLE downstream_connectors (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the connector.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace that the connector serves.
    name varchar(255) NOT NULL, -- The name of the connector.
    type connector_type NOT NULL, -- The downstream system behind the connector.
    status connector_status NOT NULL DEFAULT 'DISCONNECTED', -- Whether the connector can take a delivery.
    last_sync_at timestamptz, -- When the connector last took a delivery; NULL when it never did.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the connector was added.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the connector was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    url text, -- The address that deliveries are sent to; NULL while none is set.
    encrypted_secret bytea, -- The secret that signs deliveries, encrypted at rest and never readable. NULL while none is set.
    CONSTRAINT ck_downstream_connectors_name CHECK (btrim(name) <> '')
);

CREATE INDEX idx_downstream_connectors_workspace_id ON downstream_connectors (workspace_id, name COLLATE natural_order, id);
CREATE INDEX idx_downstream_connectors_type ON downstream_connectors (type);
CREATE INDEX idx_downstream_connectors_status ON downstream_connectors (status);

SELECT grant_access('downstream_connectors', hidden => '{encrypted_secret}');
-- That a connector has taken a delivery is no edit of the connector: whoever configures it must not be told that it changed.
SELECT keep_versions('downstream_connectors', ignoring => '{last_sync_at}');

CREATE INDEX idx_drift_items_unresolved_high ON drift_items (workspace_id) WHERE severity = 'HIGH' AND status = 'unresolved';

\i functions/count_high_drift.sql

CREATE TRIGGER count_inserted AFTER INSERT ON drift_items
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_high_drift();
CREATE TRIGGER count_updated AFTER UPDATE ON drift_items
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_high_drift();
CREATE TRIGGER count_deleted AFTER DELETE ON drift_items
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_high_drift();

\i functions/own_high_drift.sql

CREATE TRIGGER own_high_drift_of_new BEFORE INSERT ON golden_records
    FOR EACH ROW EXECUTE FUNCTION own_high_drift();
CREATE TRIGGER own_high_drift BEFORE UPDATE ON golden_records
    FOR EACH ROW WHEN (NEW.unresolved_high_drift_count IS DISTINCT FROM OLD.unresolved_high_drift_count)
    EXECUTE FUNCTION own_high_drift();

-- How a delivery stands.
CREATE TYPE delivery_status AS ENUM (
    'pending', -- The delivery is to be made, or to be tried again.
    'delivered', -- The connector has taken the delivery.
    'failed' -- The connector has not taken the delivery, and it is not tried any more.
);

-- The delivery of a published golden record to a connector, which is made once.
CREATE TABLE connector_deliveries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the delivery, which the connector gets with it.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace that published.
    connector_id uuid NOT NULL REFERENCES downstream_connectors (id) ON DELETE CASCADE, -- The connector that receives.
    version_id uuid NOT NULL REFERENCES golden_record_versions (id) ON DELETE CASCADE, -- The published version that is delivered.
    status delivery_status NOT NULL DEFAULT 'pending', -- How the delivery stands.
    attempts integer NOT NULL DEFAULT 0, -- How often the delivery was tried.
    next_attempt_at timestamptz, -- When the delivery is tried next; NULL once it is delivered or given up.
    delivered_at timestamptz, -- When the connector took the delivery; NULL before.
    last_error text, -- Why the last attempt failed; NULL when none did.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the version was published.
    CONSTRAINT uq_connector_deliveries UNIQUE (connector_id, version_id),
    CONSTRAINT ck_connector_deliveries_attempts CHECK (attempts >= 0),
    CONSTRAINT ck_connector_deliveries_status CHECK (
        (status = 'pending') = (next_attempt_at IS NOT NULL) AND (status = 'delivered') = (delivered_at IS NOT NULL)
    )
);

CREATE INDEX idx_connector_deliveries_workspace_id ON connector_deliveries (workspace_id, created_at DESC, id DESC);
CREATE INDEX idx_connector_deliveries_connector_id ON connector_deliveries (connector_id, created_at DESC, id DESC);
CREATE INDEX idx_connector_deliveries_version_id ON connector_deliveries (version_id, created_at DESC, id DESC);
CREATE INDEX idx_connector_deliveries_due ON connector_deliveries (next_attempt_at) WHERE status = 'pending';

SELECT grant_access('connector_deliveries');

-- One attempt of a delivery: the delivery log.
CREATE TABLE delivery_attempts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the attempt.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace that published.
    delivery_id uuid NOT NULL REFERENCES connector_deliveries (id) ON DELETE CASCADE, -- The delivery that was tried.
    attempt integer NOT NULL, -- The number of the attempt, counted upwards from 1.
    at timestamptz NOT NULL DEFAULT now(), -- When it was tried.
    response_status integer, -- The HTTP status that the connector answered; NULL when it did not answer.
    error text, -- What went wrong; NULL when the connector took the delivery.
    duration_ms integer NOT NULL, -- How long the attempt took, in milliseconds.
    CONSTRAINT uq_delivery_attempts_attempt UNIQUE (delivery_id, attempt),
    CONSTRAINT ck_delivery_attempts_attempt CHECK (attempt > 0),
    CONSTRAINT ck_delivery_attempts_duration CHECK (duration_ms >= 0)
);

CREATE INDEX idx_delivery_attempts_workspace_id ON delivery_attempts (workspace_id, at DESC, id DESC);
CREATE INDEX idx_delivery_attempts_delivery_id ON delivery_attempts (delivery_id, at DESC, id DESC);

SELECT grant_access('delivery_attempts', writer => 'INSERT');
