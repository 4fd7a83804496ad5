CREATE FUNCTION count_removed_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM ai_conversations WHERE id IN (SELECT conversation_id FROM old_messages) ORDER BY id FOR NO KEY UPDATE;
    UPDATE ai_conversations c
       SET message_count = c.message_count - m.messages, total_tokens_used = c.total_tokens_used - m.tokens
      FROM (
            SELECT conversation_id, count(*) AS messages, coalesce(sum(tokens_used), 0) AS tokens
              FROM old_messages GROUP BY conversation_id
           ) m
     WHERE c.id = m.conversation_id;
    RETURN NULL;
END
$$;
