-- The counters of a conversation move with its messages only: what a client sends in them never counts. The triggers of
-- ai_messages update a conversation from within a trigger, a client does not.
CREATE FUNCTION own_conversation_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.message_count := 0;
        NEW.total_tokens_used := 0;
    ELSIF pg_trigger_depth() = 1 THEN
        NEW.message_count := OLD.message_count;
        NEW.total_tokens_used := OLD.total_tokens_used;
    END IF;
    RETURN NEW;
END
$$;
