"""Identity numbers, phones, mail addresses and assurance; guardians and authorisations."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
