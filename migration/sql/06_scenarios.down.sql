DROP TABLE scenario_results;
DROP TABLE scenarios;
DROP TYPE scenario_status;
