CREATE FUNCTION enter_deal_stage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.stage_entered_at := now();
    RETURN NEW;
END
$$;
