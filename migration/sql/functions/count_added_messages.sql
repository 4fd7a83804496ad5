-- Counts what a statement has added to conversations and taken from them. They are locked in the order of their keys, so
-- that two statements over the same conversations wait for one another instead of deadlocking.
CREATE FUNCTION count_added_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM ai_conversations WHERE id IN (SELECT conversation_id FROM new_messages) ORDER BY id FOR NO KEY UPDATE;
    UPDATE ai_conversations c
       SET message_count = c.message_count + m.messages, total_tokens_used = c.total_tokens_used + m.tokens
      FROM (
            SELECT conversation_id, count(*) AS messages, coalesce(sum(tokens_used), 0) AS tokens
              FROM new_messages GROUP BY conversation_id
           ) m
     WHERE c.id = m.conversation_id;
    RETURN NULL;
END
$$;
