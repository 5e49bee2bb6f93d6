"""A membership may end on a day."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, String

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("member", Column("ends_at", String(32)))
