-- The Merkle logs (RFC 6962) that make the audit trail tamper-evident, one for each organization and each workspace, so that the size of
-- one tells nothing of another's: what is still to be sealed, the leaves, the inner
-- nodes and the signed heads. How to verify it from outside is in docs/audit-trail.md.

-- The audit rows that are not sealed yet. Whoever writes an audit row leaves it here in the same transaction; the gateway seals them about once a second.
CREATE TABLE audit_pending (
    source text NOT NULL, -- The table of the audit row, audit_logs or audit_events.
    row_id uuid NOT NULL, -- The identifier of the audit row.
    row_timestamp timestamptz NOT NULL, -- The time of the audit row, which with its identifier finds it.
    CONSTRAINT pk_audit_pending PRIMARY KEY (row_timestamp, row_id, source),
    CONSTRAINT ck_audit_pending_source CHECK (source IN ('audit_logs', 'audit_events'))
);

-- A leaf of the Merkle tree over the audit rows of an organization or a workspace: the hash of one row, at a place that never changes.
CREATE TABLE audit_leaves (
    leaf_index bigint NOT NULL, -- The place of the leaf in the tree, counted from 0 without gaps.
    source text NOT NULL, -- The table of the audit row, audit_logs or audit_events.
    row_id uuid NOT NULL, -- The identifier of the audit row.
    row_timestamp timestamptz NOT NULL, -- The time of the audit row, which with its identifier finds it.
    leaf_hash bytea NOT NULL, -- SHA-256 of a zero byte and the content of the audit row.
    tree_id uuid NOT NULL, -- The tree that the leaf is in: the identifier of the organization or the workspace whose trail it seals.
    CONSTRAINT pk_audit_leaves PRIMARY KEY (tree_id, leaf_index),
    CONSTRAINT uq_audit_leaves_row UNIQUE (row_id, row_timestamp, source, tree_id),
    CONSTRAINT ck_audit_leaves_leaf_index CHECK (leaf_index >= 0),
    CONSTRAINT ck_audit_leaves_source CHECK (source IN ('audit_logs', 'audit_events')),
    CONSTRAINT ck_audit_leaves_leaf_hash CHECK (octet_length(leaf_hash) = 32)
);

-- An inner node of the Merkle tree above a complete subtree, whose hash never changes. Kept so that a proof costs as many rows as the tree is high.
CREATE TABLE audit_nodes (
    level smallint NOT NULL, -- The height of the node; one of height n stands above 2 to the power of n leaves.
    node_index bigint NOT NULL, -- The place of the node among those of its height, counted from 0.
    hash bytea NOT NULL, -- SHA-256 of a byte of value one and the hashes of both children.
    tree_id uuid NOT NULL, -- The tree that the node is in: the identifier of the organization or the workspace whose trail it seals.
    CONSTRAINT pk_audit_nodes PRIMARY KEY (tree_id, level, node_index),
    CONSTRAINT ck_audit_nodes_level CHECK (level BETWEEN 1 AND 62),
    CONSTRAINT ck_audit_nodes_node_index CHECK (node_index >= 0),
    CONSTRAINT ck_audit_nodes_hash CHECK (octet_length(hash) = 32)
);

-- A signed head of a Merkle tree: what the trail of an organization or a workspace was at a moment.
CREATE TABLE audit_tree_heads (
    tree_size bigint NOT NULL, -- The number of leaves that the head stands for.
    root_hash bytea NOT NULL, -- The root of the tree of that many leaves.
    sealed_at timestamptz NOT NULL, -- When the head was signed, to the millisecond; a larger tree has a later one.
    signature bytea NOT NULL, -- The Ed25519 signature of the TreeHeadSignature structure of RFC 6962, section 3.5, followed by the 16 bytes of the tree.
    public_key bytea NOT NULL, -- The Ed25519 public key that verifies the signature.
    tree_id uuid NOT NULL, -- The tree that the head is of: the identifier of the organization or the workspace whose trail it seals.
    CONSTRAINT pk_audit_tree_heads PRIMARY KEY (tree_id, tree_size),
    CONSTRAINT ck_audit_tree_heads_tree_size CHECK (tree_size > 0),
    CONSTRAINT ck_audit_tree_heads_root_hash CHECK (octet_length(root_hash) = 32),
    CONSTRAINT ck_audit_tree_heads_signature CHECK (octet_length(signature) = 64),
    CONSTRAINT ck_audit_tree_heads_public_key CHECK (octet_length(public_key) = 32)
);

-- The tree holds nothing of a row but its hash, so the gateway reads it as it reads everything. What is pending only the
-- writer sees, and takes away.
SELECT grant_access('audit_leaves', writer => 'INSERT');
SELECT grant_access('audit_nodes', writer => 'INSERT');
SELECT grant_access('audit_tree_heads', writer => 'INSERT');
GRANT SELECT, DELETE ON audit_pending TO aether_writer;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit_leaves FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit_nodes FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit_tree_heads FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE ON audit_pending FOR EACH ROW EXECUTE FUNCTION refuse_change();
SELECT refuse_truncate_on('audit_leaves');
SELECT refuse_truncate_on('audit_nodes');
SELECT refuse_truncate_on('audit_tree_heads');
SELECT refuse_truncate_on('audit_pending');

\i functions/refuse_unsealed.sql

CREATE TRIGGER refuse_unsealed AFTER DELETE ON audit_pending
    REFERENCING OLD TABLE AS taken FOR EACH STATEMENT EXECUTE FUNCTION refuse_unsealed();

\i functions/enqueue_audit_rows.sql

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION enqueue_audit_rows() SET search_path = %I, pg_temp', current_schema());
END
$$;
REVOKE ALL ON FUNCTION enqueue_audit_rows() FROM PUBLIC;

-- By statement on the parent: it hears of rows for every partition, and moving rows between partitions is no new row.
CREATE TRIGGER enqueue_audit_rows AFTER INSERT ON audit_logs
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION enqueue_audit_rows();
CREATE TRIGGER enqueue_audit_rows AFTER INSERT ON audit_events
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION enqueue_audit_rows();
