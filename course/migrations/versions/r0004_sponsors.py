"""A member may be a sponsor."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

ROLES = "role IN ('learner', 'trainer', 'sponsor', 'admin')"


def upgrade() -> None:
    # Member ids become uids: the table keeps its promise to give none twice.
    with op.batch_alter_table("member", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint("ck_member_role", type_="check")
        table.create_check_constraint("ck_member_role", ROLES)
