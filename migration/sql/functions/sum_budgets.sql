-- Brings the totals of budgets up to date. The rows are locked before anything is added up, so that the sum is taken by a
-- statement that sees what another transaction has added to the same budget in the meantime.
CREATE FUNCTION sum_budgets(changed uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM budgets WHERE id = ANY (changed) ORDER BY id FOR NO KEY UPDATE;
    UPDATE budgets b
       SET total_amount = s.total
      FROM (
            SELECT c.id, coalesce(sum(l.annual_amount), 0) AS total
              FROM unnest(changed) AS c (id)
              LEFT JOIN budget_line_items l ON l.budget_id = c.id
             GROUP BY c.id
           ) s
     WHERE b.id = s.id AND b.total_amount <> s.total;
END
$$;
