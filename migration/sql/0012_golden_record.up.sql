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
    CONSTRAINT ck_golden_records_drift_count CHECK (unresolved_high_drift_count >= 0),
    CONSTRAINT ck_golden_records_schema_json CHECK (jsonb_typeof(schema_json) = 'object')
);

SELECT grant_access('golden_records');
-- Drift of the workspace is no edit of its golden record.
SELECT keep_versions('golden_records', ignoring => '{unresolved_high_drift_count}');

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
    CONSTRAINT ck_downstream_connectors_name CHECK (btrim(name) <> '')
);

CREATE INDEX idx_downstream_connectors_workspace_id ON downstream_connectors (workspace_id, name, id);
CREATE INDEX idx_downstream_connectors_type ON downstream_connectors (type);
CREATE INDEX idx_downstream_connectors_status ON downstream_connectors (status);

SELECT grant_access('downstream_connectors');
SELECT keep_versions('downstream_connectors');

CREATE INDEX idx_drift_items_unresolved_high ON drift_items (workspace_id) WHERE severity = 'HIGH' AND status = 'unresolved';

-- Keeps the number of unresolved HIGH drift items of the workspaces whose drift a statement has touched; the golden records
-- are locked before the count, as with the reconciliation sessions.
CREATE FUNCTION count_high_drift() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT workspace_id) INTO touched
          FROM new_rows WHERE severity = 'HIGH' AND status = 'unresolved';
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT workspace_id) INTO touched
          FROM old_rows WHERE severity = 'HIGH' AND status = 'unresolved';
    ELSE
        SELECT array_agg(DISTINCT workspace_id) INTO touched
          FROM (
            SELECT workspace_id FROM new_rows WHERE severity = 'HIGH' AND status = 'unresolved'
            UNION ALL
            SELECT workspace_id FROM old_rows WHERE severity = 'HIGH' AND status = 'unresolved'
          ) counted;
    END IF;
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM golden_records WHERE workspace_id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;
    UPDATE golden_records g
       SET unresolved_high_drift_count = c.total
      FROM (
        SELECT t.workspace_id, count(d.id) AS total
          FROM unnest(touched) AS t (workspace_id)
          LEFT JOIN drift_items d
            ON d.workspace_id = t.workspace_id AND d.severity = 'HIGH' AND d.status = 'unresolved'
         GROUP BY t.workspace_id
      ) c
     WHERE g.workspace_id = c.workspace_id AND g.unresolved_high_drift_count <> c.total;
    RETURN NULL;
END
$$;

CREATE TRIGGER count_inserted AFTER INSERT ON drift_items
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_high_drift();
CREATE TRIGGER count_updated AFTER UPDATE ON drift_items
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_high_drift();
CREATE TRIGGER count_deleted AFTER DELETE ON drift_items
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_high_drift();

-- The number is what the drift says, also for a golden record that comes after it, whatever a client sends.
CREATE FUNCTION own_high_drift() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT count(*) INTO NEW.unresolved_high_drift_count
      FROM drift_items
     WHERE workspace_id = NEW.workspace_id AND severity = 'HIGH' AND status = 'unresolved';
    RETURN NEW;
END
$$;

CREATE TRIGGER own_high_drift_of_new BEFORE INSERT ON golden_records
    FOR EACH ROW EXECUTE FUNCTION own_high_drift();
CREATE TRIGGER own_high_drift BEFORE UPDATE ON golden_records
    FOR EACH ROW WHEN (NEW.unresolved_high_drift_count IS DISTINCT FROM OLD.unresolved_high_drift_count)
    EXECUTE FUNCTION own_high_drift();
