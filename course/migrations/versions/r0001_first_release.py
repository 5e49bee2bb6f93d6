"""The tables of release 0.1.0, which kept no version: what is there stays, what is missing is made."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    inspect,
)
from sqlalchemy.sql.schema import SchemaItem

from course.errors import Conflict

revision = "0001"
down_revision = None

TIME_CHARACTERS = 32


def upgrade() -> None:
    create_member()
    create_event()
    create_released_assignment()
    create_submission()


def create_member() -> None:
    create_or_take_over(
        "member",
        Column("id", Integer, nullable=False),
        Column("name", String(31), nullable=False),
        Column("display_name", String(80), nullable=False),
        Column("email", String(254), nullable=False),
        Column("role", String(8), nullable=False),
        Column("removed_at", String(TIME_CHARACTERS)),
        Column("password_hash", String(200)),
        Column("session_epoch", Integer, nullable=False),
        Column("last_seen_at", String(TIME_CHARACTERS)),
        Column("invitation_sha256", String(64)),
        Column("invitation_expires_at", String(TIME_CHARACTERS)),
        Column("invitation_used_at", String(TIME_CHARACTERS)),
        PrimaryKeyConstraint("id", name="pk_member"),
        UniqueConstraint("name", name="uq_member_name"),
        UniqueConstraint("invitation_sha256", name="uq_member_invitation_sha256"),
        CheckConstraint("role IN ('learner', 'trainer', 'admin')", name="ck_member_role"),
    )


def create_event() -> None:
    create_or_take_over(
        "event",
        Column("sequence", Integer, nullable=False),
        Column("event_id", Uuid, nullable=False),
        Column("learner", String(31), nullable=False),
        Column("kind", String(50), nullable=False),
        Column("occurred_at", String(TIME_CHARACTERS), nullable=False),
        Column("subject", String(250), nullable=False),
        Column("data", JSON, nullable=False),
        PrimaryKeyConstraint("sequence", name="pk_event"),
        UniqueConstraint("event_id", name="uq_event_event_id"),
    )
    op.create_index("ix_event_learner_kind", "event", ["learner", "kind"], if_not_exists=True)


def create_released_assignment() -> None:
    create_or_take_over(
        "released_assignment",
        Column("number", Integer, nullable=False),
        Column("assignment", String(100), nullable=False),
        Column("title", String(300), nullable=False),
        Column("due_at", String(TIME_CHARACTERS)),
        Column("released_at", String(TIME_CHARACTERS), nullable=False),
        Column("notebooks", JSON, nullable=False),
        PrimaryKeyConstraint("number", name="pk_released_assignment"),
        UniqueConstraint("assignment", name="uq_released_assignment_assignment"),
    )


def create_submission() -> None:
    create_or_take_over(
        "submission",
        Column("number", Integer, nullable=False),
        Column("id", String(36), nullable=False),
        Column("learner", String(64), nullable=False),
        Column("assignment", String(100), nullable=False),
        Column("received_at", String(TIME_CHARACTERS), nullable=False),
        Column("sha256", String(64), nullable=False),
        Column("files", JSON, nullable=False),
        Column("stored_bytes", Integer, nullable=False),
        Column("state", String(10), nullable=False),
        Column("problem", Text, nullable=False),
        Column("claims", Integer, nullable=False),
        Column("not_before", String(TIME_CHARACTERS)),
        Column("points", Float),
        Column("max_points", Float),
        Column("feedback_at", String(TIME_CHARACTERS)),
        Column("marks_released", Boolean, nullable=False),
        Column("feedback_due", Integer, nullable=False),
        PrimaryKeyConstraint("number", name="pk_submission"),
        UniqueConstraint("id", name="uq_submission_id"),
    )
    for name, columns in {
        "ix_submission_state": ["state"],
        "ix_submission_feedback_due": ["feedback_due"],
        "ix_submission_learner_assignment": ["learner", "assignment", "number"],
    }.items():
        op.create_index(name, "submission", columns, if_not_exists=True)


def create_or_take_over(name: str, *items: SchemaItem) -> None:
    """Make a table, or keep the one that is there.

    Raises:
        Conflict: The one that is there is of no release.
    """
    inspector = inspect(op.get_bind())
    if not inspector.has_table(name):
        op.create_table(name, *items, sqlite_autoincrement=name == "member")
        return
    found = {column["name"] for column in inspector.get_columns(name)}
    expected = {item.name for item in items if isinstance(item, Column)}
    if found != expected:
        raise Conflict(
            f"The table {name!r} is that of a version under development, before release 0.1.0: "
            f"it differs in {', '.join(sorted(found ^ expected))}.",
            "There is no way to take it over. Start with a new state folder: --state-dir.",
        )
