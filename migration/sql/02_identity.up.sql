-- Who there is: tenants, their people, and the sessions that those people hold.

-- The subscription plan of an organization.
CREATE TYPE subscription_tier AS ENUM (
    'starter', -- The entry plan.
    'standard', -- The regular plan, which a new organization gets.
    'enterprise' -- The plan with every feature and the highest limits.
);

-- Whether the subscription of an organization is in force.
CREATE TYPE subscription_status AS ENUM (
    'active', -- The subscription is in force.
    'suspended', -- The subscription is on hold; nobody of the organization can do anything until it is active again.
    'cancelled' -- The subscription has ended.
);

-- The role of a user in the organization, which decides what the user may do in the FP&A domains.
CREATE TYPE user_role AS ENUM (
    'CFO', -- Chief financial officer: every financial right, the approval of budgets and the audit log included.
    'FINANCE_MANAGER', -- Finance manager: edits and approves financial data.
    'ANALYST', -- Financial analyst: reads everything, drafts budgets, runs scenarios and works on anomalies.
    'VIEWER', -- Viewer: reads and changes nothing.
    'ADMIN' -- Administrator: manages users, settings and integrations, and edits no financial data.
);

-- Whether a user may sign in and act.
CREATE TYPE user_status AS ENUM (
    'active', -- The user may sign in and act.
    'inactive', -- The user was deactivated and can do nothing.
    'pending', -- The user was invited and has not joined yet.
    'locked' -- The user is locked out, for instance after too many failed sign-ins.
);

-- A tenant: the company that owns financial data, users and everything else. No financial data ever crosses from one organization to another.
CREATE TABLE organizations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the organization.
    name varchar(255) NOT NULL, -- Name of the organization, as people read it.
    slug varchar(100) NOT NULL, -- Short name for addresses: lower-case letters, digits and hyphens, unique among all organizations.
    logo_url varchar(500), -- Address of the logo. NULL when there is none.
    settings jsonb NOT NULL DEFAULT '{}', -- Settings as an object: fiscalYearStart (name of a month), currency (ISO 4217), timezone (IANA name), features (switches) and integrations.
    subscription_tier subscription_tier NOT NULL DEFAULT 'standard', -- Plan that the organization subscribes to.
    subscription_status subscription_status NOT NULL DEFAULT 'active', -- Whether the subscription is in force.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the organization was created.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the organization was last edited.
    deleted_at timestamptz, -- When the organization was deleted. NULL while it exists; a deleted one is invisible everywhere.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency.
    CONSTRAINT uq_organizations_slug UNIQUE (slug),
    CONSTRAINT ck_organizations_slug CHECK (slug ~ '^[a-z0-9-]+$'),
    CONSTRAINT ck_organizations_settings CHECK (jsonb_typeof(settings) = 'object')
);

CREATE INDEX idx_organizations_name ON organizations (name COLLATE natural_order, id) WHERE deleted_at IS NULL;

SELECT grant_access('organizations', writer => 'INSERT, UPDATE');
SELECT keep_versions('organizations');

-- A person who uses the platform, as a member of exactly one organization.
CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the user.
    organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE, -- Organization that the user belongs to.
    email varchar(255) NOT NULL, -- E-mail address, unique within the organization without regard to case.
    name varchar(255) NOT NULL, -- Full name of the user.
    avatar_url varchar(500), -- Address of the picture of the user. NULL when there is none.
    password_hash varchar(255), -- Hash of the password, never readable. NULL for a user who signs in through an identity provider only.
    mfa_secret bytea, -- Secret of the second factor, encrypted at rest and never readable. NULL when no second factor was enrolled.
    mfa_enabled boolean NOT NULL DEFAULT false, -- Whether sign-in asks for a second factor (multi-factor authentication).
    role user_role NOT NULL DEFAULT 'VIEWER', -- Role in the organization.
    permissions jsonb NOT NULL DEFAULT '[]', -- Names of permissions granted beyond the role, as an array; an unknown name grants nothing.
    region varchar(50), -- Region that the user is confined to (row-level security). NULL when the user sees every region.
    department varchar(100), -- Name of the department that the user is confined to (row-level security). NULL when the user sees every department.
    preferences jsonb NOT NULL DEFAULT '{}', -- Personal preferences as an object: theme, dashboardLayout, notifications, defaultFilters.
    status user_status NOT NULL DEFAULT 'active', -- Whether the user may sign in and act.
    last_login_at timestamptz, -- When the user last signed in. NULL before the first sign-in.
    failed_login_attempts integer NOT NULL DEFAULT 0, -- Number of failed sign-ins since the last one that succeeded.
    locked_until timestamptz, -- Until when sign-in is refused after failed attempts. NULL when it is not.
    external_id varchar(255), -- Identifier of the user at the identity provider. NULL without single sign-on.
    identity_provider varchar(100), -- Identity provider of the single sign-on, such as okta, azure_ad or google. NULL without single sign-on.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the user was created.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the user was last edited.
    deleted_at timestamptz, -- When the user was deleted. NULL while the user exists; a deleted one is invisible everywhere.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency.
    mfa_pending_secret bytea, -- Secret of a second factor that is being enrolled, encrypted at rest and never readable. NULL when none is.
    mfa_last_step bigint, -- Time step of the last code of the second factor that was accepted, so that none is accepted twice; never readable. NULL before the first.
    CONSTRAINT ck_users_email CHECK (email ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$'),
    CONSTRAINT ck_users_permissions CHECK (jsonb_typeof(permissions) = 'array'),
    CONSTRAINT ck_users_preferences CHECK (jsonb_typeof(preferences) = 'object'),
    CONSTRAINT ck_users_failed_login_attempts CHECK (failed_login_attempts >= 0)
);

-- The address of a deleted user is free again.
CREATE UNIQUE INDEX uq_users_email ON users (organization_id, lower(email)) WHERE deleted_at IS NULL;
CREATE INDEX idx_users_email ON users (lower(email));
CREATE INDEX idx_users_external_id ON users (identity_provider, external_id) WHERE deleted_at IS NULL;
CREATE INDEX idx_users_organization ON users (organization_id, name COLLATE natural_order, id);

SELECT grant_access('users', hidden => '{password_hash,mfa_secret,mfa_pending_secret,mfa_last_step}', writer => 'INSERT, UPDATE');
-- Signing in is no edit of the user.
SELECT keep_versions('users', ignoring => '{last_login_at,failed_login_attempts,locked_until,mfa_last_step}');

-- A signed-in device of a user. It lasts until it expires or is revoked; its refresh tokens follow one another.
CREATE TABLE user_sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the session.
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- User who signed in.
    device_info jsonb, -- Device as an object: browser, os, device, location. NULL when it is unknown.
    ip_address inet, -- Network address that the session was last used from. NULL when it is unknown.
    user_agent text, -- User agent that the client named. NULL when it named none.
    expires_at timestamptz NOT NULL, -- When the session ends if it is not revoked before.
    last_activity_at timestamptz NOT NULL DEFAULT now(), -- When the session was last used.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the user signed in.
    revoked_at timestamptz, -- When the session was revoked, by signing out or because a spent token was used again. NULL while it is not.
    CONSTRAINT ck_user_sessions_expires_at CHECK (expires_at >= created_at)
);

CREATE INDEX idx_user_sessions_user ON user_sessions (user_id, created_at DESC, id DESC);
CREATE INDEX idx_user_sessions_open ON user_sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX idx_user_sessions_expires ON user_sessions (expires_at) WHERE revoked_at IS NULL;

SELECT grant_access('user_sessions');

-- A refresh token of a session, kept as a hash only. Each can be exchanged once for the next; a second use revokes the session.
CREATE TABLE refresh_tokens (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the token, which is not the token itself.
    session_id uuid NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE, -- Session that the token keeps alive.
    token_hash bytea NOT NULL, -- Hash of the token, never readable.
    expires_at timestamptz NOT NULL, -- When the token stops being accepted.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the token was issued.
    spent_at timestamptz, -- When the token was exchanged for the next one. NULL while it is unused.
    revoked_at timestamptz, -- When the token was revoked. NULL while it is not.
    replaced_by_id uuid REFERENCES refresh_tokens (id) ON DELETE SET NULL, -- Token that this one was exchanged for. NULL while it is unused.
    CONSTRAINT uq_refresh_tokens_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_refresh_tokens_expires_at CHECK (expires_at >= created_at),
    CONSTRAINT ck_refresh_tokens_replaced_by CHECK (replaced_by_id IS NULL OR (spent_at IS NOT NULL AND replaced_by_id <> id))
);

CREATE INDEX idx_refresh_tokens_session ON refresh_tokens (session_id, created_at DESC, id DESC);
CREATE INDEX idx_refresh_tokens_replaced_by ON refresh_tokens (replaced_by_id, created_at DESC, id DESC);

SELECT grant_access('refresh_tokens', hidden => '{token_hash}');

-- An invitation of a user to the organization, kept as the hash of its token.
CREATE TABLE user_invitations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the invitation.
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- The user who is invited.
    token_hash bytea NOT NULL, -- The hash of the token that accepts it, never readable.
    invited_by uuid REFERENCES users (id), -- The user who invited; NULL for the first administrator of an organization, whom the command line invites.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the user was invited.
    expires_at timestamptz NOT NULL, -- When the invitation stops being accepted.
    accepted_at timestamptz, -- When the invitation was accepted; NULL while it is open.
    CONSTRAINT uq_user_invitations_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_user_invitations_expires_at CHECK (expires_at > created_at)
);

CREATE INDEX idx_user_invitations_user_id ON user_invitations (user_id, created_at DESC, id DESC);
CREATE INDEX idx_user_invitations_invited_by ON user_invitations (invited_by, created_at DESC, id DESC);

GRANT SELECT, INSERT, UPDATE, DELETE ON user_invitations TO aether_writer;

-- A code that stands in for the second factor once, for a user whose device is lost; kept as a hash.
CREATE TABLE user_recovery_codes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the code, which is not the code itself.
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- The user whose code it is.
    code_hash bytea NOT NULL, -- The hash of the code, never readable.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the code was made.
    used_at timestamptz, -- When the code was used; NULL while it is good.
    CONSTRAINT uq_user_recovery_codes_code_hash UNIQUE (user_id, code_hash)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON user_recovery_codes TO aether_writer;
