"""Device authorization: devices that wait, and wrong codes counted."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE device_authorizations (
            device_code_hash text PRIMARY KEY,
            user_code_hash text NOT NULL UNIQUE,
            client_id text NOT NULL REFERENCES clients,
            scope text NOT NULL,
            device_name text,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            interval_seconds integer NOT NULL,
            polled_at timestamptz,
            decision text,
            subject text REFERENCES accounts,
            signed_in_at timestamptz
        )
        """
    )
    op.execute("CREATE INDEX ix_device_authorizations_client_id ON device_authorizations (client_id)")
    op.execute(
        """
        CREATE TABLE user_code_tries (
            subject text PRIMARY KEY,
            began_at timestamptz NOT NULL,
            wrong integer NOT NULL
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE user_code_tries, device_authorizations")
