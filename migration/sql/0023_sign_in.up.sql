-- Signing in remembers the time step of the code that was given, and signing in is no edit of the user.
DROP TRIGGER zz_count_version ON users;
SELECT keep_versions('users', ignoring => '{last_login_at,failed_login_attempts,locked_until,mfa_last_step}');
