CREATE FUNCTION count_edited_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM ai_conversations
      WHERE id IN (SELECT conversation_id FROM old_messages UNION SELECT conversation_id FROM new_messages)
      ORDER BY id FOR NO KEY UPDATE;
    UPDATE ai_conversations c
       SET message_count = c.message_count + m.messages, total_tokens_used = c.total_tokens_used + m.tokens
      FROM (
            SELECT conversation_id, sum(messages) AS messages, sum(tokens) AS tokens
              FROM (
                    SELECT conversation_id, 1 AS messages, coalesce(tokens_used, 0) AS tokens FROM new_messages
                    UNION ALL
                    SELECT conversation_id, -1, -coalesce(tokens_used, 0) FROM old_messages
                   ) d
             GROUP BY conversation_id
            HAVING sum(messages) <> 0 OR sum(tokens) <> 0
           ) m
     WHERE c.id = m.conversation_id;
    RETURN NULL;
END
$$;
