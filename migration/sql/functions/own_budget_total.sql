-- The total of a budget is what its lines add up to, whatever a client sends.
CREATE FUNCTION own_budget_total() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.total_amount := (SELECT coalesce(sum(annual_amount), 0) FROM budget_line_items WHERE budget_id = NEW.id);
    RETURN NEW;
END
$$;
