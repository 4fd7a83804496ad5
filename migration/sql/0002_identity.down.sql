DROP TABLE refresh_tokens;
DROP TABLE user_sessions;
DROP TABLE users;
DROP TABLE organizations;
DROP TYPE user_status;
DROP TYPE user_role;
DROP TYPE subscription_status;
DROP TYPE subscription_tier;
