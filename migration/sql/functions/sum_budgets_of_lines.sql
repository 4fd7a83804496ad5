CREATE FUNCTION sum_budgets_of_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sum_budgets(ARRAY(SELECT DISTINCT budget_id FROM changed_lines));
    RETURN NULL;
END
$$;
