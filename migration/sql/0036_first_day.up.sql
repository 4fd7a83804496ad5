-- The first administrator of an organization is invited by nobody: the command line makes both.
ALTER TABLE user_invitations ALTER COLUMN invited_by DROP NOT NULL;
COMMENT ON COLUMN user_invitations.invited_by IS 'The user who invited; NULL for the first administrator of an organization, whom the command line invites.';
