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
    removed_at timestamptz
);
CREATE UNIQUE INDEX subscriptions_name ON subscriptions (owner, name) WHERE removed_at IS NULL;
CREATE INDEX subscriptions_of_owner ON subscriptions (owner, created_at);
"""


def upgrade() -> None:
    op.execute(AGREEMENTS)
    op.execute(SUBSCRIPTIONS)
    create_replays(op)


def downgrade() -> None:
    drop_replays(op)
    op.execute("DROP TABLE subscriptions, agreements")
