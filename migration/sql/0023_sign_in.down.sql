DROP TRIGGER zz_count_version ON users;
SELECT keep_versions('users', ignoring => '{last_login_at,failed_login_attempts,locked_until}');
