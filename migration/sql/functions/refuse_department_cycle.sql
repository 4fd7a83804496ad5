-- Refuses a department that would lie within itself. It runs after the statement, whose rows may be parents of one another,
-- and one transaction of an organization at a time, since two moves can make a circle that neither sees alone.
CREATE FUNCTION refuse_department_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('refuse_department_cycle'), hashtext(NEW.organization_id::text));
    IF EXISTS (
        WITH RECURSIVE above (id) AS (
            SELECT NEW.parent_id
            UNION
            SELECT d.parent_id FROM departments d JOIN above a ON d.id = a.id WHERE d.parent_id IS NOT NULL
        )
        SELECT FROM above WHERE id = NEW.id
    ) THEN
        RAISE EXCEPTION 'a department cannot lie within itself'
            USING ERRCODE = 'check_violation', TABLE = 'departments', COLUMN = 'parent_id', CONSTRAINT = 'ck_departments_cycle';
    END IF;
    RETURN NULL;
END
$$;
