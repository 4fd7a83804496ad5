-- What each import of metrics has written, so that it can be taken back as a whole.

-- An import of metrics that has written something, by a file or by a synchronization.
CREATE TABLE metric_imports (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the import.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- The organization whose metrics were imported.
    source_system varchar(100), -- The system that the values came from, if it was said.
    inserted integer NOT NULL, -- The number of values that were new.
    updated integer NOT NULL, -- The number of values that were changed.
    imported_by uuid REFERENCES users (id), -- The user who imported them; NULL for a synchronization.
    imported_at timestamptz NOT NULL DEFAULT now(), -- When they were imported.
    undone_by uuid REFERENCES users (id), -- The user who took the import back; NULL while it stands.
    undone_at timestamptz, -- When it was taken back; NULL while it stands.
    CONSTRAINT ck_metric_imports_undone CHECK ((undone_at IS NULL) = (undone_by IS NULL))
);

CREATE INDEX idx_metric_imports_organization_id ON metric_imports (organization_id, imported_at DESC, id DESC);
CREATE INDEX idx_metric_imports_imported_by ON metric_imports (imported_by, imported_at DESC, id DESC);
CREATE INDEX idx_metric_imports_undone_by ON metric_imports (undone_by, imported_at DESC, id DESC);

SELECT grant_access('metric_imports');

-- The values that an import has written, as they were before.
CREATE TABLE metric_import_rows (
    import_id uuid NOT NULL REFERENCES metric_imports (id) ON DELETE CASCADE, -- The import.
    metric_id uuid NOT NULL, -- The value that it has written.
    metric_date date NOT NULL, -- The day of the value.
    before jsonb, -- The columns as they were, by their names; NULL when the value was new.
    metric_version integer NOT NULL, -- The version of the value as the import has left it.
    CONSTRAINT pk_metric_import_rows PRIMARY KEY (import_id, metric_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON metric_import_rows TO aether_writer;
