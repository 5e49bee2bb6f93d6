"""A learner may have longer for an assignment than the others."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String, UniqueConstraint

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "extended_due_date",
        Column("number", Integer, nullable=False),
        Column("learner", String(31), nullable=False),
        Column("assignment", String(100), nullable=False),
        Column("due_at", String(32), nullable=False),
        Column("granted_at", String(32), nullable=False),
        PrimaryKeyConstraint("number", name="pk_extended_due_date"),
        UniqueConstraint("learner", "assignment", name="uq_extended_due_date_learner"),
    )
