-- Back to the one tree of the nil UUID. What the trees since have sealed waits to be sealed in it.
ALTER TABLE audit_leaves DISABLE TRIGGER refuse_change;
ALTER TABLE audit_nodes DISABLE TRIGGER refuse_change;
ALTER TABLE audit_tree_heads DISABLE TRIGGER refuse_change;
ALTER TABLE audit_pending DISABLE TRIGGER refuse_unsealed;

INSERT INTO audit_pending (source, row_id, row_timestamp)
SELECT source, row_id, row_timestamp FROM audit_leaves
 WHERE tree_id <> '00000000-0000-0000-0000-000000000000'
    ON CONFLICT DO NOTHING;
DELETE FROM audit_leaves WHERE tree_id <> '00000000-0000-0000-0000-000000000000';
DELETE FROM audit_nodes WHERE tree_id <> '00000000-0000-0000-0000-000000000000';
DELETE FROM audit_tree_heads WHERE tree_id <> '00000000-0000-0000-0000-000000000000';
-- What the one tree had sealed before stays sealed in it.
DELETE FROM audit_pending p USING audit_leaves l
 WHERE l.row_id = p.row_id AND l.row_timestamp = p.row_timestamp AND l.source = p.source;

ALTER TABLE audit_leaves ENABLE TRIGGER refuse_change;
ALTER TABLE audit_nodes ENABLE TRIGGER refuse_change;
ALTER TABLE audit_tree_heads ENABLE TRIGGER refuse_change;
ALTER TABLE audit_pending ENABLE TRIGGER refuse_unsealed;

CREATE OR REPLACE FUNCTION refuse_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM taken t
         WHERE NOT EXISTS (
             SELECT FROM audit_leaves l
              WHERE l.row_id = t.row_id AND l.row_timestamp = t.row_timestamp AND l.source = t.source
         )
    ) THEN
        RAISE EXCEPTION 'audit_pending keeps what is not sealed: DELETE is refused' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;

ALTER TABLE audit_tree_heads DROP COLUMN tree_id, ADD CONSTRAINT pk_audit_tree_heads PRIMARY KEY (tree_size);
ALTER TABLE audit_nodes DROP COLUMN tree_id, ADD CONSTRAINT pk_audit_nodes PRIMARY KEY (level, node_index);
ALTER TABLE audit_leaves DROP COLUMN tree_id, ADD CONSTRAINT pk_audit_leaves PRIMARY KEY (leaf_index),
    ADD CONSTRAINT uq_audit_leaves_row UNIQUE (row_id, row_timestamp, source);
COMMENT ON TABLE audit_leaves IS 'A leaf of the Merkle tree over the audit rows: the hash of one row, at a place that never changes.';
COMMENT ON TABLE audit_tree_heads IS 'A signed head of the Merkle tree: what the whole log was at a moment.';
COMMENT ON COLUMN audit_tree_heads.signature IS 'The Ed25519 signature of the TreeHeadSignature structure of RFC 6962, section 3.5.';
