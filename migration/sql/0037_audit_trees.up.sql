-- A Merkle tree for each organization and each workspace, so that the size of one tells nothing of another's. The one tree that was
-- kept until now is that of the nil UUID: it stays as it is and is verified, and its rows are sealed again, each in its own tree.

ALTER TABLE audit_leaves ADD COLUMN tree_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'; -- The tree that the leaf is in: the identifier of the organization or the workspace whose trail it seals.
ALTER TABLE audit_leaves ALTER COLUMN tree_id DROP DEFAULT,
    DROP CONSTRAINT pk_audit_leaves, ADD CONSTRAINT pk_audit_leaves PRIMARY KEY (tree_id, leaf_index),
    DROP CONSTRAINT uq_audit_leaves_row,
    ADD CONSTRAINT uq_audit_leaves_row UNIQUE (row_id, row_timestamp, source, tree_id);
COMMENT ON TABLE audit_leaves IS 'A leaf of the Merkle tree over the audit rows of an organization or a workspace: the hash of one row, at a place that never changes.';

ALTER TABLE audit_nodes ADD COLUMN tree_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'; -- The tree that the node is in: the identifier of the organization or the workspace whose trail it seals.
ALTER TABLE audit_nodes ALTER COLUMN tree_id DROP DEFAULT,
    DROP CONSTRAINT pk_audit_nodes, ADD CONSTRAINT pk_audit_nodes PRIMARY KEY (tree_id, level, node_index);

ALTER TABLE audit_tree_heads ADD COLUMN tree_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'; -- The tree that the head is of: the identifier of the organization or the workspace whose trail it seals.
ALTER TABLE audit_tree_heads ALTER COLUMN tree_id DROP DEFAULT,
    DROP CONSTRAINT pk_audit_tree_heads, ADD CONSTRAINT pk_audit_tree_heads PRIMARY KEY (tree_id, tree_size);
COMMENT ON TABLE audit_tree_heads IS 'A signed head of a Merkle tree: what the trail of an organization or a workspace was at a moment.';
COMMENT ON COLUMN audit_tree_heads.signature IS 'The Ed25519 signature of the TreeHeadSignature structure of RFC 6962, section 3.5, followed by the 16 bytes of the tree.';

GRANT SELECT (tree_id) ON audit_leaves, audit_nodes, audit_tree_heads TO aether_reader;

-- What is pending goes only when it has its leaf, in a tree of its own.
CREATE OR REPLACE FUNCTION refuse_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM taken t
         WHERE NOT EXISTS (
             SELECT FROM audit_leaves l
              WHERE l.row_id = t.row_id AND l.row_timestamp = t.row_timestamp AND l.source = t.source
                AND l.tree_id <> '00000000-0000-0000-0000-000000000000'
         )
    ) THEN
        RAISE EXCEPTION 'audit_pending keeps what is not sealed: DELETE is refused' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;

INSERT INTO audit_pending (source, row_id, row_timestamp)
SELECT source, row_id, row_timestamp FROM audit_leaves
    ON CONFLICT DO NOTHING;
