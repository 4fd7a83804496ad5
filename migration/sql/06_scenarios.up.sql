-- What-if planning: scenarios and the runs of their simulation.

-- Where a scenario stands.
CREATE TYPE scenario_status AS ENUM (
    'draft', -- The scenario is being set up and has not been run.
    'running', -- A simulation is under way.
    'completed', -- The last simulation has finished.
    'failed' -- The last simulation has failed.
);

-- A what-if scenario: assumptions about investment, headcount and price, whose outcome a Monte Carlo simulation estimates.
CREATE TABLE scenarios (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the scenario.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- The organization that the scenario belongs to.
    created_by uuid NOT NULL REFERENCES users (id), -- The user who created the scenario and owns it.
    name varchar(255) NOT NULL, -- The name of the scenario.
    description text, -- What the scenario is about; NULL when nothing was written.
    tags text[] NOT NULL DEFAULT '{}', -- The free-form labels by which scenarios are found; empty when there are none.
    parameters jsonb NOT NULL, -- The assumptions as a JSON object: investment, headcount and price with their distributions.
    results jsonb, -- The results of the last completed run as JSON; NULL before it.
    ai_analysis jsonb, -- The assistant's view of the results as JSON: mitigation and growth; NULL when there is none.
    status scenario_status NOT NULL DEFAULT 'draft', -- Where the scenario stands.
    is_template boolean NOT NULL DEFAULT false, -- Whether the scenario serves as a template for new ones.
    shared_with uuid[] NOT NULL DEFAULT '{}', -- The identifiers of the users with whom the scenario is shared; empty when with nobody.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the scenario was created.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the scenario was last changed.
    row_version integer NOT NULL DEFAULT 1, -- Counts the changes of the row; send it back to refuse overwriting a newer one.
    CONSTRAINT ck_scenarios_name CHECK (btrim(name) <> ''),
    CONSTRAINT ck_scenarios_parameters CHECK (jsonb_typeof(parameters) = 'object'),
    CONSTRAINT ck_scenarios_tags CHECK (array_position(tags, NULL) IS NULL),
    CONSTRAINT ck_scenarios_shared_with CHECK (array_position(shared_with, NULL) IS NULL)
);

CREATE INDEX idx_scenarios_organization_id ON scenarios (organization_id, created_at DESC, id DESC);
CREATE INDEX idx_scenarios_created_by ON scenarios (created_by, created_at DESC, id DESC);
CREATE INDEX idx_scenarios_organization_creator ON scenarios (organization_id, created_by);
CREATE INDEX idx_scenarios_shared_with ON scenarios USING gin (shared_with);

SELECT grant_access('scenarios');
SELECT keep_versions('scenarios');

-- The outcome of one run of a scenario's Monte Carlo simulation. The same seed and parameters give the same outcome.
CREATE TABLE scenario_results (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the run.
    scenario_id uuid NOT NULL REFERENCES scenarios (id) ON DELETE CASCADE, -- The scenario that was run.
    run_number integer NOT NULL, -- The number of the run, counted upwards from 1 for each scenario.
    seed bigint NOT NULL, -- The seed of the random numbers, with which the run can be repeated.
    iterations integer NOT NULL, -- The number of simulated outcomes.
    parameters jsonb NOT NULL, -- The assumptions with which the run was made, as a JSON object.
    percentiles jsonb, -- The 5th, 10th, 25th, 50th, 75th, 90th and 95th percentile of the outcome as a JSON object; NULL until the run is completed.
    histogram jsonb, -- The distribution of the outcome in classes, as JSON; NULL until the run is completed.
    tornado jsonb, -- The effect of each assumption on the outcome (tornado chart), as JSON; NULL until the run is completed.
    mean numeric(20,2), -- The mean outcome, in the currency of the organization; NULL until the run is completed.
    standard_deviation numeric(20,2), -- The standard deviation of the outcome, in the currency of the organization; NULL until the run is completed.
    probability_of_loss numeric(5,4), -- The probability of an outcome below zero as a ratio 0-1; NULL until the run is completed.
    started_at timestamptz NOT NULL DEFAULT now(), -- When the run started.
    completed_at timestamptz, -- When the run was completed; NULL while it is under way or when it has failed.
    duration_ms integer, -- How long the run took, in milliseconds; NULL until it is completed.
    created_by uuid NOT NULL REFERENCES users (id), -- The user who started the run.
    CONSTRAINT uq_scenario_results_run UNIQUE (scenario_id, run_number),
    CONSTRAINT ck_scenario_results_run_number CHECK (run_number > 0),
    CONSTRAINT ck_scenario_results_iterations CHECK (iterations > 0),
    CONSTRAINT ck_scenario_results_standard_deviation CHECK (standard_deviation >= 0),
    CONSTRAINT ck_scenario_results_probability CHECK (probability_of_loss BETWEEN 0 AND 1),
    CONSTRAINT ck_scenario_results_completed CHECK (completed_at >= started_at),
    CONSTRAINT ck_scenario_results_duration CHECK (duration_ms >= 0)
);

CREATE INDEX idx_scenario_results_scenario_id ON scenario_results (scenario_id, run_number DESC, id DESC);
CREATE INDEX idx_scenario_results_created_by ON scenario_results (created_by, run_number DESC, id DESC);

SELECT grant_access('scenario_results');
