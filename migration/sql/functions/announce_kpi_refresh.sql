-- Tells every organization that the summaries of its metrics are fresh.
CREATE FUNCTION announce_kpi_refresh() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    INSERT INTO event_outbox (topic, aggregate_type, aggregate_id, organization_id, kind, payload)
    SELECT 'kpi', 'kpi_summary', id, id, 'refreshed', jsonb_build_object('type', 'organization', 'id', id)
      FROM organizations WHERE deleted_at IS NULL AND subscription_status = 'active'
$$;
