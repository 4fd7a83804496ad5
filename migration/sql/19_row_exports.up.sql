-- What is taken out of the gateway as files.

-- A format of files that rows are exported to.
CREATE TYPE row_format AS ENUM (
    'CSV', -- Comma-separated values by RFC 4180 in UTF-8, with a header; a cell that a spreadsheet would take for a formula begins with an apostrophe.
    'JSON_LINES', -- A JSON object a line, nested as the operation selects it.
    'PARQUET' -- Apache Parquet with typed columns, compressed by Snappy; decimals are exact, as DECIMAL(38, 9).
);

-- How far an export has come.
CREATE TYPE row_export_status AS ENUM (
    'REQUESTED', -- The file was asked for and is not being downloaded yet.
    'RUNNING', -- The file is being downloaded.
    'COMPLETED', -- The file was downloaded to its end.
    'FAILED', -- The download ended early, for the reason that is given.
    'CANCELLED' -- Whoever was downloading has gone.
);

-- An export of rows or groups to a file: all that an operation selects, whatever its pages. It tells of the last download.
CREATE TABLE row_exports (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the export.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- The organization of the user who asked for it.
    requested_by uuid NOT NULL REFERENCES users (id), -- The user who asked for it, and as whom it is read.
    query text NOT NULL, -- The GraphQL operation whose rows are exported.
    operation_name varchar(200), -- The name of the operation, where the document has several.
    variables jsonb NOT NULL DEFAULT '{}', -- The variables of the operation.
    format row_format NOT NULL, -- The format of the file.
    status row_export_status NOT NULL DEFAULT 'REQUESTED', -- How far it has come.
    total_rows bigint, -- The number of rows that the file will have; NULL until a download begins.
    rows_written bigint NOT NULL DEFAULT 0, -- The number of rows that were written so far.
    bytes_written bigint NOT NULL DEFAULT 0, -- The number of bytes that were written so far.
    sha256 varchar(64), -- The SHA-256 hash of the file, hexadecimal; NULL until it is complete.
    failure varchar(2000), -- Why it failed; NULL unless it did.
    requested_at timestamptz NOT NULL DEFAULT now(), -- When it was asked for.
    expires_at timestamptz NOT NULL, -- Until when a download can begin.
    started_at timestamptz, -- When the last download began; NULL before.
    finished_at timestamptz -- When the last download ended; NULL before.
);

CREATE INDEX idx_row_exports_organization_id ON row_exports (organization_id, requested_at DESC, id DESC);
CREATE INDEX idx_row_exports_requested_by ON row_exports (requested_by, requested_at DESC, id DESC);

SELECT grant_access('row_exports');
