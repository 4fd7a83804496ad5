UPDATE user_invitations SET invited_by = user_id WHERE invited_by IS NULL;
ALTER TABLE user_invitations ALTER COLUMN invited_by SET NOT NULL;
COMMENT ON COLUMN user_invitations.invited_by IS 'The user who invited.';
