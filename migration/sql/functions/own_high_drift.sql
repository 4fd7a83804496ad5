-- The number is what the drift says, also for a golden record that comes after it, whatever a client sends.
CREATE FUNCTION own_high_drift() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT count(*) INTO NEW.unresolved_high_drift_count
      FROM drift_items
     WHERE workspace_id = NEW.workspace_id AND severity = 'HIGH' AND status = 'unresolved';
    RETURN NEW;
END
$$;
