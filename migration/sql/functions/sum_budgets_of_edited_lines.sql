CREATE FUNCTION sum_budgets_of_edited_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sum_budgets(ARRAY(SELECT budget_id FROM old_lines UNION SELECT budget_id FROM new_lines));
    RETURN NULL;
END
$$;
