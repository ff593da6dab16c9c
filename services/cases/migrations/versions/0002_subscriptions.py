"""Subscriptions to the events of cases, the agreements that allow them, and replays of the history."""

from alembic import op

from chassis.tables import create_replays, drop_replays

revision = "0002"
down_revision = "0001"

# a subscriber's own events need no agreement; anybody else's do
AGREEMENTS = """
CREATE TABLE agreements (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    grantee text NOT NULL,
    reference text NOT NULL,
    filter jsonb NOT NULL,
    ends_at timestamptz NOT NULL,
    made_at timestamptz NOT NULL,
    ended_at timestamptz,
    UNIQUE (grantee, reference)
);
"""

# the relay looks after the broker's part: it makes the queue of a row that is new and removes the queue of one that
# has ended, and says so in `removed_at`
SUBSCRIPTIONS = """
CREATE TABLE subscriptions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner text NOT NULL,
    name text NOT NULL,
    filter jsonb NOT NULL,
    patterns text[] NOT NULL,
    delivery text NOT NULL CHECK (delivery IN ('amqp', 'webhook')),
    start text NOT NULL,
    agreement uuid REFERENCES agreements,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    ends_at timestamptz,
    ended_at timestamptz,
    end_reason text CHECK (end_reason IN ('owner', 'agreement', 'operator')),
    removed_at timestamptz,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE UNIQUE INDEX subscriptions_name ON subscriptions (owner, name) WHERE removed_at IS NULL;
CREATE INDEX subscriptions_of_owner ON subscriptions (owner, name, created_at);
CREATE INDEX subscriptions_to_end ON subscriptions (ends_at) WHERE ended_at IS NULL;
"""

# what `chassis.webhooks` sends: secrets sealed, the breaker's state, and one row an event and endpoint
WEBHOOKS = """
CREATE TABLE webhooks (
    subscription uuid PRIMARY KEY REFERENCES subscriptions,
    url text NOT NULL,
    secret bytea NOT NULL,
    former_secret bytea,
    former_until timestamptz,
    failures integer NOT NULL DEFAULT 0,
    rests_until timestamptz,
    disabled_at timestamptz,
    CHECK ((former_secret IS NULL) = (former_until IS NULL))
);
CREATE TABLE webhook_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    event_id text NOT NULL,
    replay text NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    body text NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'requested', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz CHECK (next_attempt_at IS NULL OR status = 'pending'),
    finished_at timestamptz,
    UNIQUE (subscription, event_id, replay),
    CHECK ((finished_at IS NOT NULL) = (status IN ('delivered', 'failed')))
);
CREATE TABLE webhook_attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    delivery bigint NOT NULL REFERENCES webhook_deliveries ON DELETE CASCADE,
    at timestamptz NOT NULL,
    status_code integer,
    error text,
    milliseconds integer NOT NULL
);
"""

WEBHOOK_INDEXES = """
-- whose turn it is: one delivery of a case at a time, whatever the program does
CREATE UNIQUE INDEX webhook_deliveries_turn ON webhook_deliveries (subscription, subject)
    WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (subscription, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (subscription, subject, id) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_requested ON webhook_deliveries (id) WHERE status = 'requested';
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (subscription, id) WHERE status = 'failed';
CREATE INDEX webhook_deliveries_of ON webhook_deliveries (subscription, id);
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX webhook_attempts_of ON webhook_attempts (subscription, id);
CREATE INDEX webhook_attempts_of_delivery ON webhook_attempts (delivery);
"""


def upgrade() -> None:
    op.execute(AGREEMENTS)
    op.execute(SUBSCRIPTIONS)
    op.execute(WEBHOOKS)
    op.execute(WEBHOOK_INDEXES)
    create_replays(op)


def downgrade() -> None:
    drop_replays(op)
    op.execute("DROP TABLE webhook_attempts, webhook_deliveries, webhooks, subscriptions, agreements")
